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

    /// The tab whose title stands in this column while this one is seen in brackets and all titles stand in a row, a space between two.
    pub fn under(self, x: usize) -> Option<Self> {
        let mut from = 0;
        Self::ALL.into_iter().find(|tab| {
            let brackets = if *tab == self { 2 } else { 0 };
            let end = from + tab.title().len() + brackets;
            let here = (from..end).contains(&x);
            from = end + 1;
            here
        })
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
    fn a_column_belongs_to_the_title_that_stands_there() {
        // [summary] diff events
        assert_eq!(Tab::Summary.under(0), Some(Tab::Summary));
        assert_eq!(Tab::Summary.under(8), Some(Tab::Summary));
        assert_eq!(Tab::Summary.under(9), None);
        assert_eq!(Tab::Summary.under(10), Some(Tab::Diff));
        // summary [diff] events
        assert_eq!(Tab::Diff.under(15), Some(Tab::Events));
        assert_eq!(Tab::Diff.under(500), None);
    }

    #[test]
    fn tabs_turn_round_at_both_ends() {
        assert_eq!(Tab::Summary.turned(-1), Tab::Applied);
        assert_eq!(Tab::Applied.turned(1), Tab::Summary);
        assert_eq!(Tab::Diff.turned(1), Tab::Events);
    }
}
