//! Taking drift on, ringing, views, and the ways to what is new: what the on-call person does between looking and reverting.

use std::collections::BTreeSet;

use tui_input::Input;

use super::action::Action;
use super::acts;
use super::field::Field;
use super::kept::View;
use super::links::{self, Link, Links};
use super::modal::{LineFor, Modal};
use super::model::Model;
use super::msg::{Effect, Notice};
use super::screens::{DiffScreen, DriftScreen, Screen};
use crate::domain::{Fingerprint, Safe};
use crate::fleet::{Story, StoryKind, Tenor};
use crate::view::place::Place;

/// Carries out one of these actions.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Ack => acknowledge(model),
        Action::Alerts => toggle_bell(model),
        Action::Newest => newest(model),
        Action::Forward => forward(model),
        Action::SaveView => ask_line(model, LineFor::SaveView),
        Action::MarkBy => ask_line(model, LineFor::MarkBy),
        Action::CellField => ask_field(model),
        Action::CopyLink => links(model),
        Action::Seen => seen(model),
        _ => Vec::new(),
    }
}

/// Takes a line that was typed.
pub(super) fn typed(model: &mut Model, purpose: LineFor, text: &str) -> Vec<Effect> {
    match purpose {
        LineFor::Ack(prints) => take_on(model, &prints, text),
        LineFor::MarkBy => mark_by(model, text),
        LineFor::SaveView => save_view(model, text.trim()),
        LineFor::Field => choose_field(model, text),
    }
}

/// Asks for the field that the matrix shows; the one it has stands there to be changed.
fn ask_field(model: &mut Model) -> Vec<Effect> {
    let known = match model.screen() {
        Some(Screen::Matrix(matrix)) => matrix.readings.field().map(ToString::to_string),
        _ => None,
    };
    let input = Input::new(known.unwrap_or_default());
    model.modal = Some(Modal::Line(LineFor::Field, input));
    Vec::new()
}

