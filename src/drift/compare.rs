//! Walks two objects side by side and names where they differ, and in what standing: set by Git, inside something Git sets, or beyond it.
//!
//! Lists are matched the way the API matches them: by their keys, as sets, or in order. Keys come from the built-in schema; for custom
//! resources from the schema that the cluster publishes; without it from the object's own field sets, which show how the API server treats
//! each list; failing all of these, by unique names.

mod list;
mod types;

use serde_json::{Map, Value};

use super::owners::Owners;
use super::path::{Path, Step};
use super::scalar;
use super::schema::Shape;
use crate::domain::ChangeOp;

pub(super) use types::Type;

/// How a difference stands to what Git sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Git sets this value, and live has another or none.
    Set,
    /// Git sets the list, or the one atomic value, that this was added to.
    Inside,
    /// Git sets an empty value that the server may fill.
    Empty,
    /// Git says nothing of it.
    Beyond,
}

/// One place where the two differ.
#[derive(Clone, Debug)]
pub(super) struct Difference<'v> {
    pub(super) path: Path,
    pub(super) op: ChangeOp,
    pub(super) desired: Option<&'v Value>,
    pub(super) live: Option<&'v Value>,
    pub(super) standing: Standing,
    /// The type of the value.
    pub(super) shape: Shape,
    /// The struct that holds the field.
    pub(super) holder: Shape,
}

/// The state of one comparison.
struct Walk<'v, 'o> {
    owners: &'o Owners<'o>,
    path: Path,
    found: Vec<Difference<'v>>,
}

/// What surrounds the values being compared.
#[derive(Clone, Copy)]
struct Here<'s> {
    ty: Type<'s>,
    holder: Shape,
    /// Whether an atomic value is being compared: everything inside is Git's.
    atomic: bool,
}

impl<'s> Here<'s> {
    fn below(self, ty: Type<'s>) -> Self {
        Self {
            ty,
            holder: self.ty.shape,
            atomic: self.atomic || self.ty.is_atomic(),
        }
    }
}

/// Fields of metadata that the server keeps; nobody's drift.
const BOOKKEEPING: [&str; 12] = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
    "clusterName",
];

/// All differences between two objects of one kind, in path order.
pub(super) fn objects<'v>(
    desired: &'v Value,
    live: &'v Value,
    ty: Type<'_>,
    owners: &Owners<'_>,
) -> Vec<Difference<'v>> {
    let mut walk = Walk {
        owners,
        path: Path::root(),
        found: Vec::new(),
    };
    let here = Here {
        ty,
        holder: Shape::UNKNOWN,
        atomic: false,
    };
    if let (Value::Object(desired), Value::Object(live)) = (desired, live) {
        walk.fields(
            desired,
            live,
            here,
            &["apiVersion", "kind", "metadata", "status"],
        );
        let empty = static_empty();
        let part = |object: &'v Map<String, Value>| {
            object
                .get("metadata")
                .and_then(Value::as_object)
                .unwrap_or(empty)
        };
        walk.path.push(Step::Field("metadata".to_owned()));
        let here = here.below(metadata_of(ty.shape));
        walk.fields(part(desired), part(live), here, &BOOKKEEPING);
    }
    walk.found.sort_by_cached_key(|d| d.path.to_string());
    walk.found
}

/// The differences of `status`, as far as Git sets it: it is compared only where an installation asks for it.
pub(super) fn status<'v>(
    desired: &'v Value,
    live: &'v Value,
    ty: Type<'_>,
    owners: &Owners<'_>,
) -> Vec<Difference<'v>> {
    let mut walk = Walk {
        owners,
        path: Path::root().with(Step::Field("status".to_owned())),
        found: Vec::new(),
    };
    let here = Here {
        ty: ty.field("status"),
        holder: Shape::UNKNOWN,
        atomic: false,
    };
    if let Some(desired) = desired.get("status").filter(|s| !s.is_null()) {
        walk.value(desired, live.get("status"), here);
    }
    walk.found
}

fn metadata_of<'s>(shape: Shape) -> Type<'s> {
    Type::built_in(if shape.is_known() {
        shape.field("metadata")
    } else {
        Shape::of_type("apis/meta/v1.ObjectMeta")
    })
}

fn static_empty() -> &'static Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    &EMPTY
}

impl<'v> Walk<'v, '_> {
    /// Compares the fields of two objects, leaving some out.
    fn fields(
        &mut self,
        desired: &'v Map<String, Value>,
        live: &'v Map<String, Value>,
        here: Here<'_>,
        except: &[&str],
    ) {
        for (name, wanted) in desired {
            if except.contains(&name.as_str()) {
                continue;
            }
            let below = here.below(here.ty.field(name));
            self.path.push(Step::Field(name.clone()));
            self.value(wanted, live.get(name), below);
            self.path.pop();
        }
        for (name, own) in live {
            let stated = desired.get(name).is_some();
            if stated || own.is_null() || except.contains(&name.as_str()) {
                continue;
            }
            let below = here.below(here.ty.field(name));
            self.path.push(Step::Field(name.clone()));
            self.unstated(own, below);
            self.path.pop();
        }
    }

    /// Compares a value that Git states with the live one.
    fn value(&mut self, desired: &'v Value, live: Option<&'v Value>, here: Here<'_>) {
        let live = live.filter(|v| !v.is_null());
        match (desired, live) {
            (Value::Null, Some(live)) => self.unstated(live, here),
            (_, None) => {
                if !scalar::is_void(desired, here.ty.shape) {
                    self.report(ChangeOp::Removed, Some(desired), None, Standing::Set, here);
                }
            }
            (Value::Object(wanted), Some(Value::Object(own))) => {
                self.fields(wanted, own, here, &[])
            }
            (Value::Array(_), Some(own @ Value::Array(_))) => self.list(desired, own, here),
            (_, Some(own)) if scalar::same(desired, own, here.ty.shape) => {}
            (_, Some(own)) => {
                let standing = empty_or_set(desired, here.ty.shape);
                self.report(ChangeOp::Changed, Some(desired), Some(own), standing, here);
            }
        }
    }

    /// Live has a value of which Git says nothing.
    fn unstated(&mut self, live: &'v Value, here: Here<'_>) {
        if scalar::is_void(live, here.ty.shape) {
            return;
        }
        // Labels and annotations are everybody's: each is told by itself, with the tool that set it.
        let marks = matches!(self.path.steps(), [Step::Field(metadata), Step::Field(map)]
            if metadata == "metadata" && matches!(map.as_str(), "labels" | "annotations"));
        if let Some(own) = live.as_object().filter(|_| marks) {
            return self.fields(static_empty(), own, here, &[]);
        }
        let standing = if here.atomic {
            Standing::Inside
        } else {
            Standing::Beyond
        };
        self.report(ChangeOp::Added, None, Some(live), standing, here);
    }

    fn report(
        &mut self,
        op: ChangeOp,
        desired: Option<&'v Value>,
        live: Option<&'v Value>,
        standing: Standing,
        here: Here<'_>,
    ) {
        self.found.push(Difference {
            path: self.path.clone(),
            op,
            desired,
            live,
            standing,
            shape: here.ty.shape,
            holder: here.holder,
        });
    }
}

/// A zero that the server cannot tell from nothing may be filled by it; any other value is Git's word.
fn empty_or_set(desired: &Value, shape: Shape) -> Standing {
    let fillable = shape.as_field().is_some_and(|f| !f.pointer && !f.always);
    if fillable && scalar::is_zero(desired) {
        Standing::Empty
    } else {
        Standing::Set
    }
}
