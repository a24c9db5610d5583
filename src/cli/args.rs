//! The command line as a person types it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::selector::NameGlob;
use crate::domain::{ClusterId, Selector};

/// A terminal console for GitOps on edge Kubernetes clusters.
///
/// Without a command it opens the console on every context of the kubeconfig. Everything is read-only without --write.
#[derive(Debug, Parser)]
#[command(
    name = "driftdeck",
    version,
    propagate_version = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) selectors: Selectors,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One row a cluster: link, applications, drift, health, versions, metrics.
    #[command(alias = "clusters")]
    Status,
    /// One row an application: the engine's word and ours.
    Apps,
    /// Every drifted resource, or the groups of equal changes.
    Drift(DriftArgs),
    /// Desired against live, field by field; of the fleet or of two files.
    Diff(DiffArgs),
    /// Why something is unhealthy, out of sync, drifted or not counted as drift.
    Explain(ExplainArgs),
    /// Put drifted resources back to Git: the plan, and with --write --yes the run.
    Revert(RevertArgs),
    /// What driftdeck has done from here.
    Journal(JournalArgs),
    /// One frame of a screen, for tickets and tests.
    Snapshot(SnapshotArgs),
    /// One row a context: reach, credentials, versions, engines, permissions; each failure with the next step.
    Doctor,
    /// An embedded fleet in this process, and the console on it. Needs nothing installed and no network.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// The keys as they work now.
    Keys,
    /// The themes that can be named.
    Themes,
    /// The configuration file.
    Config {
        /// What to do with it.
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Runs the health rules of argocd-cm; started by the program itself.
    #[command(hide = true)]
    HealthHelper,
    /// A completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What to do with the configuration file.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read it and say what is wrong with it.
    Check,
    /// Print the folders in use.
    Path,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Kubeconfig file; else KUBECONFIG with its list, else the usual file.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Fleet")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Only contexts that match this glob; may be given several times.
    #[arg(long, global = true, value_name = "GLOB", help_heading = "Fleet")]
    pub(crate) context: Vec<String>,
    /// No contexts that match this glob; may be given several times.
    #[arg(long, global = true, value_name = "GLOB", help_heading = "Fleet")]
    pub(crate) exclude_context: Vec<String>,
    /// User to act as.
    #[arg(
        long = "as",
        global = true,
        value_name = "USER",
        help_heading = "Fleet"
    )]
    pub(crate) as_user: Option<String>,
    /// Group to act as; may be given several times.
    #[arg(long, global = true, value_name = "GROUP", help_heading = "Fleet")]
    pub(crate) as_group: Vec<String>,
    /// Limit of one request, such as 10s.
    #[arg(long, global = true, value_name = "DURATION", default_value = "15s", value_parser = duration, help_heading = "Fleet")]
    pub(crate) request_timeout: Duration,
    /// How long a command waits for the fleet, such as 30s.
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = duration, help_heading = "Fleet")]
    pub(crate) wait: Duration,
    /// Allow changes; without it nothing but reads, dry runs and permission questions leaves this machine.
    #[arg(long, global = true, help_heading = "Fleet")]
    pub(crate) write: bool,
    /// Form of the output.
    #[arg(short, long, global = true, value_enum, default_value_t = Form::Table, help_heading = "Output")]
    pub(crate) output: Form,
    /// Theme by name.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Output")]
    pub(crate) theme: Option<String>,
    /// Keymap by name.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Output")]
    pub(crate) keymap: Option<String>,
    /// Write ASCII only.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) ascii: bool,
    /// Fewer frames and no decoration.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) low_bandwidth: bool,
    /// Read the console out line by line, for screen readers: nothing is drawn over.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) plain: bool,
    /// Take clicks and the wheel in the console; the terminal's own selection then needs shift.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) mouse: bool,
    /// No colours.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) no_color: bool,
    /// Write the log here.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub(crate) log_file: Option<PathBuf>,
    /// Log more; -vv for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
}

/// Which part of the fleet is meant; the same for every command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selectors {
    /// Clusters whose name matches this glob.
    #[arg(long, global = true, value_name = "GLOB", help_heading = "Selection")]
    pub(crate) cluster: Option<String>,
    /// Applications held by this hub.
    #[arg(
        long,
        global = true,
        value_name = "CONTEXT",
        help_heading = "Selection"
    )]
    pub(crate) hub: Option<String>,
    /// Applications whose name matches this glob.
    #[arg(long, global = true, value_name = "GLOB", help_heading = "Selection")]
    pub(crate) app: Option<String>,
    /// Resources of this kind.
    #[arg(long, global = true, value_name = "KIND", help_heading = "Selection")]
    pub(crate) kind: Option<String>,
    /// Resources in this namespace.
    #[arg(
        short,
        long,
        global = true,
        value_name = "NS",
        help_heading = "Selection"
    )]
    pub(crate) namespace: Option<String>,
    /// Resources of this name.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Selection")]
    pub(crate) name: Option<String>,
    /// Rows for which a query holds: 'drift>0 and region=eu'.
    #[arg(
        long = "where",
        global = true,
        value_name = "QUERY",
        help_heading = "Selection"
    )]
    pub(crate) query: Option<String>,
}

