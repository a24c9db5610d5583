//! The envelope of every JSON answer: what it is, when it was made, and what it does not cover.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{Safe, Selector};
use crate::fleet::Fleet;

/// One answer of a reading command.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document<T> {
    api_version: &'static str,
    kind: &'static str,
    generated_at: Timestamp,
    /// Whether anything is unreachable or unjudged.
    pub(crate) partial: bool,
    unreachable: Vec<Unreachable>,
    unjudged: Vec<UnjudgedApp>,
    /// The answer itself.
    pub(crate) items: Vec<T>,
}

#[derive(Debug, Serialize)]
struct Unreachable {
    cluster: Safe,
    reason: Safe,
    since: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct UnjudgedApp {
    hub: Safe,
    namespace: Safe,
    app: Safe,
    reason: Safe,
}

/// What an answer covers.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The fleet it was made of.
    pub(crate) fleet: &'a Fleet,
    /// The part that was asked for.
    pub(crate) selector: &'a Selector,
    /// When it was made.
    pub(crate) at: Timestamp,
}

impl<T> Document<T> {
    /// Wraps the items, and says which clusters and applications of the selection they do not cover.
    pub(crate) fn new(kind: &'static str, scope: Scope<'_>, items: Vec<T>) -> Self {
        let meant =
            |cluster: &crate::domain::ClusterId| scope.selector.cluster.matches(cluster.as_str());
        let unread = scope
            .fleet
            .unread()
            .into_iter()
            .filter(|u| meant(&u.cluster));
        let unreachable: Vec<Unreachable> = unread
            .map(|u| Unreachable {
                cluster: Safe::new(u.cluster.as_str()),
                reason: u.reason,
                since: u.since,
            })
            .collect();
        let unjudged: Vec<UnjudgedApp> = scope
            .fleet
            .unjudged(scope.selector)
            .into_iter()
            .map(|(app, reason)| UnjudgedApp {
                hub: Safe::new(app.hub.as_str()),
                namespace: Safe::new(&app.namespace),
                app: Safe::new(&app.name),
                reason,
            })
            .collect();
        Self {
            api_version: "driftdeck/v1",
            kind,
            generated_at: scope.at,
            partial: !unreachable.is_empty() || !unjudged.is_empty(),
            unreachable,
            unjudged,
            items,
        }
    }

    /// What the tables say below themselves when the answer is partial; empty when it is whole.
    pub(crate) fn footnotes(&self) -> String {
        let mut out = String::new();
        for row in &self.unreachable {
            out.push_str(&format!("not read: {}: {}\n", row.cluster, row.reason));
        }
        for row in &self.unjudged {
            out.push_str(&format!(
                "not judged: {}/{}/{}: {}\n",
                row.hub, row.namespace, row.app, row.reason
            ));
        }
        out
    }
}

/// The exit status of a reading command: drift before partial before clean.
pub(crate) fn exit_status(drift: bool, partial: bool) -> u8 {
    match (drift, partial) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testkit::{at, deployment, in_sync, one_edge, tell};

    #[test]
    fn a_whole_answer_says_so() {
        let fleet = one_edge(in_sync(
            "edge-microservice",
            deployment("edge-microservice"),
        ));
        let selector = Selector::default();
        let document = Document::new(
            "StatusList",
            Scope {
                fleet: &fleet,
                selector: &selector,
                at: at(9),
            },
            vec![1],
        );
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!(json["apiVersion"], "driftdeck/v1");
        assert_eq!(json["partial"], false);
        assert_eq!(json["items"], serde_json::json!([1]));
        assert!(document.footnotes().is_empty());
    }

    #[test]
    fn an_unread_cluster_makes_it_partial_and_is_named_with_its_reason() {
        let mut fleet = one_edge(in_sync(
            "edge-microservice",
            deployment("edge-microservice"),
        ));
        let fact = crate::domain::Fact::Link {
            state: crate::domain::LinkState::Unreachable,
            message: Some("No route to host.".into()),
        };
        tell(&mut fleet, "edge-oslo-001", 20, fact);
        let selector = Selector::default();
        let document = Document::new(
            "StatusList",
            Scope {
                fleet: &fleet,
                selector: &selector,
                at: at(30),
            },
            Vec::<u8>::new(),
        );
        assert!(document.partial);
        assert!(
            document
                .footnotes()
                .contains("not read: edge-oslo-001: No route to host.")
        );
    }

    #[test]
    fn drift_wins_over_partial_and_a_partial_answer_is_never_zero() {
        assert_eq!(
            [
                exit_status(true, true),
                exit_status(true, false),
                exit_status(false, true),
                exit_status(false, false)
            ],
            [1, 1, 3, 0]
        );
    }
}
