//! One application: its tree, and the detail of the selected node in tabs.

mod click;
mod detail;
mod pages;
pub(in crate::app) mod summary;
mod tab;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Ctx, DiffScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::inquiry::{Answer, CommitWish, Inquiry, Question, ResourceTree};
use crate::app::list::{List, Step};
use crate::app::looks;
use crate::app::menu;
use crate::app::mouse::Spot;
use crate::app::msg::{Effect, Notice, PlanWish, WishTarget};
use crate::app::shape::Area;
use crate::app::sheet::SheetLine;
use crate::app::sieve::Sieve;
use crate::app::tree::{self, Node, Part};
use crate::app::yaml;
use crate::domain::event::Bodies;
use crate::domain::{AppRef, ClusterId, ObjectRef, Safe};
use crate::view::place::Place;

pub use detail::{About, Detail};
pub use tab::Tab;

/// How long the fingers rest before the detail of another node is asked for.
const REST: SignedDuration = SignedDuration::from_millis(300);
/// Lines of the detail above its text: what is selected, the tabs.
pub const DETAIL_ABOVE: u16 = 2;
/// Lines of the tree beside its rows: titles above, how old it is below.
pub const TREE_BESIDE: u16 = 2;

/// The part of the screen that has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The tree.
    #[default]
    Tree,
    /// The detail.
    Detail,
}

/// State of the screen of one application.
#[derive(Debug)]
pub struct AppScreen {
    /// Which one.
    pub app: AppRef,
    /// The nodes that are seen.
    pub list: List<ObjectRef>,
    /// The same, with what is known of each.
    pub nodes: Vec<Node>,
    /// The part that has the keys.
    pub pane: Pane,
    /// The detail.
    pub detail: Detail,
    /// What hangs under the managed objects, as its cluster told it.
    pub grown: Inquiry<Box<ResourceTree>>,
    /// When that was told.
    pub grown_at: Option<Timestamp>,
    sieve: Sieve,
    folded: BTreeSet<ObjectRef>,
    moved_at: Option<Timestamp>,
}

impl AppScreen {
    /// The screen of one application.
    pub fn new(app: AppRef) -> Self {
        Self {
            app,
            list: List::default(),
            nodes: Vec::new(),
            pane: Pane::Tree,
            detail: Detail::default(),
            grown: Inquiry::Idle,
            grown_at: None,
            sieve: Sieve::default(),
            folded: BTreeSet::new(),
            moved_at: None,
        }
    }

    /// The words that the tree is filtered by, in lower case; none when it is not.
    pub fn tree_words(&self) -> Option<String> {
        let words = self.sieve.text().trim().to_lowercase();
        (!words.is_empty()).then_some(words)
    }

    /// The selected node.
    pub fn node(&self) -> Option<&Node> {
        let selected = self.list.selected()?;
        self.nodes.iter().find(|n| n.object == *selected)
    }

    /// The selected object, unless it is the application itself.
    pub fn target(&self, ctx: &Ctx<'_>) -> Option<WishTarget> {
        let node = self.node().filter(|n| !matches!(n.part, Part::App(_)))?;
        Some(WishTarget {
            cluster: ctx.fleet.cluster_of(&self.app)?.clone(),
            app: self.app.clone(),
            object: node.object.clone(),
        })
    }

    /// The object whose document is shown: the selected one, or the application's own document.
    pub fn document(&self, ctx: &Ctx<'_>) -> Option<WishTarget> {
        match self.node()?.part {
            Part::App(_) => Some(tree::document(&self.app, ctx.fleet)),
            _ => self.target(ctx),
        }
    }

    /// Why the cluster of that document cannot be asked; none when it can.
    pub fn silent_document(&self, ctx: &Ctx<'_>) -> Option<Safe> {
        match self.document(ctx) {
            Some(document) => menu::silent(&document.cluster, ctx),
            None => self.dark(ctx),
        }
    }

    /// The owners of a node, the nearest first.
    pub fn owners(&self, object: &ObjectRef) -> Vec<&Node> {
        let Some(at) = self.nodes.iter().position(|node| node.object == *object) else {
            return Vec::new();
        };
        let mut depth = self.nodes.get(at).map_or(0, |node| node.depth);
        let above = self.nodes.iter().take(at).rev();
        above
            .filter(|node| {
                let owns = node.depth < depth;
                depth = depth.min(node.depth);
                owns
            })
            .collect()
    }

