//! A relay from request to leaf: building, what is signed, dehydration, hash.
//!
//! A gateway ring-signs [`signable_request`]; a supplier signs [`signable_response`] with an ordinary key (which hashes
//! its input once more, trap T2); the supplier then keeps [`MinedRelay`], the pair without the response's payload, as
//! the value of a leaf. The request payload stays in it and becomes public if the leaf is proven (trap T18).
//!
//! Invariants
//! - what is signed and what is hashed is always a re-encoding of the decoded message, never received bytes: unknown
//!   fields and odd orders vanish (relay-protocol §1.4);
//! - a response of ours always carries `payload_hash`; a client of ours believes no payload that does not match it.

use bytes::Bytes;
use crypto::keys::{PublicKey, SecretKey};
use prost::Message as _;
use proto::pocket::service::{
    Relay, RelayRequest, RelayRequestMetadata, RelayResponse, RelayResponseMetadata,
};
use proto::pocket::session::SessionHeader;

use crate::error::ProtocolError;
use crate::{validate, wire};
use crypto::hash::sha256;

/// The 32 bytes a ring signature covers: the request without its signature, the payload in full.
pub fn signable_request(request: &RelayRequest) -> [u8; 32] {
    let mut unsigned = request.clone();
    unsigned.meta.signature = Bytes::new();
    sha256(&unsigned.encode_to_vec())
}

/// The 32 bytes a supplier signs: the response without its signature and, if it has a payload hash, without payload.
pub fn signable_response(response: &RelayResponse) -> [u8; 32] {
    signable_response_as_sent(response, !response.payload_hash.is_empty())
}

/// [`signable_response`] by the reference's letter: a payload hash that was on the wire with length 0 (`22 00`) is
/// "present" and takes the payload out of the signed bytes without putting a hash in. Ours refuses such a response
/// ([`decode_response`]); this form exists to follow the reference's verdict on a recorded proof.
pub fn signable_response_as_sent(response: &RelayResponse, payload_hash_present: bool) -> [u8; 32] {
    let mut unsigned = response.clone();
    unsigned.meta.supplier_operator_signature = Bytes::new();
    if payload_hash_present {
        unsigned.payload = Bytes::new();
    }
    sha256(&unsigned.encode_to_vec())
}

/// An unsigned request to one supplier of a session.
pub fn build_request(
    session_header: SessionHeader,
    supplier_operator_address: &str,
    payload: Bytes,
) -> RelayRequest {
    RelayRequest {
        meta: RelayRequestMetadata {
            session_header: Some(session_header),
            signature: Bytes::new(),
            supplier_operator_address: supplier_operator_address.to_owned(),
        },
        payload,
    }
}

/// An unsigned response that carries `payload`.
///
/// # Errors
/// [`ProtocolError::RelayResponse`] for an empty payload, which cannot have a payload hash.
pub fn build_response(
    session_header: SessionHeader,
    payload: Bytes,
) -> Result<RelayResponse, ProtocolError> {
    if payload.is_empty() {
        return Err(ProtocolError::RelayResponse(
            "attempted to update payload hash with an empty payload".to_owned(),
        ));
    }
    let payload_hash = sha256(&payload);
    Ok(RelayResponse {
        payload,
        ..response_of_hash(session_header, payload_hash)
    })
}

/// An unsigned response without payload, for a payload that was sent before: the last frame of a stream between two of
/// ours, and the response that is mined for it.
pub fn response_of_hash(session_header: SessionHeader, payload_hash: [u8; 32]) -> RelayResponse {
    RelayResponse {
        meta: RelayResponseMetadata {
            session_header: Some(session_header),
            supplier_operator_signature: Bytes::new(),
        },
        payload: Bytes::new(),
        payload_hash: Bytes::copy_from_slice(&payload_hash),
        relay_miner_error: None,
    }
}

/// Signs a response with the supplier operator's key.
pub fn sign_response(response: &mut RelayResponse, operator_key: &SecretKey) {
    let signature = operator_key.sign(&signable_response(response));
    response.meta.supplier_operator_signature = Bytes::copy_from_slice(&signature);
}

/// Decodes a request, tolerantly as the reference does.
///
/// # Errors
/// [`ProtocolError::Decode`].
pub fn decode_request(bytes: &[u8]) -> Result<RelayRequest, ProtocolError> {
    RelayRequest::decode(bytes).map_err(|error| decode_error("RelayRequest", &error))
}

/// Decodes a response, tolerantly as the reference does, but refuses a payload hash of length 0 on the wire.
///
/// # Errors
/// [`ProtocolError::Decode`], [`ProtocolError::RelayResponse`].
pub fn decode_response(bytes: &[u8]) -> Result<RelayResponse, ProtocolError> {
    let (response, present) = decode_response_as_sent(bytes)?;
    refuse_empty_hash(&response, present)?;
    Ok(response)
}

