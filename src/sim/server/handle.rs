//! From request to answer: faults first, then who asks, then what is asked for.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, DATE, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::auth::Identity;
use super::call::Call;
use super::faults::{Answer, Fault};
use super::query::Query;
use super::reply::{self, Reply};
use super::route::{Route, Target, route};
use super::{ServerOptions, metrics, objects, reviews, subresources, watching};
use crate::sim::discovery::{self, openapi_v2};
use crate::sim::store::ApiStatus;

/// The largest body the server reads, as the real one.
const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// Answers one request.
pub(crate) async fn answer(server: Arc<ServerOptions>, request: Request<Incoming>) -> Reply {
    let fault = server.faults.current();
    if !fault.latency.is_zero() {
        tokio::time::sleep(fault.latency).await;
    }
    let clock = Arc::clone(&server.clock);
    let mut reply = match refused(&fault) {
        Some(status) => reply::status(&status),
        None => match take_apart(server, request).await {
            Ok(call) => dispatch(&call).unwrap_or_else(|s| reply::status(&s)),
            Err(status) => reply::status(&status),
        },
    };
    date(&mut reply, clock() + fault.clock_skew);
    reply
}

fn refused(fault: &Fault) -> Option<ApiStatus> {
    match fault.answer {
        Answer::Sound => None,
        Answer::Unavailable => Some(ApiStatus::unavailable(
            "the server is currently unable to handle the request",
        )),
        Answer::Throttled { seconds } => Some(ApiStatus::too_many_requests(seconds)),
        Answer::Unauthorized => Some(ApiStatus::unauthorized()),
    }
}

/// The server's own idea of the time.
fn date(reply: &mut Reply, now: jiff::Timestamp) {
    let text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&text) {
        reply.headers_mut().insert(DATE, value);
    }
}

/// Reads the body and finds out who asks.
async fn take_apart(
    server: Arc<ServerOptions>,
    request: Request<Incoming>,
) -> Result<Call, ApiStatus> {
    let identity = authenticate(&server, &request)?;
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        let message = format!("limit is {BODY_LIMIT}");
        return Err(ApiStatus::new(413, "RequestEntityTooLarge", message));
    };
    let body: Bytes = body.to_bytes();
    Ok(Call {
        server,
        identity,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        raw_query: parts.uri.query().unwrap_or_default().to_owned(),
        query: Query::parse(parts.uri.query()),
        headers: parts.headers,
        body,
    })
}

/// No token is the anonymous user; a wrong one is refused.
fn authenticate(
    server: &ServerOptions,
    request: &Request<Incoming>,
) -> Result<Arc<Identity>, ApiStatus> {
    let header = request.headers().get(AUTHORIZATION);
    let header = header.and_then(|v| v.to_str().ok()).unwrap_or("");
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => server
            .identities
            .by_token(token.trim())
            .ok_or_else(ApiStatus::unauthorized),
        _ => Ok(Arc::new(Identity::anonymous())),
    }
}

fn dispatch(call: &Call) -> Result<Reply, ApiStatus> {
    let route = route(&call.path);
    if let Route::Resource(target) = route {
        return resource(call, &target);
    }
    let verb = call.method.as_str().to_ascii_lowercase();
    if !call.identity.may_path(&verb, &call.path) {
        return Err(ApiStatus::forbidden_path(
            &call.identity.user,
            &verb,
            &call.path,
        ));
    }
    document(call, &route)
}

/// Answers for what is not a resource.
fn document(call: &Call, route: &Route) -> Result<Reply, ApiStatus> {
    let found = match route {
        Route::Health => return Ok(reply::text(200, "ok")),
        Route::Metrics => return Ok(metrics::answer(call)),
        Route::Version => Some(discovery::version()),
        Route::Roots(named) => return Ok(roots(call, *named)),
        Route::Group(name) => discovery::group(&call.server.store.kinds(), name),
        Route::Resources { group, version } => {
            discovery::resources(&call.server.store.kinds(), group, version)
        }
        Route::OpenApiV2 if call.accept().contains(openapi_v2::PROTOBUF) => {
            return Ok(reply::bytes(
                200,
                openapi_v2::ANSWERED,
                openapi_v2::protobuf(),
            ));
        }
        Route::OpenApiV2 => Some(openapi_v2::json()),
        Route::OpenApi(path) => {
            let made = discovery::once(&call.server.store.kinds(), path, |kinds| {
                match path.as_str() {
                    "" => Some(discovery::index(kinds)),
                    path => discovery::specification(kinds, path),
                }
            });
            let made = made.ok_or_else(ApiStatus::no_page)?;
            return Ok(reply::bytes(200, "application/json", made));
        }
        _ => None,
    };
    let found = found.ok_or_else(ApiStatus::no_page)?;
    Ok(reply::json(200, &found))
}

/// `/api` or `/apis` in the form the client asks for.
fn roots(call: &Call, named: bool) -> Reply {
    let kinds = call.server.store.kinds();
    let unknown = call.server.faults.current().no_aggregated_discovery;
    match discovery::asks_for_aggregated(call.accept()).filter(|_| !unknown) {
        Some(version) => {
            let name = format!("{named} {version}");
            let made = discovery::once(&kinds, &name, |kinds| {
                Some(discovery::aggregated(kinds, !named, version))
            });
            let media_type = format!(
                "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            );
            reply::bytes(200, &media_type, made.unwrap_or_default())
        }
        None if named => reply::json(200, &discovery::groups(&kinds)),
        None => reply::json(200, &discovery::roots(call.host())),
    }
}

fn resource(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let watch = call.query.flag("watch");
    let named = !target.name.is_empty();
    let verb = match (&call.method, named) {
        (&Method::GET, _) if watch => "watch",
        (&Method::GET | &Method::HEAD, true) => "get",
        (&Method::GET | &Method::HEAD, false) => "list",
        (&Method::POST, _) => "create",
        (&Method::PUT, true) => "update",
        (&Method::PATCH, true) => "patch",
        (&Method::DELETE, true) => "delete",
        (&Method::DELETE, false) => "deletecollection",
        _ => return Err(ApiStatus::method_not_allowed()),
    };
    call.authorize(verb, target)?;
    let kind = call.kind(target);
    if let Ok(kind) = &kind
        && kind.review
    {
        return match verb {
            "create" if !named => reviews::answer(call, kind),
            _ => Err(ApiStatus::method_not_allowed()),
        };
    }
    if !target.subresource.is_empty() {
        return subresources::answer(call, target);
    }
    match verb {
        "watch" => watching::watch(call, target),
        "get" => objects::get(call, target),
        "list" => objects::list(call, target),
        "create" if named => Err(ApiStatus::method_not_allowed()),
        "create" => objects::create(call, target),
        "update" => objects::update(call, target),
        "patch" => objects::patch(call, target),
        "delete" => objects::delete(call, target),
        _ => objects::delete_all(call, target),
    }
}
