//! Tests of the catalogue, over numbers in place of models.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> ModelName {
    let (id, version) = text.split_once('@').unwrap();
    ModelName { id: id.into(), version: version.into() }
}

fn entry(text: &str, model: u32) -> Entry<u32> {
    Entry { name: name(text), directory: Some(text.into()), model }
}

/// `base@1` (0, the default), `m@1` (1), `m@2` (2), `m@1.5` (3); canary is m@1.
fn some() -> Catalogue<u32> {
    let mut all = Catalogue::new(name("base@1"), 0);
    for (n, text) in ["m@1", "m@2", "m@1.5"].iter().enumerate() {
        all = all.with(entry(text, n as u32 + 1), 9).unwrap();
    }
    all.with_alias("canary", "m@1").unwrap().0
}

#[test]
fn a_name_is_an_alias_a_version_or_an_id_in_this_order() {
    let all = some();
    for (wanted, expected) in [
        ("", 0),
        ("default", 0),
        ("base", 0),
        ("canary", 1),
        ("m@2", 2),
        // The version that was loaded last, whatever its number.
        ("m", 3),
    ] {
        assert_eq!(all.resolve(wanted).unwrap().model, expected, "{wanted}");
    }
    // An id means the default when that is a version of it, and an alias with the id's name before that.
    let (all, before) = all.with_alias("default", "m@2").unwrap();
    assert_eq!((all.resolve("m").unwrap().model, *all.default(), before), (2, 2, Some(name("base@1"))));
    let (all, _) = all.with_alias("m", "canary").unwrap();
    assert_eq!(all.resolve("m").unwrap().model, 1);
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let error = some().resolve("other").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for part in ["base@1, m@1, m@2, m@1.5", "canary = m@1, default = base@1"] {
        assert!(error.public().contains(part), "{error}");
    }
    assert_eq!(some().exact("m").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn what_would_break_the_catalogue_is_refused() {
    let all = some();
    for (result, kind, part) in [
        (all.with(entry("m@2", 9), 9).map(drop), ErrorKind::AlreadyExists, "m@2"),
        (all.with(entry("m@3", 9), 4).map(drop), ErrorKind::Precondition, "models.maximum"),
        (all.without("m@1").map(drop), ErrorKind::Precondition, "canary"),
        (all.without("base@1").map(drop), ErrorKind::Precondition, "default"),
        (all.without("m").map(drop), ErrorKind::NotFound, "m@1"),
        (all.with_alias("default", "").map(drop), ErrorKind::InvalidInput, "default"),
        (all.with_alias("Canary", "m@1").map(drop), ErrorKind::InvalidInput, "lower-case"),
        (all.with_alias("new", "x").map(drop), ErrorKind::NotFound, "m@1"),
        (all.with_alias("new", "").map(drop), ErrorKind::NotFound, "m@1"),
    ] {
        let error = result.unwrap_err();
        assert!(error.kind() == kind && error.public().contains(part), "{error}");
    }
    let many = (0..63).try_fold(all, |all, n| all.with_alias(&format!("a{n}"), "m").map(|(all, _)| all));
    assert_eq!(many.unwrap_err().kind(), ErrorKind::Precondition);
}

#[test]
fn a_configuration_leaves_what_it_names_and_the_model_of_the_start() {
    let aliases = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(a, m)| ((*a).into(), (*m).into())).collect()
    };
    let kept = BTreeSet::from([name("m@2")]);
    let next = some().configured(vec![entry("n@1", 7)], &kept, &aliases(&[("default", "n")]), 3).unwrap();
    let left: Vec<u32> = next.entries().iter().map(|entry| entry.model).collect();
    assert_eq!((left, *next.default(), next.aliases().len()), (vec![0, 2, 7], 7, 1));
    let plain = next.configured(Vec::new(), &BTreeSet::new(), &aliases(&[]), 3).unwrap();
    assert_eq!((plain.entries().len(), *plain.default()), (1, 0));
    for (pairs, most, field) in [
        (aliases(&[("canary", "m@1")]), 9, "models.aliases.canary"),
        (aliases(&[("Bad", "m@2")]), 9, "models.aliases.Bad"),
        // An alias of an alias would depend on the order.
        (aliases(&[("a", "m@2"), ("b", "a")]), 9, "models.aliases.b"),
        (aliases(&[]), 1, "models.load"),
    ] {
        let error = some().configured(Vec::new(), &kept, &pairs, most).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)), "{error}");
    }
}

#[derive(Debug, Clone)]
enum Change {
    Load(u8),
    Unload(u8),
    Alias(u8, u8),
    Configure(Vec<u8>, u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        (0..9u8).prop_map(Change::Load),
        (0..9u8).prop_map(Change::Unload),
        (0..4u8, 0..9u8).prop_map(|(a, m)| Change::Alias(a, m)),
        (proptest::collection::vec(0..9u8, 0..4), 0..9u8).prop_map(|(keep, m)| Change::Configure(keep, m)),
    ];
    proptest::collection::vec(one, 0..60)
}

fn apply(all: &Catalogue<u32>, change: &Change, most: usize) -> Result<Catalogue<u32>, Error> {
    let model = |n: u8| format!("m{}@{}", n / 3, n % 3);
    match change {
        Change::Load(n) => all.with(entry(&model(*n), u32::from(*n) + 1), most),
        Change::Unload(n) => all.without(&model(*n)).map(|(next, _)| next),
        Change::Alias(a, n) => {
            let alias = if *a == 0 { DEFAULT.to_owned() } else { format!("alias-{a}") };
            all.with_alias(&alias, &model(*n)).map(|(next, _)| next)
        }
        Change::Configure(keep, n) => {
            let keep = keep.iter().map(|n| name(&model(*n))).collect();
            all.configured(Vec::new(), &keep, &BTreeMap::from([("default".into(), model(*n))]), most)
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_every_alias_stands_for_a_model_that_is_there(changes in changes()) {
        let mut all = Catalogue::new(name("base@1"), 0);
        for change in &changes {
            let Ok(next) = apply(&all, change, 5) else { continue };
            all = next;
            prop_assert!((1..=5).contains(&all.entries().len()));
            let distinct: BTreeSet<_> = all.entries().iter().map(|entry| &entry.name).collect();
            prop_assert_eq!(distinct.len(), all.entries().len());
            for (alias, target) in all.aliases() {
                prop_assert_eq!(&all.resolve(alias).unwrap().name, target);
            }
            prop_assert_eq!(all.resolve("").unwrap().model, *all.default());
        }
    }
}
