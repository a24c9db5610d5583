//! Keys to wishes: text for the window that is open, else the keymap.

use crossterm::event::KeyCode;
use tui_input::Input;

use super::acts;
use super::complete;
use super::laying;
use super::links::Links;
use super::looks;
use super::menu::{Menu, MenuLine};
use super::modal::{Answer, LineFor, Modal, Then, edit, paste as paste_into};
use super::model::Model;
use super::msg::{Effect, Notice};
use super::palette::Choice;
use super::screens::Screen;
use super::triage;
use super::window::{Pressed, Window};
use crate::domain::Safe;
use crate::keymap::{Key, Lookup};

/// Takes one key.
pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    model.notice = None;
    let interrupt = key.is_ctrl('c');
    if !interrupt {
        model.interrupted = false;
    }
    if model.modal.is_some() {
        if interrupt {
            return close(model);
        }
        return in_modal(model, key);
    }
    if key.code() == KeyCode::Esc && !model.pressed.is_empty() {
        model.pressed.clear();
        return Vec::new();
    }
    model.pressed.push(key);
    match model.keymap.look(model.place(), &model.pressed) {
        Lookup::Pending => Vec::new(),
        Lookup::Nothing => {
            model.pressed.clear();
            Vec::new()
        }
        Lookup::Action(action) => {
            model.pressed.clear();
            acts::act(model, action)
        }
    }
}

/// Takes pasted text: only a line that is being typed takes it.
pub(super) fn paste(model: &mut Model, text: &str) {
    match &mut model.modal {
        Some(Modal::Palette(palette)) => {
            paste_into(&mut palette.input, text);
            palette.search();
        }
        Some(Modal::Filter(input, _)) => {
            paste_into(input, text);
            let text = input.value().to_owned();
            filter(model, &text);
        }
        Some(Modal::Note(input) | Modal::Line(_, input)) => paste_into(input, text),
        // A name that guards a group is typed, not pasted.
        Some(
            Modal::Confirm(_)
            | Modal::Help(_)
            | Modal::Menu(_)
            | Modal::Links(_)
            | Modal::Columns(_)
            | Modal::GroupBy(_)
            | Modal::Window(_),
        )
        | None => {}
    }
}

/// Closes what is open; a filter goes back to what it was.
fn close(model: &mut Model) -> Vec<Effect> {
    match model.modal.take() {
        Some(Modal::Filter(_, before)) => filter(model, &before),
        Some(Modal::Window(window)) => return looks::close_all(&window),
        _ => {}
    }
    Vec::new()
}

fn filter(model: &mut Model, text: &str) {
    model.on_screen(|screen, ctx| screen.face_mut().filter(text, ctx));
}

fn in_modal(model: &mut Model, key: Key) -> Vec<Effect> {
    let in_window = matches!(model.modal, Some(Modal::Window(_)));
    if key.code() == KeyCode::Esc && !in_window {
        return close(model);
    }
    match model.modal.take() {
        Some(Modal::Menu(menu)) => in_menu(model, menu, key),
        Some(Modal::Links(links)) => in_links(model, links, key),
        Some(Modal::Columns(pick)) => laying::in_columns(model, pick, key),
        Some(Modal::GroupBy(pick)) => laying::in_groups(model, pick, key),
        Some(Modal::Window(window)) => in_window_key(model, window, key),
        Some(Modal::Palette(palette)) => in_palette(model, palette, key),
        Some(Modal::Help(top)) => {
            in_help(model, top, key);
            Vec::new()
        }
        Some(Modal::Filter(input, before)) => in_filter(model, input, before, key),
        Some(Modal::Line(purpose, input)) => in_line(model, purpose, input, key),
        Some(Modal::Note(input)) => in_note(model, input, key),
        Some(Modal::Confirm(mut confirm)) => match confirm.press(key) {
            Answer::No => Vec::new(),
            Answer::Open => {
                model.modal = Some(Modal::Confirm(confirm));
                Vec::new()
            }
            Answer::Yes => match confirm.then {
                Then::Quit => vec![Effect::Quit],
                Then::Run => acts::run(
                    model,
                    confirm.needs.map(|_| Safe::new(confirm.input.value())),
                ),
            },
        },
        None => Vec::new(),
    }
}

