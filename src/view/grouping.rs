//! By what the rows of a list can be grouped.

use super::columns::{LABEL, has_labels, label_of};
use super::place::Place;

/// The word for no grouping.
pub const NONE: &str = "none";

/// One way of grouping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// By something that every row of the list has.
    By(&'static Way),
    /// By a label.
    Label(String),
}

/// Something that every row of a list has.
#[derive(Debug, PartialEq, Eq)]
pub struct Way {
    /// Its name in configuration and saved views.
    pub id: &'static str,
    /// What it groups by, in a few words.
    pub about: &'static str,
}

const fn way(id: &'static str, about: &'static str) -> Way {
    Way { id, about }
}

static FLEET: [Way; 6] = [
    way("site", "the group in the configuration or the kubeconfig"),
    way("region", "the label region, else the group"),
    way("hub", "the hubs whose applications deploy there"),
    way("version", "the Kubernetes version"),
    way("health", "the worst health, or why it is not known"),
    way("engine", "the GitOps engines"),
];

static DRIFT: [Way; 4] = [
    way("cluster", "the cluster"),
    way(
        "app",
        "the application, whatever it is called on each cluster",
    ),
    way("kind", "the kind of object"),
    way("manager", "who wrote it"),
];

static APPS: [Way; 7] = [
    way("cluster", "the cluster that it deploys to"),
    way("site", "the group of that cluster"),
    way("hub", "the cluster that holds it"),
    way("project", "the project"),
    way("kind", "the kind of document"),
    way("sync", "the verdict"),
    way("health", "the health"),
];

/// What a list can be grouped by, labels aside.
pub fn ways(place: Place) -> &'static [Way] {
    match place {
        Place::Fleet => &FLEET,
        Place::Drift => &DRIFT,
        Place::Apps => &APPS,
        _ => &[],
    }
}

impl Grouping {
    /// The grouping of this name; none for `none` and for what a list does not have.
    pub fn by_id(place: Place, id: &str) -> Option<Self> {
        let label = label_of(id).filter(|_| has_labels(place));
        let found = ways(place).iter().find(|way| way.id == id);
        found
            .map(Self::By)
            .or_else(|| label.map(|label| Self::Label(label.to_owned())))
    }

    /// Its name.
    pub fn id(&self) -> String {
        match self {
            Self::By(way) => way.id.to_owned(),
            Self::Label(label) => format!("{LABEL}{label}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for place in [Place::Fleet, Place::Drift, Place::Apps] {
            for way in ways(place) {
                assert_eq!(Grouping::by_id(place, way.id).unwrap().id(), way.id);
            }
        }
        let label = Grouping::by_id(Place::Fleet, "label:tier");
        assert_eq!(label, Some(Grouping::Label("tier".to_owned())));
        assert_eq!(Grouping::by_id(Place::Drift, "clusters"), None);
    }
}
