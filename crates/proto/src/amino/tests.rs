//! Forms that the vectors of `chain` do not show.

use prost::Message as _;
use prost_types::{Any, Duration, Timestamp};

use super::*;
use crate::cosmos::authz::v1beta1::{Grant, MsgGrant};
use crate::cosmos::bank::v1beta1::{MsgMultiSend, MsgSend, SendAuthorization};
use crate::cosmos::feegrant::v1beta1::{BasicAllowance, MsgGrantAllowance, PeriodicAllowance};
use crate::cosmos::slashing::v1beta1::MsgUnjail;
use crate::cosmos::staking::v1beta1::stake_authorization::{Validators, ValidatorsOneOf};
use crate::cosmos::staking::v1beta1::{CommissionRates, MsgCreateValidator, StakeAuthorization};

fn form(any: &Any) -> Result<String, String> {
    let mut out = String::new();
    write_any(&mut out, &any.type_url, &any.value, DEPTH_MAX).map_err(|error| error.to_string())?;
    Ok(out)
}

#[test]
fn the_table_is_sorted_and_knows_only_what_exists() {
    let names: Vec<_> = table::MESSAGES
        .iter()
        .map(|rules| rules.full_name)
        .collect();
    assert!(names.is_sorted());
    let pool = crate::descriptor_pool();
    for rules in table::MESSAGES {
        let message = pool.get_message_by_name(rules.full_name);
        let message = message.unwrap_or_else(|| panic!("{}", rules.full_name));
        for field in rules.fields {
            let found = message.get_field_by_name(field.name);
            assert!(found.is_some(), "{}.{}", rules.full_name, field.name);
        }
    }
}

#[test]
fn empty_fields_follow_their_rules() {
    assert_eq!(
        form(&any::pack(&MsgSend::default())).unwrap(),
        r#"{"type":"cosmos-sdk/MsgSend","value":{"amount":[]}}"#
    );
    assert_eq!(
        form(&any::pack(&MsgMultiSend::default())).unwrap(),
        r#"{"type":"cosmos-sdk/MsgMultiSend","value":{"inputs":null,"outputs":null}}"#
    );
    assert_eq!(
        form(&any::pack(&MsgUnjail::default())).unwrap(),
        r#"{"type":"cosmos-sdk/MsgUnjail","value":{"address":""}}"#
    );
    // A message that must be there and is not has no form.
    let absent = Any {
        type_url: "/cosmos.authz.v1beta1.MsgGrant".to_owned(),
        value: Vec::new(),
    };
    assert!(
        form(&absent)
            .unwrap_err()
            .contains("needs its field `grant`")
    );
}

#[test]
fn nested_messages_times_and_decimals() {
    let periodic = PeriodicAllowance {
        basic: BasicAllowance {
            spend_limit: Vec::new(),
            expiration: Some(Timestamp {
                seconds: 0,
                nanos: 5_000,
            }),
        },
        period: Duration {
            seconds: 3_600,
            nanos: 1,
        },
        ..Default::default()
    };
    let message = MsgGrantAllowance {
        granter: "g".to_owned(),
        grantee: "<e>".to_owned(),
        allowance: Some(any::pack(&periodic)),
    };
    assert_eq!(
        form(&any::pack(&message)).unwrap(),
        concat!(
            r#"{"type":"cosmos-sdk/MsgGrantAllowance","value":{"allowance":{"#,
            r#""type":"cosmos-sdk/PeriodicAllowance","value":{"#,
            r#""basic":{"expiration":"1970-01-01T00:00:00.000005Z","spend_limit":[]},"#,
            r#""period":"3600000000001","period_can_spend":[],"#,
            r#""period_reset":"1970-01-01T00:00:00Z","period_spend_limit":[]}},"#,
            r#""grantee":"\u003ce\u003e","granter":"g"}}"#
        )
    );
    let create = MsgCreateValidator {
        commission: CommissionRates {
            rate: "100000000000000000".to_owned(),
            max_rate: "-2".to_owned(),
            max_change_rate: String::new(),
        },
        pubkey: Some(any::pack(&crate::cosmos::crypto::ed25519::PubKey {
            key: vec![1, 2, 3].into(),
        })),
        ..Default::default()
    };
    assert_eq!(
        form(&any::pack(&create)).unwrap(),
        concat!(
            r#"{"type":"cosmos-sdk/MsgCreateValidator","value":{"#,
            r#""commission":{"max_change_rate":"0","max_rate":"-0.000000000000000002","#,
            r#""rate":"0.100000000000000000"},"description":{},"min_self_delegation":"0","#,
            r#""pubkey":{"type":"tendermint/PubKeyEd25519","value":"AQID"},"#,
            r#""value":{"amount":"0"}}}"#
        )
    );
}

#[test]
fn a_oneof_with_names_is_written_with_them() {
    let own = |validators| MsgGrant {
        grant: Grant {
            authorization: Some(any::pack(&StakeAuthorization {
                authorization_type: 1,
                validators,
                ..Default::default()
            })),
            expiration: None,
        },
        ..Default::default()
    };
    let list = Validators {
        address: vec!["v".to_owned()],
    };
    let set = form(&any::pack(&own(Some(ValidatorsOneOf::DenyList(list))))).unwrap();
    assert!(
        set.contains(concat!(
            r#"{"Validators":{"type":"cosmos-sdk/StakeAuthorization/DenyList","#,
            r#""value":{"deny_list":{"address":["v"]}}},"authorization_type":1}"#
        )),
        "{set}"
    );
    let unset = form(&any::pack(&own(None))).unwrap();
    assert!(
        unset.contains(r#"{"Validators":null,"authorization_type":1}"#),
        "{unset}"
    );
    let send = any::pack(&SendAuthorization {
        allow_list: vec!["a".to_owned()],
        ..Default::default()
    });
    assert_eq!(
        form(&send).unwrap(),
        r#"{"type":"cosmos-sdk/SendAuthorization","value":{"allow_list":["a"],"spend_limit":[]}}"#
    );
}

#[test]
fn a_bottomless_nesting_ends() {
    let mut inner = any::pack(&MsgSend::default());
    for _ in 0..100 {
        let outer = crate::cosmos::authz::v1beta1::MsgExec {
            grantee: String::new(),
            msgs: vec![inner],
        };
        inner = Any {
            type_url: "/cosmos.authz.v1beta1.MsgExec".to_owned(),
            value: outer.encode_to_vec(),
        };
    }
    assert!(form(&inner).unwrap_err().contains("nested too deep"));
}

#[test]
fn decimals_in_bytes_are_written_as_decimals() {
    use crate::cosmos::slashing::v1beta1::{MsgUpdateParams, Params};
    let message = MsgUpdateParams {
        authority: "a".to_owned(),
        params: Params {
            signed_blocks_window: 5,
            min_signed_per_window: "50000000000000000".into(),
            downtime_jail_duration: Duration {
                seconds: 1,
                nanos: 0,
            },
            slash_fraction_double_sign: "0".into(),
            ..Default::default()
        },
    };
    assert_eq!(
        form(&any::pack(&message)).unwrap(),
        concat!(
            r#"{"type":"cosmos-sdk/x/slashing/MsgUpdateParams","value":{"authority":"a","params":{"#,
            r#""downtime_jail_duration":"1000000000","min_signed_per_window":"0.050000000000000000","#,
            r#""signed_blocks_window":"5","slash_fraction_double_sign":"0.000000000000000000","#,
            r#""slash_fraction_downtime":"0"}}}"#
        )
    );
}
