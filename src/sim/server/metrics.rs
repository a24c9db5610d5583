//! `/metrics` of the API server itself: the few families an edge console might read.

use std::fmt::Write as _;

use super::call::Call;
use super::reply::{self, Reply};
use crate::sim::discovery::SERVER_VERSION;

/// Answers a scrape.
pub(crate) fn answer(call: &Call) -> Reply {
    let store = &call.server.store;
    let mut text = format!(
        "# HELP kubernetes_build_info A metric with a constant '1' value labeled by the version the server was built from.\n\
         # TYPE kubernetes_build_info gauge\n\
         kubernetes_build_info{{git_version=\"{SERVER_VERSION}\",major=\"1\",minor=\"36\",platform=\"linux/amd64\"}} 1\n\
         # HELP apiserver_storage_objects Number of stored objects at the time of last check split by kind.\n\
         # TYPE apiserver_storage_objects gauge\n"
    );
    for kind in store.kinds().iter().filter(|k| !k.review) {
        let count = store.all(kind, None).len();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "apiserver_storage_objects{{resource=\"{}\"}} {count}",
            kind.group_resource()
        );
    }
    reply::bytes(200, "text/plain; version=0.0.4; charset=utf-8", text)
}
