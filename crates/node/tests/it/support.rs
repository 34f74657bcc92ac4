//! A small chain: three accounts, transfers between them, nodes on ephemeral ports.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use chain::genesis::GenesisBuilder;
use crypto::keys::{Address, SecretKey};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use net::{Client, ClientOptions, DialOptions, Dialer, Tasks, Version};
use node::solo::{self, Role, Solo};
use node::store::BlockStore;
use node::{Handle, Node, NodeFile};
use prost::Message;
use proto::cosmos::bank::v1beta1::MsgSend;
use proto::cosmos::crypto::secp256k1::PubKey;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use serde_json::{Value, json};
use tendermint_proto::google::protobuf::Timestamp;

pub(crate) const CHAIN_ID: &str = "relaymill-node-it";
/// Genesis time.
pub(crate) const START: i64 = 1_700_000_000;

pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(&crypto::hash::sha256(name.as_bytes())).unwrap()
}

pub(crate) fn address(name: &str) -> Address {
    key(name).public().address()
}

/// Writes the genesis document of alice, bob and carol, a million upokt each.
pub(crate) fn write_genesis(folder: &Path) {
    let mut builder = GenesisBuilder::new(CHAIN_ID, "2023-11-14T22:13:20Z");
    for name in ["alice", "bob", "carol"] {
        builder.account(address(name), Some(key(name).public()), 1_000_000);
    }
    let text = builder.build().unwrap().to_json().unwrap();
    std::fs::write(folder.join("genesis.json"), text).unwrap();
}

/// The driver and the stores of a folder, without a thread.
pub(crate) fn open(folder: &Path) -> (Solo, BlockStore, chain::Reader) {
    let genesis = folder.join("genesis.json");
    let (solo, store, reader, _) = solo::open_folder(
        &folder.join("data"),
        &genesis,
        chain::Options::default(),
        Role::Alone,
    )
    .unwrap();
    (solo, store, reader)
}

/// A second after the second before.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp {
        seconds: START + second,
        nanos: 0,
    }
}

fn to_bob(from: &str, amount: u128) -> prost_types::Any {
    proto::any::pack(&MsgSend {
        from_address: address(from).to_bech32(),
        to_address: address("bob").to_bech32(),
        amount: vec![chain::bank::upokt(amount)],
    })
}

/// A signed transfer to bob.
pub(crate) fn transfer(from: &str, number: u64, sequence: u64, amount: u128) -> Vec<u8> {
    signed(from, number, sequence, to_bob(from, amount))
}

/// An unordered transfer to bob that is valid until a second after [`START`].
pub(crate) fn unordered(from: &str, number: u64, until: i64) -> Vec<u8> {
    let body = TxBody {
        messages: vec![to_bob(from, 1)],
        unordered: true,
        timeout_timestamp: Some(prost_types::Timestamp {
            seconds: START + until,
            nanos: 1,
        }),
        ..TxBody::default()
    };
    signed_body(from, number, 0, &body)
}

/// A signed transaction with one message.
pub(crate) fn signed(from: &str, number: u64, sequence: u64, message: prost_types::Any) -> Vec<u8> {
    let body = TxBody {
        messages: vec![message],
        ..TxBody::default()
    };
    signed_body(from, number, sequence, &body)
}

fn signed_body(from: &str, number: u64, sequence: u64, body: &TxBody) -> Vec<u8> {
    let body = body.encode_to_vec();
    let public = PubKey {
        key: key(from).public().as_bytes().to_vec().into(),
    };
    let signer = SignerInfo {
        public_key: Some(proto::any::pack(&public)),
        mode_info: Some(ModeInfo {
            sum: Some(Sum::Single(Single {
                mode: SignMode::Direct.into(),
            })),
        }),
        sequence,
    };
    let fee = Fee {
        amount: vec![chain::bank::upokt(10)],
        gas_limit: 300_000,
        ..Fee::default()
    };
    let auth_info = AuthInfo {
        signer_infos: vec![signer],
        fee: Some(fee),
        ..AuthInfo::default()
    };
    let auth_info = auth_info.encode_to_vec();
    let document = SignDoc {
        body_bytes: body.clone().into(),
        auth_info_bytes: auth_info.clone().into(),
        chain_id: CHAIN_ID.to_owned(),
        account_number: number,
    };
    let signature = key(from).sign(&document.encode_to_vec()).to_vec();
    let raw = TxRaw {
        body_bytes: body.into(),
        auth_info_bytes: auth_info.into(),
        signatures: vec![signature.into()],
    };
    raw.encode_to_vec()
}

/// A running node and clients for it. The folder goes with it.
pub(crate) struct Running {
    pub(crate) handle: Handle,
    pub(crate) tasks: Tasks,
    folder: tempfile::TempDir,
    http1: Client,
    http2: Client,
}

