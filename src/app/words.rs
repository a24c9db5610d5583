//! Whose word something is: who says a verdict, who set a field, and what servers said of our verdicts when a person asked, each as long as the
//! verdict that it is about stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::age::moment;
use super::msg::WishTarget;
use crate::domain::{ClusterId, FieldOwner, ObjectRef, Resource, Safe, Verdict, VerdictSource};
use crate::fleet::Fleet;
use crate::ops::{Opinion, ServerWord};

/// The words of one sitting.
#[derive(Debug, Default)]
pub struct Words(BTreeMap<(ClusterId, ObjectRef), (Arc<Verdict>, ServerWord)>);

impl Words {
    /// Takes words about objects as the fleet shows them now.
    pub fn hear(&mut self, said: &[(WishTarget, ServerWord)], fleet: &Fleet) {
        for (target, word) in said {
            if let Some(resource) = fleet.resource(&target.cluster, &target.object) {
                let place = (target.cluster.clone(), target.object.clone());
                let about = Arc::clone(&resource.verdict);
                self.0.insert(place, (about, word.clone()));
            }
        }
    }

    /// The server's word on an object; none once it was judged again.
    pub fn of(&self, cluster: &ClusterId, resource: &Resource) -> Option<&ServerWord> {
        let (about, word) = self.0.get(&(cluster.clone(), resource.object.clone()))?;
        Arc::ptr_eq(about, &resource.verdict).then_some(word)
    }
}

/// Whether the word overrules our verdict: the server's counts.
pub fn overrules(word: &ServerWord) -> bool {
    matches!(
        word.opinion,
        Opinion::ChangesNothing(_) | Opinion::ChangesOthers { .. }
    )
}

/// Who says a verdict.
pub fn says(source: VerdictSource) -> &'static str {
    match source {
        VerdictSource::Computed => "compared by us",
        VerdictSource::Server => "the server's dry run says so",
        VerdictSource::Argo => "Argo CD says so",
        VerdictSource::Flux => "Flux says so",
        VerdictSource::ArgoApi => "compared by us with what Argo CD's API says is wanted",
        VerdictSource::LastApplied => "compared by us with what was last applied",
    }
}

/// Who set a field and when: `kubectl-edit 01:33Z`; a guess carries a question mark.
pub fn owner(owner: Option<&FieldOwner>, inferred: bool, now: Timestamp) -> Safe {
    let Some(owner) = owner else {
        return Safe::fixed("not recorded");
    };
    let guess = if inferred { "?" } else { "" };
    let time = owner
        .time
        .map_or(String::new(), |at| format!(" {}", moment(at, now)));
    format!("{}{guess}{time}", owner.manager).into()
}

/// A revision in the eight characters that people know it by.
pub fn revision(revision: &str) -> Safe {
    let hex = revision.len() >= 12 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    let short = if hex {
        revision.get(..8).unwrap_or(revision)
    } else {
        revision
    };
    Safe::new(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commits_are_shortened() {
        assert_eq!(
            revision("9f31c02aa04c4b7ea3a2a7a53f6fcf4ad1c4c3b2").as_str(),
            "9f31c02a"
        );
        assert_eq!(revision("release-2026.11").as_str(), "release-2026.11");
    }
}
