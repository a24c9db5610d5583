//! Which row of the fleet an application's destination is. Pure; the only place that decides it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use super::{ClusterId, Destination, Name};

/// What is known of one row, to match destinations against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinCandidate {
    /// The row's name.
    pub cluster: Option<ClusterId>,
    /// All kubeconfig contexts of the row.
    pub contexts: Vec<Name>,
    /// The API server's URL as the kubeconfig names it.
    pub server: Name,
    /// Hash of the CA bundle, empty when there is none.
    pub ca: Name,
    /// The namespace the row is confined to, empty for the whole cluster.
    pub namespace_scope: Name,
}

/// One cluster Secret of a hub, as far as it may be read: no credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubCluster {
    /// `data.name`.
    pub name: Name,
    /// `data.server`, trailing slash trimmed.
    pub server: Name,
    /// Hash of the CA bundle in `data.config`, empty when there is none.
    pub ca: Name,
    /// Whether it is annotated `argocd.argoproj.io/skip-reconcile`.
    pub skip_reconcile: bool,
    /// `metadata.labels` that people set: what ApplicationSets choose clusters by, such as `region`.
    pub labels: Vec<(Name, Name)>,
}

/// One line of the alias table: a hub's destination (URL or name) is this row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Destination URL or name as the hub's applications write it.
    pub destination: String,
    /// A context of the row.
    pub context: String,
}

/// Rows in the forms in which they are looked for: a fleet of a thousand has ten thousand destinations to find.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    rows: Vec<JoinCandidate>,
    clusters: HashMap<ClusterId, usize>,
    urls: HashMap<String, Vec<usize>>,
    contexts: HashMap<Name, Vec<usize>>,
    cas: HashMap<Name, Vec<usize>>,
}

impl FromIterator<JoinCandidate> for Directory {
    fn from_iter<I: IntoIterator<Item = JoinCandidate>>(rows: I) -> Self {
        let mut all = Self::default();
        for (i, row) in rows.into_iter().enumerate() {
            if let Some(cluster) = &row.cluster {
                all.clusters.entry(cluster.clone()).or_insert(i);
            }
            all.urls.entry(url_key(&row.server)).or_default().push(i);
            for context in &row.contexts {
                all.contexts.entry(context.clone()).or_default().push(i);
            }
            if !row.ca.is_empty() {
                all.cas.entry(row.ca.clone()).or_default().push(i);
            }
            all.rows.push(row);
        }
        all
    }
}

impl Directory {
    /// Finds the row that a destination means; `None` is "unmatched" and is shown so.
    ///
    /// In order: the alias table; `https://kubernetes.default.svc` or the name `in-cluster` is the hub itself; URL equality (host case, default port
    /// and trailing slash ignored); the cluster's name against context names (`argocd cluster add CONTEXT` stores the context's name); an equal CA,
    /// if exactly one row has it. Rows confined to a namespace match only destinations of that namespace, and are preferred then.
    pub fn join(
        &self,
        destination: &Destination,
        hub: &ClusterId,
        secrets: &[HubCluster],
        aliases: &[Alias],
    ) -> Option<ClusterId> {
        let named = aliases.iter().find(|a| {
            a.destination == *destination.server
                || a.destination == *destination.name && !destination.name.is_empty()
        });
        if let Some(alias) = named {
            return self.pick(&self.contexts, alias.context.as_str(), destination);
        }
        if &*destination.name == "in-cluster"
            || url_key(&destination.server) == "https://kubernetes.default.svc"
        {
            return Some(self.itself(hub, destination).unwrap_or_else(|| hub.clone()));
        }
        let secret = secret_of(destination, secrets);
        let server = match secret {
            Some(secret) if destination.server.is_empty() => &secret.server,
            _ => &destination.server,
        };
        let name = match secret {
            Some(secret) if destination.name.is_empty() => &secret.name,
            _ => &destination.name,
        };
        let by_url = || {
            let key = (!server.is_empty()).then(|| url_key(server))?;
            self.pick(&self.urls, &key, destination)
        };
        let by_name = || self.pick(&self.contexts, &**name, destination);
        let by_ca = || {
            let rows = self.cas.get(&secret?.ca)?;
            let [only] = rows.as_slice() else { return None };
            self.rows.get(*only)?.cluster.clone()
        };
        by_url()
            .or_else(|| by_name().filter(|_| !name.is_empty()))
            .or_else(by_ca)
    }

    /// The row of the hub itself: its own, or one of the same server that fits better.
    fn itself(&self, hub: &ClusterId, destination: &Destination) -> Option<ClusterId> {
        let own = self.rows.get(*self.clusters.get(hub)?)?;
        self.pick(&self.urls, &url_key(&own.server), destination)
    }

    /// The first row under a key that is confined to the destination's namespace, else the first unconfined one.
    fn pick<K: Borrow<Q> + Eq + Hash, Q: Eq + Hash + ?Sized>(
        &self,
        index: &HashMap<K, Vec<usize>>,
        key: &Q,
        destination: &Destination,
    ) -> Option<ClusterId> {
        let rows = index.get(key)?.iter().filter_map(|i| self.rows.get(*i));
        let confined = rows
            .clone()
            .find(|r| !r.namespace_scope.is_empty() && r.namespace_scope == destination.namespace);
        let whole = || rows.clone().find(|r| r.namespace_scope.is_empty());
        confined.or_else(whole).and_then(|r| r.cluster.clone())
    }
}