    /// Why its cluster cannot be asked anything; none when it can.
    pub fn dark(&self, ctx: &Ctx<'_>) -> Option<Safe> {
        let Some(cluster) = ctx.fleet.cluster_of(&self.app) else {
            return Some(Safe::fixed(
                "Its destination is no cluster of the kubeconfig.",
            ));
        };
        menu::silent(cluster, ctx)
    }

    /// Where the tree stands, while it is seen.
    pub fn tree_area(&self, ctx: &Ctx<'_>) -> Option<Area> {
        let shape = ctx.shape(Place::App);
        (shape.detail.is_some() || self.pane == Pane::Tree).then_some(shape.main)
    }

    /// Where the detail stands, while it is seen: beside the tree, or in its place.
    pub fn detail_area(&self, ctx: &Ctx<'_>) -> Option<Area> {
        let shape = ctx.shape(Place::App);
        // A fence and a space stand between them.
        let beside = shape.detail.map(|area| area.left(2).1);
        beside.or((self.pane == Pane::Detail).then_some(shape.main.left(1).1))
    }

    /// Where the text of the detail stands: below what is selected and the tabs.
    pub fn text_area(&self, ctx: &Ctx<'_>) -> Area {
        let area = self.detail_area(ctx).unwrap_or(ctx.shape(Place::App).main);
        area.top(DETAIL_ABOVE).1
    }

    /// The lines of the tab; a difference has none, it is drawn by itself.
    pub fn lines(&self, ctx: &Ctx<'_>) -> Vec<SheetLine> {
        self.detail.folded(self.whole(ctx))
    }

    /// The lines of the tab with nothing folded.
    fn whole(&self, ctx: &Ctx<'_>) -> Vec<SheetLine> {
        let width = usize::from(self.text_area(ctx).w.saturating_sub(1));
        pages::lines(self, ctx, width)
    }

    /// First line, number of lines, and how many are seen, of the part that has the keys.
    pub fn position(&self, ctx: &Ctx<'_>) -> (usize, usize, usize) {
        match (self.pane, &self.detail.diff) {
            (Pane::Tree, _) => (self.list.offset(), self.list.len(), Self::height(ctx)),
            (Pane::Detail, Some(diff)) if self.detail.tab == Tab::Diff => {
                (diff.top, diff.drawn(ctx), diff.page(ctx))
            }
            (Pane::Detail, _) => {
                let (lines, height) = (self.lines(ctx).len(), self.page(ctx));
                (
                    self.detail.top.min(lines.saturating_sub(height)),
                    lines,
                    height,
                )
            }
        }
    }

    /// Orders what the screen needs and nobody asked yet: the tree, and what the tab shows.
    pub fn owed(&mut self, asks: [u64; 2], ctx: &Ctx<'_>) -> Vec<Effect> {
        let [tree, detail] = asks;
        let mut effects = Vec::new();
        if self.grown == Inquiry::Idle && self.dark(ctx).is_none() {
            let wish = looks::trunk_wish(&self.app, ctx);
            effects.extend(wish.map(|wish| Effect::Ask {
                ask: tree,
                question: Question::Tree(wish),
            }));
            if !effects.is_empty() {
                self.grown = Inquiry::Asking(tree);
            }
        }
        let (about, area) = (self.about(ctx), self.text_area(ctx));
        effects.extend(self.detail.ask(detail, about, area, ctx));
        effects
    }

    /// What the tabs ask about.
    fn about(&self, ctx: &Ctx<'_>) -> About {
        let target = self.target(ctx);
        let evented = target.clone().map_or_else(
            || looks::objects_of(&self.app, ctx, |_| true),
            |target| vec![target],
        );
        let managed = matches!(self.node().map(|n| n.part), Some(Part::Judged(_)));
        let known = ctx.fleet.app(&self.app);
        let deployed = known.and_then(|app| {
            let entry = app.deployed_revision()?;
            let source = entry.source.as_ref().or(app.sources.first())?;
            Some(CommitWish {
                app: self.app.clone(),
                source: source.clone(),
                revision: entry.revision.clone(),
            })
        });
        About {
            answers: self.dark(ctx).is_none() && !evented.is_empty(),
            evented,
            document: self
                .document(ctx)
                .filter(|_| self.silent_document(ctx).is_none()),
            target,
            managed,
            commits: deployed,
        }
    }

