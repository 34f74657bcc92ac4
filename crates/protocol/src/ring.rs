//! Who may have signed a relay request (relay-protocol §2.5).
//!
//! The ring of an application in a session is the application and its gateways: those delegated to now, and those
//! whose undelegation was recorded for this session or a later one. A signature is acceptable if every key inside it
//! belongs to this set; size, order and repetition do not matter (trap T16).

use std::collections::BTreeSet;

use crypto::keys::PublicKey;
use crypto::ring::PLACEHOLDER_KEY;
use proto::pocket::application::Application;
use proto::pocket::shared::Params;

use crate::error::ProtocolError;
use crate::height::Height;
use crate::session::Grid;

/// The addresses whose keys make up an application's ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedRing {
    /// The application itself.
    pub application: String,
    /// Gateways in the order of the application's record, then pending ones in order of height. The same gateway can
    /// occur twice, as in the reference.
    pub gateways: Vec<String>,
}

/// A member of a ring without public key on chain. Any transaction from it puts one there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ring member {address} has no public key on chain; any transaction from it puts it there")]
pub struct MissingKey {
    /// Its address.
    pub address: String,
}

/// The ring of `application` for the session that ends at `session_end`.
pub fn expected_members(application: &Application, session_end: Height) -> ExpectedRing {
    let mut gateways = application.delegatee_gateway_addresses.clone();
    let mut pending = BTreeSet::new();
    for (height, list) in &application.pending_undelegations {
        if i64::try_from(*height).map_or(true, |height| height >= session_end.0) {
            for gateway in &list.gateway_addresses {
                if pending.insert(gateway) {
                    gateways.push(gateway.clone());
                }
            }
        }
    }
    ExpectedRing {
        application: application.address.clone(),
        gateways,
    }
}

impl ExpectedRing {
    /// Whether the application has no gateway, so that the placeholder key stands for one. Anybody knows its private
    /// key: such a ring authenticates nobody (H6).
    pub fn has_placeholder(&self) -> bool {
        self.gateways.is_empty()
    }

    /// The addresses to look up: application first, then gateways.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.application)
            .chain(&self.gateways)
            .map(String::as_str)
    }

    /// The public keys, in the order of [`ExpectedRing::addresses`], the placeholder last.
    ///
    /// # Errors
    /// [`MissingKey`] naming the first member without a key: the ring cannot be built (H9).
    pub fn resolve(
        &self,
        mut lookup: impl FnMut(&str) -> Option<PublicKey>,
    ) -> Result<Vec<PublicKey>, MissingKey> {
        let mut keys = self
            .addresses()
            .map(|address| {
                lookup(address).ok_or_else(|| MissingKey {
                    address: address.to_owned(),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if self.has_placeholder() {
            keys.push(placeholder_key());
        }
        Ok(keys)
    }
}

/// The key that stands for the gateways of an application without any.
pub fn placeholder_key() -> PublicKey {
    PublicKey::from_bytes(&PLACEHOLDER_KEY).expect("a constant point of the curve, see the tests")
}

/// The session end that the reference asks for: it runs the header's end height through the grid of the **live**
/// parameters, which falls back to the genesis grid if sessions changed their length since. Ours uses the header's end
/// as it is, which is the end by the parameters that hold there.
///
/// # Errors
/// [`ProtocolError::ParameterRange`].
pub fn reference_session_end(live: &Params, header_end: Height) -> Result<Height, ProtocolError> {
    Ok(Grid::new(live)?.end(header_end))
}
