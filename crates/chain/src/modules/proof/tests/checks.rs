//! `validate_basic`: stateless checks of messages and params of `proof` and `tokenomics`.

use prost::Message as _;
use proto::pocket::proof::{MsgCreateClaim, MsgSubmitProof};
use proto::pocket::session::SessionHeader;
use serde_json::Value;

use super::world::{claim_of, list, message, person, poktroll, text};
use crate::modules::{proof, tokenomics};
use crate::router;

type Outcome = Option<(String, u64, String)>;

fn expected(result: &Value) -> Outcome {
    (!result.is_null()).then(|| {
        let (codespace, code) = (text(&result["codespace"]), result["code"].as_u64().unwrap());
        (codespace.to_owned(), code, text(&result["text"]).to_owned())
    })
}

#[test]
fn stateless_checks_of_messages_equal_the_vectors() {
    let mut seen = 0;
    for row in list(&poktroll()["validate_basic"]["messages"]) {
        let name = text(&row["type"]);
        let ours = ["pocket.proof.", "pocket.tokenomics."]
            .iter()
            .any(|own| name.starts_with(own));
        // Rows without bytes are Go values that have none.
        let (true, Some(bytes)) = (ours, row["proto_hex"].as_str()) else {
            continue;
        };
        let result = router::check(name, &hex::decode(bytes).unwrap()).unwrap();
        let got = result.err().map(|error| {
            (
                error.codespace.into_owned(),
                u64::from(error.code),
                error.log,
            )
        });
        assert_eq!(got, expected(&row["result"]), "{name} {}", row["case"]);
        seen += 1;
    }
    assert!(seen > 150, "{seen}");
}

/// A header that names no session is refused in both messages with the reference's words.
#[test]
fn session_headers_of_messages_equal_the_vectors() {
    for case in list(&poktroll()["relay_hash"]["session_header_validate_basic"]) {
        let header: SessionHeader = message(&case["proto_hex"]);
        let operator = person("operator");
        let claim = claim_of(&header, &operator, 1, 1, 0);
        let create = MsgCreateClaim {
            supplier_operator_address: operator.clone(),
            session_header: Some(header.clone()),
            root_hash: claim.root_hash,
        };
        let submit = MsgSubmitProof {
            supplier_operator_address: operator,
            session_header: Some(header),
            proof: vec![1].into(),
        };
        for (name, bytes) in [
            ("pocket.proof.MsgCreateClaim", create.encode_to_vec()),
            ("pocket.proof.MsgSubmitProof", submit.encode_to_vec()),
        ] {
            let refused = router::check(name, &bytes).unwrap().err();
            match (refused, case["error"]["text"].as_str()) {
                (None, None) => {}
                (Some(refused), Some(wrong)) => {
                    assert_eq!(refused.codespace, "proof", "{name} {case}");
                    assert!(
                        refused.log.contains(wrong),
                        "{name}: {} {case}",
                        refused.log
                    );
                }
                (refused, _) => panic!("{name}: {refused:?}, {case}"),
            }
        }
    }
}

#[test]
fn checks_of_params_equal_the_vectors() {
    let mut seen = 0;
    for row in list(&poktroll()["validate_basic"]["params"]) {
        let name = text(&row["type"]);
        let bytes = hex::decode(text(&row["proto_hex"])).unwrap();
        let (codespace, code, got) = match name {
            "pocket.proof.Params" => {
                let params = prost::Message::decode(bytes.as_slice()).unwrap();
                ("proof", 1120, proof::validate_params(&params))
            }
            "pocket.tokenomics.Params" => {
                let params = prost::Message::decode(bytes.as_slice()).unwrap();
                ("tokenomics", 1112, tokenomics::validate_params(&params))
            }
            _ => continue,
        };
        let got = got.err().map(|text| (codespace.to_owned(), code, text));
        assert_eq!(got, expected(&row["result"]), "{name} {}", row["case"]);
        seen += 1;
    }
    assert!(seen > 70, "{seen}");
}

#[test]
fn numbers_that_are_none_are_refused() {
    let dao = super::world::person("the dao");
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0] {
        let mut params = super::world::proof_params(odd, 1, 1, 1);
        assert!(proof::validate_params(&params).is_err(), "{odd}");
        params.proof_request_probability = 0.5;
        assert_eq!(proof::validate_params(&params), Ok(()));
        type Field = fn(&mut proto::pocket::tokenomics::Params) -> &mut f64;
        let fields: [Field; 4] = [
            |params| &mut params.mint_ratio,
            |params| &mut params.global_inflation_per_claim,
            |params| &mut params.mint_allocation_percentages.application,
            |params| &mut params.mint_equals_burn_claim_distribution.application,
        ];
        for field in fields {
            let mut params = super::world::tokenomics_params(&dao);
            assert_eq!(tokenomics::validate_params(&params), Ok(()));
            *field(&mut params) = odd;
            assert!(tokenomics::validate_params(&params).is_err(), "{odd}");
        }
    }
}
