//! Parameters, changed by whoever holds a grant of the authority.
//!
//! The authority of a Shannon chain is the account of the module `gov`, which has no key; its powers are granted to
//! accounts through `authz`. So a change is a message of the authority inside a `MsgExec` of the signer.

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use crypto::keys::Address;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use prost_types::Any;
use proto::cosmos::authz::v1beta1::MsgExec;
use serde_json::{Value, json};

use super::amount::coin;
use super::message;
use super::signer::Signer;

const COIN: &str = "cosmos.base.v1beta1.Coin";

#[derive(Subcommand, Debug)]
pub(crate) enum Params {
    /// Changes one parameter of a pocket module.
    Set {
        /// The module, e.g. shared.
        module: String,
        /// The parameter, e.g. num_blocks_per_session.
        name: String,
        /// Its new value: a number, coins, text, or JSON where it has parts.
        value: String,
        /// Whose power it is. Default: the account of the module gov.
        #[arg(long, value_name = "ADDRESS")]
        authority: Option<Address>,
    },
    /// Changes all parameters of a module at once.
    SetAll {
        /// The module, e.g. shared or staking.
        module: String,
        /// All of its parameters in JSON, as `query params` prints them; `-` is standard input.
        file: String,
        /// Whose power it is. Default: the account of the module gov.
        #[arg(long, value_name = "ADDRESS")]
        authority: Option<Address>,
    },
}

impl Params {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        let (inner, authority) = match self {
            Self::Set {
                module,
                name,
                value,
                authority,
            } => (
                set(module, name, value, authority_of(authority))?,
                authority,
            ),
            Self::SetAll {
                module,
                file,
                authority,
            } => (
                set_all(module, message::read_json(file)?, authority_of(authority))?,
                authority,
            ),
        };
        if authority_of(authority) == signer.address {
            return Ok(inner);
        }
        Ok(proto::any::pack(&MsgExec {
            grantee: signer.account(),
            msgs: vec![inner],
        }))
    }
}

fn authority_of(given: &Option<Address>) -> Address {
    given.unwrap_or_else(|| Address::module("gov"))
}

/// One parameter: which of the message's types its value has follows from the module's `Params`.
fn set(module: &str, name: &str, value: &str, authority: Address) -> Result<Any> {
    let package = format!("pocket.{module}");
    let params = descriptor(&format!("{package}.Params"))
        .with_context(|| format!("there is no pocket module `{module}`"))?;
    let parameter = params.get_field_by_name(name).with_context(|| {
        let names: Vec<String> = params
            .fields()
            .map(|field| field.name().to_owned())
            .collect();
        format!(
            "{module} has no parameter `{name}`; it has: {}",
            names.join(", ")
        )
    })?;
    let update = descriptor(&format!("{package}.MsgUpdateParam"))
        .with_context(|| format!("{module} has no message for a single parameter"))?;
    let member = update
        .fields()
        .filter(|field| field.containing_oneof().is_some())
        .find(|field| same_type(field, &parameter))
        .with_context(|| {
            format!("{module}'s MsgUpdateParam has no form for `{name}`: use `params set-all`")
        })?;
    let url = format!("/{package}.MsgUpdateParam");
    let fields = json!({
        "authority": authority.to_bech32(),
        "name": name,
        member.name(): json_of(&member, value).with_context(|| format!("{module}.{name}"))?,
    });
    message::packed(&url, &fields)
}

/// All parameters of a module, of pocket or of the SDK.
fn set_all(module: &str, document: Value, authority: Address) -> Result<Any> {
    // What `query params` prints has them one level down.
    let params = match document.get("params") {
        Some(inner) => inner.clone(),
        None => document,
    };
    let candidates = [
        format!("pocket.{module}"),
        format!("cosmos.{module}.v1beta1"),
        format!("cosmos.{module}.v1"),
    ];
    let found = candidates
        .iter()
        .map(|package| format!("{package}.MsgUpdateParams"))
        .find_map(|name| descriptor(&name));
    let update = found.with_context(|| format!("there is no module `{module}` with parameters"))?;
    let mut fields = match update.get_field_by_name("params") {
        Some(_) => json!({ "params": params }),
        // Consensus has its groups at the top.
        None => params,
    };
    let Some(object) = fields.as_object_mut() else {
        bail!("expected a JSON object of parameters");
    };
    object.insert("authority".to_owned(), Value::String(authority.to_bech32()));
    message::packed(&format!("/{}", update.full_name()), &fields)
}

fn descriptor(name: &str) -> Option<MessageDescriptor> {
    proto::descriptor_pool().get_message_by_name(name)
}

