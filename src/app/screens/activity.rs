//! What happened: drift, syncs, health, links and own actions in one stream, the newest first.

use jiff::{SignedDuration, Timestamp};

use super::{AppScreen, ClusterScreen, Ctx, DiffScreen, DriftScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::asked::Asked;
use crate::app::list::{List, Step};
use crate::app::mouse::{Part, Spot};
use crate::app::msg::{Notice, WishTarget};
use crate::app::shape::Area;
use crate::app::sieve::Sieve;
use crate::domain::{AppRef, ClusterId, Safe};
use crate::fleet::{Story, StoryKind, Tenor};
use crate::view::place::Place;

/// Spans that the density bar can cover, in minutes.
const SPANS: [i64; 6] = [15, 60, 360, 1_440, 10_080, 43_200];

/// State of the activity screen.
#[derive(Debug)]
pub struct ActivityScreen {
    /// The stories, by number, the newest first.
    pub list: List<u64>,
    /// The filter.
    pub sieve: Sieve,
    /// Whether the cursor stays on the newest story.
    pub follows: bool,
    /// Whether only what came since everything was seen is shown.
    pub unseen: bool,
}

impl Default for ActivityScreen {
    fn default() -> Self {
        Self {
            list: List::default(),
            sieve: Sieve::default(),
            follows: true,
            unseen: false,
        }
    }
}

/// Whether a story came, or went on, after everything was said to be seen.
pub fn is_new(story: &Story, ctx: &Ctx<'_>) -> bool {
    ctx.kept.looked_at.is_none_or(|seen| story.heard > seen)
}

/// How many stories fall into each part of the time that the bar covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Density {
    /// Minutes that the bar covers.
    pub minutes: i64,
    /// A count for each part, the newest last.
    pub counts: Vec<usize>,
}

impl ActivityScreen {
    /// The selected story.
    pub fn story<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a Story> {
        ctx.fleet.story(*self.list.selected()?)
    }

    fn wanted(&self, ctx: &Ctx<'_>) -> Vec<u64> {
        let passes = |story: &&Story| {
            let asked = Asked {
                row: *story,
                now: ctx.now,
            };
            (!self.unseen || is_new(story, ctx))
                && self.sieve.passes(&asked, story.tenor == Tenor::Bad)
        };
        let mut stories: Vec<&Story> = ctx.fleet.stories().filter(passes).collect();
        // What happened at once stands in the order of its words, however the news came in.
        stories.sort_by(|a, b| (b.until, &a.what, a.id).cmp(&(a.until, &b.what, b.id)));
        stories.into_iter().map(|s| s.id).collect()
    }

    /// The density of what the list shows. Its parts begin at whole multiples of their length, so that it moves on only when a part is over.
    pub fn density(&self, ctx: &Ctx<'_>, parts: usize) -> Density {
        let shown = || {
            self.list
                .keys()
                .iter()
                .filter_map(|id| ctx.fleet.story(*id))
        };
        let oldest = shown().map(|s| s.until).min().unwrap_or(ctx.now);
        let old = ctx.now.duration_since(oldest).as_mins();
        let minutes = SPANS.into_iter().find(|span| *span > old).unwrap_or(43_200);
        let parts = parts.max(1);
        let step = (minutes * 60 / i64::try_from(parts).unwrap_or(i64::MAX)).max(1);
        let last = ctx.now.as_second().div_euclid(step);
        let mut counts = vec![0; parts];
        for story in shown() {
            let back = last - story.until.as_second().div_euclid(step);
            let slot = usize::try_from(back).ok().filter(|back| *back < parts);
            if let Some(count) = slot.and_then(|back| counts.get_mut(parts - 1 - back)) {
                *count += 1;
            }
        }
        Density { minutes, counts }
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        ctx.shape(Place::Activity).main_rows()
    }

    fn open(&self, ctx: &Ctx<'_>) -> Next {
        let Some(story) = self.story(ctx) else {
            return Next::Ignored;
        };
        let push = |screen| Next::Push(Box::new(screen));
        match (story.kind, self.app(ctx), self.cluster(ctx)) {
            (StoryKind::DriftBegan, _, Some(cluster)) if story.clusters.len() == 1 => {
                match self.object(ctx) {
                    Some(target) => push(Screen::Diff(DiffScreen::new(target))),
                    None => push(Screen::Drift(DriftScreen::of(cluster))),
                }
            }
            (StoryKind::DriftBegan, ..) => {
                let mut drift = DriftScreen::default();
                if !drift.choose(story.fingerprint, ctx) {
                    return Next::Say(Notice::info(
                        "This drift is over: nothing differs so any more.",
                    ));
                }
                push(Screen::Drift(drift))
            }
            (StoryKind::Sync | StoryKind::Health | StoryKind::DriftEnded, Some(app), _) => {
                push(Screen::App(Box::new(AppScreen::new(app))))
            }
            (_, _, Some(cluster)) => push(Screen::Cluster(ClusterScreen::new(cluster))),
            _ => Next::Say(Notice::info("There is nothing to open for this line.")),
        }
    }
}

