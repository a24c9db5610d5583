//! The tabs of an application's detail.

/// One tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What there is to know of the selected node at once.
    #[default]
    Summary,
    /// Git against the cluster.
    Diff,
    /// What the cluster said of it.
    Events,
    /// Deployments and commits of the application.
    History,
    /// Figures of the application.
    Metrics,
    /// The object as it is.
    Live,
    /// The object as Git wants it.
    Desired,
    /// The object as it was last applied.
    Applied,
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Summary,
        Self::Diff,
        Self::Events,
        Self::History,
        Self::Metrics,
        Self::Live,
        Self::Desired,
        Self::Applied,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Diff => "diff",
            Self::Events => "events",
            Self::History => "history",
            Self::Metrics => "metrics",
            Self::Live => "live",
            Self::Desired => "desired",
            Self::Applied => "applied",
        }
    }

    /// Whether it shows YAML.
    pub fn is_yaml(self) -> bool {
        matches!(self, Self::Live | Self::Desired | Self::Applied)
    }

    /// The tab so many to the right; the last is followed by the first.
    #[must_use]
    pub fn turned(self, by: isize) -> Self {
        let count = Self::ALL.len().cast_signed();
        let here = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let next = (here.cast_signed() + by).rem_euclid(count).unsigned_abs();
        Self::ALL.get(next).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_turn_round_at_both_ends() {
        assert_eq!(Tab::Summary.turned(-1), Tab::Applied);
        assert_eq!(Tab::Applied.turned(1), Tab::Summary);
        assert_eq!(Tab::Diff.turned(1), Tab::Events);
    }
}
