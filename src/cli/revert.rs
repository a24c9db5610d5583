//! `revert`: selects drifted objects, shows the plan, and with `--write --yes` carries it out.

use std::fmt::Write as _;

use super::args::{Common, Form, RevertArgs, Via};
use super::print;
use super::table::Table;
use crate::app::msg::WishTarget;
use crate::config::Config;
use crate::domain::{Safe, Selector};
use crate::fleet::Fleet;
use crate::fleet::query::Query;
use crate::ops::{self, Plan, Route, Run, RunEvent};
use crate::runtime::operate::{Knobs, Operate, Wish, gather};

/// What is to be put back, from the command line.
///
/// # Errors
/// A sentence: nothing is drifted there, or the waves or the query do not parse.
pub(crate) fn wish(
    fleet: &Fleet,
    selector: &Selector,
    query: Option<&str>,
    args: &RevertArgs,
) -> Result<Wish, String> {
    let query = Query::parse::<crate::fleet::DriftRow>(query.unwrap_or_default())?;
    let rows = fleet
        .drift(selector)
        .into_iter()
        .filter(|row| query.matches(row));
    let rows: Vec<_> = rows
        .filter(|row| {
            args.fingerprint.as_deref().is_none_or(|print| {
                row.resource
                    .verdict
                    .fingerprint
                    .is_some_and(|f| f.to_string() == print)
            })
        })
        .collect();
    let targets: Vec<WishTarget> = rows
        .iter()
        .map(|row| WishTarget {
            cluster: row.cluster.clone(),
            app: row.resource.app.clone(),
            object: row.resource.object.clone(),
        })
        .collect();
    let reason = match rows.as_slice() {
        [one] => Safe::from(format!(
            "{} {}",
            one.resource.object, one.resource.verdict.summary
        )),
        many => Safe::from(format!("{} drifted resources", many.len())),
    };
    Ok(Wish {
        targets,
        via: args.via.map(|via| match via {
            Via::Argo => Route::Argo,
            Via::Flux => Route::Flux,
            Via::Direct => Route::Direct,
        }),
        prune: args.prune,
        note: args.note.as_deref().map(Safe::new),
        reason,
        waves: args
            .waves
            .parse()
            .map_err(|e: ops::WaveError| e.to_string())?,
    })
}

/// Plans, and runs the plan when it may; prints both and gives the exit status.
///
/// # Errors
/// A sentence when nothing was sent.
pub(crate) async fn revert(
    fleet: &Fleet,
    wish: Wish,
    operate: &Operate,
    asked: Asked<'_>,
) -> Result<u8, String> {
    if wish.targets.is_empty() {
        return nothing(fleet, asked.selector);
    }
    let gathered = gather(fleet, wish, asked.config).map_err(|e| e.to_string())?;
    let plan = operate.plan(gathered).await.map_err(|e| e.to_string())?;
    let running = asked.common.write && asked.args.yes;
    if !running {
        super::say::answer(&show_plan(&plan, asked.common.output)?)?;
        return Err(not_running(asked.common.write));
    }
    if asked.common.output != Form::Json {
        super::say::answer(&show_plan(&plan, asked.common.output)?)?;
    }
    let run = carry_out(plan, operate, asked.args).await?;
    super::say::answer(&show_run(&run, asked.common.output)?)?;
    Ok(ops::exit_status(&run))
}

/// Nothing is drifted: good, unless a part of the selection could not be read.
fn nothing(fleet: &Fleet, selector: &Selector) -> Result<u8, String> {
    let unread: Vec<String> = fleet
        .unread()
        .into_iter()
        .filter(|u| selector.cluster.matches(u.cluster.as_str()))
        .map(|u| format!("{}: {}", u.cluster, u.reason))
        .collect();
    if unread.is_empty() {
        super::say::answer("Nothing is drifted in this selection; nothing to revert.\n")?;
        return Ok(0);
    }
    Err(format!(
        "Nothing was sent: no drift is known in this selection, but not all of it could be read.\n{}",
        unread.join("\n")
    ))
}

