//! Rows that turn out to be one cluster: same UID of kube-system, else same server and CA, and the same scope. The row that stands first in
//! the kubeconfig carries them all.

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::{ClusterId, Name};

/// What a row learns of its claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It carries the cluster, with these contexts of other rows beside its own.
    Holds(Vec<Name>),
    /// That row carries it now.
    Yields(ClusterId),
}

/// A row's bid for a cluster.
#[derive(Clone, Debug)]
pub(super) struct Bid {
    /// UID of kube-system, empty when it may not be read.
    pub(super) uid: Name,
    /// The cluster by the kubeconfig alone: server, CA, and the way there.
    pub(super) place: Name,
    /// The namespace it is confined to, empty for the whole cluster.
    pub(super) scope: Name,
    /// The row.
    pub(super) row: ClusterId,
    /// Its place in the kubeconfig.
    pub(super) index: usize,
    /// Its contexts.
    pub(super) contexts: Vec<Name>,
}

/// A cluster that a row holds.
struct Held {
    bid: Bid,
    /// Contexts of rows that yielded.
    extra: Vec<Name>,
    tell: watch::Sender<Claim>,
}

impl Held {
    /// Two different UIDs are two clusters whatever the kubeconfig says; without one of them, server and CA decide.
    fn is_of(&self, bid: &Bid) -> bool {
        let known = !self.bid.uid.is_empty() && !bid.uid.is_empty();
        let same = if known {
            self.bid.uid == bid.uid
        } else {
            self.bid.place == bid.place
        };
        same && self.bid.scope == bid.scope
    }
}

/// All claims of a fleet.
#[derive(Default)]
pub(super) struct Claims(Mutex<Vec<Held>>);

impl Claims {
    /// Bids for a cluster; the receiver tells how it stands now and from then on. A row that bids again, after a restart, keeps what it had.
    pub(super) fn bid(&self, bid: Bid) -> watch::Receiver<Claim> {
        let mut all = self.0.lock();
        let Some(at) = all.iter().position(|held| held.is_of(&bid)) else {
            let (tell, receiver) = watch::channel(Claim::Holds(Vec::new()));
            all.push(Held {
                bid,
                extra: Vec::new(),
                tell,
            });
            return receiver;
        };
        let Some(held) = all.get_mut(at) else {
            // It was found a line ago.
            return watch::channel(Claim::Holds(Vec::new())).1;
        };
        if held.bid.row == bid.row {
            return held.tell.subscribe();
        }
        if held.bid.index < bid.index {
            held.carry(&bid.contexts);
            return watch::channel(Claim::Yields(held.bid.row.clone())).1;
        }
        held.hand_over(bid)
    }
}

impl Held {
    fn carry(&mut self, contexts: &[Name]) {
        for context in contexts {
            if !self.extra.contains(context) {
                self.extra.push(context.clone());
            }
        }
        self.tell.send_replace(Claim::Holds(self.extra.clone()));
    }

    /// A row that stands earlier takes over; the holder so far yields.
    fn hand_over(&mut self, bid: Bid) -> watch::Receiver<Claim> {
        self.tell.send_replace(Claim::Yields(bid.row.clone()));
        let mut extra = self.bid.contexts.clone();
        extra.append(&mut self.extra);
        let (tell, receiver) = watch::channel(Claim::Holds(extra.clone()));
        let uid = if bid.uid.is_empty() {
            self.bid.uid.clone()
        } else {
            bid.uid.clone()
        };
        *self = Self {
            bid: Bid { uid, ..bid },
            extra,
            tell,
        };
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bid(row: &str, index: usize, uid: &str) -> Bid {
        Bid {
            uid: uid.into(),
            place: row.into(),
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
    fn a_later_row_yields_and_its_contexts_are_carried_once() {
        let claims = Claims::default();
        let first = claims.bid(bid("edge-a", 0, "u"));
        for _ in 0..2 {
            let late = claims.bid(bid("edge-b", 1, "u"));
            assert_eq!(*late.borrow(), Claim::Yields("edge-a".into()));
        }
        assert_eq!(*first.borrow(), Claim::Holds(vec!["edge-b".into()]));
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

    #[test]
    fn a_row_that_may_not_read_the_uid_is_told_by_server_and_ca() {
        let at = |place: &str, bid: Bid| Bid {
            place: place.into(),
            ..bid
        };
        for uids in [["u", ""], ["", "u"], ["", ""]] {
            let claims = Claims::default();
            let _first = claims.bid(at("here", bid("edge-a", 0, uids[0])));
            let late = claims.bid(at("here", bid("edge-b", 1, uids[1])));
            assert_eq!(*late.borrow(), Claim::Yields("edge-a".into()), "{uids:?}");
        }
        let claims = Claims::default();
        let _first = claims.bid(at("here", bid("edge-a", 0, "u1")));
        let other = claims.bid(at("here", bid("edge-b", 1, "u2")));
        assert_eq!(*other.borrow(), Claim::Holds(vec![]));
    }

    #[test]
    fn a_row_that_starts_again_holds_what_it_held() {
        let claims = Claims::default();
        claims.bid(bid("edge-a", 0, "u"));
        claims.bid(bid("edge-b", 1, "u"));
        let again = claims.bid(bid("edge-a", 0, "u"));
        assert_eq!(*again.borrow(), Claim::Holds(vec!["edge-b".into()]));
    }
}
