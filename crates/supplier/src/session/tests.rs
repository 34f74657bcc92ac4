//! Reservations, replays, the cap, and what a restart brings back.

use bytes::Bytes;
use crypto::gob;
use crypto::ring::Signer;
use crypto::trie::verify_closest_strict;
use protocol::claim::proof_path;

use super::*;

const COST: u128 = 10;

fn opened(relays: u128) -> Opened {
    Opened {
        application: key(1).public().address().to_bech32(),
        service_id: "millstone".to_owned(),
        session_id: "ab".repeat(32),
        start_height: 1,
        end_height: 10,
        grace_end: 11,
        claim_open: 12,
        claim_close: 20,
        proof_open: 21,
        proof_close: 29,
        compute_units_per_relay: 7,
        target_hash: "ff".repeat(32),
        relay_cost_upokt: COST,
        limit_upokt: COST * relays,
    }
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).unwrap()
}

fn syncer() -> Arc<Syncer> {
    Arc::new(Syncer::default())
}

/// A relay as it is served: signed request, signed response, replay key.
fn relay(opened: &Opened, number: u8) -> (RelayRequest, RelayResponse, [u8; 32]) {
    let payload = Bytes::from(vec![number; 40]);
    let mut request = wire::build_request(opened.header(), "pokt1s", payload);
    let ring = vec![key(1).public(), key(2).public()];
    let message = wire::signable_request(&request);
    let signature = Signer::new(key(2), ring).unwrap().sign(&message).unwrap();
    let replay = ring::replay_key(&message, &signature).unwrap();
    request.meta.signature = signature.into();
    let response = wire::build_response(opened.header(), Bytes::from_static(b"answer")).unwrap();
    (request, signed(response, &key(3)), replay)
}

fn serve(session: &Arc<Session>, number: u8) -> [u8; 32] {
    let (request, response, replay) = relay(&session.opened, number);
    session
        .reserve(replay)
        .unwrap()
        .mine(&request, &response)
        .unwrap()
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    std::fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path()
}

#[test]
fn the_cap_fails_closed_and_a_refund_gives_the_place_back() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(2), folder.path(), &syncer()).unwrap();
    let (_, _, first) = relay(&session.opened, 1);
    let reservation = session.reserve(first).unwrap();
    serve(&session, 2);
    assert_eq!(session.has_room(), Err(Refusal::OverLimit));
    drop(reservation);
    assert_eq!(session.has_room(), Ok(()));
    // Nothing was sent for it, so the same signature may come again.
    drop(session.reserve(first).unwrap());
}

#[test]
fn a_kept_reservation_counts_however_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(1), folder.path(), &syncer()).unwrap();
    let (_, _, replay) = relay(&session.opened, 1);
    let mut reservation = session.reserve(replay).unwrap();
    reservation.keep();
    drop(reservation);
    assert_eq!(session.has_room(), Err(Refusal::OverLimit));
}

#[test]
fn a_signature_is_served_once_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(9), folder.path(), &syncer()).unwrap();
    let (request, response, replay) = relay(&session.opened, 1);
    session
        .reserve(replay)
        .unwrap()
        .mine(&request, &response)
        .unwrap();
    assert_eq!(session.reserve(replay).err(), Some(Refusal::Replayed));
    drop(session);
    let restored = Session::restore(&only_file(folder.path()), &syncer())
        .unwrap()
        .unwrap();
    assert_eq!(
        restored.session.reserve(replay).err(),
        Some(Refusal::Replayed)
    );
    assert_eq!(restored.stage, Stage::Serving);
}

#[test]
fn a_restart_brings_back_meter_relays_root_and_stage() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(3), folder.path(), &syncer()).unwrap();
    serve(&session, 1);
    serve(&session, 2);
    let restored = Session::restore(&only_file(folder.path()), &syncer())
        .unwrap()
        .unwrap();
    assert_eq!(restored.session.relays(), 2);
    serve(&restored.session, 3);
    assert_eq!(restored.session.has_room(), Err(Refusal::OverLimit));
    restored.session.close();
    let root = restored.session.seal().unwrap().unwrap();
    restored.session.record_stage(&Stage::Claimed).unwrap();
    let again = Session::restore(&only_file(folder.path()), &syncer())
        .unwrap()
        .unwrap();
    assert_eq!(again.session.root().unwrap(), root);
    assert_eq!(again.stage, Stage::Claimed);
    assert_eq!((root.count(), root.sum()), (3, 21));
}

#[test]
fn a_relay_recorded_without_its_answer_leaving_is_claimed_anyway() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(9), folder.path(), &syncer()).unwrap();
    let hash = serve(&session, 1);
    let path = only_file(folder.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(&[40, 0, 0, 0, 1]);
    std::fs::write(&path, bytes).unwrap();
    let restored = Session::restore(&path, &syncer()).unwrap().unwrap();
    restored.session.close();
    restored.session.seal().unwrap().unwrap();
    let sealed = match &restored.session.lock().phase {
        Phase::Sealed(sealed) => Arc::clone(sealed),
        _ => panic!("sealed"),
    };
    assert_eq!(sealed.leaves()[0].path, wire::leaf_path(&hash));
}

#[test]
fn a_file_without_its_first_record_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    std::fs::write(&path, [9, 0, 0]).unwrap();
    assert!(Session::restore(&path, &syncer()).unwrap().is_none());
    assert!(!path.exists());
}

#[tokio::test]
async fn sealing_waits_for_relays_in_flight_and_takes_no_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(9), folder.path(), &syncer()).unwrap();
    let (request, response, replay) = relay(&session.opened, 1);
    let mut reservation = session.reserve(replay).unwrap();
    assert!(!session.close());
    let (_, _, late) = relay(&session.opened, 2);
    assert!(matches!(
        session.reserve(late),
        Err(Refusal::Expired { .. })
    ));
    let waiting = tokio::spawn({
        let session = Arc::clone(&session);
        async move { session.drained().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    reservation.mine(&request, &response).unwrap();
    drop(reservation);
    waiting.await.unwrap();
    assert_eq!(session.seal().unwrap().unwrap().count(), 1);
}

#[test]
fn a_proof_made_from_the_log_verifies_strictly() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(opened(99), folder.path(), &syncer()).unwrap();
    for number in 0..9 {
        serve(&session, number);
    }
    session.close();
    let root = session.seal().unwrap().unwrap();
    let challenge = proof_path(&[5; 32], &session.opened.session_id);
    let full = session.prove(&challenge, usize::MAX).unwrap();
    let small = session.prove(&challenge, full.len() - 1).unwrap();
    assert!(small.len() < full.len());
    for bytes in [full, small] {
        let proof = gob::decode_proof(&bytes).unwrap();
        let leaf = verify_closest_strict(&root, &challenge, &proof).unwrap();
        assert_eq!((leaf.weight, leaf.count), (7, 1));
    }
}

#[test]
fn an_inapplicable_relay_is_served_but_weighs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hard = Opened {
        target_hash: "00".repeat(32),
        ..opened(9)
    };
    let session = Session::open(hard, folder.path(), &syncer()).unwrap();
    serve(&session, 1);
    assert_eq!(session.relays(), 0);
    let restored = Session::restore(&only_file(folder.path()), &syncer())
        .unwrap()
        .unwrap();
    let (_, _, replay) = relay(&restored.session.opened, 1);
    drop(restored.session.reserve(replay));
    restored.session.close();
    assert_eq!(restored.session.seal().unwrap(), None);
}
