//! What servers said of our verdicts when a person asked: their dry runs' words, each as long as the verdict that it is about stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::msg::WishTarget;
use crate::domain::{ClusterId, ObjectRef, Resource, Verdict};
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
