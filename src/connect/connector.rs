//! Makes the connections of a fleet: what they share, and that equal targets share one.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::connection::Connection;
use super::exec::{PluginLimits, Plugins};
use super::fault::{Fault, FaultKind};
use super::guard::Mode;
use super::kubeconfig::RowPlan;
use super::pool::Timings;
use super::session::{Session, SessionParts};
use crate::domain::Name;

/// How the fleet is connected to.
#[derive(Clone, Copy, Debug)]
pub struct ConnectOptions {
    /// What every connection lets through.
    pub mode: Mode,
    /// Times of every connection.
    pub timings: Timings,
    /// What credential plugins may cost.
    pub plugins: PluginLimits,
    /// Connections being made at a time.
    pub dials: usize,
}

impl Default for ConnectOptions {
    /// Read-only, 32 connections made at a time.
    fn default() -> Self {
        Self {
            mode: Mode::ReadOnly,
            timings: Timings::default(),
            plugins: PluginLimits::default(),
            dials: 32,
        }
    }
}

/// Hands out connections.
pub struct Connector {
    options: ConnectOptions,
    plugins: Arc<Plugins>,
    dials: Arc<Semaphore>,
    sessions: Mutex<HashMap<Name, Weak<Session>>>,
}

impl Connector {
    /// Makes one for a whole fleet.
    pub fn new(options: ConnectOptions) -> Arc<Self> {
        Arc::new(Self {
            plugins: Arc::new(Plugins::new(options.plugins)),
            dials: Arc::new(Semaphore::new(options.dials)),
            options,
            sessions: Mutex::new(HashMap::new()),
        })
    }

    /// The connection of a row; nothing is sent yet. Rows with the same server and identity share it. Must be called on the runtime.
    ///
    /// # Errors
    /// The context cannot be used; [`RowPlan::target`] says why.
    pub fn connection(&self, row: &RowPlan) -> Result<Connection, Fault> {
        let target = row
            .target
            .as_ref()
            .map_err(|sentence| Fault::new(FaultKind::Config, sentence.clone()))?;
        let mut sessions = self.sessions.lock();
        let known = sessions.get(target.key()).and_then(Weak::upgrade);
        let session = if let Some(session) = known {
            session
        } else {
            let made = Arc::new(Session::new(SessionParts {
                target: Arc::clone(target),
                plugins: Arc::clone(&self.plugins),
                dials: Arc::clone(&self.dials),
                timings: self.options.timings,
            })?);
            sessions.insert(target.key().clone(), Arc::downgrade(&made));
            made
        };
        let namespace = if row.namespace_scope.is_empty() {
            "default"
        } else {
            &row.namespace_scope
        };
        Connection::new(session, self.options.mode, namespace)
    }
}
