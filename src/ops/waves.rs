//! Waves: how many targets go first, how many next, and the rest.

use std::str::FromStr;

use serde::Serialize;

use crate::domain::Safe;

/// One group of targets that is sent before the next begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wave {
    /// The size as it was asked for: `1`, `5%`, `rest`.
    pub size: Safe,
    /// Indexes into the plan's targets.
    pub targets: Vec<usize>,
}

/// The size of one wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Count(usize),
    /// Of all targets that are sent; 1 to 100, rounded up so that a wave is never empty.
    Percent(usize),
    Rest,
}

impl Size {
    fn of(self, total: usize) -> usize {
        match self {
            Self::Count(n) => n,
            Self::Percent(p) => total.saturating_mul(p).div_ceil(100),
            Self::Rest => total,
        }
    }

    fn text(self) -> Safe {
        match self {
            Self::Count(n) => n.to_string().into(),
            Self::Percent(p) => format!("{p}%").into(),
            Self::Rest => Safe::fixed("rest"),
        }
    }
}

/// What a person asked for: `1,5%,rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveSpec(Vec<Size>);

impl Default for WaveSpec {
    /// One target, then a twentieth, then the rest.
    fn default() -> Self {
        Self(vec![Size::Count(1), Size::Percent(5), Size::Rest])
    }
}

/// A wave list that does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` is no wave size. Give counts, percentages or `rest`, separated by commas, such as 1,5%,rest."
)]
pub struct WaveError {
    part: Safe,
}

impl FromStr for WaveSpec {
    type Err = WaveError;

    fn from_str(text: &str) -> Result<Self, WaveError> {
        text.split(',')
            .map(|part| size(part.trim()).ok_or_else(|| WaveError { part: part.into() }))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn size(part: &str) -> Option<Size> {
    if part == "rest" {
        return Some(Size::Rest);
    }
    match part.strip_suffix('%') {
        Some(percent) => percent
            .parse()
            .ok()
            .filter(|p| (1..=100).contains(p))
            .map(Size::Percent),
        None => part.parse().ok().filter(|n| *n > 0).map(Size::Count),
    }
}

impl WaveSpec {
    /// Splits the targets. Every target is in exactly one wave, in the given order; what the list leaves over is a last wave of its own.
    pub fn split(&self, targets: &[usize]) -> Vec<Wave> {
        let mut left = targets;
        let mut waves = Vec::new();
        for size in self.0.iter().copied().chain([Size::Rest]) {
            let (now, later) = left.split_at(size.of(targets.len()).min(left.len()));
            left = later;
            if !now.is_empty() {
                waves.push(Wave {
                    size: size.text(),
                    targets: now.to_vec(),
                });
            }
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes(spec: &str, total: usize) -> Vec<usize> {
        let targets: Vec<usize> = (0..total).collect();
        let spec: WaveSpec = spec.parse().unwrap();
        spec.split(&targets)
            .iter()
            .map(|w| w.targets.len())
            .collect()
    }

    #[test]
    fn one_then_a_share_then_the_rest() {
        assert_eq!(sizes("1,5%,rest", 37), [1, 2, 34]);
        assert_eq!(sizes("1,5,rest", 37), [1, 5, 31]);
    }

    #[test]
    fn few_targets_make_few_waves_and_none_makes_none() {
        assert_eq!(sizes("1,5%,rest", 1), [1]);
        assert_eq!(sizes("1,5%,rest", 2), [1, 1]);
        assert!(sizes("1,5%,rest", 0).is_empty());
    }

    #[test]
    fn a_list_without_rest_leaves_nobody_out() {
        assert_eq!(sizes("2,2", 7), [2, 2, 3]);
        assert_eq!(sizes("100%", 7), [7]);
    }

    #[test]
    fn nonsense_is_named_in_the_error() {
        for (spec, part) in [
            ("1,many,rest", "many"),
            ("0", "0"),
            ("5%,101%", "101%"),
            ("", ""),
            ("-1", "-1"),
        ] {
            let error = spec.parse::<WaveSpec>().unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("`{part}`")),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn waves_partition_the_targets(
            parts in prop::collection::vec(prop_oneof![(1_usize..50).prop_map(|n| n.to_string()), (1_usize..=100).prop_map(|p| format!("{p}%")), Just("rest".to_owned())], 1..6),
            total in 0_usize..300,
        ) {
            let spec: WaveSpec = parts.join(",").parse().unwrap();
            let targets: Vec<usize> = (0..total).map(|i| i * 7).collect();
            let waves = spec.split(&targets);
            let joined: Vec<usize> = waves.iter().flat_map(|w| w.targets.clone()).collect();
            prop_assert_eq!(joined, targets);
            prop_assert!(waves.iter().all(|w| !w.targets.is_empty()));
        }
    }
}
