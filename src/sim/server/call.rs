//! One request with everything the handlers need to know of it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, Method};
use jiff::Timestamp;
use serde_json::Value;

use super::ServerOptions;
use super::auth::{Ask, Identity};
use super::query::Query;
use super::route::Target;
use super::shape::Shape;
use crate::sim::schema::protobuf;
use crate::sim::store::{
    ApiStatus, Cause, FieldValidation, Key, KindRef, KindSet, Subresource, WriteOptions,
};

/// One request.
pub(crate) struct Call {
    pub(crate) server: Arc<ServerOptions>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) raw_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn now(&self) -> Timestamp {
        (self.server.clock)()
    }

    pub(crate) fn header(&self, name: &HeaderName) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or("")
    }

    pub(crate) fn accept(&self) -> &str {
        self.header(&ACCEPT)
    }

    /// The form the client wants objects in.
    pub(crate) fn shape(&self) -> Result<Shape, ApiStatus> {
        Shape::of(self.accept(), self.query.get("includeObject"))
    }

    /// The host the client called.
    pub(crate) fn host(&self) -> &str {
        self.header(&http::header::HOST)
    }

    /// The body's media type without parameters.
    pub(crate) fn media_type(&self) -> String {
        let whole = self.header(&CONTENT_TYPE);
        let bare = whole.split(';').next().unwrap_or("").trim();
        bare.to_ascii_lowercase()
    }

    /// The body as a document: JSON, or YAML where the media type says so.
    pub(crate) fn document(&self) -> Result<Value, ApiStatus> {
        let media_type = self.media_type();
        if media_type == "application/vnd.kubernetes.protobuf" {
            return protobuf::document(&self.body)
                .map_err(|why| ApiStatus::bad_request(why.to_string()));
        }
        let json = self.body.trim_ascii_start().starts_with(b"{");
        if media_type.ends_with("yaml") && !json {
            return serde_saphyr::from_slice(&self.body)
                .map_err(|e| ApiStatus::bad_request(format!("error decoding YAML: {e}")));
        }
        let known = ["", "application/json", "*/*"].contains(&media_type.as_str())
            || media_type.ends_with("yaml")
            || media_type.ends_with("patch+json");
        if !known {
            return Err(ApiStatus::unsupported_media_type(&[
                "application/json",
                "application/yaml",
                "application/vnd.kubernetes.protobuf",
            ]));
        }
        serde_json::from_slice(&self.body).map_err(|e| self.unreadable(&e))
    }

    fn unreadable(&self, why: &serde_json::Error) -> ApiStatus {
        let why = if why.is_eof() {
            "unexpected end of JSON input".to_owned()
        } else {
            why.to_string()
        };
        if self.method == http::Method::PATCH {
            return ApiStatus::bad_request(format!("error decoding patch: {why}"));
        }
        let shown = match String::from_utf8_lossy(&self.body) {
            body if body.is_empty() => "<empty>".to_owned(),
            body => body.chars().take(200).collect(),
        };
        ApiStatus::bad_request(format!(
            "the object provided is unrecognized: couldn't get version/kind; json parse error: {why} ({shown})"
        ))
    }

    /// The kind of the target and its name.
    pub(crate) fn kind(&self, target: &Target) -> Result<KindRef, ApiStatus> {
        self.server
            .store
            .kind_by_plural(&target.group, &target.version, &target.plural)
            .filter(|kind| kind.namespaced || target.namespace.is_empty())
            .ok_or_else(|| no_resource(&target.group))
    }

    /// The object the target names.
    pub(crate) fn key(kind: KindRef, target: &Target) -> Key {
        Key::new(kind, &target.namespace, &target.name)
    }

    /// 403 unless the user may.
    pub(crate) fn authorize(&self, verb: &str, target: &Target) -> Result<(), ApiStatus> {
        let resource = target.resource();
        let ask = Ask {
            verb,
            group: &target.group,
            resource: &resource,
            namespace: &target.namespace,
            name: &target.name,
        };
        if self.identity.may(&ask) {
            return Ok(());
        }
        Err(self.forbidden(verb, target))
    }

    fn forbidden(&self, verb: &str, target: &Target) -> ApiStatus {
        let place = if target.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{}\"", target.namespace)
        };
        let what = format!(
            "User \"{}\" cannot {verb} resource \"{}\" in API group \"{}\" {place}",
            self.identity.user,
            target.resource(),
            target.group
        );
        ApiStatus::forbidden_resource(&target.group, &target.plural, &target.name, &what)
    }

    /// How a write is meant.
    pub(crate) fn write_options(&self, target: &Target) -> Result<WriteOptions, ApiStatus> {
        let manager = match self.query.get("fieldManager") {
            Some(manager) => manager.to_owned(),
            None => agent(self.header(&USER_AGENT)),
        };
        let mut options = WriteOptions::new(&manager, self.now());
        options.dry_run = self.dry_run()?;
        options.force = self.query.flag("force");
        options.field_validation = match self.query.get("fieldValidation") {
            None | Some("Warn") => FieldValidation::Warn,
            Some("Ignore") => FieldValidation::Ignore,
            Some("Strict") => FieldValidation::Strict,
            Some(other) => {
                return Err(ApiStatus::bad_request(format!(
                    "invalid fieldValidation value: {other}"
                )));
            }
        };
        options.subresource = match target.subresource.as_str() {
            "status" => Subresource::Status,
            "scale" => Subresource::Scale,
            _ => Subresource::None,
        };
        Ok(options)
    }

    /// Whether the request is a dry run.
    pub(crate) fn dry_run(&self) -> Result<bool, ApiStatus> {
        let mut given = self.query.all("dryRun").filter(|v| !v.is_empty());
        match given.next() {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                let cause = Cause::not_supported("dryRun", &format!("[\"{other}\"]"), &["All"]);
                Err(ApiStatus::options(self.options_kind(), &cause))
            }
        }
    }

    /// What the options of this request are called.
    fn options_kind(&self) -> &'static str {
        match self.method {
            http::Method::POST => "CreateOptions",
            http::Method::PATCH => "PatchOptions",
            http::Method::DELETE => "DeleteOptions",
            _ => "UpdateOptions",
        }
    }
}

/// The manager a user agent stands for: what precedes the first slash.
fn agent(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or("");
    let printable: String = name.chars().filter(|c| !c.is_control()).collect();
    let manager: String = printable.chars().take(128).collect();
    if manager.is_empty() {
        "unknown".to_owned()
    } else {
        manager
    }
}

/// The real server has pages of its own only for the groups that are built in.
fn no_resource(group: &str) -> ApiStatus {
    let built_in = KindSet::bare().iter().any(|kind| kind.group == group);
    if built_in {
        ApiStatus::no_such_resource()
    } else {
        ApiStatus::no_page()
    }
}
