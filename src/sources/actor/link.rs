//! Keeps one row's link: tells how it stands, makes it again when it is lost, and asks servers that cannot be pinged whether they live.

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::connect::{Backoff, Connection, Fault, FaultKind, Lane, Link, Slowness, state_of};
use crate::domain::{Fact, LinkState, Safe};
use crate::sources::tell::Teller;

/// How often the clock of a link is looked at that is not plainly live. Nothing is sent for it, and nothing drawn, unless something changed.
const LOOK: Duration = Duration::from_secs(1);

/// The longest time for which no clock is looked at.
const REST: Duration = Duration::from_secs(60);

/// A connection that the server merely closed is made again within this time before anybody hears of it.
const GRACE: Duration = Duration::from_millis(1200);

/// The longest wait before a lost link is tried again, at first and after a while.
const EAGER: Duration = Duration::from_secs(4);
const PATIENT: Duration = Duration::from_secs(30);
const EAGER_FOR: Duration = Duration::from_secs(180);

/// The longest wait before refused credentials are tried again by themselves.
const REFUSED: Duration = Duration::from_secs(600);

/// Whether the cluster has introduced itself.
#[derive(Clone, Debug, Default)]
pub(super) enum Contact {
    /// Not yet, and nothing speaks against it.
    #[default]
    Trying,
    /// Not yet, and this is why.
    Failed(Fault),
    /// Yes.
    Made,
}

/// What keeping a link needs.
pub(super) struct Keeper {
    pub(super) connection: Connection,
    pub(super) teller: Teller,
    pub(super) contact: watch::Receiver<Contact>,
    /// Changes when the operator wants the row tried again now.
    pub(super) kicks: watch::Receiver<u64>,
}

/// Keeps the link until dropped.
pub(super) async fn keep(keeper: Keeper) {
    let Keeper {
        connection,
        teller,
        contact,
        kicks,
    } = keeper;
    let telling = tell(&connection, &teller, contact.clone());
    let making = make_again(&connection, contact.clone(), kicks.clone());
    let asking = ask_again(&connection, contact, kicks);
    futures::join!(telling, making, asking, beat(&connection));
}

/// How the row reads, `clock` being what the connection alone says; `None` while there is nothing to say yet.
fn row_state(
    link: &Link,
    clock: LinkState,
    contact: &Contact,
) -> Option<(LinkState, Option<Safe>)> {
    let words = |fault: Option<&Fault>| fault.map(|f| f.sentence.clone());
    match contact {
        Contact::Made => {
            let fault = link.refusal.as_ref().or(link.fault.as_ref());
            Some((clock, told_of(clock, fault)))
        }
        // A server that answers but cannot be talked to is never green.
        Contact::Failed(fault) => Some((fault.link_state(false), words(Some(fault)))),
        Contact::Trying if link.refusal.is_some() => Some((clock, words(link.refusal.as_ref()))),
        Contact::Trying => {
            let fault = link.fault.as_ref().filter(|_| !link.up)?;
            Some((fault.link_state(false), words(Some(fault))))
        }
    }
}

fn told_of(state: LinkState, fault: Option<&Fault>) -> Option<Safe> {
    match (state, fault) {
        (LinkState::Live, _) => None,
        (LinkState::Slow, _) => Some(Safe::fixed("Answers are slow; what is shown is current.")),
        (_, Some(fault)) => Some(fault.sentence.clone()),
        (_, None) => Some(Safe::fixed("No answer to pings; what is shown is old.")),
    }
}

/// Whether the link was merely closed, and so lately that it may be back before anybody notices.
fn in_grace(link: &Link, since: Instant) -> bool {
    let closed = link
        .fault
        .as_ref()
        .is_none_or(|f| f.kind == FaultKind::Closed);
    !link.up && link.ever && closed && since.elapsed() < GRACE
}

/// When the clock of a row is to be looked at again: a live link cannot read as anything else before it has been silent for as long as a slow
/// one, and a call that was slow wakes whoever follows the link. A thousand live rows thus cost a look every few seconds each, and no more.
fn look_again(now: Option<LinkState>, silence: Option<Duration>, limits: &Slowness) -> Duration {
    match now {
        Some(LinkState::Live) => limits
            .silence
            .saturating_sub(silence.unwrap_or_default())
            .clamp(LOOK, REST),
        _ => LOOK,
    }
}

