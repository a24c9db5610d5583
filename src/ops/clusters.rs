//! The connections that planning and running need, as a trait: the program lends its real ones, a test its own.

use std::time::Duration;

use kube::Client;

use super::api::Api;
use crate::domain::{ClusterId, LinkState, Name};

/// The clusters by row name.
pub trait Clusters: Send + Sync {
    /// A client of the row's one acting identity; `None` while there is no connection.
    ///
    /// Its transport lets writes pass only in write mode, and repeats none.
    fn client(&self, cluster: &ClusterId) -> Option<Client>;

    /// The link as it is now.
    fn link(&self, cluster: &ClusterId) -> LinkState;

    /// UID of the namespace kube-system, empty when it is not known.
    fn uid(&self, cluster: &ClusterId) -> Name;

    /// The kubeconfig identity of the row.
    fn identity(&self, cluster: &ClusterId) -> Name;
}

/// A cluster's API server, when there is a connection.
pub(super) fn api(clusters: &dyn Clusters, cluster: &ClusterId, timeout: Duration) -> Option<Api> {
    clusters
        .client(cluster)
        .map(|client| Api::new(client, timeout))
}
