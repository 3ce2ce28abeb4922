//! Models that come and go over the deterministic backend: what is kept in memory, what is told, what is compared.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings, Entrance, Lane};
use crate::drift::Tenant;
use crate::inference::fake::{FakeFactory, Gate, Steering};
use crate::inference::{Backend, BackendFactory, EncodedBatch, InferenceError, TextTokenizer, WindowOutput};
use crate::model::ModelBundle;
use crate::pipeline::{AnalysisOptions, AnalyzerSettings, Call};

/// Counts the backends that live.
struct Counted(FakeFactory, Arc<AtomicUsize>);

struct CountedBackend(Box<dyn Backend>, Arc<AtomicUsize>);

impl BackendFactory for Counted {
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(CountedBackend(self.0.build()?, Arc::clone(&self.1))))
    }
}

impl Backend for CountedBackend {
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError> {
        self.0.run(batch)
    }
}

impl Drop for CountedBackend {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

const WORKERS: usize = 2;

fn factory() -> FakeFactory {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    FakeFactory::new(manifest.label_count(), manifest.heads.len())
}

fn analyzer(version: &str, factory: FakeFactory, live: &Arc<AtomicUsize>) -> Result<Analyzer, Error> {
    let bundle = ModelBundle::load_embedded().unwrap();
    let manifest = crate::model::Manifest { version: version.into(), ..bundle.manifest };
    let settings = BatcherSettings {
        model: ModelName::of(&manifest).to_string(),
        markers: manifest.markers,
        workers: WORKERS,
        batch_tokens: Some(256),
        admission: AdmissionSettings { capacity_tokens: 4000, overload_delay: Duration::from_millis(10) },
        cache_bytes: 1 << 20,
    };
    let batcher = Batcher::spawn(&Counted(factory, Arc::clone(live)), settings)?;
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer)?;
    let bounds = AnalyzerSettings { text_bytes: 10_000, text_tokens: 10_000 };
    Ok(Analyzer::new(manifest, tokenizer, batcher, bounds))
}

/// Models by the names of their directories, which are their versions.
#[derive(Default)]
struct Shelf {
    factories: BTreeMap<String, FakeFactory>,
    live: Arc<AtomicUsize>,
    /// Says that an opening has begun, and waits until it may go on.
    held: Option<Mutex<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
}

impl Source for Shelf {
    fn look(&self, name: &str) -> Result<ModelName, Error> {
        self.factories.get(name).ok_or_else(|| Error::new(ErrorKind::NotFound, "no such directory"))?;
        let id = ModelBundle::load_embedded().unwrap().manifest.id;
        Ok(ModelName { id, version: name.to_owned() })
    }

    fn open(&self, name: &str) -> Result<Analyzer, Error> {
        if let Some(held) = &self.held {
            let held = held.lock();
            held.0.send(()).unwrap();
            held.1.recv().unwrap();
        }
        analyzer(name, self.factories[name].clone(), &self.live)
    }
}

/// Version 0, over its gate or without one, and a shelf.
fn models(first: FakeFactory, shelf: Shelf) -> Models {
    let first = analyzer("0", first, &Arc::default()).unwrap();
    Models::with_source(Arc::new(first), Arc::new(shelf), 3)
}

