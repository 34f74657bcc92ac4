//! Signable bytes, dehydration and hashes.

use bytes::Bytes;
use crypto::keys::{PublicKey, SecretKey};
use proptest::prelude::*;
use prost::Message as _;
use proto::pocket::service::{Relay, RelayRequest, RelayResponse};
use protocol::relay::{
    build_request, build_response, decode_request, decode_response, decode_response_as_sent,
    dehydrate, leaf_path, mined_relay, relay_hash, sign_response, signable_request,
    signable_response, signable_response_as_sent, verify_operator_signature, verify_response,
};
use protocol::{ProtocolError, http};

use crate::vectors::{bytes, bytes32, list, poktroll, relay_protocol, text};

/// `signable.requests`.
#[test]
fn requests_are_signed_without_their_signature() {
    for case in list(&poktroll()["signable"]["requests"]) {
        let wire = bytes(&case["request_bytes"]);
        let request = decode_request(&wire).unwrap();
        assert_eq!(request.encode_to_vec(), wire, "{}", text(&case["name"]));
        let signable = signable_request(&request);
        assert_eq!(
            signable,
            bytes32(&case["signable_hash"]),
            "{}",
            text(&case["name"])
        );
        assert_eq!(
            signable,
            crypto::hash::sha256(&bytes(&case["signable_preimage"]))
        );
    }
}

/// `signable.responses`: signable bytes, the deterministic signature over them, and the verdict on it.
#[test]
fn responses_are_signed_without_signature_and_payload() {
    for case in list(&poktroll()["signable"]["responses"]) {
        let name = text(&case["name"]);
        let wire = bytes(&case["response_bytes"]);
        let mut response = RelayResponse::decode(wire.as_slice()).unwrap();
        assert_eq!(response.encode_to_vec(), wire, "{name}");
        let present = case["payload_hash_is_nil_slice"].as_bool() == Some(false);
        let signable = signable_response_as_sent(&response, present);
        assert_eq!(signable, bytes32(&case["signable_hash"]), "{name}");
        let after_decode = bytes32(&case["signable_hash_after_decode"]);
        assert_eq!(signable_response(&response), after_decode, "{name}");

        let key = SecretKey::from_bytes(&bytes32(&case["supplier_priv"])).unwrap();
        assert_eq!(
            key.public().as_bytes().as_slice(),
            bytes(&case["supplier_pub"])
        );
        let signature = bytes(&case["supplier_signature_over_signable_hash"]);
        assert_eq!(key.sign(&signable).as_slice(), signature, "{name}");
        if signable == after_decode {
            sign_response(&mut response, &key);
            assert_eq!(
                response.encode_to_vec(),
                bytes(&case["response_bytes_signed"]),
                "{name}"
            );
        }
        let signed = decode_response(&bytes(&case["response_bytes_signed"])).unwrap();
        let verdict = verify_operator_signature(&signed, &key.public());
        let reference = &case["verify_supplier_operator_signature"];
        crate::validate::assert_verdict(verdict, reference, name);
    }
}

/// `signable.response_wire_oddities`.
#[test]
fn odd_encodings_are_normalised_before_hashing() {
    for case in list(&poktroll()["signable"]["response_wire_oddities"]) {
        let name = text(&case["name"]);
        let wire = bytes(&case["wire"]);
        let (response, present) = decode_response_as_sent(&wire).unwrap();
        assert_eq!(
            present,
            case["payload_hash_is_nil_slice"].as_bool() == Some(false),
            "{name}"
        );
        assert_eq!(
            response.encode_to_vec(),
            bytes(&case["reencoded"]),
            "{name}"
        );
        let signable = signable_response_as_sent(&response, present);
        assert_eq!(signable, bytes32(&case["signable_hash"]), "{name}");
        // Ours refuses the one form in which the signed bytes depend on what re-encoding loses.
        assert_eq!(
            decode_response(&wire).is_err(),
            present && response.payload_hash.is_empty()
        );
    }
}

/// `signable.update_payload_hash_empty_payload`.
#[test]
fn an_empty_payload_cannot_be_answered() {
    let verdict = build_response(Default::default(), Bytes::new()).map(|_| ());
    let reference = &poktroll()["signable"]["update_payload_hash_empty_payload"];
    crate::validate::assert_verdict(verdict, reference, "empty payload");
}

/// `relay_hash.relays`.
#[test]
fn relays_are_hashed_without_the_response_payload() {
    for case in list(&poktroll()["relay_hash"]["relays"]) {
        let full = bytes(&case["full_bytes"]);
        assert_eq!(relay_hash(&full), bytes32(&case["full_hash"]));
        let relay = Relay::decode(full.as_slice()).unwrap();
        let (Some(request), Some(response)) = (&relay.req, &relay.res) else {
            // Half a relay cannot be mined; its hash is still defined.
            if let Some(dehydrated) = case.get("dehydrated_bytes") {
                let half = Relay {
                    res: relay.res.as_ref().map(dehydrate),
                    ..relay
                };
                assert_eq!(half.encode_to_vec(), bytes(dehydrated));
                assert_eq!(
                    relay_hash(&bytes(dehydrated)),
                    bytes32(&case["dehydrated_hash"])
                );
            }
            continue;
        };
        let mined = mined_relay(request, response);
        assert_eq!(hex::encode(&mined.bytes), text(&case["dehydrated_bytes"]));
        assert_eq!(mined.hash, bytes32(&case["dehydrated_hash"]));
        assert_eq!(mined.path, bytes32(&case["smst_path"]));
        assert_eq!(mined.path, leaf_path(&mined.hash));
    }
}

