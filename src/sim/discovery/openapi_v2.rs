//! OpenAPI v2, the least of it: kubectl before 1.29 insists on reading one before it applies, though it decides by v3.

use super::SERVER_VERSION;

/// The media type old clients ask for.
pub(crate) const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/// The same as it is answered: `@` may not stand in a media type.
pub(crate) const ANSWERED: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// A document without definitions, in protobuf: then kubectl goes by the types it was built with.
pub(crate) fn protobuf() -> Vec<u8> {
    let info = [field(1, b"Kubernetes"), field(2, SERVER_VERSION.as_bytes())].concat();
    [
        field(1, b"2.0"),
        field(2, &info),
        field(8, b""),
        field(9, b""),
    ]
    .concat()
}

/// The same in JSON.
pub(crate) fn json() -> serde_json::Value {
    let info = serde_json::json!({"title": "Kubernetes", "version": SERVER_VERSION});
    serde_json::json!({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})
}

/// A length-delimited field of a short message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    // Every part is shorter than 128 bytes, so its length is one byte.
    let length = u8::try_from(bytes.len()).unwrap_or(0);
    let mut out = vec![number << 3 | 2, length];
    out.extend_from_slice(bytes);
    out
}
