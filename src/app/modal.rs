//! Windows over the screen: palette, help, the filter line, a note, a question. While one is open, keys are its text.

use tui_input::{Input, InputRequest};

use crossterm::event::KeyCode;

use super::links::Links;
use super::menu::Menu;
use super::palette::Palette;
use super::pick::{ColumnPick, GroupPick};
use super::window::Window;
use crate::domain::{Fingerprint, Safe};
use crate::keymap::Key;

/// What is open over the screen.
#[derive(Debug)]
pub enum Modal {
    /// Every action by name.
    Palette(Palette),
    /// The keys of this screen; the number of the first visible line.
    Help(usize),
    /// The filter of the list, taken at each key; the text before, for `esc`.
    Filter(Input, String),
    /// The note of a plan.
    Note(Input),
    /// A question.
    Confirm(Confirm),
    /// One line of text, and what it is for.
    Line(LineFor, Input),
    /// What can be done here, and why the rest is off.
    Menu(Menu),
    /// Pages to choose from.
    Links(Links),
    /// The columns of the list.
    Columns(ColumnPick),
    /// What the rows of the list are grouped by.
    GroupBy(GroupPick),
    /// Long text.
    Window(Box<Window>),
}

/// What a typed line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineFor {
    /// The note of an acknowledgement of these groups.
    Ack(Vec<Fingerprint>),
    /// The filter of rows to mark.
    MarkBy,
    /// The name of a view.
    SaveView,
    /// The field of configuration that the matrix shows.
    Field,
}

impl LineFor {
    /// Title and explanation of its window.
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Ack(_) => (
                "acknowledge",
                "a note; begin with how long, such as 90m, 4h or 2d (8h when left out). enter takes it on, esc does not",
            ),
            Self::MarkBy => (
                "mark what matches",
                "a filter, such as region=eu and drift>0. enter marks, esc does not",
            ),
            Self::SaveView => (
                "save this view as",
                "a name; the palette opens it again. enter saves, esc does not",
            ),
            Self::Field => (
                "configuration value of every cell",
                "object and path, such as ConfigMap/edge-config data.LOG_LEVEL or Deployment/* env.MODE. tab completes, enter reads it, esc does not",
            ),
        }
    }
}

/// A question whose default answer is the safe one.
#[derive(Debug)]
pub struct Confirm {
    /// The question.
    pub question: Safe,
    /// What there is to know, a line each.
    pub facts: Vec<Safe>,
    /// What must be typed, where a `y` is not enough.
    pub needs: Option<Safe>,
    /// What was typed so far.
    pub input: Input,
    /// What a yes does.
    pub then: Then,
}

/// What a yes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Ends the program.
    Quit,
    /// Runs the plan on the screen.
    Run,
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Open,
    /// Do it.
    Yes,
    /// Leave it.
    No,
}

impl Confirm {
    /// Takes a key. Enter says yes only to what is harmless or was typed exactly.
    pub fn press(&mut self, key: Key) -> Answer {
        if key.code() == KeyCode::Esc {
            return Answer::No;
        }
        let Some(needed) = self.needs.clone() else {
            return match (key.typed(), key.code(), self.then) {
                (Some('y' | 'Y'), _, _)
                | (Some('q'), _, Then::Quit)
                | (_, KeyCode::Enter, Then::Quit) => Answer::Yes,
                (Some('n' | 'N' | 'q'), _, _) | (_, KeyCode::Enter, _) => Answer::No,
                _ => Answer::Open,
            };
        };
        if key.code() == KeyCode::Enter {
            return if self.input.value() == needed.as_str() {
                Answer::Yes
            } else {
                Answer::Open
            };
        }
        edit(&mut self.input, key);
        Answer::Open
    }
}

/// Edits one line of text; whether the key was meant for it.
pub fn edit(input: &mut Input, key: Key) -> bool {
    let request = match key.code() {
        _ if key.typed().is_some() => key.typed().map(InputRequest::InsertChar),
        KeyCode::Backspace => Some(InputRequest::DeletePrevChar),
        KeyCode::Delete => Some(InputRequest::DeleteNextChar),
        KeyCode::Left => Some(InputRequest::GoToPrevChar),
        KeyCode::Right => Some(InputRequest::GoToNextChar),
        KeyCode::Home => Some(InputRequest::GoToStart),
        KeyCode::End => Some(InputRequest::GoToEnd),
        _ if key.is_ctrl('a') => Some(InputRequest::GoToStart),
        _ if key.is_ctrl('e') => Some(InputRequest::GoToEnd),
        _ if key.is_ctrl('w') => Some(InputRequest::DeletePrevWord),
        _ if key.is_ctrl('u') => Some(InputRequest::DeleteLine),
        _ if key.is_ctrl('k') => Some(InputRequest::DeleteTillEnd),
        _ if key.is_ctrl('h') => Some(InputRequest::DeletePrevChar),
        _ => None,
    };
    let Some(request) = request else {
        return false;
    };
    input.handle(request);
    true
}

/// Puts pasted text into the line that is being typed; line breaks become spaces.
pub fn paste(input: &mut Input, text: &str) {
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        input.handle(InputRequest::InsertChar(c));
    }
}
