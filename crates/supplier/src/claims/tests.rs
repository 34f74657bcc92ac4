//! Reads like the protocol.

use super::*;

const DUE: Due = Due {
    claim_open: 12,
    claim_close: 20,
    proof_open: 21,
    proof_close: 29,
};

fn id() -> Id {
    "s".to_owned()
}

fn at(stage: Stage) -> Claims {
    let mut claims = Claims::default();
    claims.apply(Event::Tracked {
        session: id(),
        due: DUE,
        stage,
    });
    claims
}

fn block(height: i64) -> Event {
    Event::Block { height }
}

fn failed(is_final: bool) -> Event {
    Event::Failed {
        session: id(),
        why: "no".to_owned(),
        is_final,
    }
}

#[test]
fn a_session_is_closed_claimed_proven_and_paid() {
    let mut claims = at(Stage::Serving);
    assert_eq!(claims.apply(block(11)), []);
    assert_eq!(claims.apply(block(12)), [Effect::Close(id())]);
    assert_eq!(
        claims.apply(Event::Sealed {
            session: id(),
            has_relays: true
        }),
        [
            Effect::Record(id(), Stage::Sealed),
            Effect::Claim {
                sessions: vec![id()],
                deadline: 20
            }
        ]
    );
    assert_eq!(claims.apply(block(13)), []);
    assert_eq!(
        claims.apply(Event::Claimed(id())),
        [Effect::Record(id(), Stage::Claimed)]
    );
    assert_eq!(claims.apply(block(20)), []);
    assert_eq!(
        claims.apply(block(21)),
        [Effect::Prove {
            sessions: vec![id()],
            deadline: 29
        }]
    );
    assert_eq!(
        claims.apply(Event::Proven(id())),
        [Effect::Record(id(), Stage::Proven)]
    );
    assert_eq!(
        claims.apply(block(29)),
        [Effect::Look {
            sessions: vec![id()],
            height: 29
        }]
    );
    assert_eq!(
        claims.apply(Event::Settled(id())),
        [Effect::Record(id(), Stage::Settled)]
    );
    assert_eq!(claims.apply(block(29 + KEEP_BLOCKS)), []);
    assert_eq!(
        claims.apply(block(30 + KEEP_BLOCKS)),
        [Effect::Forget(id())]
    );
}

#[test]
fn a_session_without_relays_is_forgotten() {
    let mut claims = at(Stage::Serving);
    claims.apply(block(12));
    let event = Event::Sealed {
        session: id(),
        has_relays: false,
    };
    assert_eq!(claims.apply(event), [Effect::Forget(id())]);
}

#[test]
fn streams_are_cut_once_two_blocks_before_the_window_closes() {
    let mut claims = at(Stage::Serving);
    claims.apply(block(12));
    assert_eq!(claims.apply(block(17)), []);
    assert_eq!(claims.apply(block(18)), [Effect::Cut(id())]);
    assert_eq!(claims.apply(block(19)), []);
}

#[test]
fn a_failed_claim_is_made_again_at_the_next_block_until_the_window_closes() {
    let mut claims = at(Stage::Sealed);
    assert_eq!(claims.apply(block(14)).len(), 1);
    assert_eq!(claims.apply(failed(false)), []);
    assert_eq!(
        claims.apply(block(15)),
        [Effect::Claim {
            sessions: vec![id()],
            deadline: 20
        }]
    );
    claims.apply(failed(false));
    assert_eq!(claims.apply(block(20)), []);
    let effects = claims.apply(block(21));
    assert!(matches!(
        effects[..],
        [Effect::Record(_, Stage::Lost(_)), Effect::Alert { .. }]
    ));
}

#[test]
fn a_claim_refused_for_good_is_reported_once_and_never_retried() {
    let mut claims = at(Stage::Sealed);
    claims.apply(block(13));
    assert_eq!(claims.apply(failed(true)).len(), 2);
    assert_eq!(claims.apply(failed(true)), []);
    assert_eq!(claims.apply(block(14)), []);
}

#[test]
fn a_restart_between_claim_and_proof_still_proves() {
    let mut claims = at(Stage::Claimed);
    assert_eq!(
        claims.apply(block(24)),
        [Effect::Prove {
            sessions: vec![id()],
            deadline: 29
        }]
    );
}

#[test]
fn a_restart_after_the_proof_window_looks_what_became_of_it() {
    let mut claims = at(Stage::Claimed);
    assert_eq!(
        claims.apply(block(40)),
        [Effect::Look {
            sessions: vec![id()],
            height: 29
        }]
    );
}

#[test]
fn late_news_move_nothing_backwards() {
    let mut claims = at(Stage::Proven);
    assert_eq!(claims.apply(Event::Claimed(id())), []);
    assert_eq!(claims.stage("s"), Some(&Stage::Proven));
}

#[test]
fn sessions_of_one_window_share_a_batch() {
    let mut claims = at(Stage::Sealed);
    claims.apply(Event::Tracked {
        session: "t".to_owned(),
        due: DUE,
        stage: Stage::Sealed,
    });
    let both = Effect::Claim {
        sessions: vec![id(), "t".to_owned()],
        deadline: 20,
    };
    assert_eq!(claims.apply(block(12)), [both]);
}

#[test]
fn a_session_that_could_not_be_sealed_is_closed_again() {
    let mut claims = at(Stage::Serving);
    claims.apply(block(12));
    assert_eq!(claims.apply(failed(false)), []);
    assert_eq!(claims.apply(block(13)), [Effect::Close(id())]);
}

#[test]
fn a_session_found_after_its_window_is_reported() {
    let mut claims = at(Stage::Serving);
    let effects = claims.apply(block(21));
    assert!(matches!(
        effects[..],
        [Effect::Record(_, Stage::Lost(_)), Effect::Alert { .. }]
    ));
}
