//! The form a client wants objects in: whole, metadata only, or as rows of a table.

use jiff::Timestamp;
use serde_json::json;

use super::reply::{self, Reply};
use crate::sim::store::{ApiStatus, KindRef, Listing, Object};

/// A form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it is stored.
    #[default]
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
}

impl Shape {
    /// The first form of an `Accept` header that is served.
    pub(crate) fn of(accept: &str) -> Result<Self, ApiStatus> {
        let _ = accept;
        Ok(Self::Whole)
    }

    /// One object.
    pub(crate) fn one(self, code: u16, object: &Object, _now: Timestamp) -> Reply {
        reply::bytes(code, "application/json", self.bytes(object))
    }

    pub(crate) fn bytes(self, object: &Object) -> Vec<u8> {
        object.json()
    }

    /// A list.
    pub(crate) fn many(self, kind: KindRef, listing: &Listing, _now: Timestamp) -> Reply {
        let mut metadata = json!({"resourceVersion": listing.resource_version.to_string()});
        if let Some(token) = &listing.continue_token {
            metadata["continue"] = token.as_str().into();
            if listing.remaining > 0 {
                metadata["remainingItemCount"] = listing.remaining.into();
            }
        }
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
                body.extend_from_slice(&object.bare);
            }
        }
        body.extend_from_slice(b"]}");
        reply::bytes(200, "application/json", body)
    }
}
