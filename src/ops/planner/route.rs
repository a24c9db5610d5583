//! By which route a target goes, and its part of an effect; or why by none.

use serde_json::Value;

use super::{Act, AppReading, Case, Part, Rehearsal};
use crate::domain::{Engine, Name, Safe};
use crate::ops::argo::{self, Wish};
use crate::ops::content::{ContentHash, text};
use crate::ops::effect::{Apply, Create, Delete, Effect, Member, Merge};
use crate::ops::flux;
use crate::ops::windows::Window;
use crate::ops::{PlanTarget, RevertRequest, RevertTarget, Route, Unsealed};

/// Whether a target goes direct, as far as that can be told before its object is read.
pub(in crate::ops) fn goes_direct(
    request: &RevertRequest,
    target: &RevertTarget,
    app: Option<&AppReading>,
) -> bool {
    match request.via {
        Some(route) => route == Route::Direct,
        None => out_of_reach(target, app).is_some(),
    }
}

/// Why the engine cannot be asked now.
fn out_of_reach(target: &RevertTarget, app: Option<&AppReading>) -> Option<Safe> {
    let fresh = app.and_then(|a| a.fresh.as_ref().ok());
    match target.app.engine {
        Engine::Argo => argo::obstacle(target.hub_link, &target.app, fresh),
        Engine::Flux => flux::obstacle(target.hub_link, &target.app, fresh),
    }
}

impl Case<'_> {
    /// Chooses the route and makes the target's part of an effect, or skips the row.
    pub(super) fn part(&self, row: &mut PlanTarget) -> Option<Part> {
        match self.route(row) {
            Ok(Route::Argo | Route::Flux) => Some(Part::Engine(Box::new(self.member()))),
            Ok(Route::Direct) => self.direct_part(row),
            Err(why) => {
                row.skip(why);
                None
            }
        }
    }

    fn member(&self) -> Member {
        Member {
            cluster: self.target.cluster.clone(),
            object: self.target.object.clone(),
            place: self.reading.place.clone(),
            seen: self.reading.live.as_ref().map(ContentHash::of),
            yardstick: self.target.yardstick(),
        }
    }

    fn direct_part(&self, row: &mut PlanTarget) -> Option<Part> {
        row.route = Route::Direct;
        if let Rehearsal::NotPermitted(why) = &self.reading.rehearsal {
            row.skip(format!("not permitted: {why}"));
            return None;
        }
        self.direct_effect().map(Part::Direct)
    }

    fn direct_effect(&self) -> Option<Effect> {
        let (cluster, place) = (self.target.cluster.clone(), self.reading.place.clone());
        let yardstick = self.target.yardstick();
        let manager = self.target.manager();
        let live = self.reading.live.as_ref();
        let manifest = self.target.manifest(live).map(Unsealed::new);
        let held = live.map(|l| (Name::from(text(l, "/metadata/uid")), ContentHash::of(l)));
        Some(match (self.act, held, &self.reading.patch) {
            (Act::Apply, Some((uid, seen)), Some(patch)) => Effect::Merge(Box::new(Merge {
                cluster,
                place,
                uid,
                seen,
                manager,
                patch: patch.clone(),
                yardstick,
            })),
            (Act::Apply, Some((uid, seen)), None) => Effect::Apply(Box::new(Apply {
                cluster,
                place,
                uid,
                seen,
                manager,
                body: manifest?,
                yardstick,
            })),
            (Act::Create, ..) => Effect::Create(Box::new(Create {
                cluster,
                place,
                manager,
                body: manifest?,
                yardstick,
            })),
            (Act::Delete, Some((uid, seen)), _) => Effect::Delete(Box::new(Delete {
                cluster,
                place,
                uid,
                seen,
                yardstick,
            })),
            _ => return None,
        })
    }

    /// Whether the server accepted a patch that also takes out what an apply leaves.
    fn takes_out(&self) -> bool {
        self.reading.patch.is_some() && matches!(self.reading.rehearsal, Rehearsal::Accepted(_))
    }

    /// The route asked for, else the engine's where it can be asked now and its apply puts everything back, else `direct` with the reason
    /// as a warning.
    fn route(&self, row: &mut PlanTarget) -> Result<Route, Safe> {
        let via = self.request.via;
        if via == Some(Route::Direct) {
            return Ok(Route::Direct);
        }
        match (out_of_reach(self.target, self.app), via) {
            (Some(_), Some(Route::Flux)) if self.may_force() => self.ask_engine(row),
            (Some(why), Some(_)) => Err(why),
            (Some(why), None) => {
                row.warnings.push(format!("direct, because {why}").into());
                Ok(Route::Direct)
            }
            // An apply, Argo CD's too, leaves list entries that another manager added; a merge patch was rehearsed that takes them out.
            (None, None) if self.takes_out() => {
                row.warnings.push(self.why_taken_out());
                Ok(Route::Direct)
            }
            (None, _) => self.ask_engine(row),
        }
    }

    fn why_taken_out(&self) -> Safe {
        let left = self.reading.left.join(", ");
        let engine = engine_name(self.target);
        match &self.reading.refused {
            Some(why) => format!(
                "direct, because the server refuses an apply beside what others added, {engine}'s too ({why}): {left}"
            ),
            None => {
                format!("direct, because {engine}'s apply would leave what others added: {left}")
            }
        }
        .into()
    }

    /// Whether the one obstacle is that helm-controller has to be told to force an upgrade, which was asked for.
    fn may_force(&self) -> bool {
        let fresh = self.app.and_then(|a| a.fresh.as_ref().ok());
        fresh.is_some_and(|fresh| {
            flux::only_lacks_force(self.target.hub_link, &self.target.app, fresh)
        })
    }

    fn ask_engine(&self, row: &mut PlanTarget) -> Result<Route, Safe> {
        let app = self
            .app
            .ok_or(Safe::fixed("the application was not read"))?;
        match self.target.app.engine {
            Engine::Argo => ask_argo(self.target, app, row)?,
            Engine::Flux => self.ask_flux(app, row)?,
        }
        Ok(self.target.through_engine())
    }

    fn ask_flux(&self, app: &AppReading, row: &mut PlanTarget) -> Result<(), Safe> {
        let (target, id) = (self.target, &self.target.app.id);
        let fresh = readable(target, app)?;
        if app.may_patch == Some(false) {
            let place = flux::place(id);
            return Err(format!(
                "not permitted: patch {}.{} on {}; --via direct puts it back by itself",
                place.resource, place.group, id.hub
            )
            .into());
        }
        let wish = flux::Wish {
            revision: &target.desired_revision,
            target_commit: target.target_commit.as_deref(),
            prune: self.act == Act::Delete,
        };
        if let Some(why) = flux::refusal(fresh, &target.app, &wish) {
            return Err(why);
        }
        row.warnings.extend(flux::warnings(fresh, id));
        Ok(())
    }
}

