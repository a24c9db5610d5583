//! The form a client wants objects in: whole, metadata only, or as rows of a table.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use super::table::{Include, TableView, partial, table};
use crate::sim::store::{ApiStatus, KindRef, Listing, Object, empty_of};

/// A form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it is stored.
    #[default]
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
    /// `Table`.
    Table(Include),
}

/// One line of a watch.
pub(crate) struct Frame {
    pub(crate) now: Timestamp,
    /// Whether it is the first of its watch.
    pub(crate) first: bool,
}

impl Shape {
    /// The first form of an `Accept` header that is served. `include` is the `includeObject` parameter.
    ///
    /// # Errors
    /// 406 when none is.
    pub(crate) fn of(accept: &str, include: Option<&str>) -> Result<Self, ApiStatus> {
        if accept.trim().is_empty() {
            return Ok(Self::Whole);
        }
        let mut parts = accept.split(',').map(str::trim);
        parts.find_map(|part| one_of(part, include)).ok_or_else(|| {
            let mut status = ApiStatus::new(
                406,
                "NotAcceptable",
                "406: Not Acceptable\n\nAvailable representations: application/json, application/json;stream=watch",
            );
            status.details = Some(json!({}));
            status
        })
    }

    /// One object.
    pub(crate) fn one(self, code: u16, object: &Object, now: Timestamp) -> Reply {
        let frame = Frame { now, first: true };
        reply::bytes(code, "application/json", self.bytes(object, &frame))
    }

    /// One object as bytes.
    pub(crate) fn bytes(self, object: &Object, frame: &Frame) -> Vec<u8> {
        match self {
            Self::Whole => object.json(),
            Self::Metadata => partial(&object.value()).to_string().into_bytes(),
            Self::Table(include) => {
                let version = object.resource_version.to_string();
                let view = TableView {
                    now: frame.now,
                    headed: frame.first,
                    include,
                };
                let metadata = json!({"resourceVersion": version});
                let table = table(object.key.kind, &[object], &metadata, view);
                table.to_string().into_bytes()
            }
        }
    }

    /// The object of a bookmark: nothing but a version, in the form of the watch.
    pub(crate) fn bookmark(self, kind: KindRef, metadata: &Value) -> Value {
        let version = json!({"resourceVersion": metadata["resourceVersion"]});
        match self {
            Self::Whole => {
                let mut object = empty_of(kind);
                object["metadata"] = metadata.clone();
                object
            }
            Self::Metadata => partial(&json!({"metadata": metadata})),
            Self::Table(_) => json!({
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": version,
                "columnDefinitions": null,
                "rows": [{"cells": [], "object": partial(&json!({"metadata": metadata}))}],
            }),
        }
    }

    /// A list.
    pub(crate) fn many(self, kind: KindRef, listing: &Listing, now: Timestamp) -> Reply {
        let metadata = metadata(kind, listing, self);
        let body = match self {
            Self::Whole => whole_list(kind, listing, &metadata),
            Self::Metadata => {
                let items = listing.items.iter().map(|o| partial(&o.value()));
                let items: Vec<Value> = items.collect();
                let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items});
                list.to_string().into_bytes()
            }
            Self::Table(include) => {
                let objects: Vec<&Object> = listing.items.iter().map(|o| &**o).collect();
                let view = TableView {
                    now,
                    headed: true,
                    include,
                };
                table(kind, &objects, &metadata, view)
                    .to_string()
                    .into_bytes()
            }
        };
        reply::bytes(200, "application/json", body)
    }
}

fn one_of(part: &str, include: Option<&str>) -> Option<Shape> {
    let mut words = part.split(';').map(str::trim);
    if !matches!(words.next()?, "application/json" | "*/*" | "application/*") {
        return None;
    }
    let words: Vec<&str> = words.collect();
    match words.iter().find_map(|w| w.strip_prefix("as=")) {
        None => Some(Shape::Whole),
        Some(_) if !words.contains(&"v=v1") => None,
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Shape::Metadata),
        Some("Table") => Some(Shape::Table(match include {
            Some("Object") => Include::Object,
            Some("None") => Include::None,
            _ => Include::Metadata,
        })),
        Some(_) => None,
    }
}

fn metadata(kind: KindRef, listing: &Listing, shape: Shape) -> Value {
    let mut metadata = json!({"resourceVersion": listing.resource_version.to_string()});
    if kind.custom && shape == Shape::Whole {
        metadata["continue"] = "".into();
    }
    if let Some(token) = &listing.continue_token {
        metadata["continue"] = token.as_str().into();
        if listing.remaining > 0 {
            metadata["remainingItemCount"] = listing.remaining.into();
        }
    }
    metadata
}

/// Lists of built-in kinds leave `kind` and `apiVersion` out of their items, as the real server does.
fn whole_list(kind: KindRef, listing: &Listing, metadata: &Value) -> Vec<u8> {
    let mut body = format!(
        r#"{{"kind":"{}","apiVersion":"{}","metadata":{metadata},"items":["#,
        kind.list_kind(),
        kind.api_version()
    )
    .into_bytes();
    for (i, object) in listing.items.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        if kind.custom {
            body.extend_from_slice(&object.json());
        } else {
            body.extend_from_slice(&object.bare());
        }
    }
    body.extend_from_slice(b"]}");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_gets_a_table_and_a_plain_client_the_object() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(
            Shape::of(kubectl, None).unwrap(),
            Shape::Table(Include::Metadata)
        );
        assert_eq!(
            Shape::of(kubectl, Some("Object")).unwrap(),
            Shape::Table(Include::Object)
        );
        assert_eq!(Shape::of("application/json", None).unwrap(), Shape::Whole);
        assert_eq!(Shape::of("", None).unwrap(), Shape::Whole);
    }

    #[test]
    fn protobuf_falls_back_to_json_only_when_the_client_takes_it() {
        assert_eq!(
            Shape::of("application/vnd.kubernetes.protobuf,application/json", None).unwrap(),
            Shape::Whole
        );
        assert_eq!(
            Shape::of("application/vnd.kubernetes.protobuf", None)
                .unwrap_err()
                .code,
            406
        );
    }

    #[test]
    fn metadata_alone_can_be_asked_for() {
        let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(Shape::of(accept, None).unwrap(), Shape::Metadata);
    }
}
