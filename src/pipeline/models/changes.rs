//! Loads, unloads and aliases, carried out: what is slow happens before anybody sees it, what is seen happens at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::catalogue::{Catalogue, Entry};
use super::name::{ModelName, check_directory};
use super::{Models, Source};
use crate::batching::Ending;
use crate::error::{Error, ErrorKind};
use crate::pipeline::customers::bulk;
use crate::pipeline::{AnalysisOptions, Analyzer};
use crate::telemetry::metrics;

/// Every new model reads this before it is asked anything: a tokenizer that does not belong to the graph shows here.
const TRIAL: &str = "Nobody answered, and this is the third time I ask. Thank you anyway!";
/// When to try again while another model is loaded.
const RETRY: Duration = Duration::from_secs(5);

/// What a configuration names beside the model that the process was started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names of directories.
    pub load: Vec<String>,
    /// Aliases, and what each points to: `id@version`, or an id.
    pub aliases: BTreeMap<String, String>,
}

impl Models {
    /// Loads the model under a name, to its end even when nobody waits for it any more.
    ///
    /// Errors: those of [`Source::open`]; `AlreadyExists` and `Precondition` as [`Catalogue::check_room`]; `Overloaded`
    /// while another one is loaded. Then all is as it was.
    pub async fn load(&self, name: &str) -> Result<Arc<Analyzer>, Error> {
        let (models, name) = (self.clone(), name.to_owned());
        let load = async move {
            let loaded = models.load_now(&name).await;
            metrics::model_load(loaded.is_ok());
            match &loaded {
                Ok(model) => tracing::info!(model = %ModelName::of(model.manifest()), "a model was loaded"),
                Err(error) => {
                    tracing::warn!(name, error = %error, causes = error.causes(), "a model was not loaded");
                }
            }
            loaded
        };
        tokio::spawn(load).await.map_err(Error::internal)?
    }

    async fn load_now(&self, name: &str) -> Result<Arc<Analyzer>, Error> {
        let _turn = self.shared.loading.try_lock().map_err(|_| {
            let problem = "another model is loaded at the moment, one after the other; try again";
            Error::new(ErrorKind::Overloaded, problem).with_retry_after(RETRY)
        })?;
        let coming = self.look(name).await?;
        self.catalogue().check_room(&coming, self.shared.most)?;
        let entry = self.open(name).await?;
        let model = Arc::clone(&entry.model);
        self.change(|catalogue| Ok((catalogue.with(entry, self.shared.most)?, ())))?;
        Ok(model)
    }

    /// Takes out the version that is spelt out, and returns its name. Calls that have it end with it. Errors: as
    /// [`Catalogue::without`].
    pub fn unload(&self, wanted: &str) -> Result<ModelName, Error> {
        let name = self.change(|catalogue| catalogue.without(wanted))?;
        tracing::info!(model = %name, "a model was unloaded");
        Ok(name)
    }

    /// Lets an alias point to another model, or to none; says what it points to before and after. Errors: as
    /// [`Catalogue::with_alias`].
    pub fn set_alias(&self, alias: &str, wanted: &str) -> Result<[Option<ModelName>; 2], Error> {
        let [before, after] = self.change(|catalogue| {
            let (next, before) = catalogue.with_alias(alias, wanted)?;
            let after = next.aliases().get(alias).cloned();
            Ok((next, [before, after]))
        })?;
        metrics::model_swap();
        let told = |name: &Option<ModelName>| name.as_ref().map(ToString::to_string).unwrap_or_default();
        tracing::info!(
            alias,
            before = told(&before),
            after = told(&after),
            "an alias points to another model"
        );
        Ok([before, after])
    }