fn engine_name(target: &RevertTarget) -> &'static str {
    match target.app.engine {
        Engine::Argo => "Argo CD",
        Engine::Flux => "Flux",
    }
}

fn readable<'r>(target: &RevertTarget, app: &'r AppReading) -> Result<&'r Value, Safe> {
    let what = match target.app.engine {
        Engine::Argo => "application",
        Engine::Flux => target.app.id.kind.word(),
    };
    let fresh = app.fresh.as_ref();
    fresh.map_err(|why| Safe::from(format!("the {what} cannot be read: {why}")))
}

fn ask_argo(target: &RevertTarget, app: &AppReading, row: &mut PlanTarget) -> Result<(), Safe> {
    let fresh = readable(target, app)?;
    if app.may_patch == Some(false) {
        return Err(format!("not permitted: patch applications.argoproj.io on {}; --via direct puts it back on the edge itself", target.app.id.hub).into());
    }
    let wish = Wish {
        revision: &target.desired_revision,
        target_commit: target.target_commit.as_deref(),
    };
    if let Some(why) = argo::refusal(fresh, &target.app, &wish) {
        return Err(why);
    }
    match &app.window {
        Ok(Window::Closed(why)) => Err(format!(
            "{why}: Argo CD would hold the sync back and block every other operation"
        )
        .into()),
        Ok(Window::Open) => Ok(()),
        Err(why) => {
            row.warnings.push(format!("the sync windows are not known ({why}); outside of them Argo CD holds the sync back").into());
            Ok(())
        }
    }
}
