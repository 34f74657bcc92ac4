//! What validators tell about themselves.

use proto::cosmos::staking::v1beta1::Description;

use crate::error::TxError;
use crate::limits;
use crate::sdk;

/// What a field says that shall stay as it is.
const KEEP: &str = "[do-not-modify]";

/// The description after an edit.
///
/// # Errors
/// sdk 18 for a text that is too long.
pub(super) fn edited(old: &Description, new: &Description) -> Result<Description, TxError> {
    let pick = |old: &String, new: &String| {
        if new == KEEP {
            old.clone()
        } else {
            new.clone()
        }
    };
    let description = Description {
        moniker: pick(&old.moniker, &new.moniker),
        identity: pick(&old.identity, &new.identity),
        website: pick(&old.website, &new.website),
        security_contact: pick(&old.security_contact, &new.security_contact),
        details: pick(&old.details, &new.details),
    };
    check_lengths(&description)?;
    Ok(description)
}

/// Refuses texts that are too long.
///
/// # Errors
/// sdk 18.
pub(super) fn check_lengths(description: &Description) -> Result<(), TxError> {
    let fields = [
        ("moniker", &description.moniker, limits::MONIKER_BYTES),
        ("identity", &description.identity, limits::IDENTITY_BYTES),
        ("website", &description.website, limits::WEBSITE_BYTES),
        (
            "security contact",
            &description.security_contact,
            limits::SECURITY_CONTACT_BYTES,
        ),
        ("details", &description.details, limits::DETAILS_BYTES),
    ];
    for (name, text, limit) in fields {
        if text.len() > limit {
            let text = format!(
                "invalid {name} length; got: {}, max: {limit}: invalid request",
                text.len()
            );
            return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
        }
    }
    Ok(())
}