/// Tells the state whenever it changes, and that the cluster was heard of whenever the clock is looked at.
async fn tell(connection: &Connection, teller: &Teller, mut contact: watch::Receiver<Contact>) {
    let mut link_news = connection.link();
    let mut look = Duration::ZERO;
    let limits = if teller.time().is_by_hand() {
        Slowness::never()
    } else {
        Slowness::default()
    };
    let mut told = None;
    let mut heard = 0;
    let mut seen_at: Option<Instant> = None;
    let mut down_since = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(look) => {}
            news = link_news.changed() => if news.is_err() { return },
            news = contact.changed() => if news.is_err() { return },
        }
        let clock = connection.clock();
        let link = link_news.borrow_and_update().clone();
        if link.up {
            down_since = Instant::now();
        }
        if clock.heard() != heard && seen_at.is_none_or(|at| at.elapsed() >= LOOK) {
            heard = clock.heard();
            seen_at = Some(Instant::now());
            teller.tell_heard(clock.silence().unwrap_or_default());
        }
        look = LOOK;
        if in_grace(&link, down_since) {
            continue;
        }
        let state = state_of(&link, clock.silence(), clock.latency(), &limits);
        let now = row_state(&link, state, &contact.borrow());
        let reads = now.as_ref().map(|(state, _)| *state);
        look = look_again(reads, clock.silence(), &limits);
        if now.is_some() && now != told {
            if let Some((state, message)) = now.clone() {
                teller.tell(Fact::Link { state, message });
            }
            told = now;
        }
    }
}

/// Makes a lost link again, whether or not anybody has something to ask: at once, then with growing waits, and now if the operator says so.
async fn make_again(
    connection: &Connection,
    mut contact: watch::Receiver<Contact>,
    mut kicks: watch::Receiver<u64>,
) {
    if !made(&mut contact).await {
        return;
    }
    let mut link = connection.link();
    while link.wait_for(|l| !l.up).await.is_ok() {
        let lost = Instant::now();
        let (mut eager, mut patient) = (
            Backoff::new(Duration::from_millis(250), EAGER),
            Backoff::new(EAGER, PATIENT),
        );
        tokio::time::sleep(Duration::from_millis(100).mul_f64(fastrand::f64())).await;
        while !link.borrow_and_update().up {
            if probe(connection).await.is_ok() {
                break;
            }
            let backoff = if lost.elapsed() < EAGER_FOR {
                &mut eager
            } else {
                &mut patient
            };
            tokio::select! {
                () = tokio::time::sleep(backoff.next(fastrand::f64())) => {}
                // A sender that is gone means that the row ends.
                _ = kicks.changed() => {}
                _ = link.wait_for(|l| l.up) => {}
            }
        }
    }
}

/// Tries refused credentials again when the operator says so, and now and then by itself.
async fn ask_again(
    connection: &Connection,
    mut contact: watch::Receiver<Contact>,
    mut kicks: watch::Receiver<u64>,
) {
    if !made(&mut contact).await {
        return;
    }
    let mut link = connection.link();
    while link.wait_for(|l| l.refusal.is_some()).await.is_ok() {
        let mut backoff = Backoff::new(Duration::from_secs(60), REFUSED);
        while link.borrow_and_update().refusal.is_some() {
            tokio::select! {
                () = tokio::time::sleep(backoff.next(fastrand::f64())) => {}
                kicked = kicks.changed() => if kicked.is_err() { return },
                _ = link.wait_for(|l| l.refusal.is_none()) => continue,
            }
            // What comes of it is in the link.
            let _ = probe(connection).await;
        }
    }
}

/// Waits for the first contact; false when the row ends before.
async fn made(contact: &mut watch::Receiver<Contact>) -> bool {
    let there = contact.wait_for(|c| matches!(c, Contact::Made)).await;
    there.is_ok()
}

/// The smallest question: it needs no right, but good credentials.
async fn probe(connection: &Connection) -> Result<(), Fault> {
    connection
        .get(Lane::Interactive, "/version", 64 << 10)
        .await
        .map(|_| ())
}

/// HTTP/1.1 knows no ping: such a server is asked whenever it has been silent for as long as a ping would wait.
async fn beat(connection: &Connection) {
    let every = connection.timings().ping;
    let mut link = connection.link();
    loop {
        if !connection.needs_heartbeat().await {
            // What a server speaks is known anew with the next connection.
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                news = link.changed() => if news.is_err() { return },
            }
            tokio::time::sleep(every / 2).await;
            continue;
        }
        tokio::time::sleep(every / 2).await;
        let silent = connection.clock().silence().is_some_and(|s| s >= every);
        if silent && connection.clock().link().up {
            connection.heartbeat().await;
        }
    }
}
