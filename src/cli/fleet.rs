//! The commands that ask the fleet: opens a sitting, waits until it is heard, answers.

use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::args::{Cli, Command, Common, one_object};
use super::document::Scope;
use super::lists::{self, Asked, Listed};
use super::{diff, reasons, revert, say, verify};
use crate::config::{Config, Folders};
use crate::connect::WallClock;
use crate::connect::kubeconfig::Impersonate;
use crate::domain::Selector;
use crate::domain::selector::NameGlob;
use crate::fleet::Fleet;
use crate::fleet::history::History;
use crate::runtime::history::Archive;
use crate::runtime::session::{self, Session, SessionOptions};

/// Runs a command of the fleet and gives its exit status.
///
/// # Errors
/// A sentence; nothing was sent.
pub(crate) fn run(cli: &Cli, config: Config, folders: Folders) -> Result<u8, String> {
    let planned = session::plan(options(&cli.common)?, config.clone(), folders)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let mut session = planned.open();
        for problem in &session.problems {
            say::complaint(problem.sentence.as_str());
        }
        wait(&mut session, cli.common.wait).await;
        answer(cli, &config, &session).await
    })
}

/// The runtime of a sitting.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    raise_files();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("The program could not start its threads: {e}. Raise the limit of processes (ulimit -u)."))
}

/// Every cluster is a connection, and usual sessions allow 1,024 open files: takes as many as the session may have.
fn raise_files() {
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: now.maximum,
        ..now
    };
    // Where it is refused a connection that cannot be opened says so.
    let _ = setrlimit(Resource::Nofile, wanted);
}

/// What the command line says about the sitting.
///
/// # Errors
/// A glob that is none.
pub(crate) fn options(common: &Common) -> Result<SessionOptions, String> {
    let globs = |list: &[String]| {
        list.iter()
            .map(|g| NameGlob::new(g))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(SessionOptions {
        kubeconfig: common.kubeconfig.clone().into_iter().collect(),
        include: globs(&common.context)?,
        exclude: globs(&common.exclude_context)?,
        impersonate: common.as_user.clone().map(|user| Impersonate {
            user,
            groups: common.as_group.clone(),
        }),
        write: common.write,
        request_timeout: common.request_timeout,
        time: WallClock::Machine,
    })
}

/// Waits for the fleet, telling how far it is on a terminal.
async fn wait(session: &mut Session, limit: Duration) {
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < limit {
        let left = limit
            .saturating_sub(begun.elapsed())
            .min(Duration::from_millis(500));
        let complete = |fleet: &Fleet| fleet.pending() == 0 && !fleet.is_faltering();
        if session.fold_until(left, complete).await {
            break;
        }
        say::progress(&format!(
            "waiting for {} clusters and applications",
            session.fleet.pending()
        ));
    }
    say::progress("");
}

/// Whether the servers' own words are asked for.
fn verifies(cli: &Cli) -> bool {
    match &cli.command {
        Some(Command::Drift(args)) => args.verify,
        Some(Command::Diff(args)) => args.verify,
        _ => false,
    }
}

async fn answer(cli: &Cli, config: &Config, session: &Session) -> Result<u8, String> {
    let (selector, named) = match &cli.command {
        Some(Command::Diff(args)) if args.object.is_some() => (
            of_its_app(
                one_object(args.object.as_deref().unwrap_or_default())?,
                session,
            )?,
            true,
        ),
        _ => (cli.selectors.selector()?, false),
    };
    let words = if verifies(cli) {
        Some(verify::ask(&session.fleet, &selector, &session.operate, config).await?)
    } else {
        None
    };
    let asked = Asked {
        words: words.as_ref(),
        scope: Scope {
            fleet: &session.fleet,
            selector: &selector,
            at: Timestamp::now(),
        },
        query: cli.selectors.query.as_deref(),
        form: cli.common.output,
    };
    let listed: Listed = match &cli.command {
        Some(Command::Status) => lists::status(asked)?,
        Some(Command::Apps) => lists::apps(asked)?,
        Some(Command::Drift(args)) if args.group => lists::groups(asked, &remembered(session))?,
        Some(Command::Drift(args)) if args.shadow => lists::shadow(asked)?,
        Some(Command::Drift(args)) => lists::drift(asked, &args.fail_on)?,
        Some(Command::Diff(_)) => diff::diff(asked, named)?,
        Some(Command::Explain(_)) => reasons::explain(asked)?,
        Some(Command::Revert(args)) => {
            let wish = revert::wish(
                &session.fleet,
                &selector,
                cli.selectors.query.as_deref(),
                args,
            )?;
            let asked = revert::Asked {
                selector: &selector,
                common: &cli.common,
                args,
                config,
            };
            return revert::revert(&session.fleet, wish, &session.operate, asked).await;
        }
        _ => return Err("This command does not ask the fleet.".to_owned()),
    };
    say::answer(&listed.text)?;
    Ok(listed.status)
}

/// The selector with the application that manages the object: what else is unjudged there is not this answer's business.
///
/// # Errors
/// A name that cannot be selected.
fn of_its_app(selector: Selector, session: &Session) -> Result<Selector, String> {
    let rows = session.fleet.objects(&selector);
    let Some(row) = rows.first() else {
        return Ok(selector);
    };
    let app = &row.resource.app;
    Ok(Selector {
        app: NameGlob::new(&globset::escape(&app.name))?,
        hub: Some(app.hub.clone()),
        ..selector
    })
}

/// What was seen in earlier sittings and in this one; what is wrong with the file is said beside the answer.
fn remembered(session: &Session) -> History {
    let now = Timestamp::now();
    let mut archive = Archive::open(&session.operate.state, now);
    archive.observe(&session.fleet, now);
    for complaint in &archive.complaints {
        say::complaint(complaint);
    }
    archive.history
}
