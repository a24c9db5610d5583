//! What goes back over the wire: JSON, text, `Status`, and the headers the real server sets.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use crate::sim::store::ApiStatus;

/// A body that never fails.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
/// An answer.
pub(crate) type Reply = Response<Body>;

/// Bytes of a media type.
pub(crate) fn bytes(code: u16, media_type: &str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()).boxed_unsync());
    *reply.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    if let Ok(media_type) = HeaderValue::from_str(media_type) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    reply
}

/// A JSON document.
pub(crate) fn json(code: u16, document: &Value) -> Reply {
    bytes(code, "application/json", document.to_string())
}

/// Plain text.
pub(crate) fn text(code: u16, text: impl Into<String>) -> Reply {
    bytes(code, "text/plain; charset=utf-8", text.into())
}

/// A failure.
pub(crate) fn status(status: &ApiStatus) -> Reply {
    if status.is_page() {
        return text(status.code, format!("{}\n", status.message));
    }
    let mut reply = json(status.code, &status.to_value());
    if let Some(seconds) = status.retry_after() {
        reply.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    reply
}

/// Adds one `Warning` header for each sentence.
pub(crate) fn warn(reply: &mut Reply, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            reply.headers_mut().append(http::header::WARNING, value);
        }
    }
}
