//! Which language a text is written in, as far as it says.
//!
//! A wrong "unsupported" loses a customer's message; a missed one costs a doubtful score. So a text counts as foreign only
//! on clear signs: a foreign script, or enough words of which too few are everyday English while the detector is sure of
//! another language. The bounds were set on development data (see the test), never on a test split.

use std::collections::HashSet;
use std::sync::LazyLock;

use whatlang::{Lang, Script};

/// What is known of a text's language.
#[derive(Debug, Clone, PartialEq)]
pub struct Identification {
    /// BCP 47 tag; `None` when the text says too little.
    pub tag: Option<&'static str>,
    /// In [0, 1]; 0 when the text says too little.
    pub confidence: f64,
}

/// Everyday English words; any running text holds many of them.
const ENGLISH: &str = "a about after again all also always am an and another any are as ask asked at away back be because been \
    before being best better both but by call called came can can't cannot come could customer day days did didn't do does \
    doesn't don't done down due each even ever every few first fix for from get getting give go going good got great had has \
    have haven't he hello help her here hey hi him his how i i'd i'll i'm i've if in into is isn't it it's its just keep know \
    last let like little long look lot love made make many me might money more most much must my need never new next nice no \
    not nothing now of off ok okay on once one only or order other our out over paid pay people phone please pls problem \
    really right said same say says see send sent service she should since so some someone something sorry still such support \
    sure take tell than thank thanks that that's the their them then there these they they're thing this those though three \
    through thx time to today told too took try trying two u up ur us use used very wait waiting want wanted was wasn't way we \
    week weeks well went were what what's when where which while who why will with won't work working works would wrong yeah \
    year years yes yesterday yet you you're your";

/// Words that a text needs before its lack of English words says anything.
const MINIMUM_WORDS: usize = 4;
/// Words of grammar of other European languages that are no English words.
const FOREIGN: &str = "aan aber ale alla anche ante ao att au auch auf aussi aux av avec az bei bij c'est ce cette che com como \
    contra cuando d'un da dan dans das dat dei del della dem den der desde det deze di diese dieser donde dos \
    durante een egy ein eine ela ele elle ellos em en entre eres es ese eso esta estaba este estoy et foi fue \
    för für geen gli gracias grazie habe haben har hasta hat hay heb hebben hem hogy ich ik ikke il immer \
    inte isso ist j'ai jag je jeg jest já kann kein keine l'on las leur los maar mais mas med meg mehr mes \
    met meu mich mijn minha mir mit molto mon muito muy más n'est naar nach nada ne nel nem nicht nie niet \
    noch non nos nous nur não obrigado och oder ook op otros ou où par para pas pedido pela pelo pero più por \
    porque på qu'il que questa questo qui quien schon se sehr seit ses seu sich sie sin sind się sobre som \
    sono sont su sua sur sus são sí también também tiene til todo todos tout très um uma un una und une uno \
    você von voor vous wat wenn werden wie wir wird ya yo zijn zou zu är è é és être über że";

/// Share of everyday English words from which a Latin text is English without asking the detector.
const CERTAIN_SHARE: f64 = DETECTOR_ENGLISH_SHARE;
/// Share of everyday English words from which a Latin text counts as English, if the detector has no better idea.
const ENGLISH_SHARE: f64 = 0.22;
/// Share of foreign words of grammar, no smaller than that of English words, from which a Latin text counts as foreign.
const FOREIGN_SHARE: f64 = 0.10;
/// Where neither list says much, the detector's word is enough when the text has this many words, ...
const DETECTOR_WORDS: usize = 8;
/// ... fewer everyday English ones than this share, ...
const DETECTOR_ENGLISH_SHARE: f64 = 0.17;
/// ... and the detector's confidence, in [0, 1], is at least this.
const DETECTOR_CONFIDENCE: f64 = 0.3;
/// The beginning of a long text tells its language; the rest would only cost time.
const SAMPLE_BYTES: usize = 4096;

