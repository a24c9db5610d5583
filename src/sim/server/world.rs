//! What lies behind the API server: services to proxy to and pods that log.

use bytes::Bytes;
use jiff::Timestamp;

/// A request through the service or pod proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRequest {
    /// Namespace.
    pub namespace: String,
    /// Service or pod name.
    pub name: String,
    /// Whether `name` is a pod.
    pub pod: bool,
    /// `http` or `https`.
    pub scheme: String,
    /// Port name or number, empty for the only one.
    pub port: String,
    /// Path behind the proxy, with its leading slash.
    pub path: String,
    /// Query string, without `?`.
    pub query: String,
}

/// What the service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyReply {
    /// HTTP status code.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// Whose log is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRequest {
    /// Namespace.
    pub namespace: String,
    /// Pod.
    pub pod: String,
    /// Container.
    pub container: String,
    /// Whether the log of the run before is meant.
    pub previous: bool,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub time: Timestamp,
    /// Its text, without the line end.
    pub text: String,
}

/// What lies behind one API server. The defaults are a cluster whose pods do not answer.
pub trait World: Send + Sync + 'static {
    /// Answers for a service or pod that exists in the store; `None` when none of its endpoints is ready.
    fn proxy(&self, request: &ProxyRequest) -> Option<ProxyReply> {
        let _ = request;
        None
    }

    /// The whole log so far, oldest line first, of a container that exists in the store; `None` when it never ran.
    fn log(&self, request: &LogRequest) -> Option<Vec<LogLine>> {
        let _ = request;
        None
    }
}

/// A world with nothing behind the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyWorld;

impl World for EmptyWorld {}