fn same_type(one: &FieldDescriptor, other: &FieldDescriptor) -> bool {
    match (one.kind(), other.kind()) {
        (Kind::Message(one), Kind::Message(other)) => one.full_name() == other.full_name(),
        (one, other) => one == other,
    }
}

/// A value as people write it, in proto-JSON.
fn json_of(field: &FieldDescriptor, text: &str) -> Result<Value> {
    match field.kind() {
        Kind::Message(message) if message.full_name() == COIN => {
            let coin = coin(text)?;
            Ok(json!({ "denom": coin.denom, "amount": coin.amount }))
        }
        Kind::Message(message) => serde_json::from_str(text)
            .with_context(|| format!("`{text}`: expected {} in JSON", message.name())),
        _ => Ok(Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use proto::pocket::{application, proof, service, session, shared, supplier, tokenomics};

    use super::*;

    fn gov() -> Address {
        Address::module("gov")
    }

    #[test]
    fn a_parameter_gets_the_type_that_it_has() {
        let any = set("shared", "num_blocks_per_session", "20", gov()).unwrap();
        assert_eq!(any.type_url, "/pocket.shared.MsgUpdateParam");
        let read = shared::MsgUpdateParam::decode(any.value.as_slice()).unwrap();
        assert_eq!(read.authority, gov().to_bech32());
        use shared::msg_update_param::AsType as Shared;
        assert_eq!(read.as_type, Some(Shared::AsUint64(20)));

        let any = set("proof", "proof_missing_penalty", "1pokt", gov()).unwrap();
        let read = proof::MsgUpdateParam::decode(any.value.as_slice()).unwrap();
        use proof::msg_update_param::AsType as Proof;
        assert!(matches!(read.as_type, Some(Proof::AsCoin(coin)) if coin.amount == "1000000"));
        let any = set("proof", "proof_request_probability", "0.5", gov()).unwrap();
        let read = proof::MsgUpdateParam::decode(any.value.as_slice()).unwrap();
        assert!(matches!(read.as_type, Some(Proof::AsFloat(half)) if half == 0.5));

        let shares =
            r#"{"dao":0.1,"proposer":0.1,"supplier":0.6,"source_owner":0.1,"application":0.1}"#;
        let any = set("tokenomics", "mint_allocation_percentages", shares, gov()).unwrap();
        let read = tokenomics::MsgUpdateParam::decode(any.value.as_slice()).unwrap();
        use tokenomics::msg_update_param::AsType as Tokenomics;
        assert!(matches!(
            read.as_type,
            Some(Tokenomics::AsMintAllocationPercentages(_))
        ));
    }

    #[test]
    fn every_parameter_can_be_set_alone() {
        let value = |kind: Kind| match kind {
            Kind::Message(message) if message.full_name() == COIN => "1upokt".to_owned(),
            Kind::Message(_) => "{}".to_owned(),
            Kind::Bytes => "AAAA".to_owned(),
            _ => "1".to_owned(),
        };
        let mut missing = Vec::new();
        for module in [
            "application",
            "gateway",
            "proof",
            "service",
            "session",
            "shared",
            "supplier",
            "tokenomics",
        ] {
            let params = descriptor(&format!("pocket.{module}.Params")).unwrap();
            for field in params.fields() {
                if set(module, field.name(), &value(field.kind()), gov()).is_err() {
                    missing.push(format!("{module}.{}", field.name()));
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
        // Types are used, so that a module that loses one is noticed here.
        let _ = (
            application::MsgUpdateParam::default(),
            service::MsgUpdateParam::default(),
            session::MsgUpdateParam::default(),
            supplier::MsgUpdateParam::default(),
        );
    }

    #[test]
    fn all_parameters_are_taken_as_a_query_prints_them() {
        let printed = json!({ "params": { "num_suppliers_per_session": "7" } });
        let any = set_all("session", printed, gov()).unwrap();
        let read = session::MsgUpdateParams::decode(any.value.as_slice()).unwrap();
        assert_eq!(read.params.num_suppliers_per_session, 7);
        let any = set_all("bank", json!({ "default_send_enabled": true }), gov()).unwrap();
        assert_eq!(any.type_url, "/cosmos.bank.v1beta1.MsgUpdateParams");
        let block = json!({ "block": { "max_bytes": "1", "max_gas": "2" } });
        let any = set_all("consensus", block, gov()).unwrap();
        assert_eq!(any.type_url, "/cosmos.consensus.v1.MsgUpdateParams");
        for (module, name) in [("shared", "no_such_param"), ("no_such_module", "x")] {
            let error = set(module, name, "1", gov()).unwrap_err().to_string();
            assert!(error.contains("no_such"), "{error}");
        }
    }
}
