//! The user's own OpenAI-compatible server: Ollama, vLLM, SGLang, llama.cpp.

use anyhow::{Context as _, Result, bail};
use http_body_util::Empty;
use serde::{Deserialize, Serialize};

/// A server and the model of it that becomes a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backend {
    /// Base URL, as given.
    pub(super) url: String,
    /// Its first model, as it names it.
    pub(super) model: String,
    /// Service id made of that: ids know fewer characters.
    pub(super) service: String,
}

/// Asks the server for its models.
pub(super) async fn discover(url: &str) -> Result<Backend> {
    let base = url.trim_end_matches('/');
    let base = if base.ends_with("/v1") {
        base.to_owned()
    } else {
        format!("{base}/v1")
    };
    let client = net::Client::with_policy(net::AddressPolicy::Any)?;
    let request = http::Request::get(format!("{base}/models")).body(Empty::<bytes::Bytes>::new());
    let request = request.with_context(|| format!("--backend {url}"))?;
    let response = client
        .request(request)
        .await
        .with_context(|| format!("--backend {url}"))?;
    if !response.status().is_success() {
        bail!(
            "--backend {url}: GET {base}/models answered {}",
            response.status()
        );
    }
    let body = response
        .into_body()
        .read_to_bytes()
        .await
        .with_context(|| format!("--backend {url}"))?;
    let list: serde_json::Value = serde_json::from_slice(&body)
        .with_context(|| format!("--backend {url}: no list of models"))?;
    let model = list
        .pointer("/data/0/id")
        .and_then(serde_json::Value::as_str);
    let model = model.with_context(|| format!("--backend {url}: it serves no model"))?;
    Ok(Backend {
        url: base,
        model: model.to_owned(),
        service: service_id(model),
    })
}

/// At most 42 of letters, digits, `-` and `_`.
fn service_id(model: &str) -> String {
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    let id: String = model.chars().map(fits).take(42).collect();
    // The embedded models' ids are taken.
    if matches!(id.as_str(), "millstone" | "grist") {
        format!("own-{id}")
    } else {
        id
    }
}

#[cfg(test)]
mod tests {
    use super::service_id;

    #[test]
    fn ids_are_what_the_chain_takes() {
        assert_eq!(service_id("llama3.2:8b-instruct"), "llama3-2-8b-instruct");
        assert_eq!(service_id("grist"), "own-grist");
        assert!(protocol::validate::service_id(&service_id(&"x/y".repeat(40))).is_ok());
    }
}