    /// Takes an answer; one to another question is dropped.
    pub fn answer(&mut self, ask: u64, result: &Result<Answer, Safe>, ctx: &Ctx<'_>) {
        if !self.grown.waits_for(ask) {
            self.detail.answer(ask, result);
            return;
        }
        self.grown = match result {
            Ok(Answer::Tree(tree)) => Inquiry::Here(tree.clone()),
            Ok(_) => Inquiry::Idle,
            Err(why) => Inquiry::Failed(why.clone()),
        };
        self.grown_at = Some(ctx.now);
        self.refresh(ctx, false);
    }

    /// Takes the documents of the difference.
    pub fn documents(
        &mut self,
        ask: u64,
        result: Result<std::sync::Arc<Bodies>, Safe>,
        ctx: &Ctx<'_>,
    ) {
        if let Some(diff) = self.detail.diff.as_mut().filter(|diff| diff.ask == ask) {
            diff.answer(ask, result, ctx);
        }
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        let rows = ctx.shape(Place::App).main.h.saturating_sub(TREE_BESIDE);
        usize::from(rows).max(1)
    }

    fn set_pane(&mut self, pane: Pane) -> Next {
        self.pane = pane;
        Next::AskAgain
    }

    /// Goes to a tab and gives it the keys.
    fn show(&mut self, tab: Tab) -> Next {
        self.detail.show(tab);
        self.set_pane(Pane::Detail)
    }

    /// Opens the selected node, and from its detail the difference as a whole.
    fn open(&mut self, ctx: &Ctx<'_>) -> Next {
        if self.pane == Pane::Tree {
            return self.set_pane(Pane::Detail);
        }
        self.difference(ctx)
    }

    fn difference(&self, ctx: &Ctx<'_>) -> Next {
        match (self.target(ctx), self.node().map(|n| n.part)) {
            (Some(_), Some(Part::Owned)) => Next::Say(Notice::info(
                "Git does not hold it: its owner made it in the cluster, so there is nothing to compare it with.",
            )),
            (Some(target), _) => Next::Push(Box::new(Screen::Diff(DiffScreen::new(target)))),
            (None, _) if ctx.fleet.cluster_of(&self.app).is_some() => {
                Next::Say(Notice::info("Choose an object in the tree first."))
            }
            (None, _) => Next::Say(Notice::info(
                "Nothing can be compared: its destination is no cluster of the kubeconfig.",
            )),
        }
    }

    /// Folds the selected node, or goes to its owner; scrolls the detail.
    fn left(&mut self, ctx: &Ctx<'_>) {
        if self.pane == Pane::Detail {
            return self.scroll(Action::Left, ctx);
        }
        let Some(node) = self.node() else {
            return;
        };
        let object = node.object.clone();
        if node.below > 0 && !node.folded {
            self.folded.insert(object);
            self.refresh(ctx, true);
            return;
        }
        let owner = self.owners(&object).first().map(|n| n.object.clone());
        if let Some(owner) = owner {
            self.list.select(&owner, ctx.now, Self::height(ctx));
            self.follow(ctx.now);
        }
    }

    /// Unfolds the selected node; scrolls the detail.
    fn right(&mut self, ctx: &Ctx<'_>) {
        if self.pane == Pane::Detail {
            return self.scroll(Action::Right, ctx);
        }
        let unfolded = self.list.selected().map(|node| self.folded.remove(node));
        if unfolded == Some(true) {
            self.refresh(ctx, true);
        }
    }

    fn scroll(&mut self, action: Action, ctx: &Ctx<'_>) {
        match self
            .detail
            .diff
            .as_mut()
            .filter(|_| self.detail.tab == Tab::Diff)
        {
            Some(diff) => {
                diff.act(action, ctx);
            }
            None if action == Action::Left => {
                self.detail.shift = self.detail.shift.saturating_sub(8);
            }
            None => self.detail.shift = (self.detail.shift + 8).min(10_000),
        }
    }

    /// Reads anew what hangs under the managed objects.
    fn read_again(&mut self) -> Next {
        if !matches!(self.grown, Inquiry::Asking(_)) {
            self.grown = Inquiry::Idle;
        }
        self.set_pane(Pane::Tree)
    }

