//! Rules of the types that modules share: service ids and names, cards, endpoints, revenue shares (chain
//! specification 1.1, "Validation of shared types").

use std::collections::BTreeSet;

use proto::pocket::shared::{
    Metadata, RpcType, Service, ServiceRevenueShare, SupplierEndpoint, SupplierServiceConfig,
};

use super::error::Error;
use super::{address, go_text, url};
use crate::error::TxError;
use crate::limits::{
    MAX_COMPUTE_UNITS_PER_RELAY, MAX_METADATA_CARD_BYTES, MAX_SERVICE_ID_CHARS,
    MAX_SERVICE_NAME_CHARS,
};

/// Checks a service id.
///
/// # Errors
/// The text with the registered short text of [`Error::InvalidServiceId`].
pub(crate) fn service_id(id: &str) -> Result<(), String> {
    let bad = |detail: String| Err(Error::InvalidServiceId.describe(detail));
    if id.is_empty() {
        bad("empty service ID".to_owned())
    } else if id.len() > MAX_SERVICE_ID_CHARS {
        bad(format!(
            "service ID '{id}' exceeds maximum length: {MAX_SERVICE_ID_CHARS}"
        ))
    } else if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    {
        bad(format!("service ID '{id}' contains invalid characters"))
    } else {
        Ok(())
    }
}

/// Checks id, name, price and card of a service; the owner is checked by the message.
///
/// # Errors
/// Registered errors of `shared`.
pub(crate) fn service(service: &Service) -> Result<(), TxError> {
    service_id(&service.id).map_err(|log| registered(Error::InvalidServiceId, log))?;
    let name = &service.name;
    if name.len() > MAX_SERVICE_NAME_CHARS {
        return Err(Error::InvalidServiceName.because(format_args!(
            "service name '{name}' exceeds maximum length: {MAX_SERVICE_NAME_CHARS}"
        )));
    }
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_ ".contains(&byte))
    {
        return Err(Error::InvalidServiceName.because(format_args!(
            "service name '{name}' contains invalid characters"
        )));
    }
    compute_units_per_relay(service.compute_units_per_relay)
        .map_err(|detail| Error::InvalidService.because(detail))?;
    service.metadata.as_ref().map_or(Ok(()), metadata)
}

/// Checks the price of a relay in compute units.
fn compute_units_per_relay(units: u64) -> Result<(), String> {
    let bad = |detail: String| Err(Error::InvalidComputeUnitsPerRelay.describe(detail));
    if units == 0 {
        bad("compute units per relay must be greater than 0".to_owned())
    } else if units > MAX_COMPUTE_UNITS_PER_RELAY {
        bad(format!(
            "compute units per relay must be less than {MAX_COMPUTE_UNITS_PER_RELAY}"
        ))
    } else {
        Ok(())
    }
}

/// Checks a card that is present.
///
/// # Errors
/// [`Error::InvalidServiceMetadata`] when it is empty or too large.
pub(crate) fn metadata(metadata: &Metadata) -> Result<(), TxError> {
    let size = metadata.card.len();
    if size == 0 {
        return Err(Error::InvalidServiceMetadata.because("metadata card must not be empty"));
    }
    if size > MAX_METADATA_CARD_BYTES {
        return Err(Error::InvalidServiceMetadata.because(format_args!(
            "metadata card exceeds maximum size: got {size} bytes, max {MAX_METADATA_CARD_BYTES} bytes"
        )));
    }
    Ok(())
}

/// Checks what a supplier offers: at least one service, each once, each with endpoints and shares.
///
/// # Errors
/// The text without the module's own short text.
pub(crate) fn supplier_services(services: &[SupplierServiceConfig]) -> Result<(), String> {
    if services.is_empty() {
        return Err(format!(
            "no services configs provided for supplier: {}",
            go_text::list(services)
        ));
    }
    let mut seen = BTreeSet::new();
    for config in services {
        service_id(&config.service_id)?;
        if !seen.insert(config.service_id.as_str()) {
            return Err(format!("duplicate service ID: {}", config.service_id));
        }
        if config.endpoints.is_empty() {
            return Err(format!(
                "endpoints cannot be nil: {}",
                go_text::config(config)
            ));
        }
        for endpoint in &config.endpoints {
            self::endpoint(endpoint)
                .map_err(|reason| format!("{reason}: {}", go_text::config(config)))?;
        }
        rev_share(&config.rev_share)?;
    }
    Ok(())
}

/// Checks one endpoint.
fn endpoint(endpoint: &SupplierEndpoint) -> Result<(), &'static str> {
    if endpoint.url.is_empty() {
        return Err("endpoint.Url cannot be empty");
    }
    if !url::is_endpoint(&endpoint.url) {
        return Err("invalid endpoint.Url");
    }
    match RpcType::try_from(endpoint.rpc_type) {
        Ok(RpcType::UnknownRpc) => Err("endpoint.RpcType cannot be UNKNOWN_RPC"),
        Ok(_) => Ok(()),
        Err(_) => Err("endpoint.RpcType is not a valid RPCType"),
    }
}

/// Checks revenue shares: distinct addresses, percentages from 1 to 100 that make 100.
///
/// # Errors
/// The text with the registered short text of [`Error::InvalidRevShare`].
pub(crate) fn rev_share(shares: &[ServiceRevenueShare]) -> Result<(), String> {
    let bad = |detail: String| Err(Error::InvalidRevShare.describe(detail));
    if shares.is_empty() {
        return bad("no rev share configurations".to_owned());
    }
    let mut seen = BTreeSet::new();
    let mut sum = 0_u64;
    for share in shares {
        if share.address.is_empty() {
            return bad(format!(
                "rev share address cannot be empty: {}",
                go_text::share(share)
            ));
        }
        if let Err(reason) = address::parse(&share.address) {
            return bad(format!(
                "invalid rev share address {}; ({reason})",
                share.address
            ));
        }
        let percentage = share.rev_share_percentage;
        if !(1..=100).contains(&percentage) {
            return bad(format!(
                "invalid rev share value {percentage}; must be between 0 and 100"
            ));
        }
        if !seen.insert(share.address.as_str()) {
            return bad(format!("duplicate rev share address: {}", share.address));
        }
        sum = sum.saturating_add(percentage);
    }
    if sum == 100 {
        Ok(())
    } else {
        bad(format!(
            "invalid rev share percentage sum {sum}; must be equal to 100"
        ))
    }
}

/// An error whose text already ends with its registered short text.
fn registered(error: Error, log: String) -> TxError {
    TxError::registered(Error::CODESPACE, error.code(), log)
}