/// The cluster Secret that a destination means: one of the very same URL before one that spells it otherwise.
fn secret_of<'s>(destination: &Destination, secrets: &'s [HubCluster]) -> Option<&'s HubCluster> {
    if destination.server.is_empty() {
        return secrets.iter().find(|s| s.name == destination.name);
    }
    let same = secrets.iter().find(|s| s.server == destination.server);
    same.or_else(|| {
        let key = url_key(&destination.server);
        secrets.iter().find(|s| url_key(&s.server) == key)
    })
}

/// A URL in the form in which two spellings of one server are equal: host in lower case, no default port, no trailing slash.
pub fn url_key(url: &str) -> String {
    let trimmed = url.trim_end_matches('/');
    let Some((scheme, rest)) = trimmed.split_once("://") else {
        return trimmed.to_ascii_lowercase();
    };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let scheme = scheme.to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, server: &str) -> JoinCandidate {
        JoinCandidate {
            cluster: Some(name.into()),
            contexts: vec![name.into()],
            server: server.into(),
            ..JoinCandidate::default()
        }
    }

    fn to(server: &str, name: &str) -> Destination {
        Destination {
            server: server.into(),
            name: name.into(),
            namespace: "edge".into(),
        }
    }

    fn found(
        d: &Destination,
        rows: &[JoinCandidate],
        secrets: &[HubCluster],
        aliases: &[Alias],
    ) -> Option<String> {
        let rows: Directory = rows.iter().cloned().collect();
        rows.join(d, &"hub-1".into(), secrets, aliases)
            .map(|c| c.to_string())
    }

    #[test]
    fn urls_match_whatever_their_case_port_and_slash() {
        let rows = [row("edge-oslo-001", "https://Oslo.Example:443/")];
        assert_eq!(
            found(&to("https://oslo.example", ""), &rows, &[], &[]).as_deref(),
            Some("edge-oslo-001")
        );
        assert_eq!(url_key("https://a.example:6443/"), "https://a.example:6443");
        assert_eq!(
            url_key("HTTPS://A.example/k8s/clusters/c-1/"),
            "https://a.example/k8s/clusters/c-1"
        );
    }

    #[test]
    fn the_in_cluster_destination_is_the_hub_itself() {
        let rows = [
            row("hub-1", "https://hub.example"),
            row("edge-oslo-001", "https://oslo.example"),
        ];
        assert_eq!(
            found(&to("https://kubernetes.default.svc", ""), &rows, &[], &[]).as_deref(),
            Some("hub-1")
        );
        assert_eq!(
            found(&to("", "in-cluster"), &rows, &[], &[]).as_deref(),
            Some("hub-1")
        );
    }

    #[test]
    fn a_private_url_is_found_through_the_cluster_secrets_name_or_ca() {
        let mut rows = [
            row("edge-oslo-001", "https://public.example"),
            row("edge-oslo-002", "https://public2.example"),
        ];
        rows[1].ca = "abc".into();
        let by_name = HubCluster {
            name: "edge-oslo-001".into(),
            server: "https://10.0.0.1".into(),
            ..HubCluster::default()
        };
        assert_eq!(
            found(&to("https://10.0.0.1", ""), &rows, &[by_name], &[]).as_deref(),
            Some("edge-oslo-001")
        );
        let by_ca = HubCluster {
            name: "unknown".into(),
            server: "https://10.0.0.2".into(),
            ca: "abc".into(),
            ..HubCluster::default()
        };
        assert_eq!(
            found(&to("https://10.0.0.2", ""), &rows, &[by_ca], &[]).as_deref(),
            Some("edge-oslo-002")
        );
    }

    #[test]
    fn a_ca_shared_by_two_rows_matches_neither() {
        let mut rows = [
            row("edge-oslo-001", "https://a.example"),
            row("edge-oslo-002", "https://b.example"),
        ];
        rows[0].ca = "abc".into();
        rows[1].ca = "abc".into();
        let secret = HubCluster {
            name: "x".into(),
            server: "https://10.0.0.2".into(),
            ca: "abc".into(),
            ..HubCluster::default()
        };
        assert_eq!(
            found(&to("https://10.0.0.2", ""), &rows, &[secret], &[]),
            None
        );
    }

    #[test]
    fn the_alias_table_wins_and_an_unknown_destination_is_unmatched() {
        let rows = [
            row("edge-oslo-001", "https://a.example"),
            row("edge-oslo-002", "https://b.example"),
        ];
        let alias = Alias {
            destination: "https://a.example".into(),
            context: "edge-oslo-002".into(),
        };
        assert_eq!(
            found(&to("https://a.example", ""), &rows, &[], &[alias]).as_deref(),
            Some("edge-oslo-002")
        );
        assert_eq!(
            found(&to("https://nowhere.example", ""), &rows, &[], &[]),
            None
        );
    }

    #[test]
    fn rows_confined_to_a_namespace_are_edges_of_their_own() {
        let mut a = row("edge-ns-a", "https://shared.example");
        a.namespace_scope = "a".into();
        let mut b = row("edge-ns-b", "https://shared.example");
        b.namespace_scope = "edge".into();
        assert_eq!(
            found(&to("https://shared.example", ""), &[a.clone(), b], &[], &[]).as_deref(),
            Some("edge-ns-b")
        );
        assert_eq!(
            found(&to("https://shared.example", ""), &[a], &[], &[]),
            None
        );
    }
}
