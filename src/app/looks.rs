//! Opens windows that look closer: what is known at once is shown at once, what must be asked goes out as a question.

use std::collections::BTreeSet;

use super::action::Action;
use super::explain;
use super::inquiry::{Answer, Question, TreeWish};
use super::menu;
use super::modal::Modal;
use super::model::Model;
use super::msg::{Effect, Notice, WishTarget};
use super::screens::{Ctx, Face, Screen};
use super::tell;
use super::tree::{self, Part};
use super::window::Window;
use crate::domain::{AppRef, ClusterId, Name, ObjectRef, Safe};

/// Clusters whose logs are followed at once.
const LOGGED: usize = 8;
/// Objects of an application whose events are read at once.
const EVENTED: usize = 100;
/// Objects whose servers are asked for their word at once.
const WORDED: usize = 200;
/// Kinds that run pods.
const RUNNING: [&str; 6] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "Pod",
];

/// Columns of text in a window.
pub(super) fn columns(model: &Model) -> usize {
    usize::from(model.size.cols.saturating_sub(8)).clamp(24, 150)
}

/// Rows of text in a window.
pub(super) fn rows(model: &Model) -> usize {
    usize::from(model.size.rows.saturating_sub(6)).max(1)
}

/// Opens the window of an action.
pub(super) fn look(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(why) = menu::why_not(model, action) {
        model.notice = Some(Notice::info(why));
        return Vec::new();
    }
    let made = match action {
        Action::Explain => explained(model).map(Asked::Known),
        Action::History => history(model).map(Asked::Known),
        Action::Events => under_cursor(model).map(events_of),
        Action::Tree => tree(model),
        Action::Logs => logs(model),
        Action::Yaml => under_cursor(model)
            .or_else(|| own_document(model))
            .map(yaml_of),
        Action::Compare => compare(model),
        Action::Word => word(model),
        _ => None,
    };
    match made {
        Some(Asked::Known(window)) => {
            model.modal = Some(Modal::Window(Box::new(window)));
            Vec::new()
        }
        Some(Asked::Question {
            title,
            empty,
            question,
        }) => ask(model, title, empty, question),
        None => {
            model.notice = Some(Notice::info("No object of it is known here to ask about."));
            Vec::new()
        }
    }
}

enum Asked {
    Known(Window),
    Question {
        title: Safe,
        empty: &'static str,
        question: Question,
    },
}

fn ask(model: &mut Model, title: Safe, empty: &'static str, question: Question) -> Vec<Effect> {
    let ask = model.next_ask();
    let mut window = Window::asking(title, ask, question.clone(), empty);
    window.follows = matches!(question, Question::Logs(_));
    model.modal = Some(Modal::Window(Box::new(window)));
    vec![Effect::Ask { ask, question }]
}

/// Asks the question of the open window again; the earlier one is not waited for any more.
pub(super) fn again(model: &mut Model, window: Window) -> Vec<Effect> {
    let Some((old, question)) = window.question else {
        return Vec::new();
    };
    let mut effects = vec![Effect::Hush { ask: old }];
    effects.extend(ask(model, window.title, "", question));
    if let Some(Modal::Window(new)) = &mut model.modal {
        new.empty = window.empty;
        new.behind = window.behind;
    }
    effects
}

/// Closes a window: the one that it was opened from comes back.
pub(super) fn close(model: &mut Model, window: Window) -> Vec<Effect> {
    let effects = hushed(&window);
    model.modal = window.behind.map(Modal::Window);
    effects
}

/// Closes a window and all behind it.
pub(super) fn close_all(window: &Window) -> Vec<Effect> {
    let mut effects = hushed(window);
    effects.extend(window.behind.iter().flat_map(|behind| close_all(behind)));
    effects
}

fn hushed(window: &Window) -> Vec<Effect> {
    match &window.question {
        Some((ask, _)) => vec![Effect::Hush { ask: *ask }],
        None => Vec::new(),
    }
}

/// Looks more closely at the object that is chosen in a window, which stays behind.
pub(super) fn closer(model: &mut Model, window: Box<Window>, action: Action) -> Vec<Effect> {
    let asked = window.target().cloned().and_then(|target| match action {
        Action::Events => Some(events_of(target)),
        Action::Yaml => Some(yaml_of(target)),
        Action::Logs if runs(&target.object) => logs_of(vec![target]),
        _ => None,
    });
    let Some(Asked::Question {
        title,
        empty,
        question,
    }) = asked
    else {
        model.notice = Some(Notice::info(
            "It runs no containers: logs are those of workloads.",
        ));
        model.modal = Some(Modal::Window(window));
        return Vec::new();
    };
    let effects = ask(model, title, empty, question);
    if let Some(Modal::Window(new)) = &mut model.modal {
        new.behind = Some(window);
    }
    effects
}

