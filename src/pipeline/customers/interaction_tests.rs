//! What may come in, and what makes two of them the same.

use super::*;
use crate::domain::Role;
use proptest::prelude::*;

fn message() -> Interaction {
    Interaction {
        tenant: "acme".into(),
        customer: "ann".into(),
        source: "desk".into(),
        external_id: "7".into(),
        at_ms: 1,
        channel: Channel::Chat,
        language: None,
        content: Content::Message("my secret".into()),
        nps: None,
        csat: None,
    }
}

fn changed(change: impl FnOnce(&mut Interaction)) -> Interaction {
    let mut interaction = message();
    change(&mut interaction);
    interaction
}

#[test]
fn the_id_follows_from_tenant_source_and_external_id_and_from_nothing_else() {
    let id = message().id();
    assert_eq!((id.len(), &id[..4]), (36, "int_"));
    for other in [
        changed(|i| i.tenant = "acm".into()),
        changed(|i| i.source = "desks".into()),
        changed(|i| i.external_id = "8".into()),
        // Where the parts end counts.
        changed(|i| (i.tenant, i.source) = ("acmed".into(), "esk".into())),
        changed(|i| (i.source, i.external_id) = ("desk7".into(), String::new())),
    ] {
        assert_ne!(other.id(), id, "{other:?}");
    }
    let same = changed(|i| {
        (i.customer, i.at_ms, i.channel) = ("bob".into(), 2, Channel::Email);
        i.content = Content::Survey(String::new());
    });
    assert_eq!(same.id(), id);
}

#[test]
fn each_wrong_field_is_named() {
    message().check().unwrap();
    let turns = |count| Content::Conversation(vec![turn(); count]);
    for (wrong, field) in [
        (changed(|i| i.tenant = "t".repeat(ID_BYTES + 1)), "tenant"),
        (changed(|i| i.customer.clear()), "customer"),
        (changed(|i| i.source = "a\0".into()), "source"),
        (changed(|i| i.external_id = "a\n".into()), "external_id"),
        (changed(|i| i.at_ms = -1), "at_ms"),
        (changed(|i| i.at_ms = LATEST_MS + 1), "at_ms"),
        (changed(|i| i.language = Some("my secret".into())), "language"),
        (changed(|i| i.language = Some("mysecretword".into())), "language"),
        (changed(|i| i.language = Some(String::new())), "language"),
        (changed(|i| i.nps = Some(11)), "nps"),
        (changed(|i| i.csat = Some(-0.1)), "csat"),
        (changed(|i| i.csat = Some(f64::NAN)), "csat"),
        (changed(|i| i.content = turns(0)), "conversation.turns"),
        (changed(|i| i.content = turns(TURNS + 1)), "conversation.turns"),
    ] {
        assert_eq!(wrong.check().unwrap_err().field(), Some(field));
    }
    changed(|i| i.language = Some("zh-Hant-TW".into())).check().unwrap();
    changed(|i| (i.tenant, i.content) = (String::new(), turns(TURNS))).check().unwrap();
}

fn turn() -> Turn {
    Turn {
        id: None,
        participant: "maria".into(),
        role: Role::Customer,
        text: "my secret".into(),
        at_ms: None,
    }
}

#[test]
fn what_is_logged_of_an_interaction_names_neither_customer_nor_words() {
    for content in [
        Content::Message("my secret".into()),
        Content::Survey("my secret".into()),
        Content::Conversation(vec![turn()]),
    ] {
        let shown = format!("{:?}", changed(|i| i.content = content.clone()));
        assert!(!shown.contains("secret") && !shown.contains("ann") && shown.contains("desk"), "{shown}");
    }
}

#[test]
fn a_time_may_lie_a_day_ahead_and_no_more() {
    let at = |at_ms| changed(|i| i.at_ms = at_ms).check_not_ahead(1_000);
    assert!(at(1_000 + AHEAD_MS).is_ok());
    assert_eq!(at(1_001 + AHEAD_MS).unwrap_err().field(), Some("at_ms"));
}

proptest! {
    #[test]
    fn two_interactions_have_one_id_only_when_all_parts_are_equal(
        a in ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"),
        b in ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"),
    ) {
        let of = |(tenant, source, external_id): (String, String, String)| {
            changed(|i| (i.tenant, i.source, i.external_id) = (tenant, source, external_id)).id()
        };
        prop_assert_eq!(of(a.clone()) == of(b.clone()), a == b);
    }
}
