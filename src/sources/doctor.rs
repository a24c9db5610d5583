//! What is well with a context and what is not, each failure with the next step. Plain data; the command prints it.

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::contact::routes;
use super::permissions::{self, Scene};
use crate::connect::{Connection, Connector, Fault, FaultKind, Lane, RowPlan};
use crate::domain::{ClusterId, Permission, Safe};

/// A certificate that ends sooner than this is warned of.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Bytes that an answer may have.
const LIMIT: usize = 4 << 20;

/// One row of the fleet, examined.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoctorRow {
    /// The row's name.
    pub cluster: ClusterId,
    /// Its contexts, the acting one first.
    pub contexts: Vec<Safe>,
    /// The server's URL.
    pub server: Safe,
    /// The one identity it acts with, as the kubeconfig names it.
    pub identity: Safe,
    /// What was looked at, in the order in which one depends on the other.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What it is about.
    pub about: About,
    /// How it stands.
    pub state: CheckState,
    /// What was found; with the next step, unless all is well.
    pub message: Safe,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The context itself.
    Context,
    /// Name, network, TLS.
    Reach,
    /// Credentials.
    Auth,
    /// The server's version and protocol.
    Version,
    /// GitOps engines.
    Engines,
    /// What the identity may do.
    Permissions,
    /// Where figures come from.
    Metrics,
    /// Programs that render desired state.
    Renderers,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// All well.
    Good,
    /// It works, with something to know.
    Warn,
    /// It does not work.
    Bad,
    /// Not looked at, because something before it does not work.
    Skipped,
}

impl DoctorRow {
    /// The worst outcome of its checks.
    pub fn worst(&self) -> CheckState {
        let told = self.checks.iter().map(|c| c.state);
        told.filter(|s| *s != CheckState::Skipped)
            .max()
            .unwrap_or(CheckState::Good)
    }
}

fn check(about: About, state: CheckState, message: impl Into<Safe>) -> Check {
    Check {
        about,
        state,
        message: message.into(),
    }
}

/// Examines one row. It sends reads and self-subject reviews only, and takes no longer than the connection's own time limits.
pub async fn examine(connector: &Connector, row: &RowPlan, now: Timestamp) -> DoctorRow {
    let mut checks = Vec::new();
    match connector.connection(row) {
        Ok(connection) => {
            checks.push(context(row, now));
            look(&connection, row, &mut checks).await;
        }
        Err(fault) => checks.push(check(About::Context, CheckState::Bad, fault.sentence)),
    }
    skip_rest(&mut checks);
    DoctorRow {
        cluster: row.cluster.clone(),
        contexts: row.contexts.iter().map(|c| Safe::new(c)).collect(),
        server: Safe::new(&row.server),
        identity: Safe::new(&row.identity),
        checks,
    }
}

/// Names what was not looked at because of what failed before.
fn skip_rest(checks: &mut Vec<Check>) {
    let all = [
        About::Reach,
        About::Auth,
        About::Version,
        About::Engines,
        About::Permissions,
        About::Metrics,
    ];
    for about in all {
        if !checks.iter().any(|c| c.about == about) {
            let message = Safe::fixed("Not looked at: see above.");
            checks.push(check(about, CheckState::Skipped, message));
        }
    }
}

