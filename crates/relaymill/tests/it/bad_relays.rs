//! What a supplier refuses: relays as a stranger could send them, straight to its endpoint.
//!
//! Every request carries a mark of its own; a refused one must be in no session log.

use std::time::Duration;

use bytes::Bytes;
use crypto::keys::{PublicKey, SecretKey};
use crypto::ring::Signer;
use prost::Message as _;
use proto::pocket::service::RelayRequest;
use proto::pocket::session::{QueryGetSessionRequest, QueryGetSessionResponse, Session};
use protocol::relay::{build_request, signable_request};
use serde_json::Value;

use crate::support::evidence::session_logs;
use crate::support::network::Network;
use crate::support::separate::read_toml;
use crate::support::web::{self, Answer};
use crate::support::{load, wait_for};

/// A gateway of our own with the network's keys: signs what it likes.
struct Forger<'a> {
    network: &'a Network,
    application: String,
    /// The application's and the gateway's key.
    ring: Vec<PublicKey>,
    signer: Signer,
}

impl<'a> Forger<'a> {
    fn new(network: &'a Network) -> Self {
        let config = read_toml(&network.data().join("gateway/gateway.toml"));
        let model = &config["model"].as_array().expect("[[model]]")[0];
        assert_eq!(model["id"].as_str(), Some("millstone"));
        let application = model["applications"][0]
            .as_str()
            .expect("an address")
            .to_owned();
        let gateway = key(network, "gateway");
        let ring = vec![key(network, "application-1").public(), gateway.public()];
        assert_eq!(ring[0].address().to_bech32(), application);
        let signer = Signer::new(gateway, ring.clone()).unwrap();
        Self {
            network,
            application,
            ring,
            signer,
        }
    }

    /// The session at a height; 0 is now. Two suppliers are in it.
    fn session(&self, height: i64) -> Session {
        let request = QueryGetSessionRequest {
            application_address: self.application.clone(),
            service_id: "millstone".to_owned(),
            block_height: height,
        };
        let path = "/pocket.session.Query/GetSession";
        let answer: QueryGetSessionResponse =
            self.network.chain().query(path, &request, 0).unwrap();
        answer.session.expect("a session")
    }

    /// The current session, once it has three blocks to go: it must not end while a test is at it.
    fn current(&self) -> Session {
        let fresh = |height: i64| (height - 1) % 10 <= 6;
        wait_for("a young session", Duration::from_secs(30), || {
            fresh(self.network.chain().height()).then(|| self.session(0))
        })
    }

    /// A correct request to the first supplier of the current session, not signed.
    fn unsigned(&self, mark: &str) -> RelayRequest {
        self.request(&self.current(), "POST", "/v1/chat/completions", mark)
    }

    fn request(&self, session: &Session, method: &str, path: &str, mark: &str) -> RelayRequest {
        let body = load::body("millstone", mark, false).to_string();
        let headers = [("content-type", "application/json")];
        let url = format!("http://millstone{path}");
        let payload = protocol::http::build_request(method, &url, headers, &[], body.into());
        let header = session.header.clone().expect("a header");
        build_request(header, &session.suppliers[0].operator_address, payload)
    }

    fn sign(&self, request: &mut RelayRequest) {
        sign(request, &self.signer);
    }

    /// Sends a request to the supplier that it names, or to the first there is.
    fn send(&self, request: &RelayRequest) -> Answer {
        self.post(
            &request.meta.supplier_operator_address,
            request.encode_to_vec(),
        )
    }

    fn post(&self, operator: &str, body: impl Into<Bytes>) -> Answer {
        let suppliers = self.session(0).suppliers;
        let supplier = suppliers
            .iter()
            .find(|supplier| supplier.operator_address == operator);
        let supplier = supplier.unwrap_or(&suppliers[0]);
        web::send(web::post(&supplier.services[0].endpoints[0].url, body))
    }

    /// Whether a relay with this mark is in a session log.
    fn is_mined(&self, mark: &str) -> bool {
        let logs = session_logs(&self.network.data());
        let mut relays = logs.values().flat_map(|log| &log.relays);
        relays.any(|relay| {
            relay
                .windows(mark.len())
                .any(|window| window == mark.as_bytes())
        })
    }

