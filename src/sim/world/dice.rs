//! Chance that is the same every time: one stream a purpose, so that adding a purpose does not move the others.

use fastrand::Rng;

/// The random stream of one purpose under a seed.
pub(crate) fn dice(seed: u64, purpose: &str) -> Rng {
    Rng::with_seed(seed ^ hash(purpose))
}

/// FNV-1a; equal on every machine and in every release, unlike the standard library's.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `count` of `0..total` without repetition, in ascending order.
pub(crate) fn pick(rng: &mut Rng, total: usize, count: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..total).collect();
    rng.shuffle(&mut all);
    all.truncate(count);
    all.sort_unstable();
    all
}

/// The share of a whole as a count: rounded, but at least one of a share above nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "fleets are small and shares lie between 0 and 1"
)]
pub(crate) fn share_of(total: usize, share: f64) -> usize {
    let count = (total as f64 * share.clamp(0.0, 1.0)).round() as usize;
    if share > 0.0 {
        count.max(1).min(total)
    } else {
        count
    }
}

/// Letters and digits as Kubernetes uses them for made-up name endings.
pub(crate) fn suffix(rng: &mut Rng, length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length)
        .filter_map(|_| ALPHABET.get(rng.usize(..ALPHABET.len())))
        .map(|&b| char::from(b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_gives_the_same_numbers_every_time_and_purposes_differ() {
        assert_eq!(dice(7, "flux").u64(..), dice(7, "flux").u64(..));
        assert_ne!(dice(7, "flux").u64(..), dice(7, "heal").u64(..));
        assert_ne!(dice(7, "flux").u64(..), dice(8, "flux").u64(..));
    }

    #[test]
    fn a_share_above_nothing_is_never_nobody() {
        assert_eq!(share_of(12, 0.0), 0);
        assert_eq!(share_of(3, 0.1), 1);
        assert_eq!(share_of(12, 0.5), 6);
        assert_eq!(share_of(0, 0.5), 0);
        assert_eq!(share_of(4, 7.0), 4);
    }

    #[test]
    fn picking_repeats_nothing() {
        let picked = pick(&mut dice(1, "edges"), 10, 4);
        assert_eq!(picked.len(), 4);
        assert!(picked.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(pick(&mut dice(1, "edges"), 2, 9), [0, 1]);
    }

    #[test]
    fn suffixes_hold_only_what_names_may() {
        let text = suffix(&mut dice(3, "pod"), 200);
        assert_eq!(text.len(), 200);
        assert!(!text.contains(['a', 'e', 'i', 'o', 'u', '0', '1', '3']));
    }
}
