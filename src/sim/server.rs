//! One simulated API server: HTTPS on loopback over one store, until it is shut down.

mod auth;
mod call;
mod faults;
mod follow;
mod handle;
mod link;
mod listener;
mod metrics;
mod objects;
mod query;
mod reply;
mod reviews;
mod route;
mod selector;
mod shape;
mod subresources;
mod table;
mod watching;
mod world;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::store::Store;
use super::tls::DemoTls;

pub use auth::{Identities, Identity, Rule};
pub use faults::{Answer, Certificate, Fault, Faults, Link};
pub use world::{EmptyWorld, LogLine, LogRequest, ProxyReply, ProxyRequest, World};

/// Tells the time of the simulated world.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a server is made of.
pub struct ServerOptions {
    /// What it holds.
    pub store: Store,
    /// What it presents.
    pub tls: Arc<DemoTls>,
    /// Who may do what.
    pub identities: Identities,
    /// What is wrong with it.
    pub faults: Arc<Faults>,
    /// What lies behind it.
    pub world: Arc<dyn World>,
    /// Its time.
    pub clock: Clock,
    /// Where it listens; `127.0.0.1:0` takes any free port.
    pub address: SocketAddr,
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A server that answers. Dropping it stops it.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    stop: CancellationToken,
}

impl RunningServer {
    /// Its URL, for a kubeconfig.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and closes every connection.
    pub fn shutdown(&self) {
        self.stop.cancel();
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts a server; it answers when this returns.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(options: ServerOptions) -> std::io::Result<RunningServer> {
    let stop = CancellationToken::new();
    let address = listener::start(Arc::new(options), stop.clone()).await?;
    Ok(RunningServer { address, stop })
}

#[cfg(test)]
mod tests;
