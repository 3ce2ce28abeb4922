//! Whose text it is: a name that is handed through calls by value.

use std::fmt;

/// Longest name that is told apart, in bytes.
pub const BYTES: usize = 64;

/// The name of a tenant, empty for none; one that is longer than [`BYTES`] is one of the others.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant {
    bytes: [u8; BYTES],
    length: Option<u8>,
}

/// A name that can't be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {BYTES} letters, digits and any of . _ : - as the name of a tenant")]
pub struct TenantError;

impl Tenant {
    /// No tenant was named.
    pub const NONE: Self = Self { bytes: [0; BYTES], length: Some(0) };
    /// One of those that are not told apart.
    pub const OTHER: Self = Self { bytes: [0; BYTES], length: None };

    /// The tenant of this name, whatever its characters.
    pub fn of(name: &str) -> Self {
        let Some(length) = u8::try_from(name.len()).ok().filter(|length| usize::from(*length) <= BYTES)
        else {
            return Self::OTHER;
        };
        let mut bytes = [0; BYTES];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Self { bytes, length: Some(length) }
    }

    /// The tenant that a caller names beside its request: plain characters alone.
    pub fn parse(name: &str) -> Result<Self, TenantError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        if name.is_empty() || name.len() > BYTES || !name.bytes().all(plain) {
            return Err(TenantError);
        }
        Ok(Self::of(name))
    }

    /// Its name; `None` for the others.
    pub fn name(&self) -> Option<&str> {
        let bytes = self.bytes.get(..usize::from(self.length?))?;
        std::str::from_utf8(bytes).ok()
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tenant").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_comes_back_as_it_was_or_is_one_of_the_others(name in "\\PC{0,70}") {
            let tenant = Tenant::of(&name);
            if name.len() <= BYTES {
                prop_assert_eq!(tenant.name(), Some(name.as_str()));
            } else {
                prop_assert_eq!(tenant, Tenant::OTHER);
            }
        }
    }

    #[test]
    fn a_caller_names_a_tenant_in_plain_characters() {
        for name in ["acme", "eu-1:shop_2.de", "A", &"x".repeat(BYTES)] {
            assert_eq!(Tenant::parse(name).unwrap().name(), Some(name));
        }
        for name in ["", " acme", "a/b", "müller", "a\nb", &"x".repeat(BYTES + 1)] {
            assert_eq!(Tenant::parse(name), Err(TenantError), "{name:?}");
        }
        assert_eq!(Tenant::default().name(), Some(""));
        assert_eq!(Tenant::OTHER.name(), None);
    }
}
