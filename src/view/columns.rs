//! The columns that each list offers: what a person can choose from, in the order in which they stand while nobody chose.

use super::place::Place;

/// How a column stands while nobody chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Always shown: what a row is, and whether it is current.
    Fixed,
    /// Shown where there is room.
    Usual,
    /// Shown once somebody chooses it.
    Extra,
}

/// One column that a list can show.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Its name in configuration and saved views.
    pub id: &'static str,
    /// What it shows, in a few words.
    pub about: &'static str,
    /// How it stands while nobody chose.
    pub standing: Standing,
}

/// Before the name of a label: `label:region`.
pub const LABEL: &str = "label:";

macro_rules! offers {
    ($name:ident: $( $standing:ident $id:literal $about:literal; )+) => {
        const $name: &[Offer] = &[ $( Offer {
            id: $id,
            about: $about,
            standing: Standing::$standing,
        }, )+ ];
    };
}

offers! { FLEET:
    Fixed "cluster" "the cluster's name";
    Usual "site" "its group in the configuration or the kubeconfig";
    Fixed "seen" "whether it answers, and since when it does not";
    Usual "apps" "applications in sync, of all that deploy there";
    Usual "drift" "objects that drifted";
    Usual "health" "the worst health of what runs there";
    Usual "op" "whether something is being synced";
    Usual "figures" "the first figure, with its course";
    Usual "more" "the second figure, with its course";
    Usual "version" "the Kubernetes version";
    Usual "engine" "the GitOps engines that it serves";
    Extra "cpu" "processor in use";
    Extra "mem" "memory in use";
    Extra "cert" "days until the kubeconfig's certificate or token ends";
    Extra "region" "its label region, else its group";
    Extra "hub" "the hubs whose applications deploy there";
    Extra "role" "hub, edge, or both";
    Extra "server" "the API server's address";
    Extra "message" "why it does not answer, or what cannot be read";
}

offers! { DRIFT:
    Usual "impact" "how many objects, beside the widest group";
    Usual "sites" "clusters with this change";
    Fixed "object" "what changed";
    Fixed "change" "how it differs from Git";
    Usual "since" "since when";
    Usual "how" "edited, missing, extra or behind";
    Usual "by" "who wrote it";
    Extra "objects" "objects with this change";
    Extra "old" "of these, on clusters that do not answer";
    Extra "kind" "the kind of object";
    Extra "namespace" "its namespace";
    Extra "app" "the application that manages it";
    Extra "auto" "whether the engine puts it back by itself";
    Extra "groups" "the groups of its clusters";
}

offers! { APPS:
    Fixed "app" "the application's name";
    Usual "cluster" "where it deploys to";
    Fixed "sync" "the verdict, and whose it is when not ours";
    Usual "drift" "its objects that drifted";
    Usual "health" "the health of its objects";
    Usual "op" "its last operation";
    Usual "revision" "what is deployed";
    Usual "auto" "whether the engine syncs and heals by itself";
    Usual "compared" "when the engine last compared";
    Usual "hub" "the cluster that holds it";
    Extra "kind" "the kind of document";
    Extra "namespace" "the namespace of its document";
    Extra "project" "its project";
    Extra "site" "the group of its cluster";
    Extra "behind" "commits that are not deployed yet";
    Extra "target" "the revision that it follows";
    Extra "path" "its folder in Git, or its chart";
    Extra "objects" "objects that it manages";
    Extra "message" "what the engine says";
}

/// What a list can show; nothing for screens that are no such list.
pub const fn offers(place: Place) -> &'static [Offer] {
    match place {
        Place::Fleet => FLEET,
        Place::Drift => DRIFT,
        Place::Apps => APPS,
        _ => &[],
    }
}

/// One column of a list by its name.
pub fn offer(place: Place, id: &str) -> Option<&'static Offer> {
    offers(place).iter().find(|offer| offer.id == id)
}

/// The columns of a list while nobody chose.
pub fn usual(place: Place) -> Vec<String> {
    let shown = offers(place).iter();
    shown
        .filter(|offer| offer.standing != Standing::Extra)
        .map(|offer| offer.id.to_owned())
        .collect()
}

/// The label that a column shows.
pub fn label_of(name: &str) -> Option<&str> {
    name.strip_prefix(LABEL).filter(|label| !label.is_empty())
}

/// Whether the rows of a list have labels.
pub const fn has_labels(place: Place) -> bool {
    matches!(place, Place::Fleet | Place::Apps)
}

/// Whether a list has a column of this name.
pub fn is_known(place: Place, name: &str) -> bool {
    offer(place, name).is_some() || (has_labels(place) && label_of(name).is_some())
}

/// Columns as they are shown: what is not known is left out, and what must not be missing comes first.
pub fn completed(place: Place, wanted: &[String]) -> Vec<String> {
    let missing = offers(place)
        .iter()
        .filter(|offer| offer.standing == Standing::Fixed)
        .filter(|offer| !wanted.iter().any(|name| name == offer.id))
        .map(|offer| offer.id.to_owned());
    let mut shown: Vec<String> = missing.collect();
    for name in wanted.iter().filter(|name| is_known(place, name)) {
        if !shown.contains(name) {
            shown.push(name.clone());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_list_says_what_a_row_is() {
        for place in [Place::Fleet, Place::Drift, Place::Apps] {
            let all = offers(place);
            let names: std::collections::BTreeSet<_> = all.iter().map(|o| o.id).collect();
            assert_eq!(names.len(), all.len(), "{}", place.id());
            assert!(all.iter().any(|o| o.standing == Standing::Fixed));
        }
    }

    #[test]
    fn what_must_not_be_missing_comes_first_and_what_is_unknown_is_left_out() {
        let wanted = ["drift", "gone", "label:region", "drift"].map(ToOwned::to_owned);
        let shown = completed(Place::Fleet, &wanted);
        assert_eq!(shown, ["cluster", "seen", "drift", "label:region"]);
    }

    #[test]
    fn labels_are_columns_where_rows_have_labels() {
        assert!(!is_known(Place::Drift, "label:region"));
        assert!(is_known(Place::Apps, "label:team"));
        assert!(!is_known(Place::Apps, "label:"));
    }
}