/// What the command line said beside the selection.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The selection.
    pub(crate) selector: &'a Selector,
    /// Options of every command.
    pub(crate) common: &'a Common,
    /// Options of this one.
    pub(crate) args: &'a RevertArgs,
    /// The configuration, for guardrails.
    pub(crate) config: &'a Config,
}

fn not_running(write: bool) -> String {
    let missing = if write { "--yes" } else { "--write --yes" };
    format!("Nothing was sent: this is the plan only. Add {missing} to carry it out.")
}

async fn carry_out(plan: Plan, operate: &Operate, args: &RevertArgs) -> Result<Run, String> {
    let (tell, mut events) = tokio::sync::mpsc::unbounded_channel();
    let names: Vec<String> = plan.targets.iter().map(|t| t.name().to_string()).collect();
    let progress = tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let RunEvent::Ended(index, outcome) = event {
                let name = names.get(index).map_or("", String::as_str);
                super::say::progress(&format!("{name}: {}", outcome.outcome.word()));
            }
        }
        super::say::progress("");
    });
    let knobs = Knobs {
        max_in_flight: args.max_in_flight,
        stop_after: Some(args.stop_after),
    };
    let cancel = tokio_util::sync::CancellationToken::new();
    let run = operate
        .run(plan, args.confirm.as_deref(), &knobs, tell, cancel)
        .await
        .map_err(|e| e.to_string());
    // The channel is closed now; a progress task that failed has nothing left to show.
    let _ = progress.await;
    run
}

fn show_plan(plan: &Plan, form: Form) -> Result<String, String> {
    match form {
        Form::Json => return print::json(plan),
        Form::Yaml => return print::yaml(plan),
        _ => {}
    }
    let mut table = Table::new(&[
        "CLUSTER",
        "OBJECT",
        "ROUTE",
        "EFFECT",
        "DRY RUN",
        "LOSES FIELDS",
    ]);
    for target in &plan.targets {
        let losers: Vec<String> = target
            .losers
            .iter()
            .map(|l| l.manager.to_string())
            .collect();
        let dry_run = match &target.skipped {
            Some(why) => Safe::from(format!("skipped: {why}")),
            None => target.dry_run.message().clone(),
        };
        table.row(vec![
            Safe::new(target.cluster.as_str()),
            Safe::from(target.object.to_string()),
            Safe::from(target.route.to_string()),
            target.effect.clone(),
            dry_run,
            Safe::from(losers.join(",")),
        ]);
    }
    if form == Form::Csv {
        return Ok(table.csv());
    }
    let mut out = format!("plan {}: revert {}\n", Safe::new(&plan.id), plan.reason);
    out.push_str(&table.text());
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{} of {} will be sent; pods restarted: {}",
        plan.sendable(),
        plan.targets.len(),
        plan.restarts()
    );
    if let Some(guardrail) = &plan.guardrail {
        let _ = writeln!(
            out,
            "guarded by {}: add --confirm '{}'",
            guardrail.name, guardrail.confirm
        );
    }
    Ok(out)
}

fn show_run(run: &Run, form: Form) -> Result<String, String> {
    match form {
        Form::Json => return print::json(run),
        Form::Yaml => return print::yaml(run),
        _ => {}
    }
    let mut table = Table::new(&["CLUSTER", "OBJECT", "OUTCOME", "MESSAGE"]);
    for outcome in &run.outcomes {
        table.row(vec![
            Safe::new(outcome.target.cluster.as_str()),
            Safe::from(outcome.target.object.to_string()),
            Safe::fixed(outcome.outcome.word()),
            outcome.message.clone(),
        ]);
    }
    if form == Form::Csv {
        return Ok(table.csv());
    }
    let stopped = run
        .stopped
        .as_ref()
        .map(|why| format!("stopped: {why}\n"))
        .unwrap_or_default();
    Ok(table.text() + &stopped)
}
