//! Which differences count, and who made them.

use serde_json::Value;

use super::Way;
use super::filler::{Filler, is_default_toleration};
use super::reasons;
use crate::domain::{Change, ChangeOp, FieldOwner, Ignored, Verdict};
use crate::drift::compare::{Difference, Standing};
use crate::drift::flux::LeftAlone;
use crate::drift::ignore::{ObjectRules, Removal};
use crate::drift::jq::JqError;
use crate::drift::managers::ManagerClass;
use crate::drift::owners::{Owned, Owners};
use crate::drift::path::Path;
use crate::drift::seal::Marks;

/// Differences sorted into those that count and those that do not.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) changes: Vec<Change>,
    pub(super) ignored: Vec<Ignored>,
    /// Additions beyond Git that a person's tool made; they are among the ignored too.
    pub(super) shadow: Vec<Change>,
    /// Rules that could not be carried out, one sentence each.
    pub(super) problems: Vec<String>,
}

/// Sorts all differences between what Git says and what is live.
pub(super) fn sort(
    differences: &[Difference<'_>],
    owners: &Owners<'_>,
    filler: &Filler<'_>,
    marks: &Marks,
) -> Sorted {
    let mut sorted = Sorted::default();
    for difference in differences {
        let owned = owners.of_path_or_whole(&difference.path);
        match why_not(difference, owned.as_ref(), owners, filler) {
            Some(reason) => {
                if is_shadow(difference, owned.as_ref(), filler) {
                    let change = change(difference, Some(owners), marks);
                    sorted.shadow.push(change);
                }
                sorted.ignored.push(Ignored {
                    path: difference.path.to_string(),
                    reason,
                    owner: owned.map(|o| o.owner),
                });
            }
            None => sorted.changes.push(change(difference, Some(owners), marks)),
        }
    }
    // They stay as long as the object does, in most cases one or two.
    sorted.changes.shrink_to_fit();
    sorted.ignored.shrink_to_fit();
    sorted.shadow.shrink_to_fit();
    sorted
}

/// Whether a person's tool set a field of which Git says nothing, and which the server would not have filled in so.
fn is_shadow(difference: &Difference<'_>, owned: Option<&Owned>, filler: &Filler<'_>) -> bool {
    difference.standing == Standing::Beyond
        && owned.is_some_and(|owned| owned.class == ManagerClass::Human)
        && !reasons::is_last_applied(difference)
        && !filler.fills(difference)
}

/// Why a difference does not count; `None` when it does.
fn why_not(
    difference: &Difference<'_>,
    owned: Option<&Owned>,
    owners: &Owners<'_>,
    filler: &Filler<'_>,
) -> Option<String> {
    match difference.standing {
        Standing::Set if is_default_toleration(difference) => Some(reasons::defaulted()),
        Standing::Set => None,
        Standing::Beyond => Some(reasons::beyond(difference, owned, owners, filler)),
        Standing::Inside | Standing::Empty if filler.fills(difference) => {
            Some(reasons::defaulted())
        }
        // `false` and `0` are words of Git's that the server may have read as nothing, not blanks for a program to fill in.
        Standing::Empty if is_stated(difference.desired) && !is_the_servers(owned) => None,
        Standing::Inside | Standing::Empty => reasons::by_machine(owned, owners),
    }
}

fn is_stated(desired: Option<&Value>) -> bool {
    matches!(desired, Some(Value::Bool(_) | Value::Number(_)))
}

/// Whether nobody but the engine, or nobody at all, is on record: what the server filled in at the engine's own write.
fn is_the_servers(owned: Option<&Owned>) -> bool {
    owned.is_none_or(|o| o.class == ManagerClass::Engine)
}

/// One counted difference as people see it. Without owners it is a difference between two revisions.
pub(super) fn change(
    difference: &Difference<'_>,
    owners: Option<&Owners<'_>>,
    marks: &Marks,
) -> Change {
    let key = shown_under(&difference.path);
    let shown = |value: Option<&Value>| value.map(|v| marks.shown(v, &key));
    let (owner, owner_inferred) = match owners {
        None => (None, false),
        Some(owners) if difference.op == ChangeOp::Removed => remover(owners, &difference.path),
        Some(owners) => (
            owners.of_path_or_whole(&difference.path).map(|o| o.owner),
            false,
        ),
    };
    Change {
        path: difference.path.to_string(),
        op: difference.op,
        desired: shown(difference.desired),
        live: shown(difference.live),
        owner_inferred: owner_inferred && owner.is_some(),
        owner,
    }
}

/// Who removed a field, and whether that is inferred: on record only where somebody else than the engine applied it as nothing, or
/// owns the whole around it.
fn remover(owners: &Owners<'_>, path: &Path) -> (Option<FieldOwner>, bool) {
    let recorded = owners.of_path_or_whole(path);
    match recorded.filter(|o| o.class != ManagerClass::Engine) {
        Some(owned) => (Some(owned.owner), false),
        None => (owners.likely_remover().map(|o| o.owner), true),
    }
}

/// The name that a value's marks are numbered under: its last field.
fn shown_under(path: &Path) -> String {
    path.last_field().unwrap_or_default().to_owned()
}

/// Moves what `resource.compareoptions` leaves out to the ignored ones.
pub(super) fn apply_options(
    sorted: &mut Sorted,
    rules: &ObjectRules<'_>,
    deployed: &Value,
    live: &Value,
) {
    let aggregates = |role: &Value| role.get("aggregationRule").is_some_and(|r| !r.is_null());
    if rules.ignore_aggregated_roles && (aggregates(deployed) || aggregates(live)) {
        let is_rule = |path: &str| path == "rules" || path.starts_with("rules[");
        take(sorted, &reasons::aggregated(), is_rule);
    }
}

/// Moves the changes that a rule covers to the ignored ones; what a rule covers is no shadow drift either.
pub(super) fn apply_rules(
    sorted: &mut Sorted,
    rules: &ObjectRules<'_>,
    deployed: &Value,
    live: &Value,
    way: &Way<'_>,
) {
    if rules.is_empty() || (sorted.changes.is_empty() && sorted.shadow.is_empty()) {
        return;
    }
    let differences = way.differences(deployed, live);
    for manager in rules.managers() {
        let trusted = |path: &str| {
            let found = differences.iter().find(|d| d.path.to_string() == path);
            found.is_some_and(|d| way.owners.holds(manager, &d.path))
        };
        take(sorted, &reasons::trusted(manager), trusted);
    }
    for removal in rules.removals() {
        let Ok(left) = differences_without(removal, deployed, live, way) else {
            sorted.problems.push(reasons::too_long(&removal.text()));
            continue;
        };
        let covered = |path: &str| !left.iter().any(|l| l == path);
        take(sorted, &reasons::rule(removal), covered);
    }
}

/// Nothing counts, because the engine leaves the object alone.
pub(super) fn let_be(verdict: &mut Verdict, why: LeftAlone) {
    let changes = std::mem::take(&mut verdict.changes);
    let ignored = changes.into_iter().map(|change| Ignored {
        path: change.path,
        reason: why.words().to_owned(),
        owner: change.owner,
    });
    verdict.ignored.extend(ignored);
}

fn take(sorted: &mut Sorted, reason: &str, covered: impl Fn(&str) -> bool) {
    let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut sorted.changes)
        .into_iter()
        .partition(|change| covered(&change.path));
    sorted.changes = kept;
    sorted.shadow.retain(|change| !covered(&change.path));
    sorted
        .ignored
        .extend(gone.into_iter().map(|change| Ignored {
            path: change.path,
            reason: reason.to_owned(),
            owner: change.owner,
        }));
}

/// The paths that still differ when what the rule names is taken out of both sides, as Argo CD does.
fn differences_without(
    removal: &Removal,
    deployed: &Value,
    live: &Value,
    way: &Way<'_>,
) -> Result<Vec<String>, JqError> {
    let (mut deployed, mut live) = (deployed.clone(), live.clone());
    removal.apply(&mut deployed)?;
    removal.apply(&mut live)?;
    let left = way.differences(&deployed, &live);
    Ok(left.iter().map(|d| d.path.to_string()).collect())
}

/// Whether the last writer is somebody's hand or a tool nobody knows.
pub(super) fn is_hand(owned: &Owned) -> bool {
    matches!(owned.class, ManagerClass::Human | ManagerClass::Unknown)
}
