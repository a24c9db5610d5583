//! Sync windows of an AppProject: whether Argo CD would carry out a sync at a time, and from when on it would.
//!
//! The application controller holds a sync outside its windows back as `Running`, which blocks every other operation of the application; so the
//! windows are asked before anything is written. The rules are those of Argo CD's `SyncWindows.CanSync`.

mod cron;

use globset::Glob;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use self::cron::Schedule;
use super::{Application, Safe};

/// What the windows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// A sync may start now.
    Open,
    /// Argo CD would hold it back.
    Closed {
        /// Why, as a part of a sentence.
        why: Safe,
        /// Until when at least, when that can be told.
        until: Option<Timestamp>,
    },
}

/// Who wants to sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncStart {
    /// A person: windows with `manualSync` let it pass.
    Manual,
    /// Auto-sync.
    Automatic,
}

/// One entry of `spec.syncWindows`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncWindow {
    kind: String,
    schedule: String,
    duration: String,
    applications: Vec<String>,
    namespaces: Vec<String>,
    clusters: Vec<String>,
    manual_sync: bool,
    time_zone: String,
    #[serde(rename = "andOperator", alias = "useAndOperator")]
    and_operator: bool,
}

/// The windows in an AppProject; `None` when they do not read.
pub fn windows_of(project: &Value) -> Option<Vec<SyncWindow>> {
    match project.pointer("/spec/syncWindows") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(raw) => serde_json::from_value(raw.clone()).ok(),
    }
}

/// Whether a sync of the application may start at `now`. `windows` is `None` when they do not read.
///
/// A window that does not read closes everything, as it does in Argo CD.
pub fn evaluate(
    windows: Option<&[SyncWindow]>,
    app: &Application,
    now: Timestamp,
    start: SyncStart,
) -> Window {
    let Some(windows) = windows else {
        return unreadable("spec.syncWindows");
    };
    let mut matching = Vec::new();
    for window in windows.iter().filter(|w| w.is_for(app)) {
        match window.state(now) {
            Some(state) => matching.push((window, state)),
            None => return unreadable(&window.schedule),
        }
    }
    decide(&matching, start)
}

fn unreadable(what: &str) -> Window {
    Window::Closed {
        why: format!("a sync window of the project does not read ({what}), which makes Argo CD refuse every sync; correct the AppProject").into(),
        until: None,
    }
}

/// Whether a window is active now, and when that changes.
#[derive(Clone, Copy, Debug)]
struct State {
    active: bool,
    changes_at: Option<Timestamp>,
}

fn decide(windows: &[(&SyncWindow, State)], start: SyncStart) -> Window {
    let of = |kind: &str, active: bool| -> Vec<&(&SyncWindow, State)> {
        let fits = |(w, s): &&(&SyncWindow, State)| w.kind == kind && s.active == active;
        windows.iter().filter(fits).collect()
    };
    let passes = |w: &SyncWindow| start == SyncStart::Manual && w.manual_sync;
    let denies = of("deny", true);
    if let Some((deny, _)) = denies.iter().find(|(w, _)| !passes(w)) {
        return Window::Closed {
            why: format!(
                "the sync window `deny {}` for {} is active",
                deny.schedule, deny.duration
            )
            .into(),
            until: denies.iter().filter_map(|(_, s)| s.changes_at).max(),
        };
    }
    if !denies.is_empty() || !of("allow", true).is_empty() {
        return Window::Open;
    }
    let allows = of("allow", false);
    match allows.iter().find(|(w, _)| !passes(w)) {
        Some((allow, _)) => Window::Closed {
            why: format!(
                "the sync window `allow {}` for {} is not open now",
                allow.schedule, allow.duration
            )
            .into(),
            until: allows.iter().filter_map(|(_, s)| s.changes_at).min(),
        },
        None => Window::Open,
    }
}

impl SyncWindow {
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

    /// Whether the window is active at `now` and when that changes; `None` when its schedule, duration or time zone does not read.
    ///
    /// Argo CD adds the zone's offset and reckons in UTC: the wall clock of the zone is treated as if it never jumped.
    fn state(&self, now: Timestamp) -> Option<State> {
        let zone = if self.time_zone.is_empty() {
            TimeZone::UTC
        } else {
            TimeZone::get(&self.time_zone).ok()?
        };
        let schedule = Schedule::parse(&self.schedule)?;
        let duration = go_duration(&self.duration)?;
        let local = now.to_zoned(zone.clone()).datetime();
        let open_since = open_since(&schedule, duration, local);
        let changes = match open_since {
            Some(start) => start.checked_add(duration).ok(),
            None => schedule.next_after(local),
        };
        let at = changes.and_then(|c| zone.to_timestamp(c).ok());
        Some(State {
            active: open_since.is_some(),
            changes_at: at,
        })
    }
}

/// The start of the window that is open at `local`: it lies less than `duration` back.
fn open_since(schedule: &Schedule, duration: SignedDuration, local: DateTime) -> Option<DateTime> {
    let from = local.checked_sub(duration).ok()?;
    schedule.next_after(from).filter(|start| *start < local)
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
pub fn go_duration(text: &str) -> Option<SignedDuration> {
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
mod tests {
    use super::*;

    /// 2026-11-21 02:14 UTC, a Saturday.
    fn night() -> Timestamp {
        "2026-11-21T02:14:00Z".parse().unwrap()
    }

    fn open_now(schedule: &Schedule, duration: SignedDuration, local: DateTime) -> bool {
        open_since(schedule, duration, local).is_some()
    }

    #[test]
    fn the_wall_clock_of_the_zone_counts() {
        // 02:14 in UTC is 21:14 the evening before at UTC-5.
        let schedule = Schedule::parse("0 21 * * *").unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let hour = go_duration("1h").unwrap();
        assert!(open_now(&schedule, hour, night().to_zoned(zone).datetime()));
        assert!(!open_now(
            &schedule,
            hour,
            night().to_zoned(TimeZone::UTC).datetime()
        ));
    }

    #[test]
    fn a_window_is_open_from_just_after_its_start_to_its_end() {
        let schedule = Schedule::parse("0 2 * * *").unwrap();
        let hour = go_duration("1h").unwrap();
        let at = |h, m, s| {
            open_now(
                &schedule,
                hour,
                jiff::civil::datetime(2026, 11, 21, h, m, s, 0),
            )
        };
        assert!(!at(2, 0, 0));
        assert!(at(2, 0, 1));
        assert!(at(2, 59, 59));
        assert!(!at(3, 0, 0));
    }

    #[test]
    fn durations_read_as_go_writes_them() {
        assert_eq!(go_duration("1h30m"), Some(SignedDuration::from_mins(90)));
        assert_eq!(go_duration("1.5h"), Some(SignedDuration::from_mins(90)));
        assert_eq!(go_duration("500ms"), Some(SignedDuration::from_millis(500)));
        for bad in ["", "1", "h", "1d", "1h x"] {
            assert_eq!(go_duration(bad), None, "{bad}");
        }
    }
}
