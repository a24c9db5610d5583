//! The towns the simulated edges stand in, in the order in which a growing fleet takes them.

/// A town with edge clusters.
#[derive(Debug, PartialEq, Eq)]
pub struct Site {
    /// As it stands in cluster names: `oslo` in `edge-oslo-001`.
    pub name: &'static str,
    /// Its region, the demo's group of clusters.
    pub region: &'static str,
}

const fn site(name: &'static str, region: &'static str) -> Site {
    Site { name, region }
}

/// Regions alternate, so that a small fleet already spans several.
pub(crate) static SITES: &[Site] = &[
    site("oslo", "eu-north"),
    site("paris", "eu-west"),
    site("berlin", "eu-central"),
    site("boston", "us-east"),
    site("osaka", "ap"),
    site("bergen", "eu-north"),
    site("lyon", "eu-west"),
    site("hamburg", "eu-central"),
    site("denver", "us-west"),
    site("seoul", "ap"),
    site("turku", "eu-north"),
    site("madrid", "eu-west"),
    site("munich", "eu-central"),
    site("atlanta", "us-east"),
    site("perth", "ap"),
    site("tromso", "eu-north"),
    site("dublin", "eu-west"),
    site("vienna", "eu-central"),
    site("seattle", "us-west"),
    site("nagoya", "ap"),
    site("malmo", "eu-north"),
    site("porto", "eu-west"),
    site("zurich", "eu-central"),
    site("montreal", "us-east"),
];

/// How many towns a fleet of `edges` clusters spreads over: about two and a half clusters each.
pub(crate) fn spread(edges: usize) -> usize {
    (edges * 2).div_ceil(5).clamp(1, SITES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_and_unique() {
        for (i, a) in SITES.iter().enumerate() {
            assert!(a.name.len() <= 8 && a.name.bytes().all(|b| b.is_ascii_lowercase()));
            assert!(SITES.iter().skip(i + 1).all(|b| b.name != a.name));
        }
    }

    #[test]
    fn a_dozen_edges_share_five_towns_in_five_regions() {
        assert_eq!(spread(12), 5);
        let regions: std::collections::BTreeSet<_> =
            SITES.iter().take(5).map(|s| s.region).collect();
        assert_eq!(regions.len(), 5);
    }

    #[test]
    fn one_edge_has_a_town_and_a_thousand_do_not_run_out() {
        assert_eq!(spread(1), 1);
        assert_eq!(spread(1_000), SITES.len());
    }
}
