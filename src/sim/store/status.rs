//! `Status`: what the API server answers instead of an object, worded as the real one words it.

use serde_json::{Value, json};

use super::Kind;

/// A failed request, ready to be sent as a `Status` object.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiStatus {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, such as `NotFound`; empty when the server has none.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
    /// `details`, when there are any.
    pub details: Option<Value>,
    /// `metadata.continue` of an expired list.
    pub continue_token: Option<String>,
}

/// The reason of a refusal that is no `Status`.
const PAGE: &str = "page";

/// One entry of `details.causes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Such as `FieldValueInvalid`.
    pub reason: &'static str,
    /// The sentence without the field.
    pub message: String,
    /// The field's path.
    pub field: String,
}

impl Cause {
    /// A field that must be set.
    pub fn required(field: &str, hint: &str) -> Self {
        let message = if hint.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {hint}")
        };
        Self {
            reason: "FieldValueRequired",
            message,
            field: field.to_owned(),
        }
    }

    /// A field whose value cannot be; `shown` is the value as the server prints it.
    pub fn invalid(field: &str, shown: &str, why: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {shown}: {why}"),
            field: field.to_owned(),
        }
    }

    /// A field whose value has the wrong type, as custom resources report it.
    pub fn type_invalid(field: &str, shown: &str, why: &str) -> Self {
        Self {
            reason: "FieldValueTypeInvalid",
            message: format!("Invalid value: {shown}: {why}"),
            field: field.to_owned(),
        }
    }

    /// A value that is not one of the known ones.
    pub fn not_supported(field: &str, shown: &str, known: &[&str]) -> Self {
        let known: Vec<String> = known.iter().map(|k| format!("\"{k}\"")).collect();
        Self {
            reason: "FieldValueNotSupported",
            message: format!(
                "Unsupported value: {shown}: supported values: {}",
                known.join(", ")
            ),
            field: field.to_owned(),
        }
    }

    /// A field that may not be set here.
    pub fn forbidden(field: &str, why: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {why}"),
            field: field.to_owned(),
        }
    }

    fn to_value(&self) -> Value {
        json!({"reason": self.reason, "message": self.message, "field": self.field})
    }
}

