//! Sessions, computed from the state whenever they are asked for; none is stored.
//!
//! The id comes from the hash of the session's first block, so an answer given while that block still executes has
//! another id than the one given after it: the hash is stored at the block's end.

use proto::pocket::application::Application;
use proto::pocket::session::{Session, SessionHeader};
use proto::pocket::shared::{Params as SharedParams, Supplier};
use protocol::height::Height;
use protocol::session::{select_suppliers, session_id, session_preimage};

use super::error::{Error, SessionError};
use super::{block_hash, params};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, grid};
use crate::modules::{application, supplier};

/// The session of an application and a service at a height; height 0 is the latest.
///
/// Reads the index of the service, and the records of the chosen suppliers.
///
/// # Errors
/// [`SessionError::Refused`] for a height still to come, an application that is unknown, inactive or staked for
/// another service, and a service without suppliers.
pub fn hydrate(
    ctx: &Context<'_>,
    application_address: &str,
    service_id: &str,
    height: i64,
) -> Result<Session, SessionError> {
    let latest = ctx.block.height;
    let height = if height == 0 { latest } else { height };
    if height > latest {
        return Err(SessionError::refused(
            Error::Hydration,
            format_args!(
                "block height {height} is ahead of the last committed block height {latest}"
            ),
        ));
    }
    let shared = shared::params_at(ctx, height)?;
    let start = grid::start(&shared, height);
    let hash = block_hash(ctx, start)?;
    let preimage = session_preimage(&hash, service_id, application_address, Height(start));
    let header = SessionHeader {
        application_address: application_address.to_owned(),
        service_id: service_id.to_owned(),
        session_id: session_id(&preimage).to_string(),
        session_start_block_height: start,
        session_end_block_height: grid::end(&shared, height),
    };
    let application = application(ctx, &header, height)?;
    let suppliers = suppliers(ctx, &preimage, &header, height)?;
    Ok(session(&shared, header, application, suppliers, height))
}

fn session(
    shared: &SharedParams,
    header: SessionHeader,
    application: Application,
    suppliers: Vec<Supplier>,
    height: i64,
) -> Session {
    Session {
        session_id: header.session_id.clone(),
        header: Some(header),
        session_number: grid::number(shared, height),
        num_blocks_per_session: grid::signed(shared.num_blocks_per_session),
        application: Some(application),
        suppliers,
    }
}

/// The application, which must be active to the session's end and staked for the service.
fn application(
    ctx: &Context<'_>,
    header: &SessionHeader,
    height: i64,
) -> Result<Application, SessionError> {
    let address = &header.application_address;
    let start = header.session_start_block_height;
    let Some(application) = application::get(ctx, address)? else {
        return Err(SessionError::refused(
            Error::AppNotFound,
            format_args!("could not find app with address {address:?} at height {start}"),
        ));
    };
    if !application::is_active(&application, header.session_end_block_height) {
        return Err(SessionError::refused(
            Error::AppNotActive,
            format_args!(
                "application {address:?} is not active for session {}",
                header.session_id
            ),
        ));
    }
    let service_id = &header.service_id;
    if !application::is_staked_for(&application, service_id, height) {
        return Err(SessionError::refused(
            Error::AppNotStakedForService,
            format_args!("application {address:?} not staked for service ID {service_id:?}"),
        ));
    }
    Ok(application)
}

/// The suppliers in the order of the draw, or of the index when there are too few to draw.
fn suppliers(
    ctx: &Context<'_>,
    preimage: &[u8],
    header: &SessionHeader,
    height: i64,
) -> Result<Vec<Supplier>, SessionError> {
    let candidates = supplier::operators_at(ctx, &header.service_id, height)?;
    if candidates.is_empty() {
        return Err(SessionError::refused(
            Error::SuppliersNotFound,
            format_args!(
                "could not find suppliers for service {} at height {}",
                header.service_id, header.session_start_block_height
            ),
        ));
    }
    let size = params::params_at(ctx, height)?.num_suppliers_per_session;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let chosen = select_suppliers(preimage, candidates, |operator| operator.as_str(), size);
    let mut out = Vec::with_capacity(chosen.len());
    for operator in chosen {
        let supplier = supplier::get(ctx, &operator)?.ok_or_else(|| {
            ChainError::invariant(format!("service index names unknown supplier {operator}"))
        })?;
        let service = supplier::active_config_at(ctx, &operator, &header.service_id, height)?;
        out.push(Supplier {
            services: service.into_iter().collect(),
            ..supplier
        });
    }
    Ok(out)
}
