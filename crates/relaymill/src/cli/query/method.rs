//! A gRPC method found by its name, asked over the RPC.

use anyhow::{Context as _, Result, bail};
use client::Chain;
use prost_reflect::MethodDescriptor;
use serde_json::Value;

/// A method of the chain.
#[derive(Clone, Debug)]
pub(crate) struct Method(pub(crate) MethodDescriptor);

impl Method {
    /// The method of this name.
    pub(crate) fn find(service: &str, method: &str) -> Result<Self> {
        let found = proto::descriptor_pool()
            .get_service_by_name(service)
            .and_then(|service| service.methods().find(|found| found.name() == method));
        found
            .map(Self)
            .with_context(|| format!("there is no method {service}/{method}"))
    }
}

/// Calls a method with a JSON request and gives its answer as JSON.
pub(crate) async fn call(
    chain: &Chain,
    method: &Method,
    request: &Value,
    height: i64,
) -> Result<Value> {
    let method = &method.0;
    let bytes = proto::json::json_to_bytes(method.input().full_name(), request)?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let answer = chain.rpc().abci_query(&path, &bytes, height).await?;
    if answer.code != 0 {
        bail!("{} ({} {})", answer.log, answer.codespace, answer.code);
    }
    let json = proto::json::bytes_to_json(method.output().full_name(), &answer.value)?;
    Ok(serde_json::from_str(&json)?)
}
