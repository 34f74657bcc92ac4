//! Sections of modules that do not run here: accepted when they change nothing.
//!
//! A section is idle when nothing in it holds anything: nulls, empty texts, lists and objects, zeros. What only
//! configures a module that has nothing to act on may say anything; it is listed below.

use serde_json::Value;

use crate::error::GenesisError;

/// Modules of the reference that do not run here, with the parts of their sections that are configuration.
const SECTIONS: &[(&str, &[&str])] = &[
    ("capability", &["index"]),
    ("circuit", &[]),
    ("consensus", &[]),
    ("crisis", &["constant_fee"]),
    ("feeibc", &[]),
    (
        "gov",
        &[
            "params",
            "starting_proposal_id",
            "deposit_params",
            "voting_params",
            "tally_params",
            "constitution",
        ],
    ),
    ("group", &[]),
    ("ibc", &[]),
    ("interchainaccounts", &[]),
    ("migration", &["params"]),
    ("params", &[]),
    ("runtime", &[]),
    ("transfer", &["port_id", "params"]),
    ("upgrade", &[]),
    ("vesting", &[]),
];

/// Whether a section is one of these.
pub(super) fn is_known(section: &str) -> bool {
    SECTIONS.iter().any(|(name, _)| *name == section)
}

/// Refuses a section that holds something.
///
/// # Errors
/// Names the first part that does.
pub(super) fn check(section: &str, value: &Value) -> Result<(), GenesisError> {
    let configuration = SECTIONS
        .iter()
        .find(|(name, _)| *name == section)
        .map_or(&[][..], |(_, paths)| paths);
    match busy(value, "", configuration) {
        None => Ok(()),
        Some(path) => {
            let path = if path.is_empty() {
                section.to_owned()
            } else {
                format!("{section}.{path}")
            };
            let reason = format!("the module `{section}` does not run here, so this must be empty");
            Err(GenesisError::new(path, reason))
        }
    }
}

/// Path of the first part that holds something.
fn busy(value: &Value, path: &str, configuration: &[&str]) -> Option<String> {
    if configuration.contains(&path) {
        return None;
    }
    let idle = match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.bytes().all(|byte| matches!(byte, b'0' | b'.')),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => {
            return fields.iter().find_map(|(key, value)| {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                busy(value, &path, configuration)
            });
        }
    };
    (!idle).then(|| path.to_owned())
}
