//! Which row of the fleet an application's destination is. Pure; the only place that decides it.

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
}

/// One line of the alias table: a hub's destination (URL or name) is this row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Destination URL or name as the hub's applications write it.
    pub destination: String,
    /// A context of the row.
    pub context: String,
}

/// Finds the row that a destination means; `None` is "unmatched" and is shown so.
///
/// In order: the alias table; `https://kubernetes.default.svc` or the name `in-cluster` is the hub itself; URL equality (host case, default port and
/// trailing slash ignored); the cluster's name against context names (`argocd cluster add CONTEXT` stores the context's name); an equal CA, if
/// exactly one row has it. Rows confined to a namespace match only destinations of that namespace, and are preferred then.
pub fn join(
    destination: &Destination,
    hub: &ClusterId,
    rows: &[JoinCandidate],
    secrets: &[HubCluster],
    aliases: &[Alias],
) -> Option<ClusterId> {
    let named = aliases.iter().find(|a| {
        a.destination == *destination.server
            || a.destination == *destination.name && !destination.name.is_empty()
    });
    if let Some(alias) = named {
        return pick(rows, destination, |row| {
            row.contexts.iter().any(|c| **c == *alias.context)
        });
    }
    if &*destination.name == "in-cluster"
        || url_key(&destination.server) == "https://kubernetes.default.svc"
    {
        let hub_server = rows
            .iter()
            .find(|r| r.cluster.as_ref() == Some(hub))
            .map(|r| url_key(&r.server));
        return pick(rows, destination, |row| {
            row.cluster.as_ref() == Some(hub)
                || hub_server
                    .as_ref()
                    .is_some_and(|s| *s == url_key(&row.server))
        })
        .or_else(|| Some(hub.clone()));
    }
    let secret = secrets.iter().find(|s| {
        if destination.server.is_empty() {
            s.name == destination.name
        } else {
            url_key(&s.server) == url_key(&destination.server)
        }
    });
    let server = if destination.server.is_empty() {
        secret.map(|s| s.server.clone()).unwrap_or_default()
    } else {
        destination.server.clone()
    };
    let name = if destination.name.is_empty() {
        secret.map(|s| s.name.clone()).unwrap_or_default()
    } else {
        destination.name.clone()
    };
    let by_url = || {
        if server.is_empty() {
            None
        } else {
            pick(rows, destination, |row| {
                url_key(&row.server) == url_key(&server)
            })
        }
    };
    let by_name = || {
        if name.is_empty() {
            None
        } else {
            pick(rows, destination, |row| row.contexts.contains(&name))
        }
    };
    let by_ca = || {
        secret
            .filter(|s| !s.ca.is_empty())
            .and_then(|s| unique(rows, |row| row.ca == s.ca))
    };
    by_url().or_else(by_name).or_else(by_ca)
}

/// The first fitting row that is confined to the destination's namespace, else the first unconfined one.
fn pick(
    rows: &[JoinCandidate],
    destination: &Destination,
    fits: impl Fn(&JoinCandidate) -> bool,
) -> Option<ClusterId> {
    let confined = rows.iter().find(|r| {
        fits(r) && !r.namespace_scope.is_empty() && r.namespace_scope == destination.namespace
    });
    let whole = || {
        rows.iter()
            .find(|r| fits(r) && r.namespace_scope.is_empty())
    };
    confined.or_else(whole).and_then(|r| r.cluster.clone())
}

fn unique(rows: &[JoinCandidate], fits: impl Fn(&JoinCandidate) -> bool) -> Option<ClusterId> {
    let mut found = rows.iter().filter(|r| fits(r));
    match (found.next(), found.next()) {
        (Some(row), None) => row.cluster.clone(),
        _ => None,
    }
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
        join(d, &"hub-1".into(), rows, secrets, aliases).map(|c| c.to_string())
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