/// Takes an answer for the open window; whether it was for it.
pub(super) fn answered(model: &mut Model, ask: u64, result: &Result<Answer, Safe>) -> bool {
    let width = columns(model);
    let now = model.now;
    let fleet = &model.fleet;
    let Some(Modal::Window(window)) = &mut model.modal else {
        return false;
    };
    let Some((_, question)) = window.question.clone().filter(|(own, _)| *own == ask) else {
        return false;
    };
    match result {
        Ok(Answer::Logs(lines)) => {
            window.append(lines.iter().map(tell::log_line).collect());
        }
        Ok(answer) => window.take(tell::leaves(&question, answer, width, now, fleet)),
        Err(why) => window.refuse(why.clone()),
    }
    true
}

fn explained(model: &Model) -> Option<Window> {
    let ctx = model.ctx();
    let face = model.face()?;
    let width = columns(model);
    if let Some(Screen::App(screen)) = model.screen()
        && let Some(node) = screen.node().filter(|node| node.part == Part::Owned)
    {
        let owners = screen.owners(&node.object);
        let title = format!("why: {}", node.object);
        return Some(Window::of(
            title,
            explain::owned(screen, node, &owners, &ctx, width),
        ));
    }
    if let Some(target) = face.object(&ctx) {
        let title = format!("why: {} on {}", target.object, target.cluster);
        return Some(Window::of(title, explain::object(&target, &ctx, width)));
    }
    if let Some(app) = face.app(&ctx) {
        let title = format!("why: {}", app.name);
        return Some(Window::of(title, explain::app(&app, &ctx, width)));
    }
    let cluster = face.cluster(&ctx)?;
    Some(Window::of(
        format!("why: {cluster}"),
        explain::cluster(&cluster, &ctx, width),
    ))
}

fn history(model: &Model) -> Option<Window> {
    let ctx = model.ctx();
    let app = model.face()?.app(&ctx)?;
    let known = ctx.fleet.app(&app)?;
    Some(Window::of(
        format!("history: {}", app.name),
        tell::history(known, &[], ctx.now, columns(model)),
    ))
}

/// The object under the screen's cursor.
fn under_cursor(model: &Model) -> Option<WishTarget> {
    model.face()?.object(&model.ctx())
}

/// The document of the application under the screen's cursor.
fn own_document(model: &Model) -> Option<WishTarget> {
    let ctx = model.ctx();
    let app = model.face()?.app(&ctx)?;
    Some(tree::document(&app, ctx.fleet))
}

fn events_of(target: WishTarget) -> Asked {
    Asked::Question {
        title: format!("events: {} on {}", target.object, target.cluster).into(),
        empty: "No event is kept of it: clusters keep them for an hour or so.",
        question: Question::Events(vec![target]),
    }
}

fn yaml_of(target: WishTarget) -> Asked {
    Asked::Question {
        title: format!("{} on {}", target.object, target.cluster).into(),
        empty: "The object is empty.",
        question: Question::Yaml(target),
    }
}

/// The tree of the object under the cursor, else those of all workloads of the application.
fn tree(model: &Model) -> Option<Asked> {
    let ctx = model.ctx();
    let face = model.face()?;
    let (title, wish) = match face.object(&ctx) {
        Some(target) => {
            let title = format!("tree: {} on {}", target.object, target.cluster);
            (title, wish_of(vec![target], &ctx)?)
        }
        None => {
            let wish = trunk_wish(&face.app(&ctx)?, &ctx)?;
            (format!("tree: {} on {}", wish.app.name, wish.cluster), wish)
        }
    };
    Some(Asked::Question {
        title: title.into(),
        empty: "It is gone from the cluster.",
        question: Question::Tree(wish),
    })
}

/// The trees of all workloads of an application; none when no object of it is known.
pub(super) fn trunk_wish(app: &AppRef, ctx: &Ctx<'_>) -> Option<TreeWish> {
    wish_of(trunks(app, ctx), ctx)
}

fn wish_of(targets: Vec<WishTarget>, ctx: &Ctx<'_>) -> Option<TreeWish> {
    let first = targets.first()?.clone();
    let roots: Vec<ObjectRef> = targets.into_iter().map(|t| t.object).collect();
    Some(TreeWish {
        namespaces: namespaces(&roots, &first.app, ctx),
        cluster: first.cluster,
        app: first.app,
        roots,
    })
}

/// The workloads of an application; of one that has none, everything. Of what is not judged here the engine names the objects.
fn trunks(app: &AppRef, ctx: &Ctx<'_>) -> Vec<WishTarget> {
    let works = |object: &ObjectRef| runs(object) || &*object.gvk.kind == "CronJob";
    let mut all = objects_of(app, ctx, |_| true);
    if all.is_empty() {
        all = named_by_engine(app, ctx);
    }
    let workloads: Vec<WishTarget> = all.iter().filter(|t| works(&t.object)).cloned().collect();
    if workloads.is_empty() { all } else { workloads }
}

