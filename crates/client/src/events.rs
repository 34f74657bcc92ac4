//! What a block did, as typed events of the pocket modules.
//!
//! A typed event's attributes are the fields of a protobuf message as JSON fragments, to which the
//! SDK appends `mode` (events of the block) or `msg_index` (events of a transaction). Fields that
//! we do not know, of a newer chain, are left out; everything else must fit, else it is an error
//! and not a default.
//!
//! Start with [`BlockEvents::pocket`].

use prost::{Message, Name};
use prost_reflect::MessageDescriptor;
use proto::pocket::{application, proof, service, supplier, tokenomics};
use serde_json::{Map, Value};

use crate::rpc::types::{BlockResults, Event};
use crate::{Error, Result};

/// Where in a block something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a transaction.
    Tx {
        /// Its place in the block.
        index: usize,
        /// Which of its messages; `None` for its checks and fees.
        message: Option<usize>,
    },
    /// Before the transactions.
    BeginBlock,
    /// After them: settlement.
    EndBlock,
}

/// The events of one block in the order they happened.
#[derive(Clone, Debug)]
pub struct BlockEvents {
    /// The block.
    pub height: i64,
    /// Every event and its place.
    pub events: Vec<(Place, Event)>,
}

/// A typed event of the modules that pay and punish. Boxed, as they are large and few.
#[derive(Clone, Debug, PartialEq)]
pub enum PocketEvent {
    /// A claim was created.
    ClaimCreated(Box<proof::EventClaimCreated>),
    /// A claim was replaced.
    ClaimUpdated(Box<proof::EventClaimUpdated>),
    /// A proof was submitted.
    ProofSubmitted(Box<proof::EventProofSubmitted>),
    /// A proof was checked.
    ProofValidityChecked(Box<proof::EventProofValidityChecked>),
    /// A claim was paid.
    ClaimSettled(Box<tokenomics::EventClaimSettled>),
    /// A claim was lost.
    ClaimExpired(Box<tokenomics::EventClaimExpired>),
    /// A claim could not be settled.
    ClaimDiscarded(Box<tokenomics::EventClaimDiscarded>),
    /// An application could not pay for all it used.
    ApplicationOverserviced(Box<tokenomics::EventApplicationOverserviced>),
    /// An application is owed something back.
    ApplicationReimbursementRequest(Box<tokenomics::EventApplicationReimbursementRequest>),
    /// A supplier lost stake.
    SupplierSlashed(Box<tokenomics::EventSupplierSlashed>),
    /// Coins moved by settlement.
    SettlementBatch(Box<tokenomics::EventSettlementBatch>),
    /// Coins paid to a validator and its delegators.
    ValidatorRewardDistribution(Box<tokenomics::EventValidatorRewardDistribution>),
    /// The difficulty of a service changed.
    RelayMiningDifficultyUpdated(Box<service::EventRelayMiningDifficultyUpdated>),
    /// A supplier's configuration took effect.
    SupplierServiceConfigActivated(Box<supplier::EventSupplierServiceConfigActivated>),
    /// A supplier began to leave, or was made to.
    SupplierUnbondingBegin(Box<supplier::EventSupplierUnbondingBegin>),
    /// An application began to leave, or was made to.
    ApplicationUnbondingBegin(Box<application::EventApplicationUnbondingBegin>),
}

/// One line a type: name the variant, and it is parsed.
macro_rules! parse {
    ($event:expr, $($variant:ident($message:ty),)*) => {
        match $event.kind.as_str() {
            $(kind if kind == <$message>::full_name() => {
                Some(PocketEvent::$variant(Box::new(decode::<$message>($event)?)))
            })*
            _ => None,
        }
    };
}

