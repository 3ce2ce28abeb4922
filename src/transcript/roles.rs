//! Which speaker is what: names from transcripts to roles.
//!
//! Names are compared without regard to case and to the number of spaces. `Maria (Agent)` and `Agent (Maria)` are found
//! by either part. A name can also be declared to be no speaker, for words such as `Order number` before a colon.

use std::collections::BTreeMap;

use crate::domain::Role;
use crate::error::Error;

/// Longest list of names: a call centre has fewer people.
const NAMES: usize = 100_000;
/// What stands for a role where a name is no speaker's.
const NO_SPEAKER: &str = "none";

const USUAL: &[(Role, &[&str])] = &[
    (
        Role::Customer,
        &["customer", "client", "caller", "user", "member", "guest", "visitor", "patient", "passenger"],
    ),
    (Role::Agent, &["agent", "advisor", "adviser", "rep", "representative", "support", "operator", "csr"]),
    (Role::Bot, &["bot", "chatbot", "assistant", "virtual assistant", "ivr"]),
    (Role::Supervisor, &["supervisor", "manager", "team lead"]),
    (Role::System, &["system", "system_message"]),
];

/// What a name is known as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// A speaker of this role.
    Is(Role),
    /// Words that are no speaker's name.
    Nobody,
    /// Nothing is known.
    Unknown,
}

/// Names and their roles.
#[derive(Clone, PartialEq, Eq)]
pub struct RoleMap {
    /// By normalised name; `None` for what is no speaker.
    roles: BTreeMap<String, Option<Role>>,
}

impl Default for RoleMap {
    /// The usual words, such as `agent` and `customer`.
    fn default() -> Self {
        let pairs = USUAL.iter().flat_map(|(role, names)| names.iter().map(|name| (*name, *role)));
        Self { roles: pairs.map(|(name, role)| (name.to_owned(), Some(role))).collect() }
    }
}

impl std::fmt::Debug for RoleMap {
    /// Says how many names there are, since they can be people's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleMap").field("names", &self.roles.len()).finish()
    }
}

impl RoleMap {
    /// The usual names and `rules` such as `Maria=agent` or `Order number=none`; a later rule wins.
    ///
    /// Errors: `InvalidInput` with the rule's number, for a rule without `=` or a name, or of an unknown role.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut map = Self::default();
        for (rule, number) in rules.into_iter().zip(1..) {
            map.add(rule).map_err(|problem| {
                Error::invalid(
                    "role",
                    format!("role {number}: {problem}; write NAME=ROLE, ROLE one of {}", names()),
                )
            })?;
        }
        Ok(map)
    }

    /// What is known about a name.
    pub fn find(&self, name: &str) -> Speaker {
        let whole = normal(name);
        let inner = whole.split_once('(').map(|(before, after)| (before, after.trim_end_matches(')')));
        let parts = inner.into_iter().flat_map(|(before, after)| [before.trim(), after.trim()]);
        let found = std::iter::once(whole.as_str()).chain(parts).find_map(|part| self.roles.get(part));
        match found {
            Some(Some(role)) => Speaker::Is(*role),
            Some(None) => Speaker::Nobody,
            None => Speaker::Unknown,
        }
    }

    fn add(&mut self, rule: &str) -> Result<(), &'static str> {
        let (name, role) = rule.rsplit_once('=').ok_or("has no `=`")?;
        let (name, role) = (normal(name), role.trim().to_lowercase());
        let role =
            if role == NO_SPEAKER { None } else { Some(Role::of_name(&role).ok_or("has no such role")?) };
        if name.is_empty() {
            return Err("has no name");
        }
        if self.roles.len() >= NAMES {
            return Err("is one too many");
        }
        self.roles.insert(name, role);
        Ok(())
    }
}

/// The roles and what else a rule may say, for messages.
fn names() -> String {
    let roles: Vec<&str> = Role::ALL.into_iter().map(Role::name).collect();
    format!("{}, {NO_SPEAKER}", roles.join(", "))
}

/// Small letters, single spaces.
pub(super) fn normal(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case_and_spaces_and_by_the_word_in_parentheses() {
        let map =
            RoleMap::parse(["Maria  Lopez = agent", "Ops=SUPERVISOR", "agent=bot", "order no=none"]).unwrap();
        for (name, expected) in [
            (" MARIA lopez ", Speaker::Is(Role::Agent)),
            ("Jo (Customer)", Speaker::Is(Role::Customer)),
            ("Caller (Jo)", Speaker::Is(Role::Customer)),
            ("Virtual  Assistant", Speaker::Is(Role::Bot)),
            ("ops", Speaker::Is(Role::Supervisor)),
            ("Agent", Speaker::Is(Role::Bot)),
            ("Order No", Speaker::Nobody),
            ("Maria", Speaker::Unknown),
            ("", Speaker::Unknown),
        ] {
            assert_eq!(map.find(name), expected, "{name}");
        }
    }

    #[test]
    fn a_wrong_rule_is_named_by_its_number_and_never_quoted() {
        for (rule, problem) in [
            ("Maria", "role 2: has no `=`"),
            ("Maria=boss", "role 2: has no such role"),
            ("=agent", "role 2: has no name"),
        ] {
            let error = RoleMap::parse(["a=agent", rule]).unwrap_err();
            assert!(error.public().starts_with(problem), "{error}");
            assert!(!error.public().contains("Maria") && error.public().contains("supervisor"), "{error}");
        }
        assert!(!format!("{:?}", RoleMap::parse(["Maria=agent"]).unwrap()).contains("aria"));
    }
}
