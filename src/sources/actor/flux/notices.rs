//! The events of one cluster's Flux, by the document that they are about. No I/O.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{AppKind, AppRef, ClusterId, Fact, Name, Notice};
use crate::sources::engine::document::text;
use crate::sources::engine::flux::notice;
use crate::sources::watch::Step;

/// The kinds whose controllers tell of drift.
pub(super) const KINDS: [AppKind; 2] = [AppKind::Kustomization, AppKind::HelmRelease];

/// Which event: its namespace and name.
type Event = (Name, Name);

/// What has been told of documents.
#[derive(Debug, Default)]
pub(super) struct Notices {
    by_app: BTreeMap<AppRef, BTreeMap<Event, Notice>>,
}

impl Notices {
    /// Takes what happened to the events about a kind; gives what is to be told of it.
    pub(super) fn take(
        &mut self,
        kind: AppKind,
        step: Step<Value>,
        holder: &ClusterId,
    ) -> Option<Fact> {
        match step {
            Step::Listed(events) => {
                self.by_app.retain(|app, _| app.kind != kind);
                for event in &events {
                    self.put(kind, event, holder);
                }
                let all = self.by_app.keys().filter(|app| app.kind == kind);
                let all = all.map(|app| (app.clone(), self.of(app))).collect();
                Some(Fact::NoticesOf { kind, all })
            }
            Step::Changed(event) => {
                let app = self.put(kind, &event, holder)?;
                Some(self.told(app))
            }
            Step::Gone(event) => {
                let (app, _) = notice::read(kind, &event, holder)?;
                self.by_app.get_mut(&app)?.remove(&name_of(&event))?;
                self.by_app.retain(|_, events| !events.is_empty());
                Some(self.told(app))
            }
            Step::Trouble(_) => None,
        }
    }

    fn put(&mut self, kind: AppKind, event: &Value, holder: &ClusterId) -> Option<AppRef> {
        let (app, notice) = notice::read(kind, event, holder)?;
        let events = self.by_app.entry(app.clone()).or_default();
        events.insert(name_of(event), notice);
        Some(app)
    }

    fn told(&self, app: AppRef) -> Fact {
        Fact::Notices {
            notices: self.of(&app),
            app,
        }
    }

    /// Oldest first.
    fn of(&self, app: &AppRef) -> Vec<Notice> {
        let events = self.by_app.get(app).into_iter().flatten();
        let mut notices: Vec<Notice> = events.map(|(_, notice)| notice.clone()).collect();
        notices.sort_by_key(|notice| (notice.last, notice.kind));
        notices
    }
}

fn name_of(event: &Value) -> Event {
    let part = |field: &str| text(event, &format!("/metadata/{field}")).into();
    (part("namespace"), part("name"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, at: &str) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "edge"},
            "involvedObject": {"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2", "namespace": "edge", "name": "web"},
            "reason": "DriftDetected", "message": "Deployment/edge/web removed", "lastTimestamp": at,
        })
    }

    fn take(notices: &mut Notices, step: Step<Value>) -> Option<Fact> {
        notices.take(AppKind::HelmRelease, step, &"edge-oslo-003".into())
    }

    fn times(fact: Option<Fact>) -> Vec<String> {
        match fact {
            Some(Fact::Notices { notices, .. }) => {
                notices.iter().map(|n| n.last.to_string()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn events_are_told_in_order_and_forgotten_when_they_expire() {
        let (early, late) = ("2026-11-21T02:00:00Z", "2026-11-21T02:20:00Z");
        let mut notices = Notices::default();
        let listed = take(&mut notices, Step::Listed(vec![event("web.2", late)]));
        assert!(matches!(listed, Some(Fact::NoticesOf { all, .. }) if all.len() == 1));
        let told = times(take(&mut notices, Step::Changed(event("web.1", early))));
        assert_eq!(told, [early, late]);
        let told = times(take(&mut notices, Step::Gone(event("web.2", late))));
        assert_eq!(told, [early]);
        assert!(take(&mut notices, Step::Gone(event("web.2", late))).is_none());
        assert!(times(take(&mut notices, Step::Gone(event("web.1", early)))).is_empty());
    }
}
