//! Credential plugins of the kubeconfig: run off the loop, without a terminal, once per identity whatever the number of contexts.

mod answer;
mod run;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::fault::{Fault, FaultKind};
use super::target::Target;

pub use run::PluginLimits;

/// A plugin's credential is replaced this long before it expires.
const MARGIN: Duration = Duration::from_secs(60);

/// One plugin call: what is run, with what, for which cluster. Equal values share one run.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Plugin {
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    api_version: String,
    /// The `cluster` part of `KUBERNETES_EXEC_INFO`, as JSON; empty when the plugin does not want it.
    cluster: String,
    install_hint: String,
    interactive: bool,
}

impl Plugin {
    /// The plugin of a user entry.
    ///
    /// # Errors
    /// What is missing, as the end of a sentence.
    pub(super) fn of(exec: &ExecConfig, target: &Target) -> Result<Self, String> {
        let command = exec.command.clone().unwrap_or_default();
        if command.is_empty() {
            return Err("its exec plugin names no command; add `command:`".to_owned());
        }
        let cluster = if exec.provide_cluster_info {
            answer::cluster_info(target)?
        } else {
            String::new()
        };
        Ok(Self {
            command,
            args: exec.args.clone().unwrap_or_default(),
            env: environment(exec),
            api_version: exec
                .api_version
                .clone()
                .unwrap_or_else(|| "client.authentication.k8s.io/v1".to_owned()),
            cluster,
            install_hint: exec.install_hint.clone().unwrap_or_default(),
            interactive: exec.interactive_mode == Some(ExecInteractiveMode::Always),
        })
    }

    /// The program's name for sentences; arguments may hold secrets and are left out.
    fn name(&self) -> &str {
        self.command.rsplit('/').next().unwrap_or(&self.command)
    }
}

fn environment(exec: &ExecConfig) -> Vec<(String, String)> {
    let pair = |vars: &HashMap<String, String>| {
        Some((vars.get("name")?.clone(), vars.get("value")?.clone()))
    };
    exec.env.iter().flatten().filter_map(pair).collect()
}

/// What a plugin gave: a token, a client certificate, or both.
pub struct Credential {
    /// Bearer token.
    pub(super) token: Option<SecretString>,
    /// Client certificate chain and key, PEM.
    pub(super) certificate: Option<(String, SecretString)>,
    /// When it ends, if the plugin says so.
    pub(super) expires: Option<Timestamp>,
    /// Grows with each run of the plugin.
    pub(super) serial: u64,
}

impl Credential {
    /// Whether it is about to end.
    pub(super) fn is_ending(&self, now: Timestamp) -> bool {
        let margin = jiff::SignedDuration::try_from(MARGIN).unwrap_or_default();
        self.expires.is_some_and(|end| now + margin >= end)
    }
}

/// Runs plugins: one run at a time per identity, few at a time in all, and keeps what they gave in memory only.
pub struct Plugins {
    slots: Mutex<HashMap<Plugin, Arc<Slot>>>,
    places: Semaphore,
    limits: PluginLimits,
}

/// The last result of one plugin; the lock is held while it runs, so that others wait for its result.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<Last>);

#[derive(Default)]
struct Last {
    good: Option<Arc<Credential>>,
    bad: Option<Failure>,
    runs: u64,
}

/// A failure is kept for a while: a thousand contexts must not run a broken plugin a thousand times.
struct Failure {
    at: Instant,
    fault: Fault,
    in_a_row: u32,
}

impl Failure {
    /// One minute, doubled with each further failure, ten minutes at most.
    fn holds(&self) -> bool {
        let minutes = 1_u64 << self.in_a_row.saturating_sub(1).min(4);
        self.at.elapsed() < Duration::from_secs(60 * minutes.min(10))
    }
}

/// How a plugin may be run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Without a terminal; nobody is asked.
    Silent,
    /// On the operator's terminal, which the caller has freed.
    Asking,
}

impl Plugins {
    /// Makes a runner with these limits.
    pub fn new(limits: PluginLimits) -> Self {
        Self {
            slots: Mutex::new(HashMap::new()),
            places: Semaphore::new(limits.at_once),
            limits,
        }
    }

    /// A credential that is not about to end and newer than `refused`, the serial of one that the server did not take.
    ///
    /// # Errors
    /// [`FaultKind::LoginNeeded`], when the plugin can only run interactively; [`FaultKind::Auth`], when it failed, now or a moment ago.
    pub async fn credential(
        &self,
        plugin: &Plugin,
        refused: Option<u64>,
    ) -> Result<Arc<Credential>, Fault> {
        let slot = self.slot(plugin);
        let mut last = slot.0.lock().await;
        if let Some(good) = last.usable(refused) {
            return Ok(good);
        }
        if let Some(bad) = last.bad.as_ref().filter(|b| b.holds()) {
            return Err(bad.fault.clone());
        }
        if plugin.interactive {
            return Err(login_needed(plugin));
        }
        self.run(plugin, Manner::Silent, &mut last).await
    }

    /// Runs the plugin on the operator's terminal. The caller has left the alternate screen and gives no other input away meanwhile.
    ///
    /// # Errors
    /// [`FaultKind::Auth`], when it failed.
    pub async fn login(&self, plugin: &Plugin) -> Result<Arc<Credential>, Fault> {
        let slot = self.slot(plugin);
        let mut last = slot.0.lock().await;
        self.run(plugin, Manner::Asking, &mut last).await
    }

    /// Forgets that the plugin failed, so that the next request runs it again.
    pub async fn forget_failure(&self, plugin: &Plugin) {
        self.slot(plugin).0.lock().await.bad = None;
    }

    fn slot(&self, plugin: &Plugin) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        slots.entry(plugin.clone()).or_default().clone()
    }

    async fn run(
        &self,
        plugin: &Plugin,
        manner: Manner,
        last: &mut Last,
    ) -> Result<Arc<Credential>, Fault> {
        let _place = self.places.acquire().await;
        let result = run::run(plugin, manner, &self.limits).await;
        last.runs += 1;
        match result.and_then(|out| answer::read(plugin, &out, last.runs)) {
            Ok(credential) => {
                let credential = Arc::new(credential);
                last.good = Some(Arc::clone(&credential));
                last.bad = None;
                Ok(credential)
            }
            Err(fault) => {
                let in_a_row = last.bad.as_ref().map_or(1, |b| b.in_a_row + 1);
                last.bad = Some(Failure {
                    at: Instant::now(),
                    fault: fault.clone(),
                    in_a_row,
                });
                Err(fault)
            }
        }
    }
}

impl Last {
    fn usable(&self, refused: Option<u64>) -> Option<Arc<Credential>> {
        let good = self.good.as_ref()?;
        let newer = refused.is_none_or(|serial| good.serial > serial);
        (newer && !good.is_ending(Timestamp::now())).then(|| Arc::clone(good))
    }
}

fn login_needed(plugin: &Plugin) -> Fault {
    Fault::new(
        FaultKind::LoginNeeded,
        format!(
            "The credential plugin {} asks questions; press L on this row to log in.",
            plugin.name()
        ),
    )
}

/// A failed plugin, in one sentence.
fn failed(plugin: &Plugin, why: &str) -> Fault {
    Fault::new(
        FaultKind::Auth,
        format!(
            "The credential plugin {} {why}. Press L to log in, or r to try again.",
            plugin.name()
        ),
    )
}