    /// Makes what is loaded what a configuration names: loads what is new, and then, at once, sets the aliases and takes out
    /// what is not named. While it loads, both are in memory.
    ///
    /// Errors: `InvalidInput` with the setting, those of [`Source`]. Then all is as it was.
    pub async fn configure(&self, wanted: &Wanted) -> Result<(), Error> {
        let _turn = self.shared.loading.lock().await;
        let (mut kept, mut added) = (BTreeSet::new(), Vec::new());
        for name in &wanted.load {
            let coming = self.look(name).await.map_err(|e| placed(name, e))?;
            if !kept.insert(coming.clone()) {
                let problem = format!("{name} holds {coming}, which another name holds too");
                return Err(Error::invalid("models.load", problem));
            }
            if self.exact(&coming.to_string()).is_err() {
                if kept.len() > self.shared.most {
                    let problem = format!("names more models than may be loaded ({})", self.shared.most);
                    return Err(Error::invalid("models.load", problem));
                }
                let opened = self.open(name).await;
                metrics::model_load(opened.is_ok());
                added.push(opened.map_err(|e| placed(name, e))?);
            }
        }
        let most = self.shared.most;
        let before = self.catalogue();
        self.change(|catalogue| Ok((catalogue.configured(added, &kept, &wanted.aliases, most)?, ())))?;
        let after = self.catalogue();
        let swaps = after.aliases().iter().filter(|(alias, name)| before.aliases().get(*alias) != Some(name));
        swaps.for_each(|_| metrics::model_swap());
        Ok(())
    }

    async fn look(&self, name: &str) -> Result<ModelName, Error> {
        let (source, name) = self.named(name)?;
        tokio::task::spawn_blocking(move || source.look(&name)).await.map_err(Error::internal)?
    }

    /// Opens a model and has it read a text, before anybody can ask it.
    async fn open(&self, name: &str) -> Result<Entry<Arc<Analyzer>>, Error> {
        let (source, directory) = self.named(name)?;
        let open = move || source.open(&directory);
        let model = tokio::task::spawn_blocking(open).await.map_err(Error::internal)??;
        // Until it is in the catalogue: one that is thrown away again is dropped here.
        model.set_ending(Ending::Aside);
        let name_and_version = ModelName::of(model.manifest());
        name_and_version.check()?;
        let options = AnalysisOptions { evidence: false, ..AnalysisOptions::default() };
        let options = options.resolve(model.manifest())?;
        let language = model.manifest().languages.first().cloned();
        // Nobody's text, so that drift does not count it.
        let read = model.read_text(TRIAL, language.as_deref(), (&options, None), bulk()).await;
        read.map_err(|e| {
            let problem = format!("{name}: the model can't read a text: {}", e.public());
            Error::new(ErrorKind::Precondition, problem).with_source(e)
        })?;
        Ok(Entry { name: name_and_version, directory: Some(name.to_owned()), model: Arc::new(model) })
    }

    fn named(&self, name: &str) -> Result<(Arc<dyn Source>, String), Error> {
        check_directory(name)?;
        Ok((self.source()?, name.to_owned()))
    }

    /// Replaces the catalogue by what `decide` makes of it; whoever resolves sees the one or the other.
    fn change<R>(
        &self,
        decide: impl FnOnce(&Catalogue<Arc<Analyzer>>) -> Result<(Catalogue<Arc<Analyzer>>, R), Error>,
    ) -> Result<R, Error> {
        let _turn = self.shared.changing.lock();
        let (next, told) = decide(&self.shared.catalogue.load())?;
        metrics::models_loaded(next.entries().len());
        let next = Arc::new(next);
        let before = self.shared.catalogue.swap(Arc::clone(&next));
        // Where a call may be the last to hold a model, its end must not take the call's thread.
        before.entries().iter().for_each(|entry| entry.model.set_ending(Ending::Aside));
        next.entries().iter().for_each(|entry| entry.model.set_ending(Ending::Here));
        let stays = |name: &ModelName| next.entries().iter().any(|entry| entry.name == *name);
        before.entries().iter().filter(|entry| !stays(&entry.name)).for_each(|entry| entry.model.end_drift());
        self.end_shadows_of_others(&next);
        Ok(told)
    }
}

fn placed(name: &str, error: Error) -> Error {
    let field = format!("models.load: {name}");
    Error::invalid(field, error.told()).with_source(error)
}
