//! `special_tokens_map.json` and `tokenizer_config.json`: which tokens have a role. Either may be absent.

use serde::Deserialize;

use super::ImportError;

/// Names of tokens with a role, as far as the files say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecialTokens {
    /// Begins a text.
    pub begin: Option<String>,
    /// Ends a text.
    pub end: Option<String>,
    /// Fills a batch up.
    pub pad: Option<String>,
    /// Stands for a covered word.
    pub mask: Option<String>,
    /// Stands for what the tokenizer does not know.
    pub unknown: Option<String>,
    /// Tokens that the tokenizer would let through, markers included.
    pub longest: Option<usize>,
}

#[derive(Default, Deserialize)]
struct Raw {
    cls_token: Option<Token>,
    bos_token: Option<Token>,
    sep_token: Option<Token>,
    eos_token: Option<Token>,
    pad_token: Option<Token>,
    mask_token: Option<Token>,
    unk_token: Option<Token>,
    // A tokenizer without a limit says 10^30.
    model_max_length: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Name(String),
    Added { content: String },
}

impl Token {
    fn name(self) -> String {
        match self {
            Self::Name(name) | Self::Added { content: name } => name,
        }
    }
}

/// Longest sequence that is meant as a limit.
const LONGEST: f64 = 1e7;

impl SpecialTokens {
    /// Reads one of the files. Errors: [`ImportError::Wrong`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ImportError> {
        let raw: Raw = serde_json::from_str(text).map_err(|e| ImportError::wrong(file, e.to_string()))?;
        let first = |a: Option<Token>, b: Option<Token>| a.or(b).map(Token::name);
        Ok(Self {
            begin: first(raw.cls_token, raw.bos_token),
            end: first(raw.sep_token, raw.eos_token),
            pad: first(raw.pad_token, None),
            mask: first(raw.mask_token, None),
            unknown: first(raw.unk_token, None),
            longest: raw.model_max_length.filter(|n| (1.0..LONGEST).contains(n)).map(|n| n as usize),
        })
    }

    /// What this says, and for what it does not say what `other` does.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            begin: self.begin.or(other.begin),
            end: self.end.or(other.end),
            pad: self.pad.or(other.pad),
            mask: self.mask.or(other.mask),
            unknown: self.unknown.or(other.unknown),
            longest: self.longest.or(other.longest),
        }
    }
}