/// Identifies the language of `text`.
pub fn identify(text: &str) -> Identification {
    const NOTHING: Identification = Identification { tag: None, confidence: 0.0 };
    let mut end = text.len().min(SAMPLE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let sample: String = text[..end]
        .split_whitespace()
        .filter(|w| {
            !(w.starts_with(['@', '#']) || w.contains("://") || w.contains('@') || w.starts_with("www."))
        })
        .flat_map(|w| [w, " "])
        .collect();
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 2 {
        return NOTHING;
    }
    let latin = sample.chars().filter(|c| c.is_alphabetic() && (*c as u32) < 0x250).count();
    if latin * 2 < letters {
        // The script alone rules English out, even for one word.
        return match whatlang::detect(&sample) {
            Some(info) if info.script() != Script::Latin => {
                Identification { tag: Some(tag(info.lang())), confidence: info.confidence().max(0.9) }
            }
            _ => Identification { tag: Some("und"), confidence: 0.9 },
        };
    }
    let words: Vec<String> = sample
        .split(|c: char| !(c.is_alphabetic() || c == '\'' || c == '’'))
        .filter(|w| w.chars().any(char::is_alphabetic))
        .map(|w| w.to_lowercase().replace('’', "'"))
        .collect();
    if words.len() < MINIMUM_WORDS {
        return NOTHING;
    }
    let share = |list: &HashSet<&str>| {
        words.iter().filter(|w| list.contains(w.as_str())).count() as f64 / words.len() as f64
    };
    let (english, foreign) = (share(&ENGLISH_WORDS), share(&FOREIGN_WORDS));
    if english >= CERTAIN_SHARE && english > foreign {
        // Most texts end here, without the detector's cost.
        return Identification { tag: Some("en"), confidence: english.max(1.0 - foreign) };
    }
    match whatlang::detect(&sample) {
        Some(info) if info.lang() == Lang::Eng => {
            Identification { tag: Some("en"), confidence: info.confidence().max(english.min(1.0)) }
        }
        Some(info) if foreign >= FOREIGN_SHARE && foreign >= english => {
            Identification { tag: Some(tag(info.lang())), confidence: info.confidence().max(foreign) }
        }
        Some(info)
            if words.len() >= DETECTOR_WORDS
                && english < DETECTOR_ENGLISH_SHARE
                && info.confidence() >= DETECTOR_CONFIDENCE =>
        {
            Identification { tag: Some(tag(info.lang())), confidence: info.confidence() }
        }
        _ if english >= ENGLISH_SHARE => Identification { tag: Some("en"), confidence: english.min(1.0) },
        _ => NOTHING,
    }
}

static ENGLISH_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| ENGLISH.split_whitespace().collect());
static FOREIGN_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| FOREIGN.split_whitespace().collect());

/// BCP 47 tag of the languages that come up; the ISO 639-3 code, which is a valid tag too, for others.
fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Eng => "en",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Pol => "pl",
        Lang::Tur => "tr",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Cmn => "zh",
        Lang::Vie => "vi",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "nb",
        Lang::Fin => "fi",
        Lang::Ces => "cs",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Ell => "el",
        Lang::Tam => "ta",
        Lang::Tha => "th",
        Lang::Ind => "id",
        other => other.code(),
    }
}

/// Whether a text in this language can be read by a model for `languages`; what is unknown is given the benefit of the
/// doubt. Tags are compared by their primary subtag: "en-GB" is English.
pub fn is_supported(tag: Option<&str>, languages: &[String]) -> bool {
    let Some(tag) = tag else { return true };
    let primary = |t: &str| t.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    languages.is_empty() || languages.iter().any(|l| primary(l) == primary(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supported(text: &str) -> bool {
        is_supported(identify(text).tag, &["en".into()])
    }

    #[test]
    fn short_odd_and_slangy_english_is_never_turned_away() {
        for text in [
            "thx",
            "ok",
            "😡😡😡",
            "RT @attune lol",
            "Great service!",
            "refund pls",
            "wtf bro",
            "12345",
            "a",
            "no",
            "Worst. Airline. Ever.",
            "Naïve façade café résumé",
            "ERR_CONN_RESET errno 54 stderr stdout",
            "oya abeg make una help me, this app don dey disturb since morning",
            "cancel my order 8821",
            "Señor Muñoz never called me back about the invoice",
        ] {
            assert!(supported(text), "{text}: {:?}", identify(text));
        }
    }

    #[test]
    fn other_languages_are_told_apart() {
        for (text, tag) in [
            ("Ich warte seit drei Wochen auf meine Lieferung und niemand antwortet mir.", "de"),
            ("Llevo tres semanas esperando mi pedido y nadie me contesta.", "es"),
            ("Cela fait trois semaines que j'attends ma commande, personne ne répond.", "fr"),
            ("Сколько можно ждать ответа от поддержки?", "ru"),
            ("ありがとうございます、届きました", "ja"),
            ("我等了三个星期", "zh"),
            ("شكرا جزيلا لكم", "ar"),
        ] {
            let found = identify(text);
            assert_eq!(found.tag, Some(tag), "{text}: {found:?}");
            assert!(!supported(text));
        }
    }

    #[test]
    fn a_given_tag_is_compared_by_its_primary_subtag() {
        let english = ["en".to_owned()];
        assert!(is_supported(Some("en-GB"), &english));
        assert!(!is_supported(Some("fr"), &english));
        assert!(is_supported(Some("fr"), &[]));
    }
}
