//! How many tokens a request and its answer took.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The `usage` object; counts are tokens of the model's own tokenizer, as the server reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request, template included.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Tokens generated, the one that ended the answer included.
    #[serde(default)]
    pub completion_tokens: u64,
    /// The sum, as reported.
    #[serde(default)]
    pub total_tokens: u64,
}

impl Usage {
    /// From the two counts.
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens,
        }
    }

    /// Reads the top-level `usage` of a complete answer, or of the payload of one streamed event.
    /// All else is skipped. `None` when it is absent, `null` or not as described.
    pub fn of_answer(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            usage: Option<&'a RawValue>,
        }
        if !json.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let body: Body<'_> = serde_json::from_slice(json).ok()?;
        let usage = body.usage?.get();
        if !usage.starts_with('{') {
            return None;
        }
        serde_json::from_str(usage).ok()
    }
}

#[cfg(test)]
mod tests;