    /// What the keys of a difference do in the detail: to a difference as there, to YAML and texts what comes nearest.
    fn in_detail(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        if let Some(diff) = self
            .detail
            .diff
            .as_mut()
            .filter(|_| self.detail.tab == Tab::Diff)
        {
            return diff.act(action, ctx);
        }
        let height = self.page(ctx);
        match action {
            Action::NextHunk | Action::PreviousHunk => {
                let lines = self.lines(ctx);
                let forward = action == Action::NextHunk;
                if !self.detail.jump(forward, &lines, height) {
                    let keys = ctx.keys(Place::App, Action::Filter);
                    let words = format!("No further match; {keys} searches this text.");
                    return Next::Say(Notice::info(words));
                }
            }
            Action::MoreContext | Action::LessContext if self.detail.tab.is_yaml() => {
                let levels = yaml::levels(&self.whole(ctx));
                self.detail.fold(action == Action::LessContext, levels);
            }
            _ => {
                return Next::Say(Notice::info(
                    "That belongs to a difference; turn to its tab.",
                ));
            }
        }
        Next::Done
    }

    /// The detail is about the selected node from now on.
    fn follow(&mut self, now: Timestamp) {
        self.moved_at = Some(now);
        self.detail.follow(self.list.selected());
    }
}

/// What has drifted of one application.
pub(super) fn drifted(app: &AppRef, ctx: &Ctx<'_>) -> Vec<WishTarget> {
    let Some(cluster) = ctx.fleet.cluster_of(app) else {
        return Vec::new();
    };
    ctx.fleet
        .drift_of(cluster)
        .filter(|d| d.resource.app == *app)
        .map(|d| WishTarget {
            cluster: cluster.clone(),
            app: app.clone(),
            object: d.resource.object.clone(),
        })
        .collect()
}

impl Face for AppScreen {
    fn place(&self) -> Place {
        Place::App
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
        let grown = match &self.grown {
            Inquiry::Here(tree) => Some(&**tree),
            _ => None,
        };
        let all = ctx
            .fleet
            .app_row(&self.app)
            .map_or_else(Vec::new, |row| tree::of_app(&row, ctx.fleet, grown));
        self.nodes = tree::seen(&all, &self.folded, self.sieve.text());
        let wanted: Vec<ObjectRef> = self.nodes.iter().map(|n| n.object.clone()).collect();
        let fresh = self.list.is_empty();
        if at_once {
            self.list.set_now(wanted, Self::height(ctx));
        } else {
            self.list.set(wanted, ctx.now, Self::height(ctx));
        }
        if fresh && !self.nodes.is_empty() {
            self.list.begin_at(worst(&self.nodes), Self::height(ctx));
            self.moved_at = Some(ctx.now);
        }
        self.detail.follow(self.list.selected());
        let area = self.text_area(ctx);
        if let Some(diff) = &mut self.detail.diff {
            diff.pane = Some(area);
            diff.refresh(ctx, at_once);
        }
    }

    fn followers(&self, ctx: &Ctx<'_>) -> Vec<Area> {
        let detail = ctx.shape(Place::App).detail;
        Vec::from_iter(detail.filter(|_| self.pane == Pane::Tree))
    }

    fn click(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        self.clicked(spot, ctx)
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        if self.pane == Pane::Tree {
            self.list.step(step, ctx.now, Self::height(ctx));
            self.follow(ctx.now);
            return;
        }
        if let Some(diff) = self
            .detail
            .diff
            .as_mut()
            .filter(|_| self.detail.tab == Tab::Diff)
        {
            diff.step(step, ctx);
            return;
        }
        let (lines, height) = (self.lines(ctx).len(), self.page(ctx));
        self.detail.step(step, lines, height);
    }

