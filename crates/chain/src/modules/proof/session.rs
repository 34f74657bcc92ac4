//! The session that a claim or a proof names, checked against the one on chain.

use proto::pocket::session::SessionHeader;

use super::error::Error;
use crate::context::Context;
use crate::error::{GrpcCode, TxError};
use crate::modules::session::{self, SessionError};

/// The header on chain of the session that `header` names, of which `operator` must be a supplier.
///
/// # Errors
/// A status with code `grpc`: no such session, another id, or a supplier that is not in it.
pub(super) fn on_chain(
    ctx: &Context<'_>,
    header: &SessionHeader,
    operator: &str,
    grpc: GrpcCode,
) -> Result<SessionHeader, TxError> {
    let start = header.session_start_block_height;
    let session = session::outline(ctx, &header.application_address, &header.service_id, start)
        .map_err(|error| match error {
            SessionError::Refused { log, .. } => TxError::status(grpc, log),
            SessionError::Chain(error) => error.into(),
        })?;
    let on_chain = &session.header;
    if on_chain.session_id != header.session_id {
        return Err(Error::InvalidSessionId.status(
            grpc,
            format_args!(
                "session ID does not match onchain session ID; expected {:?}, got {:?}",
                on_chain.session_id, header.session_id
            ),
        ));
    }
    if !session
        .operators()
        .iter()
        .any(|address| address == operator)
    {
        return Err(Error::SupplierNotInSession.status(
            grpc,
            format_args!(
                "supplier operator address {operator:?} not found in session ID {:?}",
                header.session_id
            ),
        ));
    }
    Ok(session.header)
}

/// Refuses a header that differs from the one on chain in anything: all fields count where the rule
/// `claim_header_is_session_header` holds. The reference compares ids alone, so that a claim can settle with another
/// session, or never.
///
/// # Errors
/// A status with code `grpc`.
pub(super) fn require_same(
    header: &SessionHeader,
    on_chain: &SessionHeader,
    grpc: GrpcCode,
) -> Result<(), TxError> {
    for (what, given, expected, error) in [
        (
            "start",
            header.session_start_block_height,
            on_chain.session_start_block_height,
            Error::InvalidSessionStartHeight,
        ),
        (
            "end",
            header.session_end_block_height,
            on_chain.session_end_block_height,
            Error::InvalidSessionEndHeight,
        ),
    ] {
        if given != expected {
            return Err(error.status(
                grpc,
                format_args!("session {what} height is {given}, on chain it is {expected}"),
            ));
        }
    }
    // Application and service were looked up by the header itself, and the id was compared.
    Ok(())
}
