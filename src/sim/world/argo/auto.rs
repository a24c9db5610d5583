//! Auto-sync: when the controller asks itself for an operation, and how long self-healing waits between attempts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::app::App;
use super::comparison::Comparison;
use crate::sim::world::json::text;

/// What the controller does about a difference.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// Nothing.
    Nothing,
    /// It asks for this operation.
    Sync(Value),
    /// It takes a change back: this operation, once the back-off is over.
    Heal(Value),
    /// It gave up on this revision; the sentence becomes a condition.
    GaveUp(String),
}

/// Decides, as the controller does after every comparison.
pub(crate) fn decide(app: App<'_>, revision: &str, found: &Comparison) -> Decision {
    if !app.auto_sync() || app.is_deleting() || app.operation().is_some() || app.in_progress() {
        return Decision::Nothing;
    }
    if found.is_synced() || (found.only_prunes() && !app.auto_prune()) {
        return Decision::Nothing;
    }
    let tried = text(app.0, "/status/operationState/syncResult/revision") == revision;
    match (tried, app.phase()) {
        (true, "Failed" | "Error") => Decision::GaveUp(format!(
            "Failed last sync attempt to [{revision}]: {} (retried 0 times).",
            text(app.0, "/status/operationState/message")
        )),
        (true, _) if !app.self_heal() => Decision::Nothing,
        (true, _) => Decision::Heal(operation(app, revision, found.out_of_sync())),
        (false, _) => Decision::Sync(operation(app, revision, Vec::new())),
    }
}

fn operation(app: App<'_>, revision: &str, resources: Vec<Value>) -> Value {
    let mut sync = json!({"revision": revision, "prune": app.auto_prune()});
    if let Some(options) = app.0.pointer("/spec/syncPolicy/syncOptions") {
        sync["syncOptions"] = options.clone();
    }
    if !resources.is_empty() {
        sync["resources"] = resources.into();
        sync["selfHealAttemptsCount"] = json!(1);
    }
    let retry = app.0.pointer("/spec/syncPolicy/retry").cloned();
    json!({
        "initiatedBy": {"automated": true},
        "retry": retry.unwrap_or_else(|| json!({"limit": 5})),
        "sync": sync,
    })
}

/// The waits between healings of one application: 2 s, three times as long each time, 300 s at most; calm forgets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HealBackoff {
    attempts: u32,
    last: Option<Timestamp>,
}

impl HealBackoff {
    /// After so long without healing the next one is the first again.
    const FORGET: SignedDuration = SignedDuration::from_mins(10);

    /// When the next healing may begin.
    pub(crate) fn next(&self, now: Timestamp) -> Timestamp {
        match self.last {
            Some(last) if now.duration_since(last) < Self::FORGET => last + self.wait(),
            _ => now,
        }
    }

    fn wait(&self) -> SignedDuration {
        let wait = SignedDuration::from_secs(2) * 3_i32.saturating_pow(self.attempts.min(8));
        wait.min(SignedDuration::from_secs(300))
    }

    /// A healing began.
    pub(crate) fn began(&mut self, now: Timestamp) {
        let recent = self
            .last
            .is_some_and(|last| now.duration_since(last) < Self::FORGET);
        self.attempts = if recent { self.attempts + 1 } else { 0 };
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Health;

    fn found(status: &str, prune: bool) -> Comparison {
        let mut resource =
            json!({"kind": "ConfigMap", "namespace": "n", "name": "c", "status": status});
        if prune {
            resource["requiresPruning"] = json!(true);
        }
        Comparison {
            resources: vec![resource],
            health: Health::Healthy,
            images: Vec::new(),
        }
    }

    fn app(automated: &Value, state: &Value) -> Value {
        json!({"spec": {"syncPolicy": {"automated": automated, "syncOptions": ["ServerSideApply=true"]}}, "status": {"operationState": state}})
    }

    fn done(revision: &str, phase: &str) -> Value {
        json!({"phase": phase, "message": "boom", "syncResult": {"revision": revision}})
    }

    #[test]
    fn a_new_revision_is_synced_whole_with_the_applications_options() {
        let app = app(&json!({}), &done("old", "Succeeded"));
        let Decision::Sync(operation) = decide(App(&app), "new", &found("OutOfSync", false)) else {
            panic!("no sync");
        };
        assert_eq!(operation["sync"]["revision"], "new");
        assert_eq!(operation["sync"].get("resources"), None);
        assert_eq!(operation["sync"]["syncOptions"][0], "ServerSideApply=true");
        assert_eq!(operation["initiatedBy"]["automated"], true);
    }

    #[test]
    fn a_change_at_the_same_revision_is_taken_back_only_with_self_heal() {
        let plain = app(&json!({}), &done("rev", "Succeeded"));
        let healing = app(&json!({"selfHeal": true}), &done("rev", "Succeeded"));
        let found = found("OutOfSync", false);
        assert_eq!(decide(App(&plain), "rev", &found), Decision::Nothing);
        let Decision::Heal(operation) = decide(App(&healing), "rev", &found) else {
            panic!("no healing");
        };
        assert_eq!(
            operation["sync"]["resources"],
            json!([{"kind": "ConfigMap", "namespace": "n", "name": "c"}])
        );
    }

    #[test]
    fn a_failed_revision_is_not_tried_again_even_with_self_heal() {
        let app = app(&json!({"selfHeal": true}), &done("rev", "Failed"));
        let Decision::GaveUp(why) = decide(App(&app), "rev", &found("OutOfSync", false)) else {
            panic!("it went on");
        };
        assert!(why.contains("Failed last sync attempt to [rev]"));
    }

    #[test]
    fn what_only_needs_pruning_waits_for_prune() {
        let state = done("old", "Succeeded");
        let found = found("OutOfSync", true);
        let without = app(&json!({}), &state);
        let with = app(&json!({"prune": true}), &state);
        assert_eq!(decide(App(&without), "new", &found), Decision::Nothing);
        assert!(matches!(
            decide(App(&with), "new", &found),
            Decision::Sync(_)
        ));
    }

    #[test]
    fn nothing_happens_while_an_operation_is_asked_for_or_auto_sync_is_off() {
        let found = found("OutOfSync", false);
        let mut busy = app(&json!({}), &done("old", "Succeeded"));
        busy["operation"] = json!({"sync": {}});
        assert_eq!(decide(App(&busy), "new", &found), Decision::Nothing);
        let off = app(
            &json!({"enabled": false, "selfHeal": true}),
            &done("old", "Succeeded"),
        );
        assert_eq!(decide(App(&off), "new", &found), Decision::Nothing);
    }

    #[test]
    fn healing_waits_longer_each_time_and_forgets_after_calm() {
        let start: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        let second = SignedDuration::from_secs;
        let mut backoff = HealBackoff::default();
        assert_eq!(backoff.next(start), start);
        backoff.began(start);
        assert_eq!(backoff.next(start), start + second(2));
        backoff.began(start + second(2));
        assert_eq!(backoff.next(start + second(3)), start + second(8));
        for _ in 0..20 {
            backoff.began(start + second(10));
        }
        assert_eq!(backoff.next(start + second(11)), start + second(310));
        let later = start + second(3_600);
        assert_eq!(backoff.next(later), later);
        backoff.began(later);
        assert_eq!(backoff.next(later), later + second(2));
    }
}