    fn page(&self, ctx: &Ctx<'_>) -> usize {
        match self.pane {
            Pane::Tree => Self::height(ctx),
            Pane::Detail => usize::from(self.text_area(ctx).h).max(1),
        }
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open => return self.open(ctx),
            Action::Diff | Action::GoDiff => return self.difference(ctx),
            Action::NextPane | Action::PreviousPane => {
                let other = match self.pane {
                    Pane::Tree => Pane::Detail,
                    Pane::Detail => Pane::Tree,
                };
                return self.set_pane(other);
            }
            Action::NextTab => return self.show(self.detail.tab.turned(1)),
            Action::PreviousTab => return self.show(self.detail.tab.turned(-1)),
            Action::Events => return self.show(Tab::Events),
            Action::History => return self.show(Tab::History),
            Action::Yaml => return self.show(Tab::Live),
            Action::Tree => return self.read_again(),
            Action::Left => self.left(ctx),
            Action::Right => self.right(ctx),
            Action::NextHunk
            | Action::PreviousHunk
            | Action::Noise
            | Action::Owners
            | Action::MoreContext
            | Action::LessContext => return self.in_detail(action, ctx),
            _ => return Next::Ignored,
        }
        Next::Done
    }

    fn crumb(&self) -> Safe {
        Safe::new(&self.app.name)
    }

    fn scope(&self, ctx: &Ctx<'_>) -> Safe {
        let destination = ctx
            .fleet
            .cluster_of(&self.app)
            .map_or("unmatched", ClusterId::as_str);
        format!(
            "{}/{} @ {} → {destination}",
            self.app.namespace, self.app.name, self.app.hub
        )
        .into()
    }

    /// Clears the search of the detail, goes back to the tree, clears its filter.
    fn back(&mut self, ctx: &Ctx<'_>) -> bool {
        if self.pane == Pane::Detail {
            let diff = self
                .detail
                .diff
                .as_mut()
                .filter(|_| self.detail.tab == Tab::Diff);
            let cleared = diff.is_some_and(|diff| diff.sieve.clear()) | self.detail.search.clear();
            if !cleared {
                self.pane = Pane::Tree;
            }
            return true;
        }
        let did = self.sieve.clear();
        self.refresh(ctx, true);
        did
    }

    /// The selected object when it drifted, else everything of the application that did.
    fn wish(&self, ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        let all = drifted(&self.app, ctx);
        let selected = self.list.selected();
        if let Some(one) = all.iter().find(|t| Some(&t.object) == selected) {
            return Ok(PlanWish {
                targets: vec![one.clone()],
                reason: one.object.to_string().into(),
                ..PlanWish::default()
            });
        }
        if all.is_empty() {
            return Err(Notice::info("Nothing of this application has drifted."));
        }
        let reason = format!("everything of {} that drifted", self.app.name);
        Ok(PlanWish {
            targets: all,
            reason: reason.into(),
            ..PlanWish::default()
        })
    }

    fn object(&self, ctx: &Ctx<'_>) -> Option<WishTarget> {
        self.target(ctx)
    }

    fn app(&self, _ctx: &Ctx<'_>) -> Option<AppRef> {
        Some(self.app.clone())
    }

    fn cluster(&self, ctx: &Ctx<'_>) -> Option<ClusterId> {
        ctx.fleet.cluster_of(&self.app).cloned()
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        self.list.selected().map(|o| o.to_string().into())
    }

    fn sieve(&self) -> Option<&Sieve> {
        match (self.pane, &self.detail.diff) {
            (Pane::Tree, _) => Some(&self.sieve),
            (Pane::Detail, Some(diff)) if self.detail.tab == Tab::Diff => Some(&diff.sieve),
            (Pane::Detail, _) => Some(&self.detail.search),
        }
    }

    /// Filters the tree, or searches the detail.
    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        if self.pane == Pane::Tree {
            self.sieve.set_words(text);
            self.refresh(ctx, true);
            return;
        }
        if let Some(diff) = self
            .detail
            .diff
            .as_mut()
            .filter(|_| self.detail.tab == Tab::Diff)
        {
            diff.filter(text, ctx);
            return;
        }
        let (whole, height) = (self.whole(ctx), self.page(ctx));
        self.detail.search(text, &whole, height);
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }

    fn wakes_at(&self, ctx: &Ctx<'_>) -> Option<Timestamp> {
        let rested = self.moved_at?.checked_add(REST).ok()?;
        let about = self.about(ctx);
        let tree = about.answers && self.grown == Inquiry::Idle;
        (tree || self.detail.owes(&about)).then_some(rested)
    }
}

/// Where the cursor begins: on the first object when it needs somebody, else on the application itself.
fn worst(nodes: &[Node]) -> usize {
    usize::from(nodes.get(1).is_some_and(Node::needs_somebody))
}
