//! `demo --serve`: the embedded fleet for other clients, until a signal.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use super::args::DemoArgs;
use super::say;
use crate::sim::world::{Options, Scenario, World};

/// What `demo` was asked for.
#[derive(Clone, Debug)]
pub(crate) struct DemoOptions {
    /// Name of the scenario.
    pub(crate) scenario: String,
    /// Edge clusters; the scenario's number when `None`.
    pub(crate) clusters: Option<usize>,
    /// Applications an edge; the scenario's number when `None`.
    pub(crate) apps: Option<usize>,
    /// Edges that never answer, besides the scenario's.
    pub(crate) dark: usize,
    /// The same seed, the same fleet.
    pub(crate) seed: u64,
    /// Where the kubeconfig goes, instead of the demo's own folder.
    pub(crate) kubeconfig_out: Option<PathBuf>,
}

impl DemoOptions {
    /// The world's own form of them.
    ///
    /// # Errors
    /// There is no such scenario.
    pub(crate) fn options(&self) -> Result<Options, String> {
        let scenario = Scenario::named(&self.scenario).map_err(|e| e.to_string())?;
        Ok(Options {
            clusters: self.clusters,
            apps: self.apps,
            dark: self.dark,
            seed: self.seed,
            kubeconfig: self.kubeconfig_out.clone(),
            ..Options::new(scenario)
        })
    }
}

impl From<&DemoArgs> for DemoOptions {
    fn from(args: &DemoArgs) -> Self {
        Self {
            scenario: args.scenario.clone(),
            clusters: args.clusters,
            apps: args.apps,
            dark: args.dark,
            seed: args.seed,
            kubeconfig_out: args.kubeconfig_out.clone(),
        }
    }
}

/// Runs `demo --serve` to its end.
///
/// # Errors
/// As [`serve`]; and when the program cannot have threads.
pub(crate) fn run(options: &DemoOptions) -> Result<u8, String> {
    super::fleet::runtime()?.block_on(serve(options))
}

/// Serves the fleet: prints the kubeconfig's path and `ready`, then runs until SIGINT, SIGTERM or SIGHUP and removes its files.
///
/// # Errors
/// The world cannot be built, or one of its servers does not answer.
pub(crate) async fn serve(options: &DemoOptions) -> Result<u8, String> {
    // First, so that a signal during the start ends it in order too.
    let ended = end()?;
    tokio::pin!(ended);
    let start = start(options);
    let world = tokio::select! {
        world = start => world?,
        () = &mut ended => return Ok(0),
    };
    say::answer(&format!("{}\nready\n", world.kubeconfig_path().display()))?;
    ended.await;
    drop(world);
    Ok(0)
}

pub(super) async fn start(options: &DemoOptions) -> Result<World, String> {
    let world = World::start(options.options()?)
        .await
        .map_err(|e| e.to_string())?;
    if let Some(url) = world.first_silent().await {
        return Err(format!(
            "The demo's server {url} does not answer. Check that nothing on this machine filters loopback connections."
        ));
    }
    let unsynced = world.is_calm().then(|| world.unsynced());
    if let Some(unsynced) = unsynced.filter(|unsynced| !unsynced.is_empty()) {
        return Err(format!(
            "These applications of the demo are not Synced: {}. Please report this as a bug.",
            unsynced.join(", ")
        ));
    }
    Ok(world)
}

/// Ends with the first signal that asks the program to.
fn end() -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| {
        signal(kind).map_err(|e| {
            format!("The demo cannot listen for signals: {e}. Raise the limits of this session.")
        })
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
