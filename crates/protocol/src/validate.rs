//! Checks that need nothing but the message itself (relay-protocol §1.5).
//!
//! Texts and order are the reference's, because they reach clients in transaction logs.

use proto::pocket::service::{RelayRequest, RelayResponse};
use proto::pocket::session::SessionHeader;

use crate::address;
use crate::error::ProtocolError;
use crate::limits::MAX_SERVICE_ID_CHARS;

/// A service id: 1 to 42 characters of `[A-Za-z0-9_-]`.
///
/// # Errors
/// [`ProtocolError::ServiceId`].
pub fn service_id(id: &str) -> Result<(), ProtocolError> {
    let refused = |text: String| Err(ProtocolError::ServiceId(text));
    if id.is_empty() {
        return refused("empty service ID".to_owned());
    }
    if id.len() > MAX_SERVICE_ID_CHARS {
        return refused(format!(
            "service ID '{id}' exceeds maximum length: {MAX_SERVICE_ID_CHARS}"
        ));
    }
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        return refused(format!("service ID '{id}' contains invalid characters"));
    }
    Ok(())
}

/// A session header: application address, ids, and 1 <= start < end. The id need not be hex: only a comparison with
/// the chain's session says whether it is one.
///
/// # Errors
/// The variant of [`ProtocolError`] that names the field.
pub fn session_header(header: &SessionHeader) -> Result<(), ProtocolError> {
    if let Err(reason) = address::account_bytes(&header.application_address) {
        return Err(ProtocolError::SessionApplication {
            address: header.application_address.clone(),
            reason,
        });
    }
    if header.session_id.is_empty() {
        return Err(ProtocolError::SessionId(header.session_id.clone()));
    }
    service_id(&header.service_id)?;
    if header.session_start_block_height < 1 {
        return Err(ProtocolError::SessionHeight(
            "sessions can only start at height 1 or greater",
        ));
    }
    if header.session_end_block_height <= header.session_start_block_height {
        return Err(ProtocolError::SessionHeight(
            "session end block height cannot be less than or equal to session start block height",
        ));
    }
    Ok(())
}

/// A signed relay request: valid header, a signature, a supplier.
///
/// # Errors
/// [`ProtocolError::RelayRequest`].
pub fn relay_request(request: &RelayRequest) -> Result<(), ProtocolError> {
    let refused = |text: String| Err(ProtocolError::RelayRequest(text));
    let Some(header) = &request.meta.session_header else {
        return refused("missing session header".to_owned());
    };
    if let Err(error) = session_header(header) {
        return refused(format!("invalid session header: {error}"));
    }
    if request.meta.signature.is_empty() {
        return refused("missing application signature".to_owned());
    }
    if request.meta.supplier_operator_address.is_empty() {
        return refused("relay metadata missing supplier operator address".to_owned());
    }
    Ok(())
}

/// A signed relay response: valid header, a signature.
///
/// # Errors
/// [`ProtocolError::RelayResponse`].
pub fn relay_response(response: &RelayResponse) -> Result<(), ProtocolError> {
    let refused = |text: String| Err(ProtocolError::RelayResponse(text));
    let Some(header) = &response.meta.session_header else {
        return refused("missing meta".to_owned());
    };
    if let Err(error) = session_header(header) {
        return refused(format!("invalid session header: {error}"));
    }
    if response.meta.supplier_operator_signature.is_empty() {
        return refused("missing supplier operator signature".to_owned());
    }
    Ok(())
}