fn shelf(factories: impl IntoIterator<Item = (&'static str, FakeFactory)>) -> Shelf {
    let factories = factories.into_iter().map(|(name, factory)| (name.to_owned(), factory)).collect();
    Shelf { factories, ..Shelf::default() }
}

const CALL: Call =
    Call { lane: Lane::Interactive, entrance: Entrance::Refuse, deadline: None, tenant: Tenant::NONE };

async fn read(model: &Analyzer, text: &str) -> String {
    let options = AnalysisOptions::default().resolve(model.manifest()).unwrap();
    model.analyze(text, Some("en"), &options, CALL).await.unwrap().model_version
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_unloaded_is_gone_when_its_last_call_is() {
    let gate = Gate::closed();
    gate.open();
    let shelf = shelf([("1", FakeFactory { gate: Some(gate.clone()), ..factory() })]);
    let live = Arc::clone(&shelf.live);
    let models = models(factory(), shelf);
    models.load("1").await.unwrap();
    models.set_alias("canary", "attune-en-small@1").unwrap();
    assert_eq!(live.load(Ordering::SeqCst), WORKERS);
    gate.shut();
    let model = models.get("canary").unwrap();
    let weak = Arc::downgrade(&model);
    let call = tokio::spawn(async move { read(&model, "this one is on its way").await });
    let in_flight = || weak.upgrade().is_some_and(|model| model.batcher.in_flight() > 0);
    until("the call is at the worker", in_flight).await;
    let error = models.unload("attune-en-small@1").unwrap_err();
    assert!(error.kind() == ErrorKind::Precondition && error.public().contains("canary"), "{error}");
    models.set_alias("canary", "").unwrap();
    models.unload("attune-en-small@1").unwrap();
    assert_eq!(models.get("attune-en-small@1").err().unwrap().kind(), ErrorKind::NotFound);
    assert!(weak.upgrade().is_some());
    gate.open();
    assert_eq!(call.await.unwrap(), "1");
    until("nobody holds the model", || weak.upgrade().is_none()).await;
    until("its sessions are gone", || live.load(Ordering::SeqCst) == 0).await;
    // The name is free again.
    models.load("1").await.unwrap();
}

#[tokio::test]
async fn whoever_lets_go_of_a_model_last_does_not_wait_for_its_workers() {
    let gate = Gate::closed();
    gate.open();
    let shelf = shelf([("1", FakeFactory { gate: Some(gate.clone()), ..factory() })]);
    let live = Arc::clone(&shelf.live);
    let models = models(factory(), shelf);
    let model = models.load("1").await.unwrap();
    gate.shut();
    let weak = Arc::downgrade(&model);
    let call = tokio::spawn(async move { read(&model, "its caller goes away").await });
    until("the call is at the worker", || weak.upgrade().is_some_and(|m| m.batcher.in_flight() > 0)).await;
    models.unload("attune-en-small@1").unwrap();
    call.abort();
    // There is one thread: had it waited for the workers, the gate would never open.
    until("nobody holds the model", || weak.upgrade().is_none()).await;
    gate.open();
    until("its sessions are gone", || live.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_leaves_everything_as_it_was() {
    let bundle = ModelBundle::load_embedded().unwrap();
    // A word of the trial, and of nothing before it.
    let trial = TextTokenizer::parse(&bundle.tokenizer).unwrap().tokenize("third").unwrap().ids[0];
    let broken = FakeFactory { poison: Some(trial), ..factory() };
    let shelf = shelf([("1", factory()), ("broken", broken), ("3", factory()), ("4", factory())]);
    let live = Arc::clone(&shelf.live);
    let models = models(factory(), shelf);
    models.load("1").await.unwrap();
    for (name, kind, part) in [
        ("broken", ErrorKind::Precondition, "can't read a text"),
        ("none", ErrorKind::NotFound, "no such directory"),
        ("../1", ErrorKind::InvalidInput, "plain name"),
        ("1", ErrorKind::AlreadyExists, "attune-en-small@1"),
    ] {
        let error = models.load(name).await.err().unwrap();
        assert!(error.kind() == kind && error.public().contains(part), "{name}: {error}");
        let loaded: Vec<String> =
            models.catalogue().entries().iter().map(|e| e.name.version.clone()).collect();
        assert_eq!(loaded, ["0", "1"], "{name}");
    }
    until("nothing is left of it", || live.load(Ordering::SeqCst) == WORKERS).await;
    models.load("3").await.unwrap();
    assert_eq!(models.load("4").await.err().unwrap().kind(), ErrorKind::Precondition);
    let alone = Models::new(models.default_model());
    assert!(alone.load("1").await.err().unwrap().public().contains("models.directory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_loaded_one_after_the_other_and_to_the_end_when_nobody_waits() {
    let (began, hear) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let held = Some(Mutex::new((began, wait)));
    let models = models(factory(), Shelf { held, ..shelf([("1", factory()), ("2", factory())]) });
    let first = tokio::spawn({
        let models = models.clone();
        async move { models.load("1").await.map(drop) }
    });
    tokio::task::spawn_blocking(move || hear.recv().unwrap()).await.unwrap();
    let busy = models.load("2").await.err().unwrap();
    assert!(busy.kind() == ErrorKind::Overloaded && busy.retry_after().is_some(), "{busy}");
    // Calls go on meanwhile, and nobody can see what is not ready.
    assert_eq!(read(&models.default_model(), "still here").await, "0");
    assert!(models.get("attune-en-small@1").is_err());
    first.abort();
    go.send(()).unwrap();
    until("it is loaded all the same", || models.get("attune-en-small@1").is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_carried_out_as_a_whole_or_not_at_all() {
    let shelf = shelf([("1", factory()), ("2", factory())]);
    let live = Arc::clone(&shelf.live);
    let models = models(factory(), shelf);
    let wanted = |load: &[&str], aliases: &[(&str, &str)]| Wanted {
        load: load.iter().map(|name| (*name).to_owned()).collect(),
        aliases: aliases.iter().map(|(a, m)| ((*a).to_owned(), (*m).to_owned())).collect(),
    };
    models.configure(&wanted(&["1"], &[("default", "attune-en-small@1")])).await.unwrap();
    assert_eq!(models.default_model().manifest().version, "1");
    for (wrong, field) in [
        (wanted(&["2", "none"], &[]), "models.load: none"),
        (wanted(&["2"], &[("default", "attune-en-small@9")]), "models.aliases.default"),
        (wanted(&["1", "1"], &[]), "models.load"),
    ] {
        let error = models.configure(&wrong).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)), "{error}");
        assert_eq!(models.default_model().manifest().version, "1");
        until("what was opened is gone", || live.load(Ordering::SeqCst) == WORKERS).await;
    }
    models.configure(&wanted(&["2"], &[("default", "attune-en-small@2")])).await.unwrap();
    assert_eq!(models.default_model().manifest().version, "2");
    assert!(models.get("attune-en-small@1").is_err());
    until("the old one is gone", || live.load(Ordering::SeqCst) == WORKERS).await;
}

/// A backend on which `furious` speaks for a label of the sentiment head, and `lawyer` for one of the cues where `cue` is.
fn steered(sentiment: usize, cue: bool) -> FakeFactory {
    let bundle = ModelBundle::load_embedded().unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let id = |word: &str| tokenizer.tokenize(word).unwrap().ids[0];
    let mut words = vec![(id("furious"), sentiment, 16.0)];
    if cue {
        words.push((id("lawyer"), 31 + 2, 30.0));
    }
    FakeFactory { steering: Some(Steering { floor: -8.0, words }), ..factory() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_tells_how_a_candidate_differs_and_no_call_waits_for_it() {
    let gate = Gate::closed();
    gate.open();
    let candidate = FakeFactory { gate: Some(gate.clone()), ..steered(2, false) };
    let models = models(steered(0, true), shelf([("1", candidate)]));
    models.load("1").await.unwrap();
    let error = models.set_shadow("default", "default", 0.5).unwrap_err();
    assert_eq!(error.field(), Some("candidate"));
    assert_eq!(models.set_shadow("", "attune-en-small@1", 0.0).unwrap_err().field(), Some("share"));
    assert_eq!(models.shadow_report("default").unwrap_err().kind(), ErrorKind::NotFound);
    models.set_shadow("default", "attune-en-small@1", 1.0).unwrap();
    gate.shut();
    let live = models.default_model();
    for text in ["furious about the lawyer", "nothing to say here", "my lawyer is here"] {
        assert_eq!(read(&live, text).await, "0");
    }
    assert_eq!(models.shadow_report("default").unwrap().tally.compared, 0);
    gate.open();
    let done = || models.shadow_report("default").is_ok_and(|report| report.tally.compared == 3);
    until("the candidate has read them", done).await;
    let report = models.stop_shadow("default").unwrap();
    let head = |name: &str| report.plan.heads.iter().position(|head| head.name == name).unwrap();
    let sentiment = &report.tally.heads[head("sentiment")];
    // negative → positive once; the other two are the first of three equal ones in both.
    assert_eq!((sentiment.agreed, sentiment.confusion[2], sentiment.confusion[0]), (2, 1, 2));
    let cue = &report.tally.heads[head("cue")];
    let threat = report.plan.heads[head("cue")].labels.iter().position(|l| l.name == "legal_threat").unwrap();
    assert_eq!((cue.labels[threat].lost, cue.labels[threat].gained, report.dropped), (2, 0, 0));
    assert!(cue.labels.iter().enumerate().all(|(n, label)| n == threat || label.largest == 0.0));
    assert_eq!(models.stop_shadow("default").unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_can_not_keep_up_loses_texts_and_a_new_shadow_counts_from_none() {
    let gate = Gate::closed();
    gate.open();
    let models = models(factory(), shelf([("1", FakeFactory { gate: Some(gate.clone()), ..factory() })]));
    models.load("1").await.unwrap();
    models.set_shadow("default", "attune-en-small@1", 1.0).unwrap();
    gate.shut();
    let live = models.default_model();
    for n in 0..1100 {
        read(&live, &format!("parcel {}", n % 7)).await;
    }
    let report = models.shadow_report("default").unwrap();
    // 1,024 wait, and the candidate has one or none.
    assert!((75..=76).contains(&report.dropped), "{}", report.dropped);
    models.set_shadow("default", "attune-en-small@1", 1.0).unwrap();
    let fresh = models.shadow_report("default").unwrap();
    assert_eq!((fresh.dropped, fresh.tally.compared), (0, 0));
    assert_eq!(models.shadow_of(&ModelName::of(live.manifest())).unwrap().version, "1");
    // Whoever unloads a candidate ends the shadow.
    let weak = Arc::downgrade(&models.exact("attune-en-small@1").unwrap());
    models.unload("attune-en-small@1").unwrap();
    assert!(models.shadow_report("default").is_err());
    gate.open();
    until("the candidate is gone", || weak.upgrade().is_none()).await;
}
