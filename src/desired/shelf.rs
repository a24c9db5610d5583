//! A map of things that others may have dropped; it sweeps the dead ones out whenever it has doubled.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries below which nothing is swept.
const FIRST_SWEEP: usize = 1024;

#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    entries: HashMap<K, V>,
    sweep_at: usize,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            sweep_at: FIRST_SWEEP,
        }
    }
}

impl<K: Hash + Eq, V> Shelf<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.entries.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Removes what is not alive, if it is time: the work is a constant share of that of the insertions.
    pub(super) fn sweep(&mut self, is_alive: impl Fn(&V) -> bool) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, value| is_alive(value));
            self.sweep_at = (self.entries.len() * 2).max(FIRST_SWEEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_swept_and_the_living_are_not_looked_at_each_time() {
        let mut shelf = Shelf::default();
        let mut looks = std::cell::Cell::new(0);
        for key in 0..10_000 {
            shelf.sweep(|alive| {
                looks.set(looks.get() + 1);
                *alive
            });
            shelf.insert(key, key % 2 == 0);
        }
        assert!((0..10_000).step_by(2).all(|key| shelf.get(&key).is_some()));
        assert!(shelf.entries.len() < 9_000, "{}", shelf.entries.len());
        assert!(*looks.get_mut() < 40_000, "{looks:?}");
    }
}