impl Selectors {
    /// The selector these options mean.
    ///
    /// # Errors
    /// A sentence that names the glob that is none.
    pub(crate) fn selector(&self) -> Result<Selector, String> {
        let glob = |g: &Option<String>| {
            g.as_deref()
                .map_or_else(|| Ok(NameGlob::default()), NameGlob::new)
        };
        Ok(Selector {
            cluster: glob(&self.cluster)?,
            hub: self.hub.as_deref().map(ClusterId::from),
            app: glob(&self.app)?,
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        })
    }
}

/// The selector that means one object, written as CLUSTER/KIND/NAMESPACE/NAME or CLUSTER/KIND/NAME.
///
/// # Errors
/// A sentence, when it is not written so.
pub(crate) fn one_object(text: &str) -> Result<Selector, String> {
    // The last part first: names of contexts may hold slashes, those of kinds and objects never do.
    let parts: Vec<&str> = text.rsplitn(4, '/').collect();
    let (cluster, kind, namespace, name) = match parts[..] {
        [name, namespace, kind, cluster] => (cluster, kind, namespace, name),
        [name, kind, cluster] => (cluster, kind, "", name),
        _ => {
            return Err(format!(
                "`{}` names no object; write CLUSTER/KIND/NAMESPACE/NAME, or CLUSTER/KIND/NAME for one without a namespace.",
                crate::domain::safe::escape(text)
            ));
        }
    };
    Ok(Selector {
        cluster: NameGlob::new(&globset::escape(cluster))?,
        kind: Some(kind.to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        ..Selector::default()
    })
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Columns.
    Table,
    /// More columns.
    Wide,
    /// The stable JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
    /// Comma-separated columns.
    Csv,
    /// Names only.
    Name,
    /// A picture as plain text (snapshot).
    Text,
    /// A picture as text with colour sequences (snapshot).
    Ansi,
    /// A vector picture (snapshot).
    Svg,
    /// A bitmap (snapshot).
    Png,
    /// A recording: one frame a key, in the asciicast format (snapshot).
    Cast,
}

/// Options of `drift`.
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// One row a group of equal changes.
    #[arg(long)]
    pub(crate) group: bool,
    /// Ask each server for its own word, a dry-run apply; where it differs from our verdict, the server's word counts.
    #[arg(long, conflicts_with = "group")]
    pub(crate) verify: bool,
    /// What people's tools set beyond Git, instead of drift.
    #[arg(long, conflicts_with = "group")]
    pub(crate) shadow: bool,
    /// What makes the exit status 1, comma-separated.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [FailOn::Drift])]
    pub(crate) fail_on: Vec<FailOn>,
}

/// What makes the exit status of a reading command 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Any counted drift.
    Drift,
    /// Any degraded resource.
    Degraded,
    /// Anything unread or unjudged.
    Unknown,
    /// Shadow drift: what Git does not set and a person's tool did.
    Shadow,
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// One object, drifted or not, with every difference that does not count and why: CLUSTER/KIND/NAMESPACE/NAME, or CLUSTER/KIND/NAME
    /// for one without a namespace.
    #[arg(value_name = "OBJECT", conflicts_with = "desired")]
    pub(crate) object: Option<String>,
    /// Desired manifests, a file or `-`; with --live it needs no cluster.
    #[arg(long, value_name = "FILE", requires = "live")]
    pub(crate) desired: Option<PathBuf>,
    /// Live objects, a file or `-`.
    #[arg(long, value_name = "FILE", requires = "desired")]
    pub(crate) live: Option<PathBuf>,
    /// Rules: a list like an Application's spec.ignoreDifferences, an Application, or the ConfigMap argocd-cm.
    #[arg(long, value_name = "FILE", requires = "desired")]
    pub(crate) ignore: Option<PathBuf>,
    /// What the API server answered to a server-side dry run of the desired manifests; compares as Argo CD's server-side diff.
    #[arg(long, value_name = "FILE", requires = "desired")]
    pub(crate) dry_run: Option<PathBuf>,
    /// Ask each server for its own word, a dry-run apply; where it differs from our verdict, the server's word counts.
    #[arg(long, conflicts_with = "desired")]
    pub(crate) verify: bool,
    /// Shadow drift (what Git does not set and a person's tool did) also makes the exit status 1.
    #[arg(long, requires = "desired")]
    pub(crate) shadow: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Objects to explain, a file or `-`; needs no cluster.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The hub's argocd-cm, whose health rules are asked as Argo CD asks them.
    #[arg(long, value_name = "FILE", requires = "file")]
    pub(crate) argocd_cm: Option<PathBuf>,
}

