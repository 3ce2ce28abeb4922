//! How many tokens a window of an imported network holds.

use super::ImportError;
use super::config::ExportConfig;
use super::special::SpecialTokens;

/// Most tokens of a window unless a flag says more: attention costs the square of it, and what customers write is seldom
/// longer. Longer texts are read in several windows.
const USUAL: usize = 512;
/// Most tokens of a window at all: more than any classifier of texts takes, and small enough to be tried out.
const MOST: usize = 32_768;
/// Rows of warm-up have 48 tokens (`batching/calibrate.rs`).
const LEAST: usize = 48;
/// Networks that number positions from the padding's id on, so that as many positions are never used.
const OFFSET: [&str; 8] = [
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "roberta-prelayernorm",
    "data2vec-text",
    "longformer",
    "mpnet",
];
/// Id of the padding in networks of that kind that don't say it.
const USUAL_PAD: u32 = 1;

/// Tokens of a window with the two markers, and why, for people.
pub(super) fn maximum_tokens(
    config: &ExportConfig,
    special: &SpecialTokens,
    asked: Option<usize>,
) -> Result<(usize, String), ImportError> {
    let unused = if OFFSET.contains(&config.model_type.as_str()) {
        config.pad.unwrap_or(USUAL_PAD) as usize + 1
    } else {
        0
    };
    let positions = config.positions.map(|positions| positions.saturating_sub(unused));
    let most = [positions, special.longest].into_iter().flatten().min().map(|most| most.min(MOST));
    let (tokens, why) = match (asked, most) {
        (Some(asked), _) if asked > most.unwrap_or(MOST) => {
            let most = most.unwrap_or(MOST);
            let problem = format!("{asked} is more than the {most} tokens that the network takes");
            return Err(ImportError::Flag { flag: "--maximum-tokens", problem });
        }
        (Some(asked), _) => (asked, "as --maximum-tokens says".to_owned()),
        (None, Some(most)) if most > USUAL => {
            (USUAL, format!("the network takes {most}; --maximum-tokens allows more than {USUAL}"))
        }
        (None, Some(most)) if special.longest == Some(most) && positions != Some(most) => {
            (most, "model_max_length of the tokenizer".to_owned())
        }
        (None, Some(most)) if unused > 0 => {
            let kind = &config.model_type;
            (most, format!("max_position_embeddings less {unused}, which {kind} does not use"))
        }
        (None, Some(most)) => (most, "max_position_embeddings".to_owned()),
        (None, None) => {
            let problem = "neither max_position_embeddings nor model_max_length; give --maximum-tokens";
            return Err(ImportError::wrong("config.json", problem));
        }
    };
    if tokens < LEAST {
        let problem = format!("windows of {tokens} tokens; at least {LEAST} are needed");
        return Err(ImportError::wrong("config.json", problem));
    }
    Ok((tokens, why))
}
