//! Results by model version and token ids, bounded in bytes.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::inference::WindowOutput;

/// Keys are 128 bits of BLAKE3: a collision is out of reach even for a caller who looks for one.
pub(super) type Key = [u8; 16];

/// The key of a window of `ids` under a model.
pub(super) fn key(model: &str, ids: &[u32]) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(model.as_bytes());
    hasher.update(&[0]);
    for id in ids {
        hasher.update(&id.to_le_bytes());
    }
    let mut key = [0; 16];
    hasher.finalize_xof().fill(&mut key);
    key
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<WindowOutput>> for ByBytes {
    fn weight(&self, _: &Key, output: &Arc<WindowOutput>) -> u64 {
        (output.bytes() + std::mem::size_of::<Key>()) as u64
    }
}

/// A cache of at most `bytes`; 0 turns it off.
pub(super) struct ResultCache(Option<Cache<Key, Arc<WindowOutput>, ByBytes>>);

impl ResultCache {
    pub(super) fn new(bytes: usize) -> Self {
        // A short text's result takes about two kilobytes.
        Self((bytes > 0).then(|| Cache::with_weighter(bytes / 2048 + 1, bytes as u64, ByBytes)))
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<WindowOutput>> {
        self.0.as_ref()?.get(key)
    }

    pub(super) fn insert(&self, key: Key, output: &Arc<WindowOutput>) {
        if let Some(cache) = &self.0 {
            cache.insert(key, Arc::clone(output));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(tokens: usize) -> Arc<WindowOutput> {
        Arc::new(WindowOutput {
            logits: vec![0.0; 10],
            contributions: vec![0.0; tokens * 10],
            attention_scores: vec![0.0; tokens],
            tokens,
        })
    }

    #[test]
    fn keys_tell_models_and_token_orders_apart() {
        assert_ne!(key("a@1", &[1, 2]), key("a@2", &[1, 2]));
        assert_ne!(key("a@1", &[1, 2]), key("a@1", &[2, 1]));
        assert_eq!(key("a@1", &[1, 2]), key("a@1", &[1, 2]));
    }

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let cache = ResultCache::new(100_000);
        for n in 0..1000u32 {
            cache.insert(key("m", &[n]), &output(50));
        }
        let held = (0..1000u32).filter(|n| cache.get(&key("m", &[*n])).is_some()).count();
        assert!(held > 0 && held * output(50).bytes() <= 100_000, "{held}");
    }

    #[test]
    fn a_size_of_zero_turns_it_off() {
        let cache = ResultCache::new(0);
        cache.insert(key("m", &[1]), &output(1));
        assert!(cache.get(&key("m", &[1])).is_none());
    }
}
