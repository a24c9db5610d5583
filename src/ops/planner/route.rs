//! By which route a target goes, and its part of an effect; or why by none.

use super::{Act, AppReading, Case, Part, Rehearsal};
use crate::domain::{Name, Safe};
use crate::ops::argo::{self, Wish};
use crate::ops::content::{ContentHash, text};
use crate::ops::effect::{Apply, Create, Delete, Effect, Member};
use crate::ops::windows::Window;
use crate::ops::{PlanTarget, RevertTarget, Route, Unsealed, direct};

impl Case<'_> {
    /// Chooses the route and makes the target's part of an effect, or skips the row.
    pub(super) fn part(&self, row: &mut PlanTarget) -> Option<Part> {
        match self.route(row) {
            Ok(Route::Argo) => Some(Part::Argo(Box::new(self.member()))),
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
            desired: self.manifest(),
        }
    }

    fn manifest(&self) -> Option<Unsealed> {
        self.target
            .desired
            .as_ref()
            .map(|d| Unsealed::new(direct::manifest(d.expose())))
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
        let live = self.reading.live.as_ref();
        let held = live.map(|l| (Name::from(text(l, "/metadata/uid")), ContentHash::of(l)));
        Some(match (self.act, held) {
            (Act::Apply, Some((uid, seen))) => Effect::Apply(Box::new(Apply {
                cluster,
                place,
                uid,
                seen,
                body: self.manifest()?,
            })),
            (Act::Create, _) => Effect::Create(Box::new(Create {
                cluster,
                place,
                body: self.manifest()?,
            })),
            (Act::Delete, Some((uid, seen))) => Effect::Delete(Box::new(Delete {
                cluster,
                place,
                uid,
                seen,
            })),
            _ => return None,
        })
    }

    /// The route asked for, else `argo` where Argo CD can be asked now, else `direct` with the reason as a warning.
    fn route(&self, row: &mut PlanTarget) -> Result<Route, Safe> {
        let via = self.request.via;
        if via == Some(Route::Direct) {
            return Ok(Route::Direct);
        }
        let fresh = self.app.and_then(|a| a.fresh.as_ref().ok());
        match (
            argo::obstacle(self.target.hub_link, &self.target.app, fresh),
            via,
        ) {
            (Some(why), Some(Route::Argo)) => Err(why),
            (Some(why), _) => {
                row.warnings.push(format!("direct, because {why}").into());
                Ok(Route::Direct)
            }
            (None, _) => {
                let app = self
                    .app
                    .ok_or(Safe::fixed("the application was not read"))?;
                ask_argo(self.target, app, row).map(|()| Route::Argo)
            }
        }
    }
}

fn ask_argo(target: &RevertTarget, app: &AppReading, row: &mut PlanTarget) -> Result<(), Safe> {
    let fresh = app
        .fresh
        .as_ref()
        .map_err(|why| Safe::from(format!("the application cannot be read: {why}")))?;
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
