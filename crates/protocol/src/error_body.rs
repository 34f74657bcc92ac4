//! What a miner says when it does not answer (relay-protocol §7.2).
//!
//! Two forms exist. PM sends HTTP 200 with an *unsigned* RelayResponse that carries a `relay_miner_error`; HA sends an
//! HTTP error status with `{"error": "…"}`. Ours sends the second and understands both ([`read`]).

use proto::pocket::service::RelayResponse;
use serde_json::{Map, Value};

use crate::limits::MAX_ERROR_TEXT_BYTES;
use crate::relay;

/// A refusal by a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerError {
    /// HTTP status of the answer; 200 for PM's form.
    pub status: u16,
    /// Codespace and code, where the form has them.
    pub registered: Option<(String, u32)>,
    /// What it said, at most [`MAX_ERROR_TEXT_BYTES`].
    pub message: String,
}

/// The body of a miner's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A response, not verified yet.
    Response(RelayResponse),
    /// A refusal in either form.
    Refusal(MinerError),
}

/// Reads the body that came with an HTTP status. Status 200 promises a response: one without signature, or with a
/// `relay_miner_error`, or that cannot be decoded is a refusal. Any other status is a refusal whatever the body is.
pub fn read(status: u16, body: &[u8]) -> Body {
    if status != 200 {
        let message = json_message(body).unwrap_or_else(|| text_of(body));
        return Body::Refusal(MinerError {
            status,
            registered: None,
            message: cut(&message),
        });
    }
    let refusal = |registered, message: &str| {
        Body::Refusal(MinerError {
            status,
            registered,
            message: cut(message),
        })
    };
    let response = match relay::decode_response(body) {
        Ok(response) => response,
        // A proxy in between may turn any error into a 200.
        Err(error) => {
            let message = json_message(body).unwrap_or_else(|| error.to_string());
            return refusal(None, &message);
        }
    };
    if let Some(error) = &response.relay_miner_error {
        let said = [error.message.as_str(), error.description.as_str()];
        let message = said
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or("no message");
        return refusal(Some((error.codespace.clone(), error.code)), message);
    }
    if response.meta.supplier_operator_signature.is_empty() {
        let message = match text_of(&response.payload) {
            text if text.is_empty() => "unsigned response without a message".to_owned(),
            text => text,
        };
        return refusal(None, &message);
    }
    Body::Response(response)
}

/// `{"error": "…"}`.
pub fn encode(message: &str) -> String {
    let body = Map::from_iter([("error".to_owned(), Value::from(message))]);
    Value::Object(body).to_string()
}

/// The message of `{"error": "…"}`, or of `{"error": {"message": "…"}}`, which OpenAI servers behind a miner send.
fn json_message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    let message = error.as_str().or_else(|| error.get("message")?.as_str());
    message.map(str::to_owned)
}

fn text_of(bytes: &[u8]) -> String {
    let start = bytes
        .get(..MAX_ERROR_TEXT_BYTES.min(bytes.len()))
        .unwrap_or_default();
    String::from_utf8_lossy(start).trim().to_owned()
}

/// At most [`MAX_ERROR_TEXT_BYTES`], cut between characters.
fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_ERROR_TEXT_BYTES))
        .unwrap_or_default()
        .to_owned()
}
