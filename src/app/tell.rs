//! Answers as lines: events, logs, YAML, comparisons, the history of an application.

use jiff::Timestamp;

use super::age::age;
use super::inquiry::{Answer, Comparison, EventLine, LogLine, Question, YamlText};
use super::msg::WishTarget;
use super::screens::cluster::moment;
use super::screens::drift::plural;
use super::sheet::{Page, SheetLine, Tone};
use super::tree;
use super::window::Leaf;
use super::words::overrules;
use crate::domain::{Application, ClusterId, OperationPhase, Safe};
use crate::ops::{Opinion, ServerWord};

/// The views of an answer. Logs come in pieces and are not made here.
pub(super) fn leaves(
    question: &Question,
    answer: &Answer,
    width: usize,
    now: Timestamp,
) -> Vec<Leaf> {
    let one = |lines| vec![Leaf::of(Safe::default(), lines)];
    match answer {
        Answer::Events(events) => one(event_lines(events, width, now)),
        Answer::Yaml(yaml) => yaml_leaves(yaml),
        Answer::Compare(comparison) => one(compared(comparison, width)),
        Answer::Word(said) => one(words(said, width)),
        Answer::Logs(lines) => one(lines.iter().map(log_line).collect()),
        Answer::Tree(tree) => match question {
            Question::Tree(wish) => vec![tree::leaf(wish, tree, width, now)],
            _ => Vec::new(),
        },
        Answer::Cluster(_) => Vec::new(),
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

fn event_lines(events: &[EventLine], width: usize, now: Timestamp) -> Vec<SheetLine> {
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
    let leaf = |name: &'static str, lines: &[Safe]| {
        let line = |text: &Safe| SheetLine {
            text: text.clone(),
            ..SheetLine::default()
        };
        Leaf::of(Safe::fixed(name), lines.iter().map(line).collect())
    };
    let mut leaves = vec![leaf("live", &yaml.live)];
    let none = [Safe::fixed(
        "Nobody applied it with kubectl: there is no last-applied copy in it.",
    )];
    leaves.push(leaf(
        "last applied",
        yaml.last_applied.as_deref().unwrap_or(&none),
    ));
    leaves
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

/// The deployments of an application, the newest first, and what runs or ran last.
pub(super) fn history(app: &Application, now: Timestamp, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    if let Some(operation) = &app.operation {
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
    page.title("deployments");
    if app.history.is_empty() {
        page.line(
            "Nothing was deployed yet, or the engine kept no history.",
            Tone::Dim,
        );
    }
    for (i, entry) in app.history.iter().rev().enumerate() {
        let when = entry.deployed_at.map_or(String::new(), |at| {
            let age = age(now, at).map_or(String::new(), |age| format!(", {age} ago"));
            format!("{}{age}", moment(at, now))
        });
        let current = if i == 0 { "  current" } else { "" };
        let tone = if i == 0 { Tone::Good } else { Tone::Plain };
        page.fact(
            format!("#{}", entry.id),
            format!("{}  {when}{current}", entry.revision),
            tone,
        );
        if let Some(source) = entry.source.as_ref().or(entry.sources.first()) {
            page.fact(
                "",
                format!("{} {}", source.repo_url, source.path),
                Tone::Dim,
            );
        }
    }
    page.lines()
}
