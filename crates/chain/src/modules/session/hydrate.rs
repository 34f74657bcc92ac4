//! Sessions, computed from the state whenever they are asked for; none is stored.
//!
//! The id comes from the hash of the session's first block, so an answer given while that block still executes has
//! another id than the one given after it: the hash is stored at the block's end.

use std::collections::BTreeMap;

use proto::pocket::application::Application;
use proto::pocket::session::{Session, SessionHeader};
use proto::pocket::shared::{Params as SharedParams, Supplier};
use protocol::height::Height;
use protocol::session::{session_id, session_preimage};

use super::draws::Drawn;
use super::error::{Error, SessionError};
use super::{block_hash, params};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::shared::{self, grid};
use crate::modules::{application, supplier};

/// A session without the records of its suppliers: what a claim is checked against.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Header as on chain.
    pub header: SessionHeader,
    /// The application.
    pub application: Application,
    drawn: Drawn,
    shared: SharedParams,
    height: i64,
}

impl Outline {
    /// Operators of the suppliers, in the order of the draw, or of the table when there are too few to draw.
    pub fn operators(&self) -> &[String] {
        self.drawn.operators()
    }
}

/// The session of an application and a service at a height, without its suppliers' records; height 0 is the latest.
///
/// # Errors
/// [`SessionError::Refused`] for a height still to come, an application that is unknown, inactive or staked for
/// another service, and a service without suppliers.
pub fn outline(
    ctx: &Context<'_>,
    application_address: &str,
    service_id: &str,
    height: i64,
) -> Result<Outline, SessionError> {
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
    let size = params::params_at(ctx, height)?.num_suppliers_per_session;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let draws = &ctx.helpers().draws;
    let drawn = draws.draw(ctx, service_id, height, &preimage, size)?;
    if drawn.operators().is_empty() {
        return Err(SessionError::refused(
            Error::SuppliersNotFound,
            format_args!("could not find suppliers for service {service_id} at height {start}"),
        ));
    }
    Ok(Outline {
        header,
        application,
        drawn,
        shared,
        height,
    })
}

/// The session of an application and a service at a height; height 0 is the latest.
///
/// Reads the records of the chosen suppliers, and the table of the service unless the process remembers it.
///
/// # Errors
/// As [`outline`].
pub fn hydrate(
    ctx: &Context<'_>,
    application_address: &str,
    service_id: &str,
    height: i64,
) -> Result<Session, SessionError> {
    let outline = outline(ctx, application_address, service_id, height)?;
    let suppliers = suppliers(ctx, &outline)?;
    let Outline {
        header,
        application,
        shared,
        height,
        ..
    } = outline;
    Ok(Session {
        session_id: header.session_id.clone(),
        header: Some(header),
        session_number: grid::number(&shared, height),
        num_blocks_per_session: grid::signed(shared.num_blocks_per_session),
        application: Some(application),
        suppliers,
    })
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

/// The suppliers, each with what it offers for the service.
fn suppliers(ctx: &Context<'_>, outline: &Outline) -> Result<Vec<Supplier>, SessionError> {
    let service_id = &outline.header.service_id;
    let mut out = Vec::with_capacity(outline.operators().len());
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for operator in outline.operators() {
        let supplier = supplier::get(ctx, operator)?.ok_or_else(|| {
            ChainError::invariant(format!("service index names unknown supplier {operator}"))
        })?;
        // A supplier with several active configurations is drawn once for each, in their order.
        let nth = times.entry(operator.as_str()).or_default();
        let configs = supplier::active_configs_for(ctx, operator, service_id, outline.height)?;
        out.push(Supplier {
            services: configs.into_iter().skip(*nth).take(1).collect(),
            ..supplier
        });
        *nth = nth.saturating_add(1);
    }
    Ok(out)
}
