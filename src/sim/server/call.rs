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
use crate::sim::store::{ApiStatus, FieldValidation, Key, KindRef, Subresource, WriteOptions};

/// One request.
pub(crate) struct Call {
    pub(crate) server: Arc<ServerOptions>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Query,
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
        let yaml = self.media_type().contains("yaml");
        let parsed = if yaml && !self.body.trim_ascii_start().starts_with(b"{") {
            serde_saphyr::from_slice(&self.body).map_err(|e| e.to_string())
        } else {
            serde_json::from_slice(&self.body).map_err(|e| e.to_string())
        };
        parsed.map_err(|why| {
            ApiStatus::bad_request(format!(
                "the object provided is unrecognized (must be of type application/json): {why}"
            ))
        })
    }

    /// The kind of the target and its name.
    pub(crate) fn kind(&self, target: &Target) -> Result<KindRef, ApiStatus> {
        self.server
            .store
            .kind_by_plural(&target.group, &target.version, &target.plural)
            .filter(|kind| kind.namespaced || target.namespace.is_empty())
            .ok_or_else(ApiStatus::no_such_resource)
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
            Some(other) => Err(ApiStatus::new(
                422,
                "Invalid",
                format!(
                    "UpdateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"{other}\"]: supported values: \"All\""
                ),
            )),
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
