//! A model fetched: the revision is pinned to its commit, the files are chosen, fetched and checked, and the directory appears.

use std::path::{Path, PathBuf};

use super::choose::{choose, is_too_long_to_read};
use super::client::Client;
use super::digest::Sums;
use super::download::{self, Download, Planned};
use super::endpoint::Endpoint;
use super::listing::Listed;
use super::patience::Patience;
use super::place::{self, Place};
use super::reference::Reference;
use super::source::{Source, SourceFile};
use super::token::Token;
use crate::error::{Error, ErrorKind};

/// What to fetch, from where, into what.
#[derive(Debug, Clone)]
pub struct PullSettings {
    /// The hub.
    pub endpoint: Endpoint,
    /// Who asks; `None` for a stranger.
    pub token: Option<Token>,
    /// The model.
    pub reference: Reference,
    /// Where it goes.
    pub directory: PathBuf,
    /// Files to fetch beside the usual ones; a network among them takes the place of the usual networks.
    pub files: Vec<String>,
    /// Most bytes of all files together.
    pub most_bytes: u64,
    /// How often a request is made when what goes wrong may pass.
    pub patience: Patience,
}

/// How far a pull is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The file that comes.
    pub file: &'a str,
    /// Bytes that are there, of all files.
    pub done: u64,
    /// Bytes of all files.
    pub total: u64,
}

/// A model that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// What the directory says of itself.
    pub source: Source,
    /// Whether it was all there before.
    pub was_there: bool,
}

impl Pulled {
    /// Whether it has attune's own manifest, and can be used as it is.
    pub fn is_attune_model(&self) -> bool {
        self.source.files.iter().any(|file| file.name == "model.toml")
    }
}

/// Fetches a model. What an earlier pull has begun is gone on with; what is there already, at this commit, is checked and left.
///
/// Errors: `InvalidInput` and `NotFound` for what can't be asked for, `Unauthenticated` and `Forbidden` where a token is needed
/// or wrong, `Overloaded` and `Unavailable` when trying again has not helped, `Precondition` for content that is not what the hub
/// says, `AlreadyExists` for a directory with something else in it.
pub async fn pull(
    settings: &PullSettings,
    progress: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> Result<Pulled, Error> {
    let PullSettings { endpoint, token, reference, directory, patience, .. } = settings;
    let client = Client::build(endpoint.clone(), token.clone(), reference.clone())?;
    let listing = patience.keep_trying(|| client.listing()).await?;
    let named = format!("{} at {}", reference.repository(), reference.revision());
    let chosen = choose(&listing, &settings.files, &named)?;
    let planned = plan(settings, &client, &listing.commit, chosen).await?;
    if place::is_occupied(directory) {
        return kept(settings, &listing.commit, &planned).await;
    }
    let place = Place::open(directory)?;
    place.sweep(|name| planned.iter().any(|file| name == file.name || name == file.unfinished()))?;
    let fetching = Fetching { client: &client, commit: &listing.commit, place: &place, patience: *patience };
    let files = fetching.all(&planned, progress).await?;
    let source = Source {
        hub: endpoint.shown().to_owned(),
        repository: reference.repository(),
        revision: reference.revision().to_owned(),
        commit: listing.commit,
        pulled_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        files,
    };
    source.write(place.partial())?;
    place.finish()?;
    Ok(Pulled { source, was_there: false })
}

/// Asks for the lengths and checksums that the listing has left out, and holds the sum against the bound.
async fn plan(
    settings: &PullSettings,
    client: &Client,
    commit: &str,
    chosen: Vec<Listed>,
) -> Result<Vec<Planned>, Error> {
    let mut planned = Vec::new();
    for Listed { name, mut bytes, mut digest } in chosen {
        if bytes.is_none() || digest.is_none() {
            let (length, etag) = settings.patience.keep_trying(|| client.about(commit, &name)).await?;
            (bytes, digest) = (bytes.or(length), digest.or(etag));
        }
        let (Some(bytes), Some(digest)) = (bytes, digest) else {
            let problem = format!(
                "{} gives no length or no checksum for {name}: it can't be checked",
                settings.endpoint.host()
            );
            return Err(Error::new(ErrorKind::Precondition, problem));
        };
        if !is_too_long_to_read(&name, bytes) {
            planned.push(Planned { name, bytes, digest });
        }
    }
    let total = planned.iter().fold(0u64, |sum, file| sum.saturating_add(file.bytes));
    if total > settings.most_bytes {
        let sizes: Vec<String> = planned.iter().map(|file| format!("{} {}", file.name, file.bytes)).collect();
        let problem = format!(
            "the files have {total} bytes together, more than {} ({}); raise --max-bytes, or name a smaller network with --file",
            settings.most_bytes,
            sizes.join(", ")
        );
        return Err(Error::new(ErrorKind::Precondition, problem));
    }
    Ok(planned)
}

/// What a directory holds that is there already, when it is this very model and whole.
async fn kept(settings: &PullSettings, commit: &str, planned: &[Planned]) -> Result<Pulled, Error> {
    let directory = &settings.directory;
    let hub = settings.endpoint.shown();
    let source = Source::read(directory).ok_or_else(|| place::occupied(directory))?;
    if !source.is_of(hub, &settings.reference.repository(), commit) {
        let problem = format!(
            "{} holds {} at commit {}, and {} is at commit {commit} now; name another directory with -o, or remove it first",
            directory.display(),
            source.repository,
            source.commit,
            settings.reference.repository(),
        );
        return Err(Error::new(ErrorKind::AlreadyExists, problem));
    }
    for file in planned {
        if file.is_at(directory.join(&file.name)).await.is_none() {
            let problem = format!(
                "{} is missing in {} or is not what was pulled; remove the directory and run the same command again",
                file.name,
                directory.display()
            );
            return Err(Error::new(ErrorKind::AlreadyExists, problem));
        }
    }
    Ok(Pulled { source, was_there: true })
}

/// What every file's way has in common.
struct Fetching<'a> {
    client: &'a Client,
    commit: &'a str,
    place: &'a Place,
    patience: Patience,
}

impl Fetching<'_> {
    /// One file after the other: the connection is what is slow, and one is enough to fill it.
    async fn all(
        &self,
        planned: &[Planned],
        progress: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) -> Result<Vec<SourceFile>, Error> {
        let total = planned.iter().map(|file| file.bytes).sum();
        let (mut before, mut files) = (0u64, Vec::new());
        for file in planned {
            let came = |bytes: u64| progress(Progress { file: &file.name, done: before + bytes, total });
            let path = self.place.file(&file.name)?;
            let sums = match file.is_at(path.clone()).await {
                Some(sums) => sums,
                None => self.one(file, &path, &came).await?,
            };
            before += file.bytes;
            files.push(SourceFile { name: file.name.clone(), bytes: file.bytes, sha256: sums.sha256 });
        }
        Ok(files)
    }

    async fn one(
        &self,
        file: &Planned,
        path: &Path,
        came: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Sums, Error> {
        let unfinished = self.place.partial().join(file.unfinished());
        let download = Download { client: self.client, commit: self.commit, file, path: &unfinished, came };
        self.patience.keep_trying(|| download.go_on()).await?;
        let sums = download::check(file, &unfinished).await?;
        std::fs::rename(&unfinished, path).map_err(|e| download::unwritten(path, &e))?;
        Ok(sums)
    }
}
