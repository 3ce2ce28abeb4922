//! The token that says to a hub who asks.

use std::path::PathBuf;

use hf_hub::Cache;
use reqwest::header::HeaderValue;

use crate::error::Error;

/// A token of a hub; never shown.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// The variable that holds one.
    pub const VARIABLE: &str = "HF_TOKEN";

    /// Takes a token. Error: `InvalidInput` for one that no header could hold.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(Self::VARIABLE, "the token holds what no token has: spaces, or other than ASCII")
        };
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// Looks where the hub's own tools keep it: `HF_TOKEN`, then the file `token` in `HF_HOME`, in `XDG_CACHE_HOME/huggingface`
    /// or in `.cache/huggingface` of the home directory. `variable` gives the value of a variable. An empty `HF_TOKEN`
    /// asks for none at all. Error: as [`Token::parse`].
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        if let Some(text) = variable(Self::VARIABLE) {
            return if text.trim().is_empty() { Ok(None) } else { Self::parse(&text).map(Some) };
        }
        let home = |name: &str, below: &str| {
            let set = variable(name).filter(|value| !value.is_empty());
            set.map(|value| PathBuf::from(value).join(below))
        };
        let home = home("HF_HOME", "")
            .or_else(|| home("XDG_CACHE_HOME", "huggingface"))
            .or_else(|| home("HOME", ".cache/huggingface"));
        // The crate knows the file's place from that of the cache beside it.
        let kept = home.and_then(|home| Cache::new(home.join("hub")).token());
        kept.map(|text| Self::parse(&text)).transpose()
    }

    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Option<String> {
        let get =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let token = Token::find(get).unwrap();
        token.map(|token| token.header().to_str().unwrap().to_owned())
    }

    #[test]
    fn the_variable_wins_over_the_file_and_an_empty_one_asks_for_none() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().to_str().unwrap();
        std::fs::write(directory.path().join("token"), "hf_file\n").unwrap();
        std::fs::create_dir_all(directory.path().join(".cache/huggingface")).unwrap();
        std::fs::write(directory.path().join(".cache/huggingface/token"), "hf_home").unwrap();
        assert_eq!(found(&[("HF_TOKEN", " hf_variable "), ("HF_HOME", home)]).unwrap(), "Bearer hf_variable");
        assert_eq!(found(&[("HF_TOKEN", ""), ("HF_HOME", home)]), None);
        assert_eq!(found(&[("HF_HOME", home), ("HOME", "/nowhere")]).unwrap(), "Bearer hf_file");
        assert_eq!(found(&[("HOME", home)]).unwrap(), "Bearer hf_home");
        assert_eq!(found(&[("XDG_CACHE_HOME", "/nowhere"), ("HOME", home)]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_token_is_not_shown_even_when_it_is_wrong() {
        assert!(!format!("{:?}", Token::parse("canary").unwrap()).contains("canary"));
        for text in ["", "canary canary", "canary\u{e9}", "canary\u{7f}"] {
            let error = Token::parse(text).unwrap_err().told();
            assert!(error.starts_with("HF_TOKEN: ") && !error.contains("canary"), "{error}");
        }
    }
}
