//! One watch under way: its events in order, the version it reached, and what did not decode.

use futures::AsyncBufRead;
use kube::core::Status;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::wire::{self, Event, Head};
use super::{Begin, Failure, Next, Step, Trouble, TroubleKind, Turn, failed, refused};

/// A watch under way.
pub(super) struct Watch<T> {
    /// The version reached; none while a streaming list has not ended.
    version: Option<String>,
    /// What a streaming list has brought so far.
    beginning: Option<Vec<T>>,
    unread: Unread,
    brought: bool,
}

impl<T: DeserializeOwned> Watch<T> {
    pub(super) fn new(begin: Begin<T>) -> Self {
        let (version, beginning) = match begin {
            Begin::From(version) => (Some(version), None),
            Begin::Whole(items) => (None, Some(items)),
        };
        Self {
            version,
            beginning,
            unread: Unread::default(),
            brought: false,
        }
    }

    /// The version to resume from; a beginning that broke off gives none.
    fn reached(&self) -> Option<String> {
        self.version.clone().filter(|_| self.beginning.is_none())
    }

    pub(super) fn next(self) -> Next {
        Next {
            resume: self.reached(),
            brought: self.brought,
        }
    }

    /// The server did not open the watch at all.
    pub(super) fn refused(self, error: &kube::Error) -> Result<Next, Failure> {
        if matches!(error, kube::Error::Api(status) if status.code == 410) {
            return Ok(Next {
                resume: None,
                brought: true,
            });
        }
        Err(failed(error, self.version))
    }

    pub(super) async fn read(
        &mut self,
        turn: &Turn<'_, T>,
        mut stream: impl AsyncBufRead + Unpin,
    ) -> Result<(), Failure> {
        let mut buffer = Vec::new();
        loop {
            let line = wire::line(&mut stream, &mut buffer).await;
            let Some(line) = line.map_err(|e| self.broken(turn, &e))? else {
                return Ok(());
            };
            let event: Event<'_> = serde_json::from_slice(line)
                .map_err(|_| turn.transport("sent a line that is no event", self.reached()))?;
            if !self.take(&event, turn).await? {
                return Ok(());
            }
        }
    }

    fn broken(&self, turn: &Turn<'_, T>, error: &std::io::Error) -> Failure {
        let wrapped = crate::connect::fault::of_error(error, &turn.spec.path);
        Failure {
            trouble: Trouble {
                kind: TroubleKind::Transport,
                message: wrapped.sentence,
            },
            retry_after: None,
            resume: self.reached(),
        }
    }

    /// Takes one event; false when the version is lost and everything must be listed again.
    async fn take(&mut self, event: &Event<'_>, turn: &Turn<'_, T>) -> Result<bool, Failure> {
        if event.kind == "ERROR" {
            return self.error(event.object);
        }
        self.brought = true;
        let head = Head::of(event.object);
        if event.kind == "BOOKMARK" {
            if head.ends_beginning()
                && let Some(items) = self.beginning.take()
            {
                turn.say(Step::Listed(items)).await;
            }
            self.version = head.version().or(self.version.take());
            return Ok(true);
        }
        let object: Option<T> = self.unread.decode(event.object);
        match (object, &mut self.beginning) {
            (Some(object), Some(items)) => items.push(object),
            (Some(object), None) if event.kind == "DELETED" => turn.say(Step::Gone(object)).await,
            (Some(object), None) => turn.say(Step::Changed(object)).await,
            (None, _) => turn.say_unread(&mut self.unread).await,
        }
        self.version = head.version().or(self.version.take());
        Ok(true)
    }

    fn error(&mut self, object: &RawValue) -> Result<bool, Failure> {
        let status: Status = serde_json::from_str(object.get()).unwrap_or_default();
        if status.code == 410 && self.beginning.is_none() {
            self.version = None;
            self.brought = true;
            return Ok(false);
        }
        Err(refused(&status, self.reached()))
    }
}

/// Objects that did not decode, until told.
#[derive(Default)]
pub(super) struct Unread {
    count: usize,
    first: String,
}

impl Unread {
    pub(super) fn decode<T: DeserializeOwned>(&mut self, raw: &RawValue) -> Option<T> {
        let decoded = serde_json::from_str(raw.get());
        if let Err(error) = &decoded
            && self.count == 0
        {
            // The parser's words may quote a value; its place in the object may not.
            self.first = format!("{:?} error at column {}", error.classify(), error.column());
        }
        self.count += usize::from(decoded.is_err());
        decoded.ok()
    }

    /// What to tell of it; starts counting anew.
    pub(super) fn take(&mut self, path: &str) -> Option<Trouble> {
        let Self { count, first } = std::mem::take(self);
        (count > 0).then(|| Trouble {
            kind: TroubleKind::Unreadable,
            message: format!("{count} of {path} cannot be read and are left out ({first}).").into(),
        })
    }
}
