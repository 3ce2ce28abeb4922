//! Which of a revision's files are fetched.

use super::listing::{Listed, Listing};
use super::names;
use crate::error::{Error, ErrorKind};

/// What goes with a network: its own words, how texts are cut, what attune itself says of a model.
const BESIDE: [&str; 5] =
    ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "model.toml"];
/// What people read; only short ones are fetched.
const PAPERS: [&str; 6] = ["README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "NOTICE"];
/// Largest of them.
const PAPER_BYTES: u64 = 1 << 20;
/// Where a graph is looked for, the first that is there.
const GRAPHS: [&str; 2] = ["model.onnx", "onnx/model.onnx"];
/// Where native weights are looked for.
const WEIGHTS: &str = "model.safetensors";
/// Names that are told when there is nothing to fetch.
const TOLD: usize = 5;

/// The files that are there of those that attune can use, and those that were asked for by name: a network that was asked for
/// takes the place of the usual ones.
///
/// Errors: `InvalidInput` for a name that may not be written, `NotFound` for one that is not there, and for a revision without
/// any network. `place` names the revision in messages.
pub(super) fn choose(listing: &Listing, asked: &[String], place: &str) -> Result<Vec<Listed>, Error> {
    for name in asked {
        if !names::is_safe(name) {
            let expected =
                "expected the plain name of a file in the repository, such as onnx/model_quantized.onnx";
            return Err(Error::invalid("--file", format!("{expected}, not {name:?}")));
        }
        if listing.find(name).is_none() {
            return Err(Error::new(ErrorKind::NotFound, format!("{place} has no file {name}")));
        }
    }
    let asked = asked.iter().map(String::as_str);
    let mut wanted: Vec<&str> = BESIDE.into_iter().chain(PAPERS).chain(asked.clone()).collect();
    if !asked.clone().any(is_network) {
        wanted.extend(GRAPHS.into_iter().find(|name| listing.find(name).is_some()));
        wanted.push(WEIGHTS);
    }
    let mut chosen: Vec<Listed> = wanted.iter().filter_map(|name| listing.find(name).cloned()).collect();
    chosen.sort_by(|a, b| a.name.cmp(&b.name));
    chosen.dedup();
    if !chosen.iter().any(|file| is_network(&file.name)) {
        return Err(Error::new(ErrorKind::NotFound, no_network(listing, place)));
    }
    Ok(chosen)
}

/// Whether a file is left out because it is longer than anybody reads.
pub(super) fn is_too_long_to_read(name: &str, bytes: u64) -> bool {
    PAPERS.contains(&name) && bytes > PAPER_BYTES
}

fn is_network(name: &str) -> bool {
    name.ends_with(".onnx") || name.ends_with(".safetensors")
}

fn no_network(listing: &Listing, place: &str) -> String {
    let others: Vec<&str> = listing
        .files
        .iter()
        .map(|file| file.name.as_str())
        .filter(|name| is_network(name))
        .take(TOLD)
        .collect();
    let hint = if others.is_empty() {
        "attune reads ONNX graphs and safetensors: export the model to one of them first".to_owned()
    } else {
        format!("it has {}: name the one to fetch with --file", others.join(", "))
    };
    format!("{place} has none of {}, {} and {WEIGHTS}; {hint}", GRAPHS[0], GRAPHS[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let file = |name: &&str| Listed { name: (*name).to_owned(), bytes: Some(1), digest: None };
        Listing { commit: "0".repeat(40), files: names.iter().map(file).collect() }
    }

    fn chosen(there: &[&str], asked: &[&str]) -> Result<Vec<String>, Error> {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        let files = choose(&listing(there), &asked, "acme/mood at main")?;
        Ok(files.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn what_attune_can_use_is_fetched_and_the_rest_left_where_it_is() {
        for (there, asked, expected) in [
            (
                &["config.json", "model.safetensors", "pytorch_model.bin", "tokenizer.json", "README.md"][..],
                &[][..],
                &["README.md", "config.json", "model.safetensors", "tokenizer.json"][..],
            ),
            (&["model.onnx", "onnx/model.onnx"], &[], &["model.onnx"]),
            (&["onnx/model.onnx", "onnx/model_int8.onnx"], &[], &["onnx/model.onnx"]),
            (
                &["onnx/model.onnx", "onnx/model_int8.onnx", "model.safetensors", "config.json"],
                &["onnx/model_int8.onnx"],
                &["config.json", "onnx/model_int8.onnx"],
            ),
            (&["model.onnx", "vocab.txt"], &["vocab.txt", "vocab.txt"], &["model.onnx", "vocab.txt"]),
        ] {
            assert_eq!(chosen(there, asked).unwrap(), expected, "{there:?} {asked:?}");
        }
    }

    #[test]
    fn what_is_missing_is_said_with_what_there_is() {
        for (there, asked, kind, message) in [
            (&["model.onnx"][..], &["x.txt"][..], ErrorKind::NotFound, "acme/mood at main has no file x.txt"),
            (&["model.onnx"], &["../x"], ErrorKind::InvalidInput, "expected the plain name"),
            (&["config.json"], &[], ErrorKind::NotFound, "export the model"),
            (
                &["onnx/a.onnx"],
                &[],
                ErrorKind::NotFound,
                "it has onnx/a.onnx: name the one to fetch with --file",
            ),
        ] {
            let error = chosen(there, asked).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.public().contains(message), "{error}");
        }
    }
}
