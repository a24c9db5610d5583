//! The health of an application from the health of its objects, in Argo CD's order and with its exceptions.

use serde_json::Value;

use crate::domain::Health;

/// The annotation that keeps an object's health from its application.
const IGNORE: &str = "argocd.argoproj.io/ignore-healthcheck";

/// One object of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its health; none for a kind that has none.
    pub health: Option<Health>,
    /// Whether it is in the cluster.
    pub live: bool,
    /// A hook, an object that the engine ignores, or one whose annotation keeps its health to itself.
    pub apart: bool,
    /// An application within this one.
    pub child_application: bool,
}

/// The worst health that counts; healthy when none does, missing when objects are wanted and none is there.
///
/// An object that is missing does not worsen the application by itself, and a child application that is missing or unknown does not either.
pub fn roll_up(parts: impl IntoIterator<Item = Part>) -> Health {
    let (mut worst, mut any, mut any_live) = (Health::Healthy, false, false);
    for part in parts {
        any = true;
        any_live |= part.live;
        if let Some(health) = part.health.filter(|_| counts(part)) {
            worst = super::worse(worst, health);
        }
    }
    if any && !any_live {
        return Health::Missing;
    }
    worst
}

/// Whether the annotation on a live object keeps its health from its application.
pub fn is_ignored(object: &Value) -> bool {
    let annotation = object
        .pointer("/metadata/annotations")
        .and_then(|a| a.get(IGNORE));
    annotation.and_then(Value::as_str) == Some("true")
}

fn counts(part: Part) -> bool {
    let child_unknown =
        part.child_application && matches!(part.health, Some(Health::Missing | Health::Unknown));
    part.live && !part.apart && !child_unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn part(health: Health) -> Part {
        Part {
            health: Some(health),
            live: true,
            apart: false,
            child_application: false,
        }
    }

    #[test]
    fn the_worst_object_decides_in_argo_cds_order() {
        use Health::{Degraded, Healthy, Missing, Progressing, Suspended, Unknown};
        let order = [Healthy, Suspended, Progressing, Missing, Degraded, Unknown];
        for pair in order.windows(2) {
            assert_eq!(roll_up(pair.iter().copied().map(part)), pair[1]);
        }
        assert_eq!(roll_up([]), Healthy);
    }

    #[test]
    fn a_missing_object_alone_does_not_worsen_but_all_missing_is_missing() {
        let missing = Part {
            live: false,
            ..part(Health::Missing)
        };
        assert_eq!(roll_up([part(Health::Healthy), missing]), Health::Healthy);
        assert_eq!(roll_up([missing, missing]), Health::Missing);
    }

    #[test]
    fn hooks_kinds_without_health_and_unknown_children_do_not_count() {
        let hook = Part {
            apart: true,
            ..part(Health::Degraded)
        };
        let plain = Part {
            health: None,
            ..part(Health::Healthy)
        };
        let child = |health| Part {
            child_application: true,
            ..part(health)
        };
        assert_eq!(
            roll_up([hook, plain, child(Health::Unknown), child(Health::Missing)]),
            Health::Healthy
        );
        assert_eq!(roll_up([child(Health::Degraded)]), Health::Degraded);
    }

    #[test]
    fn the_annotation_keeps_an_objects_health_to_itself() {
        let annotated = |value: &str| json!({"metadata": {"annotations": {"argocd.argoproj.io/ignore-healthcheck": value}}});
        assert!(
            is_ignored(&annotated("true"))
                && !is_ignored(&annotated("yes"))
                && !is_ignored(&json!({}))
        );
    }
}
