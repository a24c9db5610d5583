//! `doctor`: one row a context; each failure with the next step.

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use serde::Serialize;

use super::args::{Common, Form};
use super::table::Table;
use super::{fleet, print, say};
use crate::config::Config;
use crate::connect::kubeconfig::{self, LoadOptions};
use crate::connect::{ConnectOptions, Connector};
use crate::domain::Safe;
use crate::sources::doctor::{Check, CheckState, DoctorRow, examine, renderers};

/// Rows examined at a time.
const AT_A_TIME: usize = 16;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoctorList<'a> {
    api_version: &'static str,
    kind: &'static str,
    generated_at: Timestamp,
    partial: bool,
    unreachable: [(); 0],
    unjudged: [(); 0],
    renderers: &'a [Check],
    items: &'a [DoctorRow],
}

/// Examines every context and prints what was found: status 0 when all is well, 3 when a row has a failure.
///
/// # Errors
/// A sentence, when not one context can be used.
pub(crate) fn run(common: &Common, _config: &Config) -> Result<u8, String> {
    let options = fleet::options(common)?;
    let load = LoadOptions {
        paths: options.kubeconfig,
        include: options.include,
        exclude: options.exclude,
        impersonate: options.impersonate,
        ..LoadOptions::default()
    };
    let plan = kubeconfig::load(&load).map_err(|e| e.to_string())?;
    for problem in &plan.problems {
        say::complaint(problem.sentence.as_str());
    }
    let rows: Vec<DoctorRow> = fleet::runtime()?.block_on(async {
        let connector = Connector::new(ConnectOptions::default());
        let looks = plan
            .rows
            .iter()
            .map(|row| examine(&connector, row, Timestamp::now()));
        stream::iter(looks).buffered(AT_A_TIME).collect().await
    });
    let programs = renderers(&std::env::var_os("PATH").unwrap_or_default());
    let bad = rows.iter().any(|row| row.worst() == CheckState::Bad);
    say::answer(&text(&rows, &programs, bad, common.output)?)?;
    Ok(if bad { 3 } else { 0 })
}

fn text(
    rows: &[DoctorRow],
    programs: &[Check],
    partial: bool,
    form: Form,
) -> Result<String, String> {
    let list = DoctorList {
        api_version: "driftdeck/v1",
        kind: "DoctorList",
        generated_at: Timestamp::now(),
        partial,
        unreachable: [],
        unjudged: [],
        renderers: programs,
        items: rows,
    };
    match form {
        Form::Json => return print::json(&list),
        Form::Yaml => return print::yaml(&list),
        Form::Ansi | Form::Svg | Form::Png => {
            return Err(
                "The doctor draws no pictures; use -o table, json, yaml or csv.".to_owned(),
            );
        }
        _ => {}
    }
    let mut table = Table::new(&["CLUSTER", "ABOUT", "STATE", "FOUND"]);
    for row in rows {
        for check in &row.checks {
            table.row(cells(Safe::new(row.cluster.as_str()), check));
        }
    }
    for check in programs {
        table.row(cells(Safe::fixed("(this machine)"), check));
    }
    Ok(if form == Form::Csv {
        table.csv()
    } else {
        table.text()
    })
}

fn cells(who: Safe, check: &Check) -> Vec<Safe> {
    vec![
        who,
        Safe::from(format!("{:?}", check.about).to_lowercase()),
        Safe::from(format!("{:?}", check.state).to_lowercase()),
        check.message.clone(),
    ]
}