    /// The request is refused with this status and a cause that has these words; nothing is mined.
    fn refused(&self, mark: &str, answer: &Answer, status: u16, words: &str) {
        assert_eq!(answer.status, status, "{mark}: {}", answer.text());
        let Value::String(cause) = answer.json()["error"].clone() else {
            panic!("{mark}: no `error` in {}", answer.text())
        };
        assert!(cause.contains(words), "{mark}: `{words}` in `{cause}`");
        assert!(!self.is_mined(mark), "{mark}: mined");
    }
}

/// A key file of the network.
fn key(network: &Network, name: &str) -> SecretKey {
    let text = std::fs::read_to_string(network.data().join(format!("keys/{name}.key"))).unwrap();
    let bytes: [u8; 32] = hex::decode(text.trim()).unwrap().try_into().unwrap();
    SecretKey::from_bytes(&bytes).unwrap()
}

fn sign(request: &mut RelayRequest, signer: &Signer) {
    request.meta.signature = signer.sign(&signable_request(request)).unwrap().into();
}

#[test]
fn a_correct_relay_is_served_once() {
    let forger = Forger::new(Network::shared());
    let mark = "mark-correct";
    let mut request = forger.unsigned(mark);
    forger.sign(&mut request);
    let answer = forger.send(&request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let response = protocol::relay::decode_response(&answer.body).unwrap();
    let inner = protocol::http::parse_response(&response.payload).unwrap();
    assert_eq!(inner.status_code, 200);
    assert!(forger.is_mined(mark));

    let again = forger.send(&request);
    assert_eq!(again.status, 403, "the same bytes again: {}", again.text());
    assert!(
        again.json()["error"]
            .as_str()
            .unwrap()
            .contains("already served"),
        "{}",
        again.text()
    );
    let logs = session_logs(&forger.network.data());
    let relays = logs.values().flat_map(|log| &log.relays);
    let marked = relays.filter(|relay| {
        relay
            .windows(mark.len())
            .any(|part| part == mark.as_bytes())
    });
    assert_eq!(marked.count(), 1);

    forger.sign(&mut request);
    assert_eq!(
        forger.send(&request).status,
        200,
        "the same question, signed anew"
    );
}

#[test]
fn signatures_that_are_not_the_rings() {
    let forger = Forger::new(Network::shared());
    let stranger = SecretKey::random().unwrap();

    let mark = "mark-strangers-ring";
    let mut request = forger.unsigned(mark);
    let strangers = vec![SecretKey::random().unwrap().public(), stranger.public()];
    sign(
        &mut request,
        &Signer::new(stranger.clone(), strangers).unwrap(),
    );
    forger.refused(mark, &forger.send(&request), 403, "ring");

    let mark = "mark-stranger-in-ring";
    let mut request = forger.unsigned(mark);
    let mixed = vec![forger.ring[0], stranger.public()];
    sign(&mut request, &Signer::new(stranger, mixed).unwrap());
    forger.refused(mark, &forger.send(&request), 403, "ring");

    let mark = "mark-other-payload";
    let mut request = forger.unsigned("signed for this");
    forger.sign(&mut request);
    let signature = request.meta.signature.clone();
    let mut request = forger.unsigned(mark);
    request.meta.signature = signature;
    forger.refused(mark, &forger.send(&request), 403, "ring");

    let changed = |mark: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut request = forger.unsigned(mark);
        forger.sign(&mut request);
        let mut bytes = request.meta.signature.to_vec();
        change(&mut bytes);
        request.meta.signature = bytes.into();
        forger.refused(mark, &forger.send(&request), 403, "ring");
    };
    changed("mark-trailing-bytes", &|bytes| bytes.push(0));
    changed("mark-cut-signature", &|bytes| {
        bytes.truncate(bytes.len() - 1)
    });
    changed("mark-empty-ring", &|bytes| *bytes = vec![0; 4]);
    changed("mark-huge-ring", &|bytes| {
        bytes[..4].copy_from_slice(&[0xff; 4])
    });
    changed("mark-key-image", &|bytes| bytes[40] ^= 1);
    changed("mark-scalar-of-all-ones", &|bytes| {
        bytes[4..36].copy_from_slice(&[0xff; 32])
    });

    let mark = "mark-no-signature";
    forger.refused(mark, &forger.send(&forger.unsigned(mark)), 400, "signature");
}