impl PocketEvent {
    /// The typed form of an event; `None` for events that are not listed here, such as the bank's.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a listed event that does not fit its type.
    pub fn parse(event: &Event) -> Result<Option<Self>> {
        Ok(parse!(
            event,
            ClaimCreated(proof::EventClaimCreated),
            ClaimUpdated(proof::EventClaimUpdated),
            ProofSubmitted(proof::EventProofSubmitted),
            ProofValidityChecked(proof::EventProofValidityChecked),
            ClaimSettled(tokenomics::EventClaimSettled),
            ClaimExpired(tokenomics::EventClaimExpired),
            ClaimDiscarded(tokenomics::EventClaimDiscarded),
            ApplicationOverserviced(tokenomics::EventApplicationOverserviced),
            ApplicationReimbursementRequest(tokenomics::EventApplicationReimbursementRequest),
            SupplierSlashed(tokenomics::EventSupplierSlashed),
            SettlementBatch(tokenomics::EventSettlementBatch),
            ValidatorRewardDistribution(tokenomics::EventValidatorRewardDistribution),
            RelayMiningDifficultyUpdated(service::EventRelayMiningDifficultyUpdated),
            SupplierServiceConfigActivated(supplier::EventSupplierServiceConfigActivated),
            SupplierUnbondingBegin(supplier::EventSupplierUnbondingBegin),
            ApplicationUnbondingBegin(application::EventApplicationUnbondingBegin),
        ))
    }
}

impl BlockEvents {
    /// Orders the events of a block as they happened: before, in, and after its transactions.
    pub fn of(results: BlockResults) -> Self {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for event in results.finalize_block_events {
            match event.get("mode") {
                Some("BeginBlock") => before.push((Place::BeginBlock, event)),
                _ => after.push((Place::EndBlock, event)),
            }
        }
        let mut events = before;
        for (index, result) in results.txs_results.into_iter().enumerate() {
            for event in result.events {
                let message = event.get("msg_index").and_then(|text| text.parse().ok());
                events.push((Place::Tx { index, message }, event));
            }
        }
        events.append(&mut after);
        Self {
            height: results.height,
            events,
        }
    }

    /// The typed events among them, in order.
    ///
    /// # Errors
    /// [`Error::Malformed`] for one that does not fit its type.
    pub fn pocket(&self) -> Result<Vec<(Place, PocketEvent)>> {
        let typed = self
            .events
            .iter()
            .map(|(place, event)| Ok(PocketEvent::parse(event)?.map(|event| (*place, event))));
        typed.filter_map(Result::transpose).collect()
    }
}

/// Reads a typed event into its message.
///
/// # Errors
/// [`Error::Malformed`] when the event is of another type, or a field does not fit.
pub fn decode<M: Message + Name + Default>(event: &Event) -> Result<M> {
    let name = M::full_name();
    if event.kind != name {
        return Err(Error::malformed(
            name,
            format!("event is a `{}`", event.kind),
        ));
    }
    let descriptor = proto::descriptor_pool()
        .get_message_by_name(&name)
        .ok_or_else(|| Error::malformed(&name, "type without descriptor"))?;
    let mut object = Map::new();
    for attribute in &event.attributes {
        if descriptor.get_field_by_name(&attribute.key).is_none() {
            continue;
        }
        let value = serde_json::from_str(&attribute.value)
            .map_err(|error| Error::malformed(&name, format!("{}: {error}", attribute.key)))?;
        object.insert(attribute.key.clone(), value);
    }
    let mut value = Value::Object(object);
    keep_known(&descriptor, &mut value);
    proto::json::from_json(&value).map_err(|error| Error::malformed(name, error))
}

/// Drops keys that the type does not have, at every depth.
fn keep_known(descriptor: &MessageDescriptor, value: &mut Value) {
    let Value::Object(object) = value else { return };
    if descriptor.full_name().starts_with("google.protobuf.") {
        return;
    }
    object.retain(|key, _| descriptor.get_field_by_name(key).is_some());
    for (key, value) in object.iter_mut() {
        let Some(field) = descriptor.get_field_by_name(key) else {
            continue;
        };
        let Some(inner) = field.kind().as_message().cloned() else {
            continue;
        };
        match value {
            Value::Object(entries) if field.is_map() => {
                let Some(inner) = inner.map_entry_value_field().kind().as_message().cloned() else {
                    continue;
                };
                entries
                    .values_mut()
                    .for_each(|value| keep_known(&inner, value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| keep_known(&inner, item)),
            other => keep_known(&inner, other),
        }
    }
}

#[cfg(test)]
mod tests;
