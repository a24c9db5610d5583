//! Sync windows of an AppProject: whether Argo CD would carry out a manual sync now.
//!
//! The application controller holds a sync outside its windows back as `Running`, which blocks every other operation of the application; so the
//! windows are asked before anything is written. The rules are those of Argo CD's `SyncWindows.CanSync` for a manual operation.

mod cron;

use globset::Glob;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use self::cron::Schedule;
use crate::domain::{Application, Safe};

/// What the windows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// A sync may start now.
    Open,
    /// Argo CD would hold it back, and why.
    Closed(Safe),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawWindow {
    kind: String,
    schedule: String,
    duration: String,
    applications: Vec<String>,
    namespaces: Vec<String>,
    clusters: Vec<String>,
    manual_sync: bool,
    time_zone: String,
    and_operator: bool,
}

/// Whether a manual sync of the application may start at `now`, by the AppProject's `spec.syncWindows`.
///
/// A window that does not read closes everything, as it does in Argo CD.
pub(super) fn evaluate(project: &Value, app: &Application, now: Timestamp) -> Window {
    let raw = project
        .pointer("/spec/syncWindows")
        .cloned()
        .unwrap_or_default();
    let windows: Vec<RawWindow> = match raw {
        Value::Null => return Window::Open,
        raw => match serde_json::from_value(raw) {
            Ok(windows) => windows,
            Err(_) => return unreadable("spec.syncWindows"),
        },
    };
    let mut matching = Vec::new();
    for window in windows.iter().filter(|w| w.is_for(app)) {
        match window.is_active(now) {
            Some(active) => matching.push((window, active)),
            None => return unreadable(&window.schedule),
        }
    }
    decide(&matching)
}

fn unreadable(what: &str) -> Window {
    Window::Closed(format!("a sync window of the project does not read ({what}), which makes Argo CD refuse every sync; correct the AppProject").into())
}

fn decide(windows: &[(&RawWindow, bool)]) -> Window {
    let of = |kind: &str, active: bool| {
        let kind = kind.to_owned();
        windows
            .iter()
            .filter(move |(w, a)| w.kind == kind && *a == active)
            .map(|(w, _)| *w)
    };
    let all_manual =
        |mut some: Box<dyn Iterator<Item = &RawWindow> + '_>| some.all(|w| w.manual_sync);
    if let Some(deny) = of("deny", true).find(|w| !w.manual_sync) {
        return Window::Closed(
            format!(
                "the sync window `deny {}` for {} is active",
                deny.schedule, deny.duration
            )
            .into(),
        );
    }
    if of("deny", true).next().is_some() || of("allow", true).next().is_some() {
        return Window::Open;
    }
    match of("allow", false).next() {
        Some(_) if all_manual(Box::new(of("allow", false))) => Window::Open,
        Some(allow) => Window::Closed(
            format!(
                "the sync window `allow {}` for {} is not open now",
                allow.schedule, allow.duration
            )
            .into(),
        ),
        None => Window::Open,
    }
}

impl RawWindow {
    /// Whether the window is about the application: one list that fits is enough, or all given lists with `andOperator`.
    fn is_for(&self, app: &Application) -> bool {
        let given = [
            (&self.applications, vec![&*app.id.name]),
            (&self.namespaces, vec![&*app.destination.namespace]),
            (
                &self.clusters,
                vec![&*app.destination.name, &*app.destination.server],
            ),
        ];
        let mut fits = given
            .iter()
            .filter(|(globs, _)| !globs.is_empty())
            .map(|(globs, names)| any_fits(globs, names))
            .peekable();
        if self.and_operator {
            fits.peek().is_some() && fits.all(|fit| fit)
        } else {
            fits.any(|fit| fit)
        }
    }

    /// Whether the window is open at `now`; `None` when its schedule, duration or time zone does not read.
    fn is_active(&self, now: Timestamp) -> Option<bool> {
        let zone = if self.time_zone.is_empty() {
            TimeZone::UTC
        } else {
            TimeZone::get(&self.time_zone).ok()?
        };
        is_open(
            &Schedule::parse(&self.schedule)?,
            go_duration(&self.duration)?,
            now.to_zoned(zone).datetime(),
        )
    }
}

/// Whether the last start before `local` lies less than `duration` back. `local` is the wall clock of the window's zone, treated as if it never jumped: Argo CD adds the zone's offset and reckons in UTC.
fn is_open(schedule: &Schedule, duration: SignedDuration, local: DateTime) -> Option<bool> {
    let from = local.checked_sub(duration).ok()?;
    Some(schedule.next_after(from).is_some_and(|start| start < local))
}

fn any_fits(globs: &[String], names: &[&str]) -> bool {
    globs.iter().any(|glob| {
        Glob::new(glob).is_ok_and(|g| {
            let matcher = g.compile_matcher();
            names
                .iter()
                .any(|name| !name.is_empty() && matcher.is_match(name))
        })
    })
}

/// A duration as Go writes it: `1h`, `1h30m`, `1.5h`, `90s`.
fn go_duration(text: &str) -> Option<SignedDuration> {
    let mut left = text;
    let mut seconds = 0.0_f64;
    while !left.is_empty() {
        let number_ends = left.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = left.split_at_checked(number_ends)?;
        let unit_ends = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let (unit, rest) = rest.split_at_checked(unit_ends)?;
        seconds += number.parse::<f64>().ok()? * unit_seconds(unit)?;
        left = rest;
    }
    if text.is_empty() {
        None
    } else {
        SignedDuration::try_from_secs_f64(seconds).ok()
    }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
