//! Transactions that were sent: the answer of CheckTx.

use serde_json::Value;
use tendermint_proto::v0_38::abci::ResponseCheckTx;

use super::blocks::PANIC;
use super::free;
use super::recording::Sent;
use super::report::{Difference, Part, Report};
use crate::mempool::Refused;

/// What was answered to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// CheckTx gave a code and its registry.
    Checked(u64, String),
    /// It was refused before.
    Refused(String),
}

impl Verdict {
    pub(super) fn of(answer: Result<ResponseCheckTx, Refused>) -> Self {
        match answer {
            Ok(answer) => Self::Checked(answer.code.into(), answer.codespace),
            Err(refused) => Self::Refused(refused.to_string()),
        }
    }

    /// What an answer of the RPC says, ours or a recorded one.
    pub(super) fn of_rpc(answer: &Value) -> Option<Self> {
        if !answer["error"].is_null() {
            return Some(Self::Refused(error_text(&answer["error"])));
        }
        Self::of_check(&answer["result"])
    }

    /// What the RPC method's result says: CheckTx's answer, or one that holds it.
    fn of_check(result: &Value) -> Option<Self> {
        let answer = match &result["check_tx"] {
            Value::Null => result,
            inner => inner,
        };
        let codespace = answer["codespace"].as_str().unwrap_or_default();
        Some(Self::Checked(
            answer["code"].as_u64()?,
            codespace.to_owned(),
        ))
    }

    fn text(&self) -> String {
        match self {
            Self::Checked(code, codespace) => format!("code {code} {codespace}").trim().to_owned(),
            Self::Refused(text) => format!("error {text}"),
        }
    }
}

fn error_text(error: &Value) -> String {
    let data = error["data"].as_str().or_else(|| error["message"].as_str());
    data.unwrap_or_default().to_owned()
}

/// What was recorded of a transaction; the reason why it is not compared otherwise.
pub(super) fn recorded(sent: &Sent) -> Result<Verdict, &'static str> {
    if sent.broadcast.as_deref() == Some("broadcast_tx_async") {
        return Err("transactions sent without waiting for CheckTx");
    }
    if let Some(error) = &sent.rpc_error
        && !error.is_null()
    {
        return Ok(Verdict::Refused(error_text(error)));
    }
    let checked = sent.check_tx.as_ref().and_then(Verdict::of_check);
    match checked {
        Some(Verdict::Checked(11, codespace)) if codespace == "sdk" => {
            Err("transactions that CheckTx refused for their gas limit")
        }
        Some(verdict) => Ok(verdict),
        None => Err("transactions without a recorded CheckTx answer"),
    }
}

/// Why a transaction is not sent to ours at a height, if there is a reason.
pub(super) fn reason_to_skip(sent: &Sent, height: i64) -> Option<&'static str> {
    if sent.result.height.is_some_and(|block| block <= height) {
        return Some("transactions that were in a block before the recorder's height");
    }
    let said_nothing = sent.check_tx.is_none();
    if sent.is_included() || said_nothing {
        return None;
    }
    // What the recorded node did not take must not fill our mempool either.
    recorded(sent).err()
}

/// Whether our verdict is the recorded one.
pub(super) fn agrees(expected: &Verdict, got: &Verdict) -> bool {
    match (expected, got) {
        (Verdict::Checked(PANIC, _), Verdict::Checked(code, _)) => *code != 0,
        (Verdict::Checked(PANIC, _), Verdict::Refused(_)) => true,
        (Verdict::Refused(expected), Verdict::Refused(got)) => free::same_text(expected, got),
        (expected, got) => expected == got,
    }
}

/// Notes a verdict that is not the recorded one.
pub(super) fn differs(report: &mut Report, sent: &Sent, expected: &Verdict, got: &Verdict) {
    let intent = sent.intent.as_deref().unwrap_or("transaction");
    let difference = Difference {
        part: Part::Check,
        height: sent.sent_after_height,
        place: format!("txs.jsonl:{}: {intent}", sent.line),
        field: "check_tx".to_owned(),
        expected: expected.text(),
        got: got.text(),
    };
    report.differs("", difference);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn verdicts_are_read_from_every_form() {
        let checked = |code, codespace: &str| Some(Verdict::Checked(code, codespace.to_owned()));
        let plain = json!({ "result": { "code": 32, "codespace": "sdk" } });
        assert_eq!(Verdict::of_rpc(&plain), checked(32, "sdk"));
        let commit = json!({ "result": { "check_tx": { "code": 5, "codespace": "sdk" } } });
        assert_eq!(Verdict::of_rpc(&commit), checked(5, "sdk"));
        let error = json!({ "error": { "code": -32603, "data": "tx already exists in cache" } });
        let refused = Verdict::Refused("tx already exists in cache".to_owned());
        assert_eq!(Verdict::of_rpc(&error), Some(refused.clone()));
        assert_eq!(Verdict::of(Err(Refused::Known)), refused);
        assert_eq!(Verdict::of_rpc(&json!({ "result": {} })), None);
    }

    #[test]
    fn a_panic_need_only_be_a_refusal() {
        let panic = Verdict::Checked(PANIC, "undefined".to_owned());
        assert!(agrees(&panic, &Verdict::Checked(8, "sdk".to_owned())));
        assert!(!agrees(&panic, &Verdict::Checked(0, String::new())));
        let eight = Verdict::Checked(8, "sdk".to_owned());
        assert!(!agrees(
            &eight,
            &Verdict::Checked(8, "undefined".to_owned())
        ));
    }
}
