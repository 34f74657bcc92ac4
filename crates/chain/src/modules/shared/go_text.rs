//! The compact text form of protobuf messages that the reference prints into its errors.
//!
//! Clients do not parse these texts; operators read them, and recordings compare them.

use std::fmt::Write as _;

use proto::pocket::shared::{
    ApplicationServiceConfig, ConfigOptions, RpcType, ServiceRevenueShare, SupplierServiceConfig,
};

/// Messages that have a compact text form.
pub(crate) trait GoText {
    /// Appends the form.
    fn write(&self, out: &mut String);
}

impl GoText for ApplicationServiceConfig {
    fn write(&self, out: &mut String) {
        quoted(out, "service_id", &self.service_id);
    }
}

impl GoText for SupplierServiceConfig {
    fn write(&self, out: &mut String) {
        quoted(out, "service_id", &self.service_id);
        for endpoint in &self.endpoints {
            out.push_str("endpoints:<");
            quoted(out, "url", &endpoint.url);
            named(out, "rpc_type", endpoint.rpc_type, |number| {
                RpcType::try_from(number)
                    .ok()
                    .map(|rpc_type| rpc_type.as_str_name())
            });
            for option in &endpoint.configs {
                out.push_str("configs:<");
                named(out, "key", option.key, |number| {
                    ConfigOptions::try_from(number)
                        .ok()
                        .map(|key| key.as_str_name())
                });
                quoted(out, "value", &option.value);
                out.push_str("> ");
            }
            out.push_str("> ");
        }
        for share in &self.rev_share {
            out.push_str("rev_share:<");
            share.write(out);
            out.push_str("> ");
        }
    }
}

impl GoText for ServiceRevenueShare {
    fn write(&self, out: &mut String) {
        quoted(out, "address", &self.address);
        if self.rev_share_percentage != 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, "rev_share_percentage:{} ", self.rev_share_percentage);
        }
    }
}

/// A slice as Go prints a slice of message pointers.
pub(crate) fn list<T: GoText>(messages: &[T]) -> String {
    let mut out = String::from("[");
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        message.write(&mut out);
    }
    out.push(']');
    out
}

/// One supplier configuration.
pub(crate) fn config(config: &SupplierServiceConfig) -> String {
    let mut out = String::new();
    config.write(&mut out);
    out
}

/// One revenue share.
pub(crate) fn share(share: &ServiceRevenueShare) -> String {
    let mut out = String::new();
    share.write(&mut out);
    out
}

fn quoted(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(out, "{name}:{value:?} ");
    }
}

fn named(out: &mut String, name: &str, number: i32, name_of: fn(i32) -> Option<&'static str>) {
    if number != 0 {
        let _ = match name_of(number) {
            Some(word) => write!(out, "{name}:{word} "),
            None => write!(out, "{name}:{number} "),
        };
    }
}