/// Options of `revert`.
#[derive(Debug, Args)]
pub(crate) struct RevertArgs {
    /// Run the plan; without it the plan is only printed.
    #[arg(long)]
    pub(crate) yes: bool,
    /// The name that a guardrail asks for.
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Who carries it out; default: argo where it can work, else direct.
    #[arg(long, value_enum)]
    pub(crate) via: Option<Via>,
    /// Only the group with this fingerprint.
    #[arg(long, value_name = "HEX")]
    pub(crate) fingerprint: Option<String>,
    /// How the targets are split over time: 1,5%,rest.
    #[arg(long, value_name = "WAVES", default_value = "rest")]
    pub(crate) waves: String,
    /// Writes under way at once.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) max_in_flight: usize,
    /// Stop after this many failures.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) stop_after: usize,
    /// Also delete resources that Git does not have.
    #[arg(long)]
    pub(crate) prune: bool,
    /// A note for the journal and the operation, such as a ticket.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// Who carries a revert out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    /// Argo CD, through a selective sync.
    Argo,
    /// Flux, asked to reconcile the Kustomization or HelmRelease.
    Flux,
    /// This program, on the edge, as the engine's field manager.
    Direct,
}

/// Options of `journal`.
#[derive(Debug, Args)]
pub(crate) struct JournalArgs {
    /// Check the chain of hashes and say where it breaks.
    #[arg(long)]
    pub(crate) verify: bool,
}

/// Options of `snapshot`.
#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    /// The screen: fleet, drift, apps, app, diff, plan, matrix, activity, cluster, help.
    #[arg(long, default_value = "fleet")]
    pub(crate) screen: String,
    /// Columns and rows.
    #[arg(long, default_value = "120x36", value_name = "COLSxROWS")]
    pub(crate) size: String,
    /// Write it here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Keys to press first, as in a keymap: 'j j enter'.
    #[arg(long, value_name = "KEYS")]
    pub(crate) keys: Option<String>,
    /// Take it of an embedded fleet that plays this scenario.
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) demo: Option<String>,
    /// Seed of the embedded fleet.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How far the scenario has played, such as 45s.
    #[arg(long, default_value = "0s", value_parser = duration)]
    pub(crate) at: Duration,
    /// Edges of the embedded fleet.
    #[arg(long)]
    pub(crate) clusters: Option<usize>,
}

/// Options of `demo`.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Number of edge clusters; the scenario's own number when not given.
    #[arg(long)]
    pub(crate) clusters: Option<usize>,
    /// Applications on each edge.
    #[arg(long)]
    pub(crate) apps: Option<usize>,
    /// Seed: the same seed, the same fleet.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Scenario by name.
    #[arg(long, default_value = "shift")]
    pub(crate) scenario: String,
    /// Edges that never answer, besides those of the scenario.
    #[arg(long, default_value_t = 0)]
    pub(crate) dark: usize,
    /// Only serve: print the kubeconfig's path and `ready`, run until a signal.
    #[arg(long)]
    pub(crate) serve: bool,
    /// Write the kubeconfig here.
    #[arg(long, value_name = "FILE", requires = "serve")]
    pub(crate) kubeconfig_out: Option<PathBuf>,
}

/// Reads a duration such as `10s`, `1m30s` or `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("`{text}` is not a duration; write 10s, 2m or 1h"))?;
    Duration::try_from(span)
        .map_err(|_| format!("`{text}` is negative; write a duration from 0s up"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn selectors_stand_before_or_behind_the_command() {
        let cli = parse("driftdeck drift --cluster edge-oslo-* -n edge -o json --wait 3s").unwrap();
        assert!(matches!(cli.command, Some(Command::Drift(_))));
        assert_eq!(cli.selectors.cluster.as_deref(), Some("edge-oslo-*"));
        assert_eq!(cli.common.wait, Duration::from_secs(3));
        assert_eq!(cli.common.output, Form::Json);
        assert!(
            parse("driftdeck --app ingress status")
                .unwrap()
                .selectors
                .app
                .is_some()
        );
    }

    #[test]
    fn a_bad_duration_is_named() {
        assert!(
            parse("driftdeck status --wait soon")
                .unwrap_err()
                .to_string()
                .contains("`soon` is not a duration")
        );
        assert!(duration("-3s").is_err());
    }

    #[test]
    fn offline_diff_wants_both_files() {
        assert!(parse("driftdeck diff --desired a.yaml").is_err());
        assert!(parse("driftdeck diff --desired a.yaml --live b.yaml").is_ok());
    }

    #[test]
    fn nothing_is_written_unless_asked() {
        assert!(!parse("driftdeck revert").unwrap().common.write);
        let Some(Command::Revert(revert)) = parse("driftdeck revert").unwrap().command else {
            panic!("revert")
        };
        assert!(!revert.yes && !revert.prune && revert.via.is_none());
    }

    #[test]
    fn a_bad_glob_becomes_a_sentence() {
        let cli = parse("driftdeck status --cluster [").unwrap();
        assert!(cli.selectors.selector().unwrap_err().contains('['));
    }
}
