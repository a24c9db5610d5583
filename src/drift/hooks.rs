//! What the annotations of a manifest say about how Argo CD syncs it: hook or not, in which phases, in which wave.
//!
//! Rules: gitops-engine's `sync/hook`, `sync/ignore` and `sync/syncwaves`. Helm's hooks count as Argo's.

use serde_json::Value;

/// When a hook runs; `Skip` is no hook, the object is just not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before the sync.
    PreSync,
    /// With the sync.
    Sync,
    /// After the sync.
    PostSync,
    /// When the sync failed.
    SyncFail,
    /// Never.
    Skip,
    /// Before the application is deleted.
    PreDelete,
    /// After the application was deleted.
    PostDelete,
}

impl Hook {
    /// The word in the annotation.
    pub fn word(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
            Self::Skip => "Skip",
            Self::PreDelete => "PreDelete",
            Self::PostDelete => "PostDelete",
        }
    }

    fn of_argo(word: &str) -> Option<Self> {
        [
            Self::PreSync,
            Self::Sync,
            Self::PostSync,
            Self::SyncFail,
            Self::Skip,
            Self::PreDelete,
            Self::PostDelete,
        ]
        .into_iter()
        .find(|hook| hook.word() == word)
    }

    fn of_helm(word: &str) -> Option<Self> {
        match word {
            "crd-install" | "pre-install" | "pre-upgrade" => Some(Self::PreSync),
            "post-install" | "post-upgrade" => Some(Self::PostSync),
            "pre-delete" => Some(Self::PreDelete),
            "post-delete" => Some(Self::PostDelete),
            _ => None,
        }
    }
}

const ARGO: &str = "argocd.argoproj.io/hook";
const HELM: &str = "helm.sh/hook";

/// The hook types that the object names, each once; unknown words name none.
pub fn types(object: &Value) -> Vec<Hook> {
    let words = |key| {
        annotation(object, key)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
    };
    let mut found: Vec<Hook> = words(ARGO).filter_map(Hook::of_argo).collect();
    if found.is_empty() {
        found = words(HELM).filter_map(Hook::of_helm).collect();
    }
    let mut seen = Vec::new();
    found.retain(|hook| {
        let fresh = !seen.contains(hook);
        seen.push(*hook);
        fresh
    });
    found
}

/// Whether the object is a hook. Helm marks CRDs with the same annotation, and they are none.
pub fn is_hook(object: &Value) -> bool {
    if annotation(object, ARGO).is_some() {
        return !is_skipped(object);
    }
    annotation(object, HELM).is_some_and(|word| word != "crd-install")
}

/// Whether the object asks not to be synced at all.
pub fn is_skipped(object: &Value) -> bool {
    types(object) == [Hook::Skip]
}

/// Whether the object is a hook of no known type: it has no sync status and no health.
pub fn is_ignored(object: &Value) -> bool {
    is_hook(object) && types(object).is_empty()
}

/// The phases of a sync in which the object takes part.
pub fn phases(object: &Value) -> Vec<Hook> {
    if is_skipped(object) {
        return Vec::new();
    }
    if !is_hook(object) {
        return vec![Hook::Sync];
    }
    let of_a_sync = |hook: &Hook| {
        matches!(
            hook,
            Hook::PreSync | Hook::Sync | Hook::PostSync | Hook::SyncFail
        )
    };
    types(object).into_iter().filter(of_a_sync).collect()
}

/// Whether the object's `argocd.argoproj.io/sync-options` holds the option, such as `Prune=false`.
pub fn has_sync_option(object: &Value, option: &str) -> bool {
    holds(object, "argocd.argoproj.io/sync-options", option)
}

/// Whether the object's `argocd.argoproj.io/compare-options` holds the option, such as `IgnoreExtraneous`.
pub fn has_compare_option(object: &Value, option: &str) -> bool {
    holds(object, "argocd.argoproj.io/compare-options", option)
}

/// The object's own sync and compare options, one by one as they are written.
pub fn options(object: &Value) -> impl Iterator<Item = &str> {
    let stated = |key| annotation(object, key).unwrap_or_default().split(',');
    let all = stated("argocd.argoproj.io/sync-options")
        .chain(stated("argocd.argoproj.io/compare-options"));
    all.map(str::trim).filter(|option| !option.is_empty())
}

fn holds(object: &Value, key: &str, option: &str) -> bool {
    let stated = annotation(object, key).unwrap_or_default();
    stated.split(',').any(|one| one.trim() == option)
}

/// The wave inside a phase: Argo's annotation, else Helm's weight, else 0.
pub fn wave(object: &Value) -> i64 {
    let number = |key| annotation(object, key)?.parse().ok();
    number("argocd.argoproj.io/sync-wave")
        .or_else(|| number("helm.sh/hook-weight"))
        .unwrap_or(0)
}

fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn with(key: &str, value: &str) -> Value {
        json!({"metadata": {"annotations": {key: value}}})
    }

    #[rstest]
    #[case(with(ARGO, "PreSync,PostSync"), true, false, vec![Hook::PreSync, Hook::PostSync])]
    #[case(with(ARGO, "Skip"), false, false, vec![])]
    #[case(with(ARGO, "nonsense"), true, true, vec![])]
    #[case(with(HELM, "pre-install, pre-upgrade"), true, false, vec![Hook::PreSync])]
    #[case(with(HELM, "crd-install"), false, false, vec![Hook::Sync])]
    #[case(with(HELM, "test"), true, true, vec![])]
    #[case(with(ARGO, "PostDelete"), true, false, vec![])]
    #[case(json!({"metadata": {"annotations": null}}), false, false, vec![Hook::Sync])]
    fn annotations_make_hooks(
        #[case] object: Value,
        #[case] hook: bool,
        #[case] ignored: bool,
        #[case] of_sync: Vec<Hook>,
    ) {
        assert_eq!(
            (is_hook(&object), is_ignored(&object), phases(&object)),
            (hook, ignored, of_sync)
        );
    }

    #[rstest]
    #[case("argocd.argoproj.io/sync-wave", "-5", -5)]
    #[case("helm.sh/hook-weight", "3", 3)]
    #[case("argocd.argoproj.io/sync-wave", "soon", 0)]
    fn waves_are_numbers_or_zero(#[case] key: &str, #[case] value: &str, #[case] want: i64) {
        assert_eq!(wave(&with(key, value)), want);
    }
}
