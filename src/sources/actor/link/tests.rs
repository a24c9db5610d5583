//! What a row reads as, from the link's clock and what came of the introduction.

use super::*;

const NOW: Duration = Duration::ZERO;

fn up() -> Link {
    Link {
        up: true,
        ever: true,
        ..Link::default()
    }
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "why")
}

fn state(link: &Link, contact: &Contact) -> Option<LinkState> {
    row_state(
        link,
        state_of(link, Some(NOW), NOW, &Slowness::default()),
        contact,
    )
    .map(|(state, _)| state)
}

#[test]
fn nothing_is_said_while_the_first_attempt_is_under_way() {
    assert_eq!(state(&Link::default(), &Contact::Trying), None);
    assert_eq!(state(&up(), &Contact::Trying), None);
}

#[test]
fn an_open_connection_alone_is_not_green_when_the_introduction_failed() {
    for (kind, reads) in [
        (FaultKind::Forbidden, LinkState::Denied),
        (FaultKind::Auth, LinkState::Auth),
        (FaultKind::Garbage, LinkState::Unreachable),
        (FaultKind::Busy { wait: None }, LinkState::Unreachable),
    ] {
        assert_eq!(state(&up(), &Contact::Failed(fault(kind))), Some(reads));
    }
}

#[test]
fn after_contact_the_clock_decides() {
    assert_eq!(state(&up(), &Contact::Made), Some(LinkState::Live));
    let lost = Link {
        up: false,
        fault: Some(fault(FaultKind::Timeout)),
        ..up()
    };
    assert_eq!(state(&lost, &Contact::Made), Some(LinkState::Stale));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_was_merely_closed_gets_a_moment_and_a_silent_one_does_not() {
    let closed = |kind| Link {
        up: false,
        fault: Some(fault(kind)),
        ..up()
    };
    let since = Instant::now();
    assert!(in_grace(&closed(FaultKind::Closed), since));
    assert!(!in_grace(&closed(FaultKind::Timeout), since));
    tokio::time::advance(GRACE).await;
    assert!(!in_grace(&closed(FaultKind::Closed), since));
}

#[test]
fn a_live_row_is_looked_at_when_it_may_read_otherwise_and_any_other_every_second() {
    let limits = Slowness::default();
    let after = |silence| look_again(Some(LinkState::Live), Some(silence), &limits);
    assert_eq!(after(NOW), limits.silence);
    assert_eq!(after(limits.silence.saturating_sub(LOOK * 2)), LOOK * 2);
    assert_eq!(after(limits.silence), LOOK);
    assert_eq!(
        look_again(Some(LinkState::Live), None, &Slowness::never()),
        REST
    );
    for state in [LinkState::Slow, LinkState::Stale, LinkState::Auth] {
        assert_eq!(look_again(Some(state), Some(NOW), &limits), LOOK);
    }
    assert_eq!(look_again(None, None, &limits), LOOK);
}
