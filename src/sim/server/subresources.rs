//! Scale, logs, proxies and the finalizing of namespaces: what hangs below an object.

use http::Method;
use serde_json::Value;

use super::call::Call;
use super::objects;
use super::reply::{self, Reply};
use super::route::Target;
use super::{LogLine, LogRequest, ProxyRequest};
use crate::sim::store::value::{at, text};
use crate::sim::store::{ApiStatus, KindRef, scale_of};

/// Answers for a subresource.
pub(crate) fn answer(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    match (kind.plural, target.subresource.as_str(), &call.method) {
        (_, "scale", &Method::GET) if kind.scale => scale(call, kind, target),
        (_, "scale", &Method::PUT | &Method::PATCH) if kind.scale => {
            match call.method {
                Method::PUT => objects::update(call, target)?,
                _ => objects::patch(call, target)?,
            };
            scale(call, kind, target)
        }
        (_, "status", &Method::GET) if kind.status => objects::get(call, target),
        (_, "status", &Method::PUT) if kind.status => objects::update(call, target),
        (_, "status", &Method::PATCH) if kind.status => objects::patch(call, target),
        ("namespaces", "finalize", &Method::PUT) => objects::get(call, target),
        ("pods", "log", &Method::GET) => log(call, kind, target),
        ("services" | "pods", "proxy", _) => proxy(call, kind, target),
        (_, "scale", _) if kind.scale => Err(ApiStatus::method_not_allowed()),
        (_, "status", _) if kind.status => Err(ApiStatus::method_not_allowed()),
        // The real server speaks of the object here, whether or not there is one.
        _ if kind.custom => Err(ApiStatus::not_found(kind, &target.name)),
        _ => Err(ApiStatus::no_such_resource()),
    }
}

/// The document of the object below which this hangs.
fn parent(call: &Call, kind: KindRef, target: &Target) -> Result<Value, ApiStatus> {
    let found = call.server.store.read(&Call::key(kind, target));
    found.ok_or_else(|| ApiStatus::not_found(kind, &target.name))
}

fn scale(call: &Call, kind: KindRef, target: &Target) -> Result<Reply, ApiStatus> {
    let document = parent(call, kind, target)?;
    Ok(reply::json(200, &scale_of(kind, &document)?))
}

/// `[scheme:]name[:port]`.
fn proxy(call: &Call, kind: KindRef, target: &Target) -> Result<Reply, ApiStatus> {
    let parts: Vec<&str> = target.name.split(':').collect();
    let (scheme, name, port) = match parts.as_slice() {
        [name] => ("http", *name, ""),
        [name, port] => ("http", *name, *port),
        [scheme, name, port] => (*scheme, *name, *port),
        _ => {
            return Err(ApiStatus::bad_request(format!(
                "invalid service request \"{}\"",
                target.name
            )));
        }
    };
    let plain = Target {
        name: name.to_owned(),
        ..target.clone()
    };
    let document = parent(call, kind, &plain)?;
    if kind.plural == "services" && !has_port(&document, port) {
        return Err(ApiStatus::unavailable(format!(
            "no service port \"{port}\" found for service \"{name}\""
        )));
    }
    let request = ProxyRequest {
        namespace: target.namespace.clone(),
        name: name.to_owned(),
        pod: kind.plural == "pods",
        scheme: if scheme.is_empty() { "http" } else { scheme }.to_owned(),
        port: port.to_owned(),
        path: format!("/{}", target.rest),
        query: call.raw_query.clone(),
    };
    match call.server.world.proxy(&request) {
        Some(answer) => Ok(reply::bytes(
            answer.status,
            &answer.content_type,
            answer.body,
        )),
        None if request.pod => Err(ApiStatus::unavailable(format!(
            "error trying to reach service: dial tcp: no route to pod \"{name}\""
        ))),
        None => Err(ApiStatus::unavailable(format!(
            "no endpoints available for service \"{}\"",
            target.name
        ))),
    }
}

