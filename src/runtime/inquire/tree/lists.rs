//! Lists of metadata alone, page by page, each kind in each namespace.

use http::Request;
use kube::api::ApiResource;
use serde::Deserialize;

use super::at_once;
use super::catalog::Kind;
use super::grow::{Leaf, Metadata};
use crate::connect::{Connection, Fault, FaultKind, Lane};
use crate::domain::{Gvk, Name, ObjectRef, Safe};
use crate::runtime::inquire::LIMIT;

/// Objects of one page.
const PAGE: usize = 500;
/// Pages of one list; what comes behind them is not looked at, and said so.
const PAGES: usize = 20;
/// A server that cannot give the metadata alone gives the objects.
const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// What the lists brought.
pub(super) struct Lists {
    /// Everything that has an owner.
    pub(super) leaves: Vec<Leaf>,
    /// What was not looked at, in sentences.
    pub(super) remarks: Vec<Safe>,
}

#[derive(Deserialize)]
struct Page {
    metadata: PageInfo,
    /// Null in an empty list of metadata.
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct PageInfo {
    #[serde(default, rename = "continue")]
    next: String,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
}

/// Lists these kinds in these namespaces; kinds without a namespace are listed once.
pub(super) async fn read(connection: &Connection, kinds: &[&Kind], namespaces: &[Name]) -> Lists {
    let places = kinds.iter().flat_map(|kind| {
        let everywhere = (!kind.namespaced).then_some((*kind, None));
        let within = namespaces.iter().filter(|_| kind.namespaced);
        everywhere
            .into_iter()
            .chain(within.map(|namespace| (*kind, Some(&**namespace))))
    });
    let asked = places.map(|(kind, namespace)| async move {
        (kind, list(connection, &kind.resource, namespace).await)
    });
    gather(at_once(asked.collect()).await)
}

fn gather(answers: Vec<(&Kind, Result<Listed, Fault>)>) -> Lists {
    let (mut leaves, mut forbidden, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, answer) in answers {
        match answer {
            Ok(listed) => {
                if listed.cut {
                    let words = format!(
                        "Of the {} only the first {} were looked at.",
                        kind.resource.plural,
                        PAGE * PAGES
                    );
                    remarks.push(words.into());
                }
                leaves.extend(listed.leaves);
            }
            Err(fault) if fault.kind == FaultKind::Forbidden => {
                forbidden.push(kind.resource.plural.clone());
            }
            // Some kinds say that they can be listed and cannot.
            Err(fault) if matches!(fault.kind, FaultKind::NotFound) => {}
            Err(fault) => remarks.push(fault.sentence),
        }
    }
    forbidden.sort();
    forbidden.dedup();
    if !forbidden.is_empty() {
        let words = format!(
            "You may not list {}: what hangs there is not shown.",
            forbidden.join(", ")
        );
        remarks.push(words.into());
    }
    Lists { leaves, remarks }
}

struct Listed {
    leaves: Vec<Leaf>,
    /// Whether there is more.
    cut: bool,
}

async fn list(
    connection: &Connection,
    resource: &ApiResource,
    namespace: Option<&str>,
) -> Result<Listed, Fault> {
    let (mut leaves, mut next) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let page = page(connection, &path(resource, namespace, &next)).await?;
        let owned = page
            .items
            .into_iter()
            .flatten()
            .filter(|item| item.metadata.is_owned());
        leaves.extend(owned.map(|item| leaf(resource, item.metadata)));
        next = page.metadata.next;
        if next.is_empty() {
            return Ok(Listed { leaves, cut: false });
        }
    }
    Ok(Listed { leaves, cut: true })
}

fn path(resource: &ApiResource, namespace: Option<&str>, next: &str) -> String {
    let base = resource.api_version.split_once('/').map_or_else(
        || format!("/api/{}", resource.version),
        |_| format!("/apis/{}", resource.api_version),
    );
    let within = namespace.map_or(String::new(), |n| format!("/namespaces/{n}"));
    let more = if next.is_empty() {
        String::new()
    } else {
        let token: String = form(next);
        format!("&continue={token}")
    };
    format!("{base}{within}/{}?limit={PAGE}{more}", resource.plural)
}

/// A token as a value in a query.
fn form(token: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    token
        .chars()
        .map(|c| match c {
            c if plain(c) => c.to_string(),
            c => format!("%{:02X}", u32::from(c)),
        })
        .collect()
}

async fn page(connection: &Connection, path: &str) -> Result<Page, Fault> {
    let mut request: Request<_> = crate::connect::get(path)?;
    request.headers_mut().insert(
        http::header::ACCEPT,
        http::HeaderValue::from_static(METADATA),
    );
    let bytes = connection.call(Lane::Interactive, request, LIMIT).await?;
    serde_json::from_slice(&bytes).map_err(|e| {
        let sentence = format!(
            "{} answered {path} with something that is no list ({e}); check the server's URL.",
            connection.place()
        );
        Fault::new(FaultKind::Garbage, sentence)
    })
}

fn leaf(resource: &ApiResource, metadata: Metadata) -> Leaf {
    let gvk = Gvk::new(&resource.group, &resource.version, &resource.kind);
    let object = ObjectRef::new(gvk, &metadata.namespace, &metadata.name);
    Leaf::new(object, metadata)
}

#[cfg(test)]
mod tests {
    use kube::core::GroupVersionKind;

    use super::*;

    fn resource(group: &str, kind: &str) -> ApiResource {
        ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind))
    }

    #[test]
    fn paths_name_group_namespace_and_page() {
        assert_eq!(
            path(&resource("apps", "ReplicaSet"), Some("edge"), ""),
            "/apis/apps/v1/namespaces/edge/replicasets?limit=500"
        );
        assert_eq!(
            path(&resource("", "Node"), None, "a+b/c="),
            "/api/v1/nodes?limit=500&continue=a%2Bb%2Fc%3D"
        );
    }

    #[test]
    fn an_empty_list_of_metadata_has_null_for_its_items() {
        let empty = r#"{"kind":"PartialObjectMetadataList","metadata":{"resourceVersion":"41"},"items":null}"#;
        let page: Page = serde_json::from_str(empty).unwrap();
        assert!(page.items.is_none() && page.metadata.next.is_empty());
    }

    #[test]
    fn kinds_that_may_not_be_listed_are_told_together_and_missing_ones_not_at_all() {
        let kind = |name| Kind {
            resource: resource("", name),
            namespaced: true,
        };
        let (secret, pod, other) = (kind("Secret"), kind("Pod"), kind("Binding"));
        let fault = |kind| Err(Fault::new(kind, "no".to_owned()));
        let lists = gather(vec![
            (&secret, fault(FaultKind::Forbidden)),
            (&pod, fault(FaultKind::Forbidden)),
            (&secret, fault(FaultKind::Forbidden)),
            (&other, fault(FaultKind::NotFound)),
        ]);
        assert_eq!(
            lists.remarks,
            [Safe::fixed(
                "You may not list pods, secrets: what hangs there is not shown."
            )]
        );
    }
}