/// `end_to_end.relay`: from the HTTP request to the leaf, byte by byte.
#[test]
fn the_relay_of_the_worked_example() {
    let example = &relay_protocol()["end_to_end"];
    let relay = &example["relay"];
    let http_request = http::parse_request(&bytes(&relay["http_request"])).unwrap();
    let headers = http_request
        .header
        .values()
        .map(|h| (h.key.as_str(), h.values[0].as_str()));
    let payload = http::build_request(
        &http_request.method,
        &http_request.url,
        headers,
        &[],
        http_request.body_bz.clone(),
    );
    assert_eq!(payload, bytes(&relay["http_request"]));

    let signed = decode_request(&bytes(&relay["request_signed"])).unwrap();
    let header = signed.meta.session_header.clone().unwrap();
    let supplier = text(&example["keys"]["supplier"]["addr"]);
    let request = build_request(header.clone(), supplier, payload);
    assert_eq!(request.encode_to_vec(), bytes(&relay["request_unsigned"]));
    assert_eq!(
        signable_request(&signed),
        bytes32(&relay["request_signable"])
    );

    let http_response = http::parse_response(&bytes(&relay["http_response"])).unwrap();
    let headers = http_response
        .header
        .values()
        .map(|h| (h.key.as_str(), h.values[0].as_str()));
    let payload = http::build_response(200, headers, http_response.body_bz.clone());
    assert_eq!(payload, bytes(&relay["http_response"]));

    let mut response = build_response(header.clone(), payload).unwrap();
    assert_eq!(response.payload_hash, bytes(&relay["payload_hash"]));
    assert_eq!(
        signable_response(&response),
        bytes32(&relay["response_signable"])
    );
    let key = SecretKey::from_bytes(&bytes32(&example["keys"]["supplier"]["priv"])).unwrap();
    sign_response(&mut response, &key);
    assert_eq!(
        response.encode_to_vec(),
        bytes(&relay["response_signed_full"])
    );
    assert_eq!(
        dehydrate(&response).encode_to_vec(),
        bytes(&relay["response_dehydrated"])
    );
    verify_response(&response, &header, &key.public()).unwrap();

    let mined = mined_relay(&signed, &response);
    assert_eq!(mined.bytes, bytes(&relay["relay_dehydrated"]));
    assert_eq!(mined.hash, bytes32(&relay["relay_hash"]));
    assert_eq!(mined.path, bytes32(&relay["smst_path"]));
}

/// What a client would believe and must not (trap T9).
#[test]
fn a_client_believes_only_what_was_signed_for_it() {
    let example = &relay_protocol()["end_to_end"];
    let response = decode_response(&bytes(&example["relay"]["response_signed_full"])).unwrap();
    let header = response.meta.session_header.clone().unwrap();
    let key = PublicKey::from_bytes(&bytes(&example["keys"]["supplier"]["pub"])).unwrap();
    let stranger = PublicKey::from_bytes(&bytes(&example["keys"]["app"]["pub"])).unwrap();
    let refused = |response: &RelayResponse, header, key| {
        matches!(
            verify_response(response, header, key),
            Err(ProtocolError::RelayResponse(_))
        )
    };
    assert!(!refused(&response, &header, &key));
    assert!(
        !refused(&dehydrate(&response), &header, &key),
        "the last frame of a stream"
    );
    assert!(refused(&response, &header, &stranger));

    let mut swapped = response.clone();
    swapped.payload = Bytes::from_static(b"another answer");
    assert!(refused(&swapped, &header, &key));

    let mut unhashed = response.clone();
    unhashed.payload_hash = Bytes::new();
    assert!(refused(&unhashed, &header, &key));

    let mut other_session = header.clone();
    other_session.session_end_block_height += 1;
    assert!(refused(&response, &other_session, &key));

    let mut unsigned = response.clone();
    unsigned.meta.supplier_operator_signature = Bytes::new();
    assert!(refused(&unsigned, &header, &key));
}

proptest! {
    /// Bytes from outside give a message or an error, and decoding what was encoded gives the same message.
    #[test]
    fn decoding_never_panics(wire in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(request) = decode_request(&wire) {
            prop_assert_eq!(&decode_request(&request.encode_to_vec()).unwrap(), &request);
            signable_request(&request);
        }
        if let Ok((response, present)) = decode_response_as_sent(&wire) {
            signable_response_as_sent(&response, present);
        }
        let _ = decode_response(&wire);
    }

    /// Neither the request's signature nor the response's payload (once hashed) is part of what is signed.
    #[test]
    fn signable_bytes_depend_on_all_but_signature(
        payload in proptest::collection::vec(any::<u8>(), 1..100),
        signature in proptest::collection::vec(any::<u8>(), 0..100),
        flip in any::<prop::sample::Index>(),
    ) {
        let request = RelayRequest { payload: payload.clone().into(), ..Default::default() };
        let mut signed = request.clone();
        signed.meta.signature = signature.into();
        prop_assert_eq!(signable_request(&request), signable_request(&signed));

        let mut other = payload.clone();
        let index = flip.index(other.len());
        other[index] ^= 1;
        let changed = RelayRequest { payload: other.clone().into(), ..Default::default() };
        prop_assert_ne!(signable_request(&request), signable_request(&changed));

        let response = build_response(Default::default(), payload.into()).unwrap();
        let mut swapped = response.clone();
        swapped.payload = other.into();
        prop_assert_eq!(signable_response(&response), signable_response(&swapped));
        prop_assert_eq!(mined_relay(&request, &response), mined_relay(&request, &swapped));
    }
}
