//! The forms that no recorded vector covers.

use super::*;

#[test]
fn an_any_round_trips_with_its_type_first() {
    let account = crate::cosmos::auth::v1beta1::BaseAccount {
        address: "pokt1x".to_owned(),
        pub_key: None,
        account_number: 3,
        sequence: 7,
    };
    let any = crate::any::pack(&account);
    let json = bytes_to_json("google.protobuf.Any", &any.encode_to_vec()).unwrap();
    assert_eq!(
        json,
        r#"{"@type":"/cosmos.auth.v1beta1.BaseAccount","address":"pokt1x","pub_key":null,"account_number":"3","sequence":"7"}"#
    );
    let value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json_to_bytes("google.protobuf.Any", &value).unwrap(),
        any.encode_to_vec()
    );
}

#[test]
fn an_unknown_key_is_named_with_its_path() {
    let value = serde_json::json!({"params": {"min_stake": {"denom": "upokt", "amout": "1"}}});
    let error = json_to_bytes("pocket.gateway.GenesisState", &value)
        .unwrap_err()
        .to_string();
    assert!(error.contains("params.min_stake.amout"), "{error}");
}

#[test]
fn times_are_trimmed_as_go_does() {
    assert_eq!(
        crate::time::rfc3339(0, 120_000_000),
        "1970-01-01T00:00:00.12Z"
    );
    assert_eq!(
        crate::time::parse_rfc3339("1970-01-01T00:00:00.12Z"),
        Some((0, 120_000_000))
    );
    assert_eq!(
        crate::time::parse_duration("-1.5s"),
        Some((-1, -500_000_000))
    );
}

#[test]
fn times_in_json_have_whole_groups_of_three_digits() {
    let time = |nanos| crate::time::json_timestamp(1, nanos);
    assert_eq!(time(0), "1970-01-01T00:00:01Z");
    assert_eq!(time(120_000_000), "1970-01-01T00:00:01.120Z");
    assert_eq!(time(598_637_480), "1970-01-01T00:00:01.598637480Z");
    assert_eq!(time(5_000), "1970-01-01T00:00:01.000005Z");
    assert_eq!(crate::time::duration(-1, -500_000_000), "-1.500s");
    assert_eq!(crate::time::duration(0, 1), "0.000000001s");
}