fn named_by_engine(app: &AppRef, ctx: &Ctx<'_>) -> Vec<WishTarget> {
    let (Some(cluster), Some(known)) = (ctx.fleet.cluster_of(app), ctx.fleet.app(app)) else {
        return Vec::new();
    };
    let objects = known.resources.iter().filter(|r| !r.hook).take(EVENTED);
    objects
        .map(|r| WishTarget {
            cluster: cluster.clone(),
            app: app.clone(),
            object: r.object.clone(),
        })
        .collect()
}

/// Where the tree is looked for: the namespaces of the objects, and of the whole application where one of them has none.
fn namespaces(roots: &[ObjectRef], app: &AppRef, ctx: &Ctx<'_>) -> Vec<Name> {
    let mut all: BTreeSet<Name> = roots.iter().map(|o| o.namespace.clone()).collect();
    if all.contains("") {
        let managed = ctx.fleet.resources_of(app).into_iter();
        all.extend(managed.map(|r| r.object.namespace.clone()));
    }
    all.into_iter().filter(|n| !n.is_empty()).collect()
}

fn compare(model: &Model) -> Option<Asked> {
    let ctx = model.ctx();
    let object = model.face()?.object(&ctx)?.object;
    let clusters = holders(&object, &ctx);
    Some(Asked::Question {
        title: format!("compare: {object} on {} clusters", clusters.len()).into(),
        empty: "No cluster that answers has it.",
        question: Question::Compare { object, clusters },
    })
}

/// The server's word on everything that would be reverted, else on the object under the cursor.
fn word(model: &Model) -> Option<Asked> {
    let ctx = model.ctx();
    let face = model.face()?;
    let mut targets = face.wish(&ctx).map_or_else(
        |_| face.object(&ctx).into_iter().collect(),
        |wish| wish.targets,
    );
    targets.truncate(WORDED);
    let title = match targets.as_slice() {
        [] => return None,
        [one] => format!("server's word: {} on {}", one.object, one.cluster),
        many => format!("server's word on {} objects", many.len()),
    };
    Some(Asked::Question {
        title: title.into(),
        empty: "Nothing was asked.",
        question: Question::Word(targets),
    })
}

/// The clusters that answer and where an application manages the object.
fn holders(object: &ObjectRef, ctx: &Ctx<'_>) -> Vec<ClusterId> {
    ctx.rows
        .clusters
        .iter()
        .filter(|row| row.state.is_current())
        .filter(|row| ctx.fleet.resource(&row.id, object).is_some())
        .map(|row| row.id.clone())
        .collect()
}

fn logs(model: &Model) -> Option<Asked> {
    let ctx = model.ctx();
    let face = model.face()?;
    logs_of(log_targets(face, &ctx))
}

fn logs_of(targets: Vec<WishTarget>) -> Option<Asked> {
    let first = targets.first()?;
    let title = match targets.as_slice() {
        [one] => format!("logs: {} on {}", one.object, one.cluster),
        many => format!("logs: {} and {} more", first.object, many.len() - 1),
    };
    Some(Asked::Question {
        title: title.into(),
        empty: "No container of it has written anything.",
        question: Question::Logs(targets),
    })
}

/// The workloads under the cursor: the object itself, with the same object on the other clusters of its group of drift, else all workloads of the
/// application.
fn log_targets(face: &dyn Face, ctx: &Ctx<'_>) -> Vec<WishTarget> {
    if let Some(target) = face.object(ctx).filter(|t| runs(&t.object)) {
        let wished = face.wish(ctx).map(|wish| wish.targets).unwrap_or_default();
        let answers = |t: &WishTarget| {
            ctx.rows
                .cluster(&t.cluster)
                .is_some_and(|row| row.state.is_current())
        };
        let mut targets: Vec<WishTarget> = wished
            .into_iter()
            .filter(|t| t.object.same_object(&target.object) && answers(t))
            .take(LOGGED)
            .collect();
        if targets.is_empty() {
            targets.push(target);
        }
        return targets;
    }
    face.app(ctx)
        .map_or_else(Vec::new, |app| objects_of(&app, ctx, runs))
}

fn runs(object: &ObjectRef) -> bool {
    RUNNING.contains(&&*object.gvk.kind)
}

pub(super) fn objects_of(
    app: &AppRef,
    ctx: &Ctx<'_>,
    wanted: impl Fn(&ObjectRef) -> bool,
) -> Vec<WishTarget> {
    let Some(cluster) = ctx.fleet.cluster_of(app) else {
        return Vec::new();
    };
    ctx.fleet
        .resources_of(app)
        .into_iter()
        .filter(|r| wanted(&r.object))
        .take(EVENTED)
        .map(|r| WishTarget {
            cluster: cluster.clone(),
            app: app.clone(),
            object: r.object.clone(),
        })
        .collect()
}
