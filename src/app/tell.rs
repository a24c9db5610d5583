//! Answers as lines: events, logs, YAML, comparisons, the history of an application.

use jiff::Timestamp;

use super::age::{age, moment};
use super::inquiry::{Answer, Comparison, EventLine, LogLine, Question, YamlText};
use super::msg::WishTarget;
use super::screens::drift::plural;
use super::sheet::{Page, SheetLine, Tone};
use super::tree;
use super::window::Leaf;
use super::words::{overrules, revision};
use super::yaml;
use crate::domain::{
    Application, ClusterId, Commit, HistoryEntry, Operation, OperationPhase, Safe, Source,
};
use crate::fleet::Fleet;
use crate::ops::{Opinion, ServerWord};

/// The views of an answer. Logs come in pieces and are not made here.
pub(super) fn leaves(
    question: &Question,
    answer: &Answer,
    width: usize,
    now: Timestamp,
    fleet: &Fleet,
) -> Vec<Leaf> {
    let one = |lines| vec![Leaf::of(Safe::default(), lines)];
    match answer {
        Answer::Events(events) => one(event_lines(events, width, now)),
        Answer::Yaml(yaml) => yaml_leaves(yaml),
        Answer::Compare(comparison) => one(compared(comparison, width)),
        Answer::Word(said) => one(words(said, width)),
        // Stands in the cells of the matrix.
        Answer::Field(_) => Vec::new(),
        Answer::Logs(lines) => one(lines.iter().map(log_line).collect()),
        Answer::Tree(tree) => match question {
            Question::Tree(wish) => vec![tree::leaf(wish, tree, fleet)],
            _ => Vec::new(),
        },
        Answer::Cluster(_) | Answer::Commits(_) => Vec::new(),
    }
}

/// One line of a log: time, pod, text.
pub(super) fn log_line(line: &LogLine) -> SheetLine {
    let time = line
        .at
        .map_or(String::new(), |at| at.strftime("%H:%M:%S ").to_string());
    let tail: String = line
        .pod
        .as_str()
        .rsplit('-')
        .next()
        .unwrap_or_default()
        .to_owned();
    SheetLine {
        text: format!("{time}{} {tail} | {}", line.cluster, line.text).into(),
        ..SheetLine::default()
    }
}

pub(super) fn event_lines(events: &[EventLine], width: usize, now: Timestamp) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    for event in events {
        let when = event
            .last
            .and_then(|at| age(now, at))
            .unwrap_or(Safe::fixed("now"));
        let count = match event.count {
            1 => String::new(),
            n => format!(" x{n}"),
        };
        let tone = if event.warning {
            Tone::Warn
        } else {
            Tone::Plain
        };
        let text = format!(
            "{}{count}  {}: {}",
            event.reason, event.object, event.message
        );
        page.fact(when, text, tone);
    }
    page.lines()
}

fn yaml_leaves(yaml: &YamlText) -> Vec<Leaf> {
    let leaf = |name, lines| Leaf::of(Safe::fixed(name), lines);
    vec![
        leaf("live", document(&yaml.live)),
        leaf("desired", document(&yaml.desired)),
        leaf("last applied", applied(yaml)),
    ]
}

/// A document, or why there is none.
pub(super) fn document(text: &Result<Vec<Safe>, Safe>) -> Vec<SheetLine> {
    match text {
        Ok(text) => yaml::lines(text),
        Err(why) => vec![SheetLine {
            text: why.clone(),
            tone: Tone::Warn,
            ..SheetLine::default()
        }],
    }
}

/// The copy that `kubectl apply` left.
pub(super) fn applied(yaml: &YamlText) -> Vec<SheetLine> {
    let none =
        || Safe::fixed("Nobody applied it with kubectl: there is no last-applied copy in it.");
    document(&yaml.last_applied.clone().ok_or_else(none))
}

/// Each server's word; where it overrules us, what it would change.
fn words(said: &[(WishTarget, ServerWord)], width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    for (target, word) in said {
        page.title(format!("{} on {}", target.object, target.cluster));
        let tone = match word.opinion {
            Opinion::Agrees => Tone::Good,
            _ => Tone::Warn,
        };
        page.line(word.opinion.message(), tone);
        if overrules(word) {
            page.line("The server's word counts, not ours.", Tone::Plain);
        }
        if let Opinion::ChangesOthers { changes, .. } = &word.opinion {
            for change in changes {
                page.line(format!("  {}", change.path), Tone::Plain);
            }
        }
    }
    page.lines()
}

