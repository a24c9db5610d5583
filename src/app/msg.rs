//! What comes in and what goes out: messages are facts, effects are orders that the runtime carries out.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::inquiry::{Answer, Question};
use super::kept::Kept;
use super::mouse::Pointed;
use crate::domain::event::Bodies;
use crate::domain::{AppRef, ClusterEvent, ClusterId, ObjectRef, Safe};
use crate::ops::{Plan, Route, RunEvent};

/// Something happened.
#[derive(Debug)]
pub enum Msg {
    /// Facts from clusters, in the order in which they arrived.
    Facts(Vec<ClusterEvent>),
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something, where it was asked for.
    Mouse(Pointed),
    /// Text was pasted.
    Paste(String),
    /// The terminal has a new size: columns, rows.
    Resize(u16, u16),
    /// The time that `Model::wake_at` named has come.
    Tick,
    /// An effect ended, or tells how far it is.
    Done(Done),
}

/// What became of an effect. `ask` is the number that the effect carried; answers to questions nobody asks any more are dropped in `update`.
#[derive(Debug)]
pub enum Done {
    /// The plan that was asked for, or why there is none.
    Planned {
        /// The question's number.
        ask: u64,
        /// The plan, or a sentence.
        result: Result<Arc<Plan>, Safe>,
    },
    /// News of a run.
    Run {
        /// The plan's id.
        plan: String,
        /// What happened.
        event: RunEvent,
    },
    /// The run could not begin; nothing was sent.
    RunRefused {
        /// The plan's id.
        plan: String,
        /// Why, and the next step.
        why: Safe,
    },
    /// The documents of one object.
    Bodies {
        /// The question's number.
        ask: u64,
        /// The documents, or a sentence.
        result: Result<Arc<Bodies>, Safe>,
    },
    /// The answer to a question.
    Answered {
        /// The question's number.
        ask: u64,
        /// The answer, or a sentence.
        result: Result<Answer, Safe>,
    },
    /// A login ended.
    LoggedIn {
        /// Where.
        cluster: ClusterId,
        /// Why not, when it failed.
        result: Result<(), Safe>,
    },
    /// Something to tell the operator.
    Say(Notice),
}

/// An order to the runtime.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Build a plan, dry runs included; answered by [`Done::Planned`].
    BuildPlan {
        /// The question's number.
        ask: u64,
        /// What is to be reverted.
        wish: PlanWish,
    },
    /// Carry out exactly this plan; answered by [`Done::Run`] or [`Done::RunRefused`].
    RunPlan {
        /// The plan's id.
        plan: String,
        /// What the operator typed, when the plan asks for a name.
        confirmation: Option<Safe>,
    },
    /// Send nothing more of this run; targets in flight are still watched.
    StopRun {
        /// The plan's id.
        plan: String,
    },
    /// Read desired and live documents of one object; answered by [`Done::Bodies`].
    FetchBodies {
        /// The question's number.
        ask: u64,
        /// Where.
        cluster: ClusterId,
        /// The application that manages it.
        app: AppRef,
        /// Which object.
        object: ObjectRef,
    },
    /// Ask a cluster something that the watches do not bring; answered by [`Done::Answered`].
    Ask {
        /// The question's number.
        ask: u64,
        /// The question.
        question: Question,
    },
    /// Nobody waits for the answers to this question any more.
    Hush {
        /// The question's number.
        ask: u64,
    },
    /// Keep this beyond the sitting.
    Keep(Box<Kept>),
    /// Ring, and tell the terminal's desktop in one sentence.
    Alert(Safe),
    /// Leave the screen for the credential plugin of this row, then come back; answered by [`Done::LoggedIn`].
    Login(ClusterId),
    /// Connect again now, whatever the back-off says.
    Retry(ClusterId),
    /// Put text on the clipboard of the operator's terminal.
    Copy(Safe),
    /// Load a theme by name and draw with it; a failure comes back as [`Done::Say`].
    LoadTheme(String),
    /// Load a keymap by name; a failure comes back as [`Done::Say`].
    LoadKeymap(String),
    /// Forget what the terminal shows and draw everything.
    Redraw,
    /// Stop the process like `ctrl-z` in a shell does.
    Suspend,
    /// Restore the terminal and end.
    Quit,
}

impl Effect {
    /// Whether an answer comes to it.
    pub fn is_answered(&self) -> bool {
        matches!(
            self,
            Self::BuildPlan { .. }
                | Self::RunPlan { .. }
                | Self::FetchBodies { .. }
                | Self::Ask { .. }
        )
    }
}

/// What the operator wants put back, by name; the runtime adds what is known of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanWish {
    /// The objects.
    pub targets: Vec<WishTarget>,
    /// The route asked for; `None` leaves it to the planner.
    pub via: Option<Route>,
    /// Whether objects that Git does not have may be deleted.
    pub prune: bool,
    /// The operator's note for the journal.
    pub note: Option<Safe>,
    /// What it is for, in the words of the screen.
    pub reason: Safe,
}

/// One object to put back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WishTarget {
    /// The row.
    pub cluster: ClusterId,
    /// The application.
    pub app: AppRef,
    /// The object.
    pub object: ObjectRef,
}

/// One line for the operator, shown until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub weight: Weight,
    /// The sentence.
    pub text: Safe,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It went well, or nothing happened.
    Info,
    /// Look at it.
    Warning,
    /// Act on it.
    Error,
}

impl Notice {
    /// A message.
    pub fn info(text: impl Into<Safe>) -> Self {
        Self {
            weight: Weight::Info,
            text: text.into(),
        }
    }

    /// A message to look at.
    pub fn warning(text: impl Into<Safe>) -> Self {
        Self {
            weight: Weight::Warning,
            text: text.into(),
        }
    }

    /// A message to act on.
    pub fn error(text: impl Into<Safe>) -> Self {
        Self {
            weight: Weight::Error,
            text: text.into(),
        }
    }
}
