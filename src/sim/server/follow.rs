//! A log that is followed: new lines are sent as the world writes them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::call::Call;
use super::reply::{self, Reply};
use super::{LogLine, LogRequest, World};

/// How often the world is asked for new lines.
const LOOK_EVERY: Duration = Duration::from_millis(500);

struct Following<F> {
    world: Arc<dyn World>,
    request: LogRequest,
    sent: usize,
    first: Option<String>,
    write: F,
}

/// Sends `first`, then every line beyond the first `sent` ones, until the client goes.
pub(crate) fn log(
    call: &Call,
    request: LogRequest,
    sent: usize,
    first: String,
    write: impl Fn(&LogLine) -> String + Send + 'static,
) -> Reply {
    let following = Following {
        world: Arc::clone(&call.server.world),
        request,
        sent,
        first: Some(first),
        write,
    };
    let body = futures::stream::unfold(following, |mut following| async move {
        let text = following.next().await?;
        Some((
            Ok::<_, Infallible>(Frame::data(Bytes::from(text))),
            following,
        ))
    });
    let mut reply = reply::bytes(200, "text/plain", Bytes::new());
    *reply.body_mut() = StreamBody::new(body).boxed_unsync();
    reply
}

impl<F: Fn(&LogLine) -> String> Following<F> {
    /// The next text; `None` when the container is gone.
    async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take().filter(|t| !t.is_empty()) {
            return Some(first);
        }
        loop {
            let lines = self.world.log(&self.request)?;
            if let Some(new) = lines.get(self.sent..).filter(|new| !new.is_empty()) {
                self.sent = lines.len();
                return Some(new.iter().map(|line| (self.write)(line)).collect());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