impl ApiStatus {
    /// A status with no details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            continue_token: None,
        }
    }

    fn about(mut self, kind: &Kind, name: &str) -> Self {
        let mut details = json!({"kind": kind.plural});
        if !name.is_empty() {
            details["name"] = name.into();
        }
        if !kind.group.is_empty() {
            details["group"] = kind.group.into();
        }
        self.details = Some(details);
        self
    }

    /// 404 for an object.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.group_resource());
        Self::new(404, "NotFound", message).about(kind, name)
    }

    /// 404 for a path that nothing serves.
    pub fn no_such_resource() -> Self {
        let mut status = Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        status.details = Some(json!({}));
        status
    }

    /// 404 for a path of a group the server does not know: plain text, not a `Status`.
    pub fn no_page() -> Self {
        Self::new(404, PAGE, "404 page not found")
    }

    /// Whether it is sent as plain text.
    pub(crate) fn is_page(&self) -> bool {
        self.reason == PAGE
    }

    /// 409: the name is taken.
    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.group_resource());
        Self::new(409, "AlreadyExists", message).about(kind, name)
    }

    /// 409: the resource version is not the current one.
    pub fn stale(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 409 with a reason of its own.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            kind.group_resource()
        );
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// 409 of a delete whose precondition does not hold; the server speaks of the kind here, not of the resource.
    pub fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            kind.qualified_kind()
        );
        let mut status = Self::new(409, "Conflict", message).about(kind, name);
        if let Some(details) = &mut status.details {
            details["kind"] = kind.kind.into();
        }
        status
    }

    /// 409 of server-side apply: other managers own the fields.
    pub fn apply_conflict(message: String, causes: &[Cause]) -> Self {
        let mut status = Self::new(409, "Conflict", message);
        let causes: Vec<Value> = causes.iter().map(Cause::to_value).collect();
        status.details = Some(json!({"causes": causes}));
        status
    }

    /// 422: one or more fields are wrong.
    pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let each: Vec<String> = causes
            .iter()
            .map(|c| format!("{}: {}", c.field, c.message))
            .collect();
        let text = if each.len() == 1 {
            each.concat()
        } else {
            format!("[{}]", each.join(", "))
        };
        let message = format!("{} \"{name}\" is invalid: {text}", kind.qualified_kind());
        let mut status = Self::new(422, "Invalid", message).about(kind, name);
        if let Some(details) = &mut status.details {
            details["kind"] = kind.kind.into();
            details["causes"] = causes.iter().map(Cause::to_value).collect();
        }
        status
    }

    /// 422 of a patch whose result could not be decoded: the server names no object here.
    pub fn invalid_patch(shown: &str, why: &str) -> Self {
        let cause = Cause::invalid("patch", shown, why);
        let message = format!(" \"\" is invalid: patch: {}", cause.message);
        let mut status = Self::new(422, "Invalid", message);
        status.details = Some(json!({"causes": [cause.to_value()]}));
        status
    }

    /// 422 of the options of a request; `options` is such as `PatchOptions`.
    pub fn options(options: &str, cause: &Cause) -> Self {
        let message = format!(
            "{options}.meta.k8s.io \"\" is invalid: {}: {}",
            cause.field, cause.message
        );
        let mut status = Self::new(422, "Invalid", message);
        status.details = Some(json!({
            "group": "meta.k8s.io",
            "kind": options,
            "causes": [cause.to_value()],
        }));
        status
    }

    /// 422: the uid a patch carries is not the object's. The server finds it twice and says it once.
    pub fn foreign_uid(kind: &Kind, name: &str, uid: &str) -> Self {
        let cause = Cause::invalid("metadata.uid", &format!("{uid:?}"), "field is immutable");
        let mut status = Self::invalid(kind, name, std::slice::from_ref(&cause));
        if let Some(details) = &mut status.details {
            details["causes"] = json!([cause.to_value(), cause.to_value()]);
        }
        status
    }

    /// 422 of a replacement that does not say what it replaces; the server speaks of the resource here, not of the kind.
    pub fn unversioned(kind: &Kind, name: &str) -> Self {
        let cause = Cause::invalid(
            "metadata.resourceVersion",
            "0",
            "must be specified for an update",
        );
        let mut status = Self::invalid(kind, name, &[cause]);
        let (named, meant) = (kind.qualified_kind(), kind.group_resource());
        status.message = status.message.replacen(&named, &meant, 1);
        if let Some(details) = &mut status.details {
            details["kind"] = kind.plural.into();
        }
        status
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 403 on a resource; `what` is the sentence that follows the name.
    pub fn forbidden(kind: &Kind, name: &str, what: &str) -> Self {
        Self::forbidden_resource(kind.group, kind.plural, name, what)
    }

    /// 403 on a resource that need not exist.
    pub(crate) fn forbidden_resource(group: &str, plural: &str, name: &str, what: &str) -> Self {
        let dot = if group.is_empty() { "" } else { "." };
        let named = if name.is_empty() {
            String::new()
        } else {
            format!(" \"{name}\"")
        };
        let message = format!("{plural}{dot}{group}{named} is forbidden: {what}");
        let mut status = Self::new(403, "Forbidden", message);
        let mut details = json!({"kind": plural});
        if !name.is_empty() {
            details["name"] = name.into();
        }
        if !group.is_empty() {
            details["group"] = group.into();
        }
        status.details = Some(details);
        status
    }

    /// 403 on a path that is not a resource.
    pub fn forbidden_path(user: &str, verb: &str, path: &str) -> Self {
        let message = format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"");
        let mut status = Self::new(403, "Forbidden", message);
        status.details = Some(json!({}));
        status
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let mut status = Self::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        );
        status.details = Some(json!({}));
        status
    }

    /// 406: none of the accepted media types is served.
    pub fn not_acceptable(served: &[&str]) -> Self {
        let message = format!(
            "only the following media types are accepted: {}",
            served.join(", ")
        );
        Self::new(406, "NotAcceptable", message)
    }

    /// 415: the body's media type is not understood.
    pub fn unsupported_media_type(served: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            served.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 410: the resource version is older than the history; also the body of an in-stream ERROR event.
    pub fn too_old(asked: u64, oldest: u64) -> Self {
        Self::new(
            410,
            "Expired",
            format!("too old resource version: {asked} ({oldest})"),
        )
    }

    /// 410 of a list whose continue token is older than the history.
    pub fn continue_expired(token: String) -> Self {
        let mut status = Self::new(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        );
        status.continue_token = Some(token);
        status
    }

    /// 500 whose reason the server leaves open.
    pub fn unknown_failure(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// 500.
    pub fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        let mut status = Self::new(
            500,
            "InternalError",
            format!("Internal error occurred: {message}"),
        );
        status.details = Some(json!({"causes": [{"message": message}]}));
        status
    }

    /// 503.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", message)
    }

    /// 504: the resource version lies in the future.
    pub fn too_large_version(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut status = Self::new(504, "Timeout", message);
        status.details = Some(json!({
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1
        }));
        status
    }

    /// 429 with the number of seconds the client is asked to wait.
    pub fn too_many_requests(seconds: u32) -> Self {
        let mut status = Self::new(
            429,
            "TooManyRequests",
            "too many requests, please try again later",
        );
        status.details = Some(json!({"retryAfterSeconds": seconds}));
        status
    }

    /// The seconds of `Retry-After`, when the status carries them.
    pub fn retry_after(&self) -> Option<u64> {
        self.details.as_ref()?.get("retryAfterSeconds")?.as_u64()
    }

    /// The object on the wire.
    pub fn to_value(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        if let Some(token) = &self.continue_token {
            status["metadata"] = json!({"continue": token});
        }
        status
    }
}