fn choose_field(model: &mut Model, text: &str) -> Vec<Effect> {
    match (Field::parse(text), model.stack.last_mut()) {
        (Ok(field), Some(Screen::Matrix(matrix))) => {
            matrix.choose(field);
            acts::ask_again(model)
        }
        (Err(why), _) => {
            model.notice = Some(Notice::error(why));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn ask_line(model: &mut Model, purpose: LineFor) -> Vec<Effect> {
    model.modal = Some(Modal::Line(purpose, Input::default()));
    Vec::new()
}

fn say(model: &mut Model, text: impl Into<Safe>) {
    model.notice = Some(Notice::info(text));
}

fn keep(model: &Model) -> Vec<Effect> {
    vec![Effect::Keep(Box::new(model.kept.clone()))]
}

/// Asks for the note; a single group that was taken on is given back.
fn acknowledge(model: &mut Model) -> Vec<Effect> {
    let Some(Screen::Drift(drift)) = model.screen() else {
        return Vec::new();
    };
    let chosen = drift.groups.chosen().into_iter().map(|slice| slice.print);
    let prints: Vec<Fingerprint> = chosen.collect::<BTreeSet<_>>().into_iter().collect();
    let taken = |print: &Fingerprint| model.kept.ack(*print, model.now).is_some();
    match prints.as_slice() {
        [] => Vec::new(),
        [one] if taken(one) => {
            model.kept.give_back(*one);
            say(model, "Given back: it counts as nobody's again.");
            model.refresh(true);
            keep(model)
        }
        _ => ask_line(model, LineFor::Ack(prints)),
    }
}

fn take_on(model: &mut Model, prints: &[Fingerprint], text: &str) -> Vec<Effect> {
    let now = model.now;
    let mut until = now;
    for print in prints {
        until = model.kept.acknowledge(*print, text, now);
        if let Some(group) = model.rows.group(*print) {
            let what = format!(
                "acknowledged {} {}: {}",
                group.object,
                group.summary,
                text.trim()
            );
            let clusters = group.clusters();
            model
                .fleet
                .tell_own(now, clusters, Tenor::Plain, what.into());
        }
    }
    say(
        model,
        format!(
            "Acknowledged until {}; it comes last until then.",
            until.strftime("%m-%d %H:%MZ")
        ),
    );
    model.refresh(true);
    keep(model)
}

fn toggle_bell(model: &mut Model) -> Vec<Effect> {
    model.alerts.on = !model.alerts.on;
    let words = if model.alerts.on {
        "The bell rings when a site goes dark or equal drift spreads."
    } else {
        "The bell is silent."
    };
    say(model, words);
    Vec::new()
}

/// Opens the newest drift: its difference, or its group when it is on several clusters.
fn newest(model: &mut Model) -> Vec<Effect> {
    let ctx = model.ctx();
    let began = |s: &&Story| s.kind == StoryKind::DriftBegan;
    let goes_on = |s: &&Story| s.fingerprint.is_some_and(|p| ctx.rows.group(p).is_some());
    let newest = ctx.fleet.stories().filter(began).filter(goes_on);
    let Some(story) = newest.max_by_key(|s| (s.until, s.id)) else {
        say(model, "Nothing has drifted, as far as is known.");
        return Vec::new();
    };
    let group = story.fingerprint.and_then(|p| ctx.rows.group(p));
    let screen = match group.map(|g| g.members.as_slice()) {
        Some([one]) => Screen::Diff(DiffScreen::new(super::msg::WishTarget {
            cluster: one.cluster.clone(),
            app: one.resource.app.clone(),
            object: one.resource.object.clone(),
        })),
        _ => {
            let mut drift = DriftScreen::default();
            drift.choose(story.fingerprint, &ctx);
            Screen::Drift(drift)
        }
    };
    acts::open(model, screen)
}

fn forward(model: &mut Model) -> Vec<Effect> {
    match model.forward.pop() {
        Some(screen) => {
            model.stack.push(screen);
            model.refresh(true);
        }
        None => say(model, "There is no screen to go forward to."),
    }
    Vec::new()
}

fn mark_by(model: &mut Model, text: &str) -> Vec<Effect> {
    let marked = model.on_screen(|screen, ctx| screen.face_mut().mark_by(text, ctx));
    model.notice = Some(match marked {
        Some(Ok(n)) => Notice::info(format!("{n} marked.")),
        Some(Err(why)) => Notice::error(Safe::from(why)),
        None => return Vec::new(),
    });
    Vec::new()
}

fn save_view(model: &mut Model, name: &str) -> Vec<Effect> {
    let place = model.place();
    let Some(sieve) = model.face().and_then(|f| f.sieve()) else {
        return Vec::new();
    };
    if name.is_empty() {
        say(model, "A view needs a name; nothing was saved.");
        return Vec::new();
    }
    let view = View {
        name: name.to_owned(),
        screen: place.id().to_owned(),
        filter: sieve.text().to_owned(),
        problems: sieve.problems,
        sort: sieve.sort,
        layout: model.layouts.seen(place),
    };
    model.kept.save(view);
    say(
        model,
        format!("Saved; the palette opens it as `view {name}`."),
    );
    keep(model)
}

/// Opens a saved view: its screen, filter, sort, columns and grouping.
pub(super) fn open_view(model: &mut Model, name: &str) -> Vec<Effect> {
    let Some(view) = model.kept.views.iter().find(|v| v.name == name).cloned() else {
        return Vec::new();
    };
    let Some(place) = Place::by_id(&view.screen) else {
        say(
            model,
            format!(
                "The view names a screen that does not exist: {}.",
                view.screen
            ),
        );
        return Vec::new();
    };
    acts::go(model, place);
    super::laying::take(model, place, view.layout);
    model.on_screen(|screen, ctx| {
        let face = screen.face_mut();
        if let Some(sieve) = face.sieve_mut() {
            sieve.problems = view.problems;
            sieve.sort = view.sort;
        }
        face.filter(&view.filter, ctx);
    });
    Vec::new()
}

fn seen(model: &mut Model) -> Vec<Effect> {
    model.kept.looked_at = Some(model.now);
    say(model, "Everything up to now counts as seen.");
    model.refresh(true);
    keep(model)
}

/// Copies the web address of the deployed commit, as the usual forges have it.
fn links(model: &mut Model) -> Vec<Effect> {
    let ctx = model.ctx();
    let lines = model.face().map(|face| links::of(face, &ctx));
    let lines = lines.unwrap_or_default();
    match lines.as_slice() {
        [] => {
            say(
                model,
                "There is no page about this row; [[link]] in config.toml adds yours.",
            );
            Vec::new()
        }
        [only] => copy_link(model, only.clone()),
        _ => {
            model.modal = Some(Modal::Links(Links { lines, cursor: 0 }));
            Vec::new()
        }
    }
}

/// Puts an address on the clipboard.
pub(super) fn copy_link(model: &mut Model, link: Link) -> Vec<Effect> {
    say(model, format!("Copied {}.", link.url));
    vec![Effect::Copy(link.url)]
}
