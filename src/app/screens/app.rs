//! One application: its objects, and the detail of the selected one.

use std::sync::Arc;

use super::{Ctx, DiffScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::list::{List, Step};
use crate::app::msg::{Notice, PlanWish, WishTarget};
use crate::app::place::Place;
use crate::app::sieve::Sieve;
use crate::domain::{AppRef, ClusterId, Health, ManagedResource, ObjectRef, Resource, Safe};

/// State of the screen of one application.
#[derive(Debug)]
pub struct AppScreen {
    /// Which one.
    pub app: AppRef,
    /// Its objects.
    pub list: List<ObjectRef>,
    sieve: Sieve,
}

/// One object as both sides tell it: our verdict, and what the engine says.
#[derive(Clone, Debug)]
pub struct ObjectRow {
    /// The object.
    pub object: ObjectRef,
    /// Our verdict, once there is one.
    pub ours: Option<Arc<Resource>>,
    /// The engine's word.
    pub engine: Option<ManagedResource>,
}

impl ObjectRow {
    fn urgency(&self) -> u8 {
        let drifted = self.ours.as_ref().is_some_and(|r| r.verdict.is_drift());
        let health = self
            .ours
            .as_ref()
            .and_then(|r| r.health.as_ref().map(|(h, _)| *h));
        match (drifted, health) {
            (_, Some(Health::Degraded)) => 0,
            (true, _) => 1,
            (_, Some(Health::Missing | Health::Unknown)) => 2,
            (_, Some(Health::Progressing)) => 3,
            _ => 4,
        }
    }
}

impl AppScreen {
    /// The screen of one application.
    pub fn new(app: AppRef) -> Self {
        Self {
            app,
            list: List::default(),
            sieve: Sieve::default(),
        }
    }

    /// Every object that either side knows of, the ones that need somebody first.
    pub fn rows(&self, ctx: &Ctx<'_>) -> Vec<ObjectRow> {
        let engine = ctx
            .fleet
            .app(&self.app)
            .map_or(&[][..], |app| &app.resources);
        let of_engine = |object: &ObjectRef| {
            engine
                .iter()
                .find(|m| m.object.same_object(object))
                .cloned()
        };
        let mut rows: Vec<ObjectRow> = ctx
            .fleet
            .resources_of(&self.app)
            .into_iter()
            .map(|ours| ObjectRow {
                object: ours.object.clone(),
                ours: Some(Arc::clone(ours)),
                engine: of_engine(&ours.object),
            })
            .collect();
        for managed in engine {
            if !rows.iter().any(|r| r.object.same_object(&managed.object)) {
                rows.push(ObjectRow {
                    object: managed.object.clone(),
                    ours: None,
                    engine: Some(managed.clone()),
                });
            }
        }
        rows.retain(|r| matches(self.sieve.text(), r));
        rows.sort_by(|a, b| {
            a.urgency()
                .cmp(&b.urgency())
                .then_with(|| a.object.cmp(&b.object))
        });
        rows
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        ctx.shape(Place::App).main_rows()
    }
}

fn matches(text: &str, row: &ObjectRow) -> bool {
    let name = row.object.to_string().to_lowercase();
    text.split_whitespace()
        .all(|word| name.contains(&word.to_lowercase()))
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
        let wanted: Vec<ObjectRef> = self.rows(ctx).into_iter().map(|r| r.object).collect();
        if at_once {
            self.list.set_now(wanted, Self::height(ctx));
        } else {
            self.list.set(wanted, ctx.now, Self::height(ctx));
        }
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        self.list.step(step, ctx.now, Self::height(ctx));
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open | Action::Diff => match self.object(ctx) {
                Some(target) => Next::Push(Box::new(Screen::Diff(DiffScreen::new(target)))),
                None => Next::Say(Notice::info(
                    "Nothing can be compared: its destination is no cluster of the kubeconfig.",
                )),
            },
            _ => Next::Ignored,
        }
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

    fn back(&mut self, ctx: &Ctx<'_>) -> bool {
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
        Some(WishTarget {
            cluster: ctx.fleet.cluster_of(&self.app)?.clone(),
            app: self.app.clone(),
            object: self.list.selected()?.clone(),
        })
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
        Some(&self.sieve)
    }

    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.sieve.set_words(text);
        self.refresh(ctx, true);
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }
}
