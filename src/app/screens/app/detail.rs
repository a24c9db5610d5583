//! The detail of the selected node: which tab is seen, what was asked for it, how far it is scrolled.

use super::Tab;
use crate::app::inquiry::{Answer, CommitWish, EventLine, Inquiry, Question, YamlText};
use crate::app::list::Step;
use crate::app::msg::{Effect, WishTarget};
use crate::app::screens::{Ctx, DiffScreen};
use crate::app::shape::Area;
use crate::app::sheet::SheetLine;
use crate::app::sieve::Sieve;
use crate::app::yaml;
use crate::domain::{Commit, ObjectRef, Safe};

/// State of the detail.
#[derive(Debug)]
pub struct Detail {
    /// The tab that is seen.
    pub tab: Tab,
    /// The first visible line.
    pub top: usize,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// What is searched for.
    pub search: Sieve,
    /// Levels of YAML that are not folded.
    pub open: usize,
    /// Events of the node.
    pub events: Inquiry<Vec<EventLine>>,
    /// The node as YAML.
    pub yaml: Inquiry<Box<YamlText>>,
    /// Commits of the application.
    pub commits: Inquiry<Vec<Commit>>,
    /// The node's difference.
    pub diff: Option<Box<DiffScreen>>,
    /// The node that all of this is about.
    of: Option<ObjectRef>,
    /// Questions whose answers nobody waits for any more.
    given_up: Vec<u64>,
}

/// What the tabs ask about: the selected node, and its application.
#[derive(Debug)]
pub struct About {
    /// The objects whose events are wanted.
    pub evented: Vec<WishTarget>,
    /// The selected object, unless it is the application itself.
    pub target: Option<WishTarget>,
    /// The object whose document is wanted, be it the application's own; none when its cluster does not answer.
    pub document: Option<WishTarget>,
    /// Whether Git holds the object, so that there can be a difference.
    pub managed: bool,
    /// Whether its cluster answers.
    pub answers: bool,
    /// Whose commits are wanted; none when nothing was deployed.
    pub commits: Option<CommitWish>,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            tab: Tab::Summary,
            top: 0,
            shift: 0,
            search: Sieve::default(),
            open: usize::MAX,
            events: Inquiry::Idle,
            yaml: Inquiry::Idle,
            commits: Inquiry::Idle,
            diff: None,
            of: None,
            given_up: Vec::new(),
        }
    }
}

impl Detail {
    /// Follows the selected node: what was known of another one is forgotten.
    pub fn follow(&mut self, node: Option<&ObjectRef>) {
        if self.of.as_ref() == node {
            return;
        }
        self.of = node.cloned();
        self.forget();
        (self.top, self.shift) = (0, 0);
    }

    /// Forgets what was read of the node, so that it is asked again.
    pub fn forget(&mut self) {
        give_up(&mut self.events, &mut self.given_up);
        give_up(&mut self.yaml, &mut self.given_up);
        self.diff = None;
    }

    /// Goes to a tab; from that tab itself it is read again.
    pub fn show(&mut self, tab: Tab) {
        if self.tab != tab {
            self.tab = tab;
            (self.top, self.shift) = (0, 0);
            return;
        }
        self.forget();
        if tab == Tab::History {
            give_up(&mut self.commits, &mut self.given_up);
        }
    }

    /// Whether the tab waits for a question to be asked.
    pub fn owes(&self, about: &About) -> bool {
        match self.tab {
            Tab::Summary | Tab::Metrics => false,
            Tab::Diff => about.managed && self.diff.is_none(),
            Tab::Events => about.answers && self.events == Inquiry::Idle,
            Tab::History => about.commits.is_some() && self.commits == Inquiry::Idle,
            Tab::Live | Tab::Desired | Tab::Applied => {
                about.document.is_some() && self.yaml == Inquiry::Idle
            }
        }
    }

    /// Asks what the tab needs and nobody asked yet; takes back what nobody waits for.
    pub fn ask(&mut self, ask: u64, about: About, pane: Area, ctx: &Ctx<'_>) -> Vec<Effect> {
        let given_up = self.given_up.drain(..);
        let mut effects: Vec<Effect> = given_up.map(|ask| Effect::Hush { ask }).collect();
        if !self.owes(&about) {
            return effects;
        }
        let target = if self.tab.is_yaml() {
            about.document
        } else {
            about.target
        };
        let question = match (self.tab, target) {
            (Tab::Diff, Some(target)) => {
                let mut diff = DiffScreen::new(target);
                diff.pane = Some(pane);
                effects.extend(diff.opened(ask, ctx));
                self.diff = Some(Box::new(diff));
                None
            }
            (Tab::Events, _) => waiting(&mut self.events, ask, Question::Events(about.evented)),
            (Tab::History, _) => about
                .commits
                .and_then(|wish| waiting(&mut self.commits, ask, Question::Commits(wish))),
            (tab, Some(target)) if tab.is_yaml() => {
                waiting(&mut self.yaml, ask, Question::Yaml(target))
            }
            _ => None,
        };
        effects.extend(question.map(|question| Effect::Ask { ask, question }));
        effects
    }

