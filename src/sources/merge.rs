//! Rows that turn out to be one cluster: same UID of kube-system, same scope. The row that stands first in the kubeconfig carries them all.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::{ClusterId, Name};

/// What a row learns of its claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It carries the cluster, with the contexts of these rows beside its own.
    Holds(Vec<Name>),
    /// That row carries it now.
    Yields(ClusterId),
}

/// A row's bid for a cluster.
#[derive(Clone, Debug)]
pub struct Bid {
    /// UID of kube-system.
    pub uid: Name,
    /// The namespace it is confined to, empty for the whole cluster.
    pub scope: Name,
    /// The row.
    pub row: ClusterId,
    /// Its place in the kubeconfig.
    pub index: usize,
    /// Its contexts.
    pub contexts: Vec<Name>,
}

struct Held {
    row: ClusterId,
    index: usize,
    contexts: Vec<Name>,
    tell: watch::Sender<Claim>,
}

/// All claims of a fleet.
#[derive(Default)]
pub struct Claims(Mutex<HashMap<(Name, Name), Held>>);

impl Claims {
    /// Bids for a cluster; the receiver tells how it stands now and from then on.
    pub fn bid(&self, bid: Bid) -> watch::Receiver<Claim> {
        let mut held = self.0.lock();
        let key = (bid.uid, bid.scope);
        match held.get_mut(&key) {
            Some(other) if other.row != bid.row && other.index < bid.index => {
                other.contexts.extend(bid.contexts);
                let extra = other.contexts.clone();
                other.tell.send_replace(Claim::Holds(extra));
                watch::channel(Claim::Yields(other.row.clone())).1
            }
            Some(other) if other.row == bid.row => other.tell.subscribe(),
            earlier => {
                let extra = earlier.map(|other| {
                    other.tell.send_replace(Claim::Yields(bid.row.clone()));
                    other.contexts.clone()
                });
                let (tell, receiver) =
                    watch::channel(Claim::Holds(extra.clone().unwrap_or_default()));
                // What a later holder has to carry beside its own contexts: its own and what it took over.
                let contexts = bid
                    .contexts
                    .into_iter()
                    .chain(extra.into_iter().flatten())
                    .collect();
                held.insert(
                    key,
                    Held {
                        row: bid.row,
                        index: bid.index,
                        contexts,
                        tell,
                    },
                );
                receiver
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bid(row: &str, index: usize, uid: &str) -> Bid {
        Bid {
            uid: uid.into(),
            scope: "".into(),
            row: row.into(),
            index,
            contexts: vec![row.into()],
        }
    }

    #[test]
    fn the_first_row_of_the_kubeconfig_holds_whoever_came_first() {
        let claims = Claims::default();
        let early = claims.bid(bid("edge-b", 1, "u"));
        assert_eq!(*early.borrow(), Claim::Holds(vec![]));
        let first = claims.bid(bid("edge-a", 0, "u"));
        assert_eq!(*first.borrow(), Claim::Holds(vec!["edge-b".into()]));
        assert_eq!(*early.borrow(), Claim::Yields("edge-a".into()));
    }

    #[test]
    fn a_later_row_yields_and_its_contexts_are_carried() {
        let claims = Claims::default();
        let first = claims.bid(bid("edge-a", 0, "u"));
        let late = claims.bid(bid("edge-b", 1, "u"));
        assert_eq!(*late.borrow(), Claim::Yields("edge-a".into()));
        assert_eq!(
            *first.borrow(),
            Claim::Holds(vec!["edge-a".into(), "edge-b".into()])
        );
    }

    #[test]
    fn other_clusters_and_other_scopes_are_rows_of_their_own() {
        let claims = Claims::default();
        let a = claims.bid(bid("edge-a", 0, "u1"));
        let b = claims.bid(bid("edge-b", 1, "u2"));
        let c = claims.bid(Bid {
            scope: "ns".into(),
            ..bid("edge-c", 2, "u1")
        });
        for claim in [a, b, c] {
            assert_eq!(*claim.borrow(), Claim::Holds(vec![]));
        }
    }
}
