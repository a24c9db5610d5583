//! What only the whole fleet shows: destinations nobody has, two hubs on one edge, parents and their children.

use super::Warner;
use crate::domain::{
    AppKind, AppRef, Application, ClusterId, Engine, Health, ObjectRef, SyncState, Warning,
};
use crate::fleet::AppState;

/// The application that a managed object is, on the same hub.
pub(super) fn child(app: &Application, object: &ObjectRef) -> Option<AppRef> {
    let kind = AppKind::parse(&object.gvk.kind)?;
    (kind.group() == &*object.gvk.group).then(|| AppRef {
        hub: app.id.hub.clone(),
        kind,
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    })
}

pub(super) fn warnings(warner: &Warner<'_>, state: &AppState) -> Vec<Warning> {
    let app = &*state.app;
    let found = [
        destination(warner, state),
        rivals(warner, state),
        children(warner, app),
    ];
    found.into_iter().flatten().collect()
}

fn destination(warner: &Warner<'_>, state: &AppState) -> Option<Warning> {
    let app = &*state.app;
    let to = &app.destination;
    if !app.id.kind.applies() || state.cluster.is_some() && app.engine == Engine::Flux {
        return None;
    }
    if !to.server.is_empty() && !to.name.is_empty() {
        return Some(Warning::new(
            "destination-invalid",
            "Its destination gives both a server and a name, which Argo CD refuses.",
            "Remove one of the two from spec.destination.",
        ));
    }
    if to.server.is_empty() && to.name.is_empty() {
        return Some(Warning::new(
            "destination-invalid",
            "Its destination gives neither a server nor a name.",
            "Set spec.destination.server or spec.destination.name.",
        ));
    }
    let secrets = warner.hub(&app.id.hub).map_or(&[][..], |h| &h.hub_clusters);
    let same = secrets.iter().filter(|s| s.name == to.name).count();
    if !to.name.is_empty() && same > 1 {
        return Some(Warning::new(
            "destination-ambiguous",
            format!(
                "{same} cluster Secrets of the hub are named `{}`, and Argo CD then deploys to none.",
                to.name
            ),
            "Give each cluster Secret a name of its own, or name the server in spec.destination.",
        ));
    }
    let named = if to.server.is_empty() {
        &to.name
    } else {
        &to.server
    };
    state.cluster.is_none().then(|| {
        Warning::new(
            "unmatched",
            format!("Its destination `{named}` is no cluster of the kubeconfig, so the edge itself is not seen."),
            "Add a context for it, or name its context under [[alias]] in config.toml.",
        )
    })
}

/// Other hubs that deploy to the same cluster.
fn rivals(warner: &Warner<'_>, state: &AppState) -> Option<Warning> {
    let cluster = state.cluster.as_ref()?;
    let app = &*state.app;
    let hubs = warner.hubs.get(cluster)?;
    let is_claim = app.engine == Engine::Argo && app.id.kind.applies() && *cluster != app.id.hub;
    let others: Vec<&str> = hubs
        .iter()
        .filter(|h| ***h != app.id.hub)
        .map(|h| ClusterId::as_str(h))
        .collect();
    (is_claim && !others.is_empty()).then(|| {
        Warning::new(
            "two-hubs",
            format!(
                "{cluster} is deployed to by {} too: each hub may take back what the other does.",
                others.join(" and ")
            ),
            "Let one hub deploy to this cluster, and remove the cluster from the other.",
        )
    })
}

/// An application of applications is Synced and Healthy whatever its children are: Argo CD does not count them.
fn children(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let all: Vec<&AppState> = app
        .resources
        .iter()
        .filter_map(|r| warner.fleet.apps.get(&child(app, &r.object)?))
        .filter(|c| c.app.id != app.id)
        .collect();
    let ill: Vec<&str> = all
        .iter()
        .filter(|c| c.app.sync != SyncState::Synced || c.app.health != Health::Healthy)
        .map(|c| &*c.app.id.name)
        .collect();
    (!ill.is_empty() && app.engine == Engine::Argo).then(|| {
        let shown = ill.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        Warning::new(
            "children",
            format!("Of the {} application(s) it deploys {} are not synced and healthy ({shown}), which its own status does not count.", all.len(), ill.len()),
            "Open those applications; this one only deploys their documents.",
        )
    })
}