/// `41m` as words for a span: `15 minutes`, `6 hours`, `7 days`.
pub fn span_words(minutes: i64) -> String {
    match minutes {
        ..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// How quickly a story spread, when that tells something: many clusters within minutes point to one actor or script.
pub fn spread_words(story: &Story) -> Option<String> {
    let time: SignedDuration = story.until.duration_since(story.at);
    let clusters = story.clusters.len();
    if clusters < 3 || story.kind != StoryKind::DriftBegan {
        return None;
    }
    let within = match time.as_secs() {
        0 => "at once".to_owned(),
        s @ 1..120 => format!("within {s} s"),
        s => format!("within {} min", s / 60),
    };
    Some(format!(
        "{clusters} clusters {within}: one actor or one script is likely"
    ))
}

impl Face for ActivityScreen {
    fn place(&self) -> Place {
        Place::Activity
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
        let wanted = self.wanted(ctx);
        if self.follows {
            self.list = List::default();
            self.list.set_now(wanted, Self::height(ctx));
        } else if at_once {
            self.list.set_now(wanted, Self::height(ctx));
        } else {
            self.list.set(wanted, ctx.now, Self::height(ctx));
        }
    }

    fn followers(&self, ctx: &Ctx<'_>) -> Vec<Area> {
        Vec::from_iter(ctx.shape(self.place()).detail)
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        self.list.step(step, ctx.now, Self::height(ctx));
        self.follows = self.list.cursor() == 0;
    }

    fn click(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        let line = self.list.offset() + spot.line;
        spot.part == Part::Main && self.list.select_line(line, ctx.now, Self::height(ctx))
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open => self.open(ctx),
            Action::Diff => match self.object(ctx) {
                Some(target) => Next::Push(Box::new(Screen::Diff(DiffScreen::new(target)))),
                None => Next::Say(Notice::info("This line is not about an object.")),
            },
            Action::Follow => {
                self.follows = !self.follows;
                self.refresh(ctx, true);
                Next::Done
            }
            Action::Unseen => {
                self.unseen = !self.unseen;
                self.refresh(ctx, true);
                Next::Done
            }
            Action::Problems => {
                self.sieve.problems = !self.sieve.problems;
                self.refresh(ctx, true);
                Next::Done
            }
            _ => Next::Ignored,
        }
    }

    fn crumb(&self) -> Safe {
        Safe::fixed("activity")
    }

    fn scope(&self, ctx: &Ctx<'_>) -> Safe {
        let all = ctx.fleet.stories().count();
        let new = match ctx.fleet.stories().filter(|s| is_new(s, ctx)).count() {
            _ if ctx.kept.looked_at.is_none() => String::new(),
            n => format!("  {n} new since you looked"),
        };
        let follows = if self.follows { "  following" } else { "" };
        match self.list.len() {
            shown if shown == all => format!("{all} events{new}{follows}").into(),
            shown => format!("{shown} of {all} events{new}{follows}").into(),
        }
    }

    fn back(&mut self, ctx: &Ctx<'_>) -> bool {
        let did = self.sieve.clear() | std::mem::take(&mut self.unseen);
        self.refresh(ctx, true);
        did
    }

    fn object(&self, ctx: &Ctx<'_>) -> Option<WishTarget> {
        let story = self.story(ctx)?;
        Some(WishTarget {
            cluster: story.clusters.first()?.clone(),
            app: story.app.clone()?,
            object: story.object.clone()?,
        })
    }

    fn app(&self, ctx: &Ctx<'_>) -> Option<AppRef> {
        let app = self.story(ctx)?.app.clone()?;
        ctx.fleet.app(&app).map(|_| app)
    }

    fn cluster(&self, ctx: &Ctx<'_>) -> Option<ClusterId> {
        self.story(ctx)?.clusters.first().cloned()
    }

    fn name(&self, ctx: &Ctx<'_>) -> Option<Safe> {
        self.story(ctx).map(|s| s.what.clone())
    }

    fn sieve(&self) -> Option<&Sieve> {
        Some(&self.sieve)
    }

    fn sieve_mut(&mut self) -> Option<&mut Sieve> {
        Some(&mut self.sieve)
    }

    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.sieve.set::<Asked<'_, Story>>(text);
        self.refresh(ctx, true);
    }

    fn sort_name(&self) -> Option<&'static str> {
        Some("newest first")
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }
}

/// When a story is shown to have happened: its newest time.
pub fn when(story: &Story, now: Timestamp) -> String {
    crate::app::age::moment(story.until, now)
}