/// What a gRPC call brought back.
pub(crate) struct Reply {
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The configuration of a node on ephemeral ports.
fn config(folder: &tempfile::TempDir, block_time: Duration) -> node::Config {
    let file = NodeFile {
        rpc_listen: "127.0.0.1:0".to_owned(),
        grpc_listen: "127.0.0.1:0".to_owned(),
        rest_listen: Some("127.0.0.1:0".to_owned()),
        data_dir: "data".into(),
        genesis: "genesis.json".into(),
        block_time_ms: u64::try_from(block_time.as_millis()).unwrap(),
        keep_recent: None,
        min_gas_price: None,
        allowed_hosts: None,
        comet: None,
    };
    file.validate(&folder.path().join("node.toml")).unwrap()
}

impl Running {
    /// Starts a node on a folder that has a genesis document.
    pub(crate) async fn start(folder: tempfile::TempDir, block_time: Duration) -> Self {
        let (config, tasks) = (config(&folder, block_time), Tasks::new());
        let handle = Node::start(config, &tasks).await.unwrap();
        Self::around(folder, handle, tasks)
    }

    /// A fresh chain that keeps the state of few heights.
    pub(crate) async fn pruning(block_time: Duration, keep_recent: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_genesis(folder.path());
        let (mut config, tasks) = (config(&folder, block_time), Tasks::new());
        config.keep_recent = keep_recent;
        let handle = Node::start(config, &tasks).await.unwrap();
        Self::around(folder, handle, tasks)
    }

    /// Starts a node that is given its blocks.
    pub(crate) async fn following(folder: tempfile::TempDir) -> Self {
        let (config, tasks) = (config(&folder, Duration::from_secs(1)), Tasks::new());
        let handle = Node::start_following(config, &tasks).await.unwrap();
        Self::around(folder, handle, tasks)
    }

    fn around(folder: tempfile::TempDir, handle: Handle, tasks: Tasks) -> Self {
        let dialer = |version| {
            let options = DialOptions {
                policy: net::AddressPolicy::Any,
                ..DialOptions::default()
            };
            let dialer = Dialer::new(options).unwrap();
            Client::new(
                dialer,
                ClientOptions {
                    version,
                    ..ClientOptions::default()
                },
            )
        };
        let (http1, http2) = (dialer(Version::Http1), dialer(Version::Http2));
        Self {
            handle,
            tasks,
            folder,
            http1,
            http2,
        }
    }

    /// A fresh chain.
    pub(crate) async fn fresh(block_time: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_genesis(folder.path());
        Self::start(folder, block_time).await
    }

    /// Stops the node and gives the folder back.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.tasks.shutdown(Duration::from_secs(10)).await.unwrap();
        self.handle.stopped().await.unwrap();
        self.folder
    }

    /// Status and body of a POST.
    pub(crate) async fn post(&self, body: impl Into<Bytes>) -> (u16, String) {
        let request = Request::post(format!("http://{}/", self.handle.rpc_addr.unwrap()))
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        self.exchange(request).await
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let request = Request::get(format!("http://{}{path}", self.handle.rpc_addr.unwrap()))
            .body(Full::new(Bytes::new()))
            .unwrap();
        self.exchange(request).await
    }

    /// Status, headers and body of a request to REST.
    pub(crate) async fn rest(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> (u16, HeaderMap, String) {
        let at = self.handle.rest_addr.unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{at}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = self.http1.request(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().read_to_bytes().await.unwrap();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Sends messages of one stream and reads all that comes back.
    pub(crate) async fn stream(&self, path: &str, messages: &[Vec<u8>]) -> (i32, Vec<Bytes>) {
        let mut frames = Vec::new();
        for message in messages {
            frames.push(0);
            frames.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
            frames.extend(message);
        }
        let request = Request::post(format!("http://{}{path}", self.handle.grpc_addr))
            .version(http::Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from(frames)))
            .unwrap();
        let response = self.http2.request(request).await.unwrap();
        let collected = response.into_body().collect().await.unwrap();
        let code = collected.trailers().unwrap()["grpc-status"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let (mut rest, mut answers) = (collected.to_bytes(), Vec::new());
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[1..5].try_into().unwrap());
            let frame = rest.split_to(5 + usize::try_from(length).unwrap());
            answers.push(frame.slice(5..));
        }
        (code, answers)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> (u16, String) {
        let response = self.http1.request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().read_to_bytes().await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// A JSON-RPC call: the whole response.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let (status, body) = self.post(request.to_string()).await;
        assert_eq!(status, 200);
        serde_json::from_str(&body).unwrap()
    }

    /// A gRPC call at a height, given as text.
    pub(crate) async fn grpc(&self, path: &str, message: &[u8], height: Option<&str>) -> Reply {
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend(message);
        let mut request = Request::post(format!("http://{}{path}", self.handle.grpc_addr))
            .version(http::Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(height) = height {
            request = request.header("x-cosmos-block-height", height);
        }
        let request = request.body(Full::new(Bytes::from(frame))).unwrap();
        let response = self.http2.request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap();
        let body = collected.to_bytes();
        let text = |name: &str| {
            trailers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        Reply {
            code: text("grpc-status").parse().unwrap(),
            message: text("grpc-message").to_owned(),
            headers,
            body: if body.is_empty() {
                body
            } else {
                body.slice(5..)
            },
        }
    }
}