fn compared(comparison: &Comparison, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    let names = |clusters: &[ClusterId]| {
        let names: Vec<&str> = clusters.iter().map(ClusterId::as_str).collect();
        names.join(", ")
    };
    if !comparison.majority.is_empty() {
        let n = comparison.majority.len();
        page.title(format!("equal on {}", plural(n, "cluster")));
        page.line(names(&comparison.majority), Tone::Dim);
    }
    if comparison.variants.is_empty() && comparison.majority.len() > 1 {
        page.line("It is the same on every cluster that answers.", Tone::Good);
    }
    for variant in &comparison.variants {
        let n = variant.clusters.len();
        page.title(format!("different on {}", plural(n, "cluster")));
        page.line(names(&variant.clusters), Tone::Dim);
        for (path, usual, here) in &variant.changes {
            page.line(format!("  {path}"), Tone::Plain);
            if let Some(usual) = usual {
                page.line(format!("    - {usual}"), Tone::Removed);
            }
            if let Some(here) = here {
                page.line(format!("    + {here}"), Tone::Added);
            }
        }
        if variant.left_out > 0 {
            page.line(format!("  and {} more", variant.left_out), Tone::Dim);
        }
    }
    if !comparison.unread.is_empty() {
        page.title("not read");
        for (cluster, why) in &comparison.unread {
            page.line(format!("{cluster}: {why}"), Tone::Warn);
        }
    }
    page.lines()
}

/// The deployments of an application, the newest first, what runs or ran last, and the commits behind them as far as they are known.
pub(super) fn history(
    app: &Application,
    commits: &[Commit],
    now: Timestamp,
    width: usize,
) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    if let Some(operation) = &app.operation {
        last_operation(&mut page, operation, now);
    }
    page.title("deployments");
    if app.history.is_empty() {
        page.line(
            "Nothing was deployed yet, or the engine kept no history.",
            Tone::Dim,
        );
    }
    for (i, entry) in app.history.iter().rev().enumerate() {
        deployment(&mut page, entry, i == 0, now);
        if let Some(commit) = commits.iter().find(|c| c.id == entry.revision) {
            page.fact(
                "",
                format!("{}  {}", commit.subject, commit.author),
                Tone::Plain,
            );
        }
        if let Some(source) = other_source(app, entry) {
            let words = format!("from {} {}", source.repo_url, source.path);
            page.fact("", words, Tone::Dim);
        }
    }
    page.lines()
}

/// Where a deployment came from, when that is not where the application comes from now.
fn other_source<'a>(app: &Application, entry: &'a HistoryEntry) -> Option<&'a Source> {
    let source = entry.source.as_ref().or(entry.sources.first())?;
    let same = |now: &Source| (&now.repo_url, &now.path) == (&source.repo_url, &source.path);
    (!app.sources.iter().any(same)).then_some(source)
}

fn last_operation(page: &mut Page, operation: &Operation, now: Timestamp) {
    page.title("last operation");
    let tone = match operation.phase {
        OperationPhase::Failed | OperationPhase::Error => Tone::Bad,
        _ => Tone::Plain,
    };
    page.fact(
        format!("{:?}", operation.phase),
        operation.message.clone(),
        tone,
    );
    for (label, at) in [
        ("began", operation.started_at),
        ("ended", operation.finished_at),
    ] {
        if let Some(at) = at {
            page.fact(label, moment(at, now), Tone::Plain);
        }
    }
    if !operation.initiated_by.is_empty() {
        page.fact("by", operation.initiated_by.clone(), Tone::Plain);
    }
}

/// `#41  9f31c02a  11-20 02:00Z, 24h ago  by auto-sync  current`
fn deployment(page: &mut Page, entry: &HistoryEntry, current: bool, now: Timestamp) {
    let when = entry.deployed_at.map_or(String::new(), |at| {
        let age = age(now, at).map_or(String::new(), |age| format!(", {age} ago"));
        format!("  {}{age}", moment(at, now))
    });
    let by = if entry.by.is_empty() {
        String::new()
    } else {
        format!("  by {}", entry.by)
    };
    let (mark, tone) = if current {
        ("  current", Tone::Good)
    } else {
        ("", Tone::Plain)
    };
    let text = format!("{}{when}{by}{mark}", revision(&entry.revision));
    page.fact(format!("#{}", entry.id), text, tone);
}

/// Commits, one a line: name, age, author, subject.
pub(super) fn commits(page: &mut Page, commits: &[Commit], now: Timestamp) {
    for commit in commits {
        let age = commit
            .time
            .and_then(|then| age(now, then))
            .unwrap_or_default();
        let text = format!("{:<4} {}  {}", age.as_str(), commit.subject, commit.author);
        page.fact(revision(&commit.id), text, Tone::Plain);
    }
}
