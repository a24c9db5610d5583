//! One list page and one watch line, as bytes: what stands around the objects is read, the objects themselves stay untouched until decoded.

use std::borrow::Cow;

use futures::{AsyncBufRead, AsyncBufReadExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A line beyond this is no object that an API server stores.
const MAX_LINE: usize = 64 << 20;

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    #[serde(default)]
    pub(super) metadata: PageMeta,
    #[serde(borrow, default)]
    pub(super) items: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
}

impl Page<'_> {
    /// Whether it is a list at all: a proxy's greeting in JSON is none.
    pub(super) fn is_list(&self) -> bool {
        self.items.is_some() || self.kind.as_ref().is_some_and(|k| k.ends_with("List"))
    }
}

/// What a list says of itself.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PageMeta {
    pub(super) resource_version: String,
    #[serde(rename = "continue")]
    pub(super) next: Option<String>,
}

/// One event of a watch.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

/// What an object says of itself, as far as following needs it.
#[derive(Default, Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    metadata: HeadMeta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HeadMeta {
    resource_version: Option<String>,
    annotations: Option<Marks>,
}

/// The only annotation that matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    #[serde(rename = "k8s.io/initial-events-end")]
    end: Option<String>,
}

impl Head {
    pub(super) fn of(object: &RawValue) -> Self {
        serde_json::from_str(object.get()).unwrap_or_default()
    }

    pub(super) fn version(self) -> Option<String> {
        self.metadata.resource_version.filter(|v| !v.is_empty())
    }

    /// Whether everything there was when the watch began has now been sent.
    pub(super) fn ends_beginning(&self) -> bool {
        let marks = self.metadata.annotations.as_ref();
        marks.and_then(|m| m.end.as_deref()) == Some("true")
    }
}

/// The next line with content; `None` at the end of the stream. A line that breaks off at the end counts as the end.
pub(super) async fn line<'b, R: AsyncBufRead + Unpin>(
    stream: &mut R,
    buffer: &'b mut Vec<u8>,
) -> std::io::Result<Option<&'b [u8]>> {
    loop {
        // A watch is silent most of the time, and there are thousands: while it waits it keeps no room for a line.
        *buffer = Vec::new();
        loop {
            let available = stream.fill_buf().await?;
            if available.is_empty() {
                return Ok(None);
            }
            let end = available.iter().position(|b| *b == b'\n');
            let taken = end.map_or(available.len(), |at| at + 1);
            buffer.extend_from_slice(available.get(..taken).unwrap_or_default());
            stream.consume_unpin(taken);
            if end.is_some() {
                break;
            }
            if buffer.len() > MAX_LINE {
                return Err(std::io::Error::other("a line of the watch never ends"));
            }
        }
        if !buffer.trim_ascii().is_empty() {
            return Ok(Some(buffer.trim_ascii()));
        }
    }
}