#[test]
fn sessions_and_addressees_that_are_not_right() {
    let forger = Forger::new(Network::shared());
    let signed = |mark: &str, change: &dyn Fn(&mut RelayRequest)| {
        let mut request = forger.unsigned(mark);
        change(&mut request);
        forger.sign(&mut request);
        request
    };
    let header =
        |request: &mut RelayRequest| request.meta.session_header.clone().expect("a header");

    let mark = "mark-expired";
    forger.network.chain().wait_until(13);
    let mut request = forger.request(&forger.session(1), "POST", "/v1/chat/completions", mark);
    forger.sign(&mut request);
    forger.refused(mark, &forger.send(&request), 403, "over");

    let mark = "mark-other-supplier";
    let others = forger.session(0).suppliers;
    let (first, second) = (&others[0].operator_address, &others[1].operator_address);
    let request = signed(mark, &|request| {
        request.meta.supplier_operator_address = second.clone()
    });
    forger.refused(
        mark,
        &forger.post(first, request.encode_to_vec()),
        403,
        "supplier",
    );

    let mark = "mark-other-session-id";
    let request = signed(mark, &|request| {
        let mut header = header(request);
        header.session_id = "ab".repeat(32);
        request.meta.session_header = Some(header);
    });
    forger.refused(mark, &forger.send(&request), 403, "session");

    let mark = "mark-longer-session";
    let request = signed(mark, &|request| {
        let mut header = header(request);
        header.session_end_block_height += 10;
        request.meta.session_header = Some(header);
    });
    forger.refused(mark, &forger.send(&request), 403, "session");

    let mark = "mark-far-session";
    let request = signed(mark, &|request| {
        let mut header = header(request);
        header.session_start_block_height += 1_000_000;
        header.session_end_block_height += 1_000_000;
        request.meta.session_header = Some(header);
    });
    forger.refused(mark, &forger.send(&request), 400, "height");

    let mark = "mark-unknown-service";
    let request = signed(mark, &|request| {
        let mut header = header(request);
        header.service_id = "no-such-service".to_owned();
        request.meta.session_header = Some(header);
    });
    forger.refused(mark, &forger.send(&request), 404, "no-such-service");

    let mark = "mark-service-of-another";
    let request = signed(mark, &|request| {
        let mut header = header(request);
        header.service_id = "grist".to_owned();
        request.meta.session_header = Some(header);
    });
    forger.refused(mark, &forger.send(&request), 404, "grist");

    let mark = "mark-unknown-application";
    let request = signed(mark, &|request| {
        let mut header = header(request);
        header.application_address = SecretKey::random().unwrap().public().address().to_bech32();
        request.meta.session_header = Some(header);
    });
    forger.refused(mark, &forger.send(&request), 403, "session");
}

#[test]
fn paths_outside_the_services_list() {
    let forger = Forger::new(Network::shared());
    for (number, (method, path)) in [
        ("POST", "/v1/files"),
        ("GET", "/v1/chat/completions"),
        ("DELETE", "/v1/models"),
        ("POST", "/"),
        ("POST", "/v1/../admin"),
        ("POST", "/v1/chat/completions/../../admin"),
        ("POST", "/v1/chat%2fcompletions/x"),
        ("POST", "//v1/chat/completions/admin"),
    ]
    .into_iter()
    .enumerate()
    {
        let mark = format!("mark-path-{number}");
        let mut request = forger.request(&forger.current(), method, path, &mark);
        forger.sign(&mut request);
        forger.refused(&mark, &forger.send(&request), 404, "not served");
    }
}

#[test]
fn bytes_that_are_no_relay() {
    let forger = Forger::new(Network::shared());
    let first = forger.session(0).suppliers[0].operator_address.clone();
    for (mark, body) in [
        ("mark-empty", Vec::new()),
        ("mark-garbage", vec![0xff; 100]),
        ("mark-json", b"{\"model\":\"millstone\"}".to_vec()),
        ("mark-cut", {
            let mut request = forger.unsigned("mark-cut");
            forger.sign(&mut request);
            let bytes = request.encode_to_vec();
            bytes[..bytes.len() - 7].to_vec()
        }),
    ] {
        forger.refused(mark, &forger.post(&first, body), 400, "relay request");
    }
    let mark = "mark-oversize";
    let mut request = forger.unsigned(&format!("{mark} {}", "x".repeat(600 << 10)));
    forger.sign(&mut request);
    forger.refused(mark, &forger.send(&request), 413, "bytes");
}
