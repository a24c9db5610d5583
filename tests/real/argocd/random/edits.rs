//! Draws one edit of one object and makes it: a value in any of the ways that people and programs have, another spelling, a deletion.

use fastrand::Rng;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::piece::{MARK, Piece};
use crate::hunting::draw::{Draw, draw};
use crate::hunting::ledger::content;
use crate::kubectl::Kubectl;
use crate::objects::{api_of, name_of};
use crate::openapi::Type;
use crate::servers::Cluster;
use crate::workshop::{Body, Desk};

/// Draws on one object before it is left alone.
const TRIES: usize = 30;

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// A value was set, added or removed, somewhere in the object.
    Value,
    /// A value was written in other words.
    Respelled,
    /// An edited manifest was applied by `kubectl apply`.
    Applied,
    /// The object was deleted.
    Deleted,
    /// An object that Git does not have was created.
    Created,
}

/// One edit that the server took.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) sort: Sort,
    /// The field manager.
    pub(super) manager: &'static str,
    /// What was meant, for messages.
    pub(super) words: String,
}

/// Where edits are made.
pub(super) struct Place<'p> {
    pub(super) desk: &'p Desk,
    pub(super) cluster: &'static Cluster,
    pub(super) bed: &'static crate::bed::Bed,
}

/// A body for the server, not yet sent.
struct Attempt {
    edit: Edit,
    body: Body,
}

impl Place<'_> {
    /// Draws until the server takes an edit of this object.
    pub(super) async fn disturb(&self, rng: &mut Rng, piece: &mut Piece, of: Type<'_>) {
        if !piece.live.is_null() && rng.u8(..100) < 8 {
            return self.delete(piece).await;
        }
        for _ in 0..TRIES {
            let made = match rng.u8(..100) {
                0..15 => self.apply(rng, piece, of).await,
                15..30 => self.try_write(piece, respell(rng, &piece.live)).await,
                _ => self.try_write(piece, change(rng, piece, of)).await,
            };
            if let Some(edit) = made {
                piece.edits.push(edit);
                return;
            }
        }
    }

    async fn delete(&self, piece: &mut Piece) {
        let api = api_of(&self.desk.client, &piece.wanted).await;
        let name = name_of(&piece.wanted);
        api.delete(&name, &DeleteParams::default()).await.unwrap();
        // A finalizer that an earlier edit left keeps it.
        piece.live = self.desk.get(&piece.path).await.unwrap_or(Value::Null);
        piece.edits.push(Edit {
            sort: Sort::Deleted,
            manager: "nobody",
            words: "deleted".to_owned(),
        });
    }

    async fn try_write(&self, piece: &mut Piece, attempt: Option<Attempt>) -> Option<Edit> {
        let Attempt { edit, body } = attempt?;
        let rehearsed = self.desk.write(&piece.path, edit.manager, &body, true);
        let rehearsed = rehearsed.await.ok()?;
        let idle = content(&rehearsed) == content(&piece.live);
        if (idle && edit.sort == Sort::Value) || is_final(&rehearsed) {
            return None;
        }
        let written = self.desk.write(&piece.path, edit.manager, &body, false);
        piece.live = written.await.unwrap();
        Some(edit)
    }

    /// Somebody applies an edited copy of Git's manifest, with or without Argo CD's mark in it.
    async fn apply(&self, rng: &mut Rng, piece: &mut Piece, of: Type<'_>) -> Option<Edit> {
        let mut copy = piece.wanted.clone();
        let marked = rng.bool();
        if !marked {
            copy["metadata"].as_object_mut()?.remove("annotations");
            copy["metadata"]["annotations"] = piece.annotations.clone();
        }
        let Draw { meant, words, .. } = draw(rng, &copy, &copy, of)?;
        if is_final(&meant) {
            return None;
        }
        let (bed, cluster, text) = (self.bed, self.cluster, meant.to_string());
        let applied = crate::bed::blocking(move || {
            Kubectl::on(bed, cluster, crate::servers::User::Admin)
                .try_run(&["apply", "-f", "-"], &text)
        });
        applied.await.ok()?;
        piece.live = self.desk.get(&piece.path).await.ok()?;
        Some(Edit {
            sort: Sort::Applied,
            manager: "kubectl-client-side-apply",
            words: format!("{words}, marked: {marked}"),
        })
    }
}

/// Nobody can put such an object back without deleting it.
fn is_final(object: &Value) -> bool {
    object["immutable"] == true
}

/// A value changed, added or removed.
fn change(rng: &mut Rng, piece: &Piece, of: Type<'_>) -> Option<Attempt> {
    if piece.live.is_null() {
        return None;
    }
    let Draw {
        editor,
        body,
        words,
        ..
    } = draw(rng, &piece.live, &piece.wanted, of)?;
    let edit = Edit {
        sort: Sort::Value,
        manager: editor.manager(),
        words,
    };
    Some(Attempt { edit, body })
}

