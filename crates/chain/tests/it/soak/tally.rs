//! What happened, for the record: messages by type, accepted or refused, and what settlement made of claims.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prost::Message as _;
use prost_types::Any;
use proto::any::type_name;
use proto::cosmos::authz::v1beta1::MsgExec;
use proto::cosmos::tx::v1beta1::{TxBody, TxRaw};
use tendermint_proto::v0_38::abci::{Event, RequestFinalizeBlock, ResponseFinalizeBlock};

use super::kinds::{SUBMIT_EVIDENCE, made};

/// Counts of everything.
#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
    /// Accepted and refused, by full name.
    messages: BTreeMap<String, (u64, u64)>,
    /// Refused transactions, by codespace and code.
    refusals: BTreeMap<(String, u32), u64>,
}

impl Tally {
    /// Counts one more.
    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Whether something ever happened.
    pub(super) fn saw(&self, what: &str) -> bool {
        self.counts.contains_key(what)
    }

    /// Counts what a block did.
    pub(super) fn block(
        &mut self,
        request: &RequestFinalizeBlock,
        response: &ResponseFinalizeBlock,
    ) {
        for (tx, result) in request.txs.iter().zip(&response.tx_results) {
            let accepted = result.code == 0;
            self.count(if accepted { "accepted" } else { "refused" });
            if !accepted {
                let code = (result.codespace.clone(), result.code);
                *self.refusals.entry(code).or_default() += 1;
            }
            let raw = TxRaw::decode(tx.as_ref()).unwrap_or_default();
            let body = TxBody::decode(raw.body_bytes).unwrap_or_default();
            if body.unordered && accepted {
                self.count("unordered accepted");
            }
            for message in &body.messages {
                self.message(message, accepted);
            }
        }
        for validator in &request.misbehavior {
            assert!(validator.validator.is_some());
            self.count("double signatures");
        }
        for event in &response.events {
            self.event(event);
        }
    }

    fn message(&mut self, message: &Any, accepted: bool) {
        let name = type_name(&message.type_url).to_owned();
        let counts = self.messages.entry(name).or_default();
        if accepted {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
        if let Ok(exec) = proto::any::unpack::<MsgExec>(message) {
            for inner in &exec.msgs {
                self.message(inner, accepted);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        let status = |value: &str| {
            let mut pairs = event.attributes.iter();
            pairs.any(|pair| pair.key == "claim_proof_status_int" && pair.value == value)
        };
        let what = match event.r#type.rsplit('.').next().unwrap_or_default() {
            "EventClaimSettled" => "settled",
            "EventClaimExpired" => "expired",
            "EventClaimDiscarded" => "discarded",
            "EventSupplierSlashed" => "slashed",
            "EventTransferEnd" => "transferred",
            "EventApplicationUnbondingEnd"
            | "EventSupplierUnbondingEnd"
            | "EventGatewayUnbondingEnd" => "unbonded",
            "EventProofValidityChecked" if status("1") => "proofs valid",
            "EventProofValidityChecked" => "proofs invalid",
            "slash" => "validators slashed or jailed",
            _ => return,
        };
        self.count(what);
    }

    /// Names of messages of which none was accepted.
    pub(super) fn never_accepted(&self) -> Vec<String> {
        let expected = made().filter(|name| *name != SUBMIT_EVIDENCE);
        let accepted = |name: &&str| {
            let counts = self.messages.get(*name);
            counts.is_some_and(|(accepted, _)| *accepted > 0)
        };
        let never = expected.filter(|name| !accepted(name));
        never.map(str::to_owned).collect()
    }

    /// One line of counts, then a line for each type of message.
    pub(super) fn summary(&self) -> String {
        let counts = self.counts.iter();
        let counts: Vec<String> = counts.map(|(what, n)| format!("{n} {what}")).collect();
        let mut text = counts.join(", ");
        text.push_str("\n  message: accepted, refused");
        for (name, (accepted, refused)) in &self.messages {
            let _ = write!(text, "\n  {name}: {accepted}, {refused}");
        }
        let refusals = self.refusals.iter();
        let refusals: Vec<String> = refusals
            .map(|((space, code), count)| format!("{space} {code}: {count}"))
            .collect();
        let _ = write!(text, "\n  refusals: {}", refusals.join(", "));
        text
    }
}