fn context(row: &RowPlan, now: Timestamp) -> Check {
    let ends = row.target.as_ref().ok().and_then(|t| t.certificate_ends());
    if let Some(ends) = ends.filter(|ends| *ends <= now) {
        return check(
            About::Context,
            CheckState::Bad,
            format!(
                "The client certificate ended on {}; renew it in the kubeconfig.",
                day(ends)
            ),
        );
    }
    if let Some(ends) = ends.filter(|ends| ends.duration_since(now) < SOON) {
        return check(
            About::Context,
            CheckState::Warn,
            format!(
                "The client certificate ends on {}; renew it before.",
                day(ends)
            ),
        );
    }
    if row.insecure {
        return check(
            About::Context,
            CheckState::Warn,
            Safe::fixed(
                "The server's certificate is not checked (insecure-skip-tls-verify); name its CA in the kubeconfig.",
            ),
        );
    }
    if row.contexts.len() > 1 {
        let names = row.contexts.join(", ");
        return check(
            About::Context,
            CheckState::Good,
            format!(
                "{} contexts lead here: {names}; the first one acts.",
                row.contexts.len()
            ),
        );
    }
    check(About::Context, CheckState::Good, Safe::fixed("Complete."))
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

async fn look(connection: &Connection, row: &RowPlan, checks: &mut Vec<Check>) {
    let version: Version = match json(connection, "/version").await {
        Ok(version) => version,
        Err(fault) => return unanswered(fault, connection, checks),
    };
    checks.push(check(
        About::Reach,
        CheckState::Good,
        format!(
            "{} answers in {} ms.",
            connection.place(),
            connection.clock().latency().as_millis()
        ),
    ));
    match permissions::who_am_i(connection).await {
        Ok(name) => checks.push(identity(name.as_ref())),
        Err(fault) => return checks.push(check(About::Auth, CheckState::Bad, fault.sentence)),
    }
    checks.push(protocol(connection, &version).await);
    let groups = json::<Groups>(connection, "/apis").await;
    let groups = match groups {
        Ok(groups) => groups,
        Err(fault) => return checks.push(check(About::Engines, CheckState::Bad, fault.sentence)),
    };
    checks.push(engines(&groups));
    checks.extend(rights(connection, row, &groups).await);
    checks.push(metrics(&groups));
}

/// Tells apart what stands before the first answer: the network, or the credentials.
fn unanswered(fault: Fault, connection: &Connection, checks: &mut Vec<Check>) {
    if !fault.is_auth() && fault.kind != FaultKind::Forbidden {
        return checks.push(check(About::Reach, CheckState::Bad, fault.sentence));
    }
    if fault.kind != FaultKind::LoginNeeded {
        let reached = format!("{} was tried.", connection.place());
        checks.push(check(About::Reach, CheckState::Good, reached));
    }
    checks.push(check(About::Auth, CheckState::Bad, fault.sentence));
}

fn identity(name: Option<&Safe>) -> Check {
    match name {
        Some(name) if name.as_str() == "system:anonymous" => check(
            About::Auth,
            CheckState::Bad,
            Safe::fixed(
                "The server takes this identity for system:anonymous; give the context a user with credentials.",
            ),
        ),
        Some(name) => check(
            About::Auth,
            CheckState::Good,
            format!("The server knows this identity as {name}."),
        ),
        None => check(
            About::Auth,
            CheckState::Good,
            Safe::fixed("Accepted; the server does not tell under which name."),
        ),
    }
}

async fn protocol(connection: &Connection, version: &Version) -> Check {
    let name = Safe::new(&version.git_version);
    if connection.needs_heartbeat().await {
        return check(
            About::Version,
            CheckState::Warn,
            format!(
                "{name}, over HTTP/1.1: every watch takes a connection of its own. Let the proxy in between pass HTTP/2."
            ),
        );
    }
    check(
        About::Version,
        CheckState::Good,
        format!("{name}, over HTTP/2."),
    )
}

fn engines(groups: &Groups) -> Check {
    let mut found = Vec::new();
    if groups.has("argoproj.io") {
        found.push("Argo CD");
    }
    if groups.has("kustomize.toolkit.fluxcd.io") || groups.has("helm.toolkit.fluxcd.io") {
        found.push("Flux");
    }
    let message = if found.is_empty() {
        "No Argo CD and no Flux here; as an edge it is judged by what a hub deploys to it."
            .to_owned()
    } else {
        format!("{} kinds are served.", found.join(" and "))
    };
    check(About::Engines, CheckState::Good, message)
}

/// One check a missing right, each with what is off without it.
async fn rights(connection: &Connection, row: &RowPlan, groups: &Groups) -> Vec<Check> {
    // Argo Rollouts and Argo Workflows have the same group.
    let kinds = routes(connection, "argoproj.io", "v1alpha1").await;
    let kinds = match kinds {
        Ok(kinds) => kinds,
        Err(fault) => return vec![check(About::Permissions, CheckState::Bad, fault.sentence)],
    };
    let scope = &row.namespace_scope;
    let scene = Scene {
        namespace: scope,
        is_hub: kinds.contains_key("Application"),
        groups: &groups.groups.iter().map(|g| &*g.name).collect::<Vec<_>>(),
    };
    let questions = scene.questions();
    let answers = match permissions::permissions(connection, scope, &questions).await {
        Ok(answers) => answers,
        Err(fault) => return vec![check(About::Permissions, CheckState::Bad, fault.sentence)],
    };
    let missing = answers.iter().filter(|answer| !answer.allowed);
    let missing: Vec<Check> = missing.map(lacking).collect();
    if missing.is_empty() {
        let all = format!(
            "All {} rights that driftdeck uses are there.",
            answers.len()
        );
        return vec![check(About::Permissions, CheckState::Good, all)];
    }
    missing
}

fn lacking(right: &Permission) -> Check {
    check(
        About::Permissions,
        CheckState::Warn,
        format!(
            "May not {}: {}. Ask for this right if you need it.",
            right.what, right.without
        ),
    )
}

fn metrics(groups: &Groups) -> Check {
    if groups.has("monitoring.coreos.com") {
        return check(
            About::Metrics,
            CheckState::Good,
            Safe::fixed(
                "ServiceMonitors are served; their endpoints are scraped through the API server.",
            ),
        );
    }
    check(
        About::Metrics,
        CheckState::Warn,
        Safe::fixed("No ServiceMonitor kind here: figures come only from URLs in the config."),
    )
}

/// The programs that fetch and render desired state, looked for along `path`; the same for all rows.
pub fn renderers(path: &std::ffi::OsStr) -> Vec<Check> {
    let tool = |name: &str, absent: CheckState, without: &str| match find(path, name) {
        Some(found) => check(
            About::Renderers,
            CheckState::Good,
            format!("{name} is {}.", found.display()),
        ),
        None => check(
            About::Renderers,
            absent,
            format!("{name} is not installed: {without}."),
        ),
    };
    vec![
        tool(
            "git",
            CheckState::Bad,
            "repositories over https and ssh cannot be fetched; install it",
        ),
        tool(
            "kustomize",
            CheckState::Warn,
            "applications that need it keep Argo CD's verdict; install it to judge them",
        ),
        tool(
            "helm",
            CheckState::Warn,
            "applications that need it keep Argo CD's verdict; install it to judge them",
        ),
    ]
}

fn find(path: &std::ffi::OsStr, name: &str) -> Option<PathBuf> {
    let folders = std::env::split_paths(path);
    folders
        .map(|folder| folder.join(name))
        .find(|candidate| Path::is_file(candidate))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    #[serde(default)]
    git_version: String,
}

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
}

impl Groups {
    fn has(&self, name: &str) -> bool {
        self.groups.iter().any(|g| g.name == name)
    }
}

async fn json<T: for<'de> Deserialize<'de>>(
    connection: &Connection,
    path: &str,
) -> Result<T, Fault> {
    let answer = connection.get(Lane::Watch, path, LIMIT).await?;
    serde_json::from_slice(&answer).map_err(|_| {
        Fault::new(
            FaultKind::Garbage,
            format!(
                "What answers at {} is no Kubernetes API server; correct the server in the kubeconfig.",
                connection.place()
            ),
        )
    })
}