/// A quantity in another spelling of the same amount, as another tool would write it.
fn respell(rng: &mut Rng, live: &Value) -> Option<Attempt> {
    let mut found = Vec::new();
    quantities(live, &mut String::new(), &mut found);
    let (pointer, respelled) = rng.choice(found)?;
    let words = format!("{pointer} respelled {respelled}");
    let operation = json!([{ "op": "replace", "path": pointer, "value": respelled }]);
    let edit = Edit {
        sort: Sort::Respelled,
        manager: "kubectl-patch",
        words,
    };
    Some(Attempt {
        edit,
        body: Body::JsonPatch(operation),
    })
}

/// Where quantities stand, and how else they can be written.
fn quantities(value: &Value, pointer: &mut String, found: &mut Vec<(String, String)>) {
    let Some(fields) = value.as_object() else {
        if let Some(items) = value.as_array() {
            below(items.iter().enumerate(), pointer, found);
        }
        return;
    };
    for holder in ["requests", "limits", "averageValue"] {
        let inner = &fields.get(holder).unwrap_or(&Value::Null);
        for (name, text) in inner.as_object().into_iter().flatten() {
            if let Some(other) = text.as_str().and_then(respelled) {
                found.push((format!("{pointer}/{holder}/{name}"), other));
            }
        }
        if let Some(other) = inner.as_str().and_then(respelled) {
            found.push((format!("{pointer}/{holder}"), other));
        }
    }
    below(
        fields.iter().filter(|(name, _)| !name.contains('/')),
        pointer,
        found,
    );
}

fn below<'v, K: std::fmt::Display>(
    inner: impl Iterator<Item = (K, &'v Value)>,
    pointer: &mut String,
    found: &mut Vec<(String, String)>,
) {
    for (step, value) in inner {
        let length = pointer.len();
        pointer.push_str(&format!("/{step}"));
        quantities(value, pointer, found);
        pointer.truncate(length);
    }
}

fn respelled(text: &str) -> Option<String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "" => Some(format!("{}m", number * 1000)),
        "Mi" => Some(format!("{}Ki", number * 1024)),
        "Gi" => Some(format!("{}Mi", number * 1024)),
        "m" => Some(format!("{}u", number * 1000)),
        _ => None,
    }
}

/// An object that Git does not have, made of one that it has.
pub(super) struct Extra {
    pub(super) piece: Piece,
    /// Whether Argo CD is sure to look at it as this Application's.
    pub(super) tracked: bool,
}

impl Place<'_> {
    /// Creates a copy of an object under another name, with one of the marks that copies have.
    pub(super) async fn create(&self, rng: &mut Rng, model: &Piece, app: &str) -> Option<Extra> {
        let (annotations, tracked) = marks(rng, model, app);
        let mut object = model.wanted.clone();
        object["metadata"]["name"] = json!(format!("{}-copy", name_of(&object)));
        object["metadata"]["annotations"] = annotations.clone();
        let manager = rng.choice(["kubectl-create", "config-sync-operator", "helm"])?;
        let path = self.desk.path(&object).await;
        let body = Body::Apply(object.to_string());
        let live = self.desk.write(&path, manager, &body, false).await.ok()?;
        let edit = Edit {
            sort: Sort::Created,
            manager,
            words: annotations.to_string(),
        };
        let piece = Piece {
            deployed: Value::Null,
            annotations,
            live,
            edits: vec![edit],
            ..Piece::new(object, path)
        };
        Some(Extra { piece, tracked })
    }
}

/// The annotations of a copy, and whether they make it this Application's.
fn marks(rng: &mut Rng, model: &Piece, app: &str) -> (Value, bool) {
    let own = json!(model.mark(app, &format!("{}-copy", name_of(&model.wanted))));
    let other = json!(model.mark("auto-other", &format!("{}-copy", name_of(&model.wanted))));
    let all = [
        (json!({}), false),
        (
            json!({ MARK: model.mark(app, &name_of(&model.wanted)) }),
            false,
        ),
        (json!({ MARK: other }), false),
        (json!({ MARK: own }), true),
        (
            json!({ MARK: own, "argocd.argoproj.io/sync-options": "Prune=false" }),
            true,
        ),
        (
            json!({ MARK: own, "argocd.argoproj.io/compare-options": "IgnoreExtraneous" }),
            true,
        ),
        (
            json!({ MARK: own, "argocd.argoproj.io/hook": "PreSync" }),
            false,
        ),
        (json!({ MARK: own, "helm.sh/hook": "test" }), false),
    ];
    rng.choice(all).unwrap_or_default()
}