/// Whether a Service has the port, by name or number; none named means the only one.
fn has_port(service: &Value, port: &str) -> bool {
    let ports = at(service, &["spec", "ports"]).and_then(Value::as_array);
    let ports = ports.map_or(&[] as &[Value], Vec::as_slice);
    if port.is_empty() {
        return ports.len() == 1;
    }
    let number = Some(port.parse::<u64>().unwrap_or(0));
    ports
        .iter()
        .any(|p| text(p, "name") == port || p["port"].as_u64() == number)
}

fn log(call: &Call, kind: KindRef, target: &Target) -> Result<Reply, ApiStatus> {
    let pod = parent(call, kind, target)?;
    let container = container(&pod, &target.name, call.query.get("container"))?;
    let request = LogRequest {
        namespace: target.namespace.clone(),
        pod: target.name.clone(),
        container: container.clone(),
        previous: call.query.flag("previous"),
    };
    let Some(lines) = call.server.world.log(&request) else {
        return Err(ApiStatus::bad_request(format!(
            "container \"{container}\" in pod \"{}\" is waiting to start: ContainerCreating",
            target.name
        )));
    };
    let wanted = Wanted::of(call);
    if call.query.flag("follow") {
        return Ok(follow(call, request, &lines, wanted));
    }
    Ok(reply::bytes(200, "text/plain", wanted.text(&lines)))
}

/// The container meant: the named one, else the only one.
fn container(pod: &Value, name: &str, asked: Option<&str>) -> Result<String, ApiStatus> {
    let containers = at(pod, &["spec", "containers"]).and_then(Value::as_array);
    let names: Vec<&str> = containers
        .into_iter()
        .flatten()
        .map(|c| text(c, "name"))
        .collect();
    match (asked, names.as_slice()) {
        (Some(asked), names) if names.contains(&asked) => Ok(asked.to_owned()),
        (Some(asked), _) => Err(ApiStatus::bad_request(format!(
            "container {asked} is not valid for pod {name}"
        ))),
        (None, [only]) => Ok((*only).to_owned()),
        (None, names) => Err(ApiStatus::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            names.join(" ")
        ))),
    }
}

/// Which part of a log is asked for.
#[derive(Clone, Debug)]
struct Wanted {
    tail: Option<usize>,
    since: Option<jiff::Timestamp>,
    timestamps: bool,
    limit: usize,
}

impl Wanted {
    fn of(call: &Call) -> Self {
        let ago = call
            .query
            .number("sinceSeconds")
            .and_then(|s| i64::try_from(s).ok());
        let since = ago.map(|s| call.now() - jiff::SignedDuration::from_secs(s));
        let exact = call.query.get("sinceTime").and_then(|t| t.parse().ok());
        let size = |name| {
            call.query
                .number(name)
                .and_then(|n| usize::try_from(n).ok())
        };
        Self {
            tail: size("tailLines"),
            since: since.or(exact),
            timestamps: call.query.flag("timestamps"),
            limit: size("limitBytes").unwrap_or(usize::MAX),
        }
    }

    fn text(&self, lines: &[LogLine]) -> String {
        let recent = lines
            .iter()
            .filter(|l| self.since.is_none_or(|s| l.time >= s));
        let recent: Vec<&LogLine> = recent.collect();
        let skip = self.tail.map_or(0, |n| recent.len().saturating_sub(n));
        let mut text = String::new();
        for line in recent.iter().skip(skip) {
            text.push_str(&self.line(line));
        }
        let mut end = self.limit.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    }

    fn line(&self, line: &LogLine) -> String {
        if self.timestamps {
            format!("{} {}\n", line.time, line.text)
        } else {
            format!("{}\n", line.text)
        }
    }
}

/// Sends what there is, then what comes.
fn follow(call: &Call, request: LogRequest, lines: &[LogLine], wanted: Wanted) -> Reply {
    let first = wanted.text(lines);
    super::follow::log(call, request, lines.len(), first, move |line| {
        wanted.line(line)
    })
}
