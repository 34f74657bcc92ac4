//! Every recorded gRPC request and response decodes and re-encodes to the same bytes (chain specification 5.2, 5.3).

use std::collections::BTreeMap;
use std::io::Read;

use prost::Message;
use serde_json::Value;

use crate::vector_path;

/// Methods of packages that this project leaves out, and methods that do not exist on purpose.
const NOT_OURS: [&str; 3] = [
    "/pocket.migration.Query/Params",
    "/pocket.nosuch.Query/Params",
    "/pocket.shared.Query/Nope",
];

fn rows(name: &str) -> Vec<Value> {
    let packed = std::fs::read(vector_path(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Input and output type of a gRPC method.
fn types(method: &str) -> Option<(String, String)> {
    let (service, name) = method.trim_start_matches('/').split_once('/')?;
    let service = proto::descriptor_pool().get_service_by_name(service)?;
    let method = service.methods().find(|method| method.name() == name)?;
    Some((
        method.input().full_name().to_owned(),
        method.output().full_name().to_owned(),
    ))
}

/// Decodes and encodes by descriptor, and by our generated types where the always-encoded rule matters.
fn re_encode(type_name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let message =
        proto::json::decode_dynamic(type_name, bytes).map_err(|error| error.to_string())?;
    Ok(message.encode_to_vec())
}

fn check(file: &str) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(file) {
        let method = row["method"].as_str().unwrap();
        if NOT_OURS.contains(&method) {
            continue;
        }
        let (input, output) = types(method).unwrap_or_else(|| panic!("no method {method}"));
        *seen.entry(method.to_owned()).or_default() += 1;
        let failed = row["grpc_code"].as_i64().is_some_and(|code| code != 0)
            || row["code"].as_str().is_some_and(|code| code != "OK");
        let request = hex::decode(row["request_hex"].as_str().unwrap()).unwrap();
        // Requests that the recording sends broken on purpose are answered with an error.
        match re_encode(&input, &request) {
            Ok(again) if !failed => {
                assert_eq!(hex::encode(again), hex::encode(&request), "{method}")
            }
            Ok(_) => {}
            Err(error) => assert!(failed, "{method}: {error}"),
        }
        if !failed {
            let response = hex::decode(row["response_hex"].as_str().unwrap_or("")).unwrap();
            let again = re_encode(&output, &response).unwrap();
            assert_eq!(hex::encode(again), hex::encode(&response), "{method}");
        }
    }
    assert!(!seen.is_empty());
}

#[test]
fn chain_a_queries_re_encode() {
    check("golden/chain-a/queries.jsonl.gz");
}

#[test]
fn peers_calls_re_encode() {
    for name in ["gateway", "relay-miner", "relayer"] {
        check(&format!("golden/peers/{name}-grpc.jsonl.gz"));
    }
}

/// What prost generates agrees with the reference where descriptors cannot tell: typed round trips.
#[test]
fn typed_messages_re_encode() {
    use proto::pocket::{session, supplier};
    let mut typed = 0;
    for row in rows("golden/chain-a/queries.jsonl.gz") {
        if row["grpc_code"].as_i64() != Some(0) {
            continue;
        }
        let bytes = hex::decode(row["response_hex"].as_str().unwrap()).unwrap();
        let again = match row["method"].as_str().unwrap() {
            "/pocket.session.Query/GetSession" => {
                session::QueryGetSessionResponse::decode(bytes.as_slice())
                    .unwrap()
                    .encode_to_vec()
            }
            "/pocket.supplier.Query/Supplier" => {
                supplier::QueryGetSupplierResponse::decode(bytes.as_slice())
                    .unwrap()
                    .encode_to_vec()
            }
            "/pocket.supplier.Query/Params" => {
                supplier::QueryParamsResponse::decode(bytes.as_slice())
                    .unwrap()
                    .encode_to_vec()
            }
            _ => continue,
        };
        typed += 1;
        assert_eq!(again, bytes, "{}", row["method"]);
    }
    assert!(typed > 1000);
}

#[test]
fn the_always_encoded_fields_are_written_when_empty() {
    use proto::pocket::{service, tokenomics};
    assert_eq!(
        hex::encode(service::MsgAddService::default().encode_to_vec()),
        "1200"
    );
    assert_eq!(
        hex::encode(tokenomics::Params::default().encode_to_vec()),
        "0a004200"
    );
    assert_eq!(
        hex::encode(service::RelayRequest::default().encode_to_vec()),
        "0a00"
    );
}