/// [`decode_response`] of shared bytes: the payload is not copied.
///
/// # Errors
/// As [`decode_response`].
pub fn decode_response_bytes(bytes: Bytes) -> Result<RelayResponse, ProtocolError> {
    let present = wire::has_field(&bytes, PAYLOAD_HASH_FIELD);
    let response =
        RelayResponse::decode(bytes).map_err(|error| decode_error("RelayResponse", &error))?;
    refuse_empty_hash(&response, present)?;
    Ok(response)
}

fn refuse_empty_hash(response: &RelayResponse, present: bool) -> Result<(), ProtocolError> {
    if present && response.payload_hash.is_empty() {
        return Err(ProtocolError::RelayResponse(
            "payload hash of length 0".to_owned(),
        ));
    }
    Ok(())
}

/// Decodes a response and says whether field 4 was on the wire at all (see [`signable_response_as_sent`]).
///
/// # Errors
/// [`ProtocolError::Decode`].
pub fn decode_response_as_sent(bytes: &[u8]) -> Result<(RelayResponse, bool), ProtocolError> {
    let response =
        RelayResponse::decode(bytes).map_err(|error| decode_error("RelayResponse", &error))?;
    Ok((response, wire::has_field(bytes, PAYLOAD_HASH_FIELD)))
}

/// Field number of `payload_hash` in a RelayResponse.
pub(crate) const PAYLOAD_HASH_FIELD: u32 = 4;

/// Checks everything a client must know before it believes a response: well formed, for the session asked for, signed
/// by the supplier asked, and the payload is the one that was signed. The reference's client checks neither header nor
/// payload (trap T9).
///
/// A response without payload but with a payload hash passes: the last frame of a stream, whose hash the caller
/// compares with what came before.
///
/// # Errors
/// [`ProtocolError::RelayResponse`] naming what does not fit.
pub fn verify_response(
    response: &RelayResponse,
    session_header: &SessionHeader,
    operator_key: &PublicKey,
) -> Result<(), ProtocolError> {
    let refused = |text: &str| Err(ProtocolError::RelayResponse(text.to_owned()));
    validate::relay_response(response)?;
    if response.meta.session_header.as_ref() != Some(session_header) {
        return refused("session header differs from the one of the request");
    }
    if response.payload_hash.len() != 32 {
        return refused("payload hash is missing or not 32 bytes");
    }
    if !response.payload.is_empty() && sha256(&response.payload) != *response.payload_hash {
        return refused("payload does not match the payload hash that was signed");
    }
    verify_operator_signature(response, operator_key)
}

/// Checks only the supplier's signature, as the chain does.
///
/// # Errors
/// [`ProtocolError::RelayResponse`] with the reference's text.
pub fn verify_operator_signature(
    response: &RelayResponse,
    operator_key: &PublicKey,
) -> Result<(), ProtocolError> {
    let signature = &response.meta.supplier_operator_signature;
    operator_key
        .verify(&signable_response(response), signature)
        .map_err(|_| ProtocolError::RelayResponse("invalid signature".to_owned()))
}

/// The response as it is mined: without payload, everything else kept.
pub fn dehydrate(response: &RelayResponse) -> RelayResponse {
    RelayResponse {
        payload: Bytes::new(),
        ..response.clone()
    }
}

/// SHA-256 of the encoded dehydrated relay: the key of its leaf, and the number compared with the difficulty target.
pub fn relay_hash(relay_bytes: &[u8]) -> [u8; 32] {
    sha256(relay_bytes)
}

/// The path of a leaf in the session's trie: the hash of its key.
pub fn leaf_path(relay_hash: &[u8; 32]) -> [u8; 32] {
    sha256(relay_hash)
}

/// A relay as it is mined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinedRelay {
    /// The encoded dehydrated relay: the value of the leaf.
    pub bytes: Vec<u8>,
    /// [`relay_hash`] of it.
    pub hash: [u8; 32],
    /// [`leaf_path`] of that.
    pub path: [u8; 32],
}

/// Forms the leaf of a signed request and the signed response to it.
pub fn mined_relay(request: &RelayRequest, response: &RelayResponse) -> MinedRelay {
    let relay = Relay {
        req: Some(request.clone()),
        res: Some(dehydrate(response)),
    };
    let bytes = relay.encode_to_vec();
    let hash = relay_hash(&bytes);
    MinedRelay {
        bytes,
        hash,
        path: leaf_path(&hash),
    }
}

pub(crate) fn decode_error(what: &'static str, error: &prost::DecodeError) -> ProtocolError {
    ProtocolError::Decode {
        what,
        reason: error.to_string(),
    }
}
