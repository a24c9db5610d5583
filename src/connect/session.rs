//! One identity at one server: the present proof and the connections made with it, renewed before it ends or when it is refused.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Response, StatusCode};
use tokio::sync::Semaphore;

use super::auth::{Auth, Proof};
use super::clock::LinkClock;
use super::dial::Dialer;
use super::exec::Plugins;
use super::fault::{self, Fault, FaultKind};
use super::pool::{Lane, Outgoing, Pool, PoolParts, Reply, Timings};
use super::target::Target;
use super::turns::compute;

/// Sends requests as one identity.
pub(super) struct Session {
    target: Arc<Target>,
    auth: Auth,
    plugins: Arc<Plugins>,
    clock: Arc<LinkClock>,
    dials: Arc<Semaphore>,
    timings: Timings,
    place: Arc<str>,
    present: tokio::sync::Mutex<Option<Present>>,
}

/// What a session is made of.
pub(super) struct SessionParts {
    pub(super) target: Arc<Target>,
    pub(super) plugins: Arc<Plugins>,
    pub(super) dials: Arc<Semaphore>,
    pub(super) timings: Timings,
}

#[derive(Clone)]
struct Present {
    proof: Proof,
    pool: Arc<Pool>,
    /// Serial of the proof whose certificate the pool uses.
    pool_serial: u64,
}

impl Session {
    pub(super) fn new(parts: SessionParts) -> Result<Self, Fault> {
        let place = parts.target.server().to_string();
        Ok(Self {
            auth: Auth::of(&parts.target)?,
            place: place.trim_end_matches('/').into(),
            target: parts.target,
            plugins: parts.plugins,
            clock: Arc::new(LinkClock::new()),
            dials: parts.dials,
            timings: parts.timings,
            present: tokio::sync::Mutex::new(None),
        })
    }

    pub(super) fn clock(&self) -> &Arc<LinkClock> {
        &self.clock
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn timings(&self) -> &Timings {
        &self.timings
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// Sends a request; a refused credential is replaced and the request sent once more.
    pub(super) async fn send(
        &self,
        lane: Lane,
        request: Outgoing,
    ) -> Result<Response<Reply>, Fault> {
        let answer = self.send_as_proven(lane, request).await;
        match &answer {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                let headers = answer.headers();
                self.clock
                    .refused(fault::of_answer(401, headers, &[], &self.place));
            }
            Ok(_) => self.clock.accepted(),
            Err(fault) if fault.is_auth() => self.clock.refused(fault.clone()),
            Err(_) => {}
        }
        answer
    }

    async fn send_as_proven(
        &self,
        lane: Lane,
        request: Outgoing,
    ) -> Result<Response<Reply>, Fault> {
        let present = self.present(None).await?;
        let again = copy(&request);
        let answer = present.send(lane, request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !self.auth.is_renewable() {
            return Ok(answer);
        }
        drop(answer);
        let renewed = self.present(Some(present.proof.serial())).await?;
        renewed.send(lane, again).await
    }

    /// The present proof and connections, made or renewed as needed.
    async fn present(&self, refused: Option<u64>) -> Result<Present, Fault> {
        let mut held = self.present.lock().await;
        if let Some(present) = held.as_ref() {
            let taken = refused.is_none_or(|serial| present.proof.serial() > serial);
            if taken
                && !present.proof.is_ending()
                && !matches!(self.auth, Auth::File { .. } | Auth::Oidc(_))
            {
                return Ok(present.clone());
            }
        }
        let proof = self.auth.proof(&self.plugins, refused).await?;
        let present = self.renew(held.clone(), proof).await;
        if let Ok(present) = &present {
            *held = Some(present.clone());
        }
        present
    }

    /// Keeps the connections where only a header changed; a new certificate needs new ones.
    async fn renew(&self, before: Option<Present>, proof: Proof) -> Result<Present, Fault> {
        let certificate = proof.certificate()?;
        let serial = proof.serial();
        if let Some(before) = before
            && (certificate.is_none() || before.pool_serial == serial)
        {
            return Ok(Present { proof, ..before });
        }
        let certificate = match certificate {
            Some(certificate) => Some(certificate),
            None => self
                .target
                .client_certificate()
                .map_err(|e| self.unusable(&e))?,
        };
        let (target, clock, time) = (
            Arc::clone(&self.target),
            Arc::clone(&self.clock),
            self.timings.connect,
        );
        let prepared = compute(move || Dialer::new(&target, certificate, &clock, time));
        let dialer = prepared
            .await
            .map_err(|_| self.unusable("its TLS settings could not be prepared"))??;
        let pool = Pool::new(PoolParts {
            dialer,
            timings: self.timings,
            clock: Arc::clone(&self.clock),
            dials: Arc::clone(&self.dials),
            place: Arc::clone(&self.place),
        });
        Ok(Present {
            proof,
            pool,
            pool_serial: serial,
        })
    }

    fn unusable(&self, why: &str) -> Fault {
        Fault::new(
            FaultKind::Config,
            format!("{} cannot be used: {why}.", self.place),
        )
    }

    /// Whether the server speaks HTTP/1.1 only, so that it must be asked now and then whether it lives.
    pub(super) async fn needs_heartbeat(&self) -> bool {
        let held = self.present.lock().await;
        held.as_ref().is_some_and(|p| p.pool.speaks_only_http1())
    }

    /// Open HTTP/2 connections.
    pub(super) async fn connections(&self) -> usize {
        let held = self.present.lock().await;
        held.as_ref().map_or(0, |p| p.pool.connections())
    }

    /// Lets the operator log in on the terminal, which the caller has freed. Without a plugin there is nothing to ask.
    pub(super) async fn login(&self) -> Result<(), Fault> {
        match self.auth.plugin() {
            Some(plugin) => self.plugins.login(plugin).await.map(|_| ()),
            None => Err(Fault::new(
                FaultKind::Auth,
                format!(
                    "The user of {} has no credential plugin to log in with; renew its token or certificate in the kubeconfig.",
                    self.place
                ),
            )),
        }
    }

    /// Forgets earlier failures, so that the next request tries everything again.
    pub(super) async fn forgive(&self) {
        if let Some(plugin) = self.auth.plugin() {
            self.plugins.forget_failure(plugin).await;
        }
    }
}

impl Present {
    async fn send(&self, lane: Lane, mut request: Outgoing) -> Result<Response<Reply>, Fault> {
        if let Some(header) = &self.proof.header {
            request.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        self.pool.send(lane, request).await
    }
}

/// The same request once more; its body is a few bytes in memory.
fn copy(request: &Outgoing) -> Outgoing {
    let mut again = http::Request::new(request.body().clone());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    again
}