/// The menu takes its own keys and those of its actions; what is off says why.
fn in_menu(model: &mut Model, mut menu: Menu, key: Key) -> Vec<Effect> {
    match (key.typed(), key.code()) {
        (_, KeyCode::Enter) => {
            return match menu.chosen().cloned() {
                Some(line) => from_menu(model, &line),
                None => Vec::new(),
            };
        }
        (Some('j'), _) | (_, KeyCode::Down | KeyCode::Tab) => menu.step(1),
        (Some('k'), _) | (_, KeyCode::Up | KeyCode::BackTab) => menu.step(-1),
        (_, KeyCode::PageDown) => menu.step(10),
        (_, KeyCode::PageUp) => menu.step(-10),
        (Some('q'), _) => return Vec::new(),
        _ => {
            let found = match model.keymap.look(model.place(), &[key]) {
                Lookup::Action(action) => menu.lines.iter().find(|l| l.action == action).cloned(),
                Lookup::Pending | Lookup::Nothing => None,
            };
            if let Some(line) = found {
                return from_menu(model, &line);
            }
        }
    }
    model.modal = Some(Modal::Menu(menu));
    Vec::new()
}

fn in_links(model: &mut Model, mut links: Links, key: Key) -> Vec<Effect> {
    match (key.typed(), key.code()) {
        (_, KeyCode::Enter) | (Some('c' | 'y'), _) => {
            let chosen = links.chosen().cloned();
            return chosen.map_or_else(Vec::new, |link| triage::copy_link(model, link));
        }
        (Some('j'), _) | (_, KeyCode::Down | KeyCode::Tab) => links.step(1),
        (Some('k'), _) | (_, KeyCode::Up | KeyCode::BackTab) => links.step(-1),
        (Some('q'), _) => return Vec::new(),
        _ => {}
    }
    model.modal = Some(Modal::Links(links));
    Vec::new()
}

fn from_menu(model: &mut Model, line: &MenuLine) -> Vec<Effect> {
    match &line.why_not {
        Some(why) => {
            model.notice = Some(Notice::info(why.clone()));
            Vec::new()
        }
        None => acts::act(model, line.action),
    }
}

fn in_window_key(model: &mut Model, mut window: Box<Window>, key: Key) -> Vec<Effect> {
    let height = looks::rows(model);
    match window.press(key, height) {
        Pressed::Closed => return looks::close(model, *window),
        Pressed::AskAgain if window.question.is_some() => return looks::again(model, *window),
        Pressed::Closer(action) => return looks::closer(model, window, action),
        Pressed::Copy => {
            let line = window.here(height);
            let text = line.map(|l| l.text.clone()).unwrap_or_default();
            model.modal = Some(Modal::Window(window));
            return vec![Effect::Copy(text)];
        }
        Pressed::Kept | Pressed::AskAgain => {}
    }
    model.modal = Some(Modal::Window(window));
    Vec::new()
}

fn in_palette(model: &mut Model, mut palette: super::palette::Palette, key: Key) -> Vec<Effect> {
    match key.code() {
        KeyCode::Enter => {
            return match palette.chosen().cloned() {
                Some(Choice::Act(action)) => acts::act(model, action),
                Some(Choice::Theme(name)) => vec![Effect::LoadTheme(name)],
                Some(Choice::Keymap(name)) => vec![Effect::LoadKeymap(name)],
                Some(Choice::View(name)) => triage::open_view(model, &name),
                None => Vec::new(),
            };
        }
        KeyCode::Down | KeyCode::Tab => palette.step(1),
        KeyCode::Up | KeyCode::BackTab => palette.step(-1),
        KeyCode::PageDown => palette.step(10),
        KeyCode::PageUp => palette.step(-10),
        _ if key.is_ctrl('n') => palette.step(1),
        _ if key.is_ctrl('p') => palette.step(-1),
        _ => {
            if edit(&mut palette.input, key) {
                palette.search();
            }
        }
    }
    model.modal = Some(Modal::Palette(palette));
    Vec::new()
}