    /// Takes an answer; one to another question is dropped.
    pub fn answer(&mut self, ask: u64, result: &Result<Answer, Safe>) {
        if self.events.waits_for(ask) {
            self.events = heard(result, |answer| match answer {
                Answer::Events(events) => Some(events.clone()),
                _ => None,
            });
        } else if self.yaml.waits_for(ask) {
            self.yaml = heard(result, |answer| match answer {
                Answer::Yaml(yaml) => Some(yaml.clone()),
                _ => None,
            });
        } else if self.commits.waits_for(ask) {
            self.commits = heard(result, |answer| match answer {
                Answer::Commits(commits) => Some(commits.clone()),
                _ => None,
            });
        }
    }

    /// What is searched for, in lower case; none when nothing is.
    pub fn wanted(&self) -> Option<String> {
        let text = self.search.text().trim().to_lowercase();
        (!text.is_empty()).then_some(text)
    }

    /// The lines of a text as they are seen: YAML folded as far as asked for.
    pub fn folded(&self, lines: Vec<SheetLine>) -> Vec<SheetLine> {
        if self.tab.is_yaml() && self.open < yaml::levels(&lines) {
            return yaml::folded(&lines, self.open);
        }
        lines
    }

    /// Folds more or less of a YAML text of this many levels.
    pub fn fold(&mut self, more: bool, levels: usize) {
        self.open = if more {
            yaml::fewer(self.open, levels)
        } else {
            self.open.saturating_add(1)
        };
    }

    /// Scrolls within so many lines.
    pub fn step(&mut self, step: Step, lines: usize, height: usize) {
        let end = lines.saturating_sub(height);
        self.top = match step {
            Step::By(rows) => self.top.min(end).saturating_add_signed(rows).min(end),
            Step::First => 0,
            Step::Last => end,
        };
    }

    /// Goes to the next or previous line that holds what is searched for; whether there is one.
    pub fn jump(&mut self, forward: bool, lines: &[SheetLine], height: usize) -> bool {
        let Some(wanted) = self.wanted() else {
            return false;
        };
        let end = lines.len().saturating_sub(height);
        let holds = |(_, line): &(usize, &SheetLine)| holds(line, &wanted);
        let mut found = lines
            .iter()
            .enumerate()
            .filter(holds)
            .map(|(i, _)| i.min(end));
        let next = if forward {
            found.find(|at| *at > self.top)
        } else {
            found.take_while(|at| *at < self.top).last()
        };
        if let Some(at) = next {
            self.top = at;
        }
        next.is_some()
    }

    /// Searches from the top; what stands in a fold is unfolded.
    pub fn search(&mut self, text: &str, whole: &[SheetLine], height: usize) {
        self.search.set_words(text);
        let Some(wanted) = self.wanted() else {
            return;
        };
        let found = |lines: &[SheetLine]| lines.iter().position(|line| holds(line, &wanted));
        if found(&self.folded(whole.to_vec())).is_none() {
            self.open = usize::MAX;
        }
        let lines = self.folded(whole.to_vec());
        if let Some(at) = found(&lines) {
            self.top = at.min(lines.len().saturating_sub(height));
        }
    }
}

fn holds(line: &SheetLine, wanted: &str) -> bool {
    line.text.as_str().to_lowercase().contains(wanted)
}

/// Notes that an answer is waited for.
fn waiting<T>(inquiry: &mut Inquiry<T>, ask: u64, question: Question) -> Option<Question> {
    *inquiry = Inquiry::Asking(ask);
    Some(question)
}

/// Forgets an answer, or that it is waited for.
fn give_up<T>(inquiry: &mut Inquiry<T>, given_up: &mut Vec<u64>) {
    if let Inquiry::Asking(ask) = inquiry {
        given_up.push(*ask);
    }
    *inquiry = Inquiry::Idle;
}

fn heard<T>(result: &Result<Answer, Safe>, take: impl Fn(&Answer) -> Option<T>) -> Inquiry<T> {
    match result {
        Ok(answer) => take(answer).map_or(Inquiry::Idle, Inquiry::Here),
        Err(why) => Inquiry::Failed(why.clone()),
    }
}
