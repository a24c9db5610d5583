//! What the judges of a fleet need to tell health: the person's rules, the Lua rules of every hub's argocd-cm, and the desk that runs them.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::lua::LuaDesk;
use crate::domain::ClusterId;
use crate::health::{Checks, Overrides, Verdict};

/// The Lua rules of each hub.
pub type HubRules = Arc<HashMap<ClusterId, Arc<Overrides>>>;

/// Shared by all actors of a fleet. Clones share it.
#[derive(Clone)]
pub struct HealthRules {
    /// The person's rules and ours.
    pub checks: Checks,
    hubs: watch::Sender<HubRules>,
    pub(super) desk: LuaDesk,
}

impl fmt::Debug for HealthRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthRules").finish_non_exhaustive()
    }
}

impl HealthRules {
    /// Rules of one sitting; `program` is this program's own path, which runs the Lua.
    pub fn new(checks: Checks, program: Option<PathBuf>) -> Self {
        Self {
            checks,
            hubs: watch::channel(HubRules::default()).0,
            desk: LuaDesk::open(program),
        }
    }

    /// Takes what a hub's argocd-cm says now; whoever follows hears of it only when it changed.
    pub(super) fn set(&self, hub: &ClusterId, overrides: Overrides) {
        self.hubs.send_if_modified(|hubs| {
            let known = hubs.get(hub).map(|o| &**o);
            if known == Some(&overrides) || (known.is_none() && overrides.is_empty()) {
                return false;
            }
            Arc::make_mut(hubs).insert(hub.clone(), Arc::new(overrides));
            true
        });
    }

    /// The health of one object that an application of this hub stands for, told as a judge would: the hub's Lua is asked where it speaks.
    pub async fn told(&self, hub: &ClusterId, object: &Value) -> Option<Verdict> {
        let overrides = self.hubs.borrow().get(hub).cloned().unwrap_or_default();
        let Some(rule) = self.checks.asks(&overrides, object) else {
            return self.checks.judge(object, None);
        };
        let (reply, said) = oneshot::channel();
        self.desk
            .ask(Arc::clone(&rule.script), object.clone(), |answer| {
                // Whoever asked may have gone.
                drop(reply.send(answer));
            });
        let answer = said.await.ok()?;
        self.checks.judge(object, Some((&rule.key, &answer)))
    }

    /// The rules of all hubs, now and from now on.
    pub(super) fn hubs(&self) -> watch::Receiver<HubRules> {
        self.hubs.subscribe()
    }
}