/// Help scrolls with the usual keys; any other key closes it.
fn in_help(model: &mut Model, top: usize, key: Key) {
    let page = usize::from(model.size.rows.saturating_sub(6)).max(1);
    let top = match (key.typed(), key.code()) {
        (Some('j'), _) | (_, KeyCode::Down) => top + 1,
        (Some('k'), _) | (_, KeyCode::Up) => top.saturating_sub(1),
        (Some(' '), _) | (_, KeyCode::PageDown) => top + page,
        (_, KeyCode::PageUp) => top.saturating_sub(page),
        (Some('g'), _) | (_, KeyCode::Home) => 0,
        _ if key.is_ctrl('d') => top + page / 2,
        _ if key.is_ctrl('u') => top.saturating_sub(page / 2),
        _ => return,
    };
    let last = super::help::lines(&model.keymap, model.place())
        .len()
        .saturating_sub(1);
    model.modal = Some(Modal::Help(top.min(last)));
}

/// The filter is taken at each key; `up` and `down` bring earlier ones, `tab` completes.
fn in_filter(model: &mut Model, mut input: Input, before: String, key: Key) -> Vec<Effect> {
    if key.code() == KeyCode::Enter {
        let news = model.kept.remember(input.value());
        return if news {
            vec![Effect::Keep(Box::new(model.kept.clone()))]
        } else {
            Vec::new()
        };
    }
    if let Some(text) = replaced(model, input.value(), key) {
        filter(model, &text);
        model.modal = Some(Modal::Filter(Input::new(text), before));
        return Vec::new();
    }
    if edit(&mut input, key) {
        let text = input.value().to_owned();
        filter(model, &text);
    }
    model.modal = Some(Modal::Filter(input, before));
    Vec::new()
}

/// The text that a key puts in place of the typed one.
fn replaced(model: &Model, text: &str, key: Key) -> Option<String> {
    let filters = &model.kept.filters;
    let here = filters.iter().position(|f| f == text);
    match key.code() {
        KeyCode::Up => {
            let earlier = here.map_or(filters.len(), |i| i).checked_sub(1)?;
            filters.get(earlier).cloned()
        }
        KeyCode::Down => Some(filters.get(here? + 1).cloned().unwrap_or_default()),
        KeyCode::Tab => {
            let offers = complete::offers(model.screen()?, text, &model.ctx());
            complete::completed(text, &offers)
        }
        _ => None,
    }
}

fn in_line(model: &mut Model, purpose: LineFor, mut input: Input, key: Key) -> Vec<Effect> {
    if key.code() != KeyCode::Enter {
        match complete::line(model, &purpose, input.value()) {
            Some(text) if key.code() == KeyCode::Tab => input = Input::new(text),
            _ => drop(edit(&mut input, key)),
        }
        model.modal = Some(Modal::Line(purpose, input));
        return Vec::new();
    }
    triage::typed(model, purpose, input.value())
}

/// A note is part of the plan that is confirmed, so another note is another plan.
fn in_note(model: &mut Model, mut input: Input, key: Key) -> Vec<Effect> {
    if key.code() != KeyCode::Enter {
        edit(&mut input, key);
        model.modal = Some(Modal::Note(input));
        return Vec::new();
    }
    let note = Some(Safe::new(input.value().trim())).filter(|n| !n.is_empty());
    match model.screen() {
        Some(Screen::Plan(plan)) if plan.wish.note != note => {
            acts::rebuild(model, |plan| plan.wish.note = note)
        }
        _ => Vec::new(),
    }
}
