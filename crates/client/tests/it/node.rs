//! A node in the test's process: JSON-RPC, WebSocket and gRPC on one port, answering from the
//! recording of the reference node and its relay miner, or as a test scripts it.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use flate2::read::GzDecoder;
use futures_util::{SinkExt as _, StreamExt as _, stream};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper_util::rt::TokioIo;
use net::RequestBody;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What a gRPC method answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// An encoded message.
    Bytes(Vec<u8>),
    /// A status other than OK.
    Status(u16, &'static str),
    /// Nothing, ever.
    Silence,
}

pub(crate) struct Node {
    state: Arc<State>,
    addr: std::net::SocketAddr,
    tasks: net::Tasks,
}

struct State {
    /// Recorded rows by height.
    blocks: HashMap<i64, Value>,
    head: Mutex<i64>,
    recorded: HashMap<(String, Vec<u8>), Vec<u8>>,
    scripted: Mutex<HashMap<String, VecDeque<Answer>>>,
    calls: Mutex<Vec<(String, Vec<u8>)>>,
    sockets: Mutex<Vec<mpsc::UnboundedSender<String>>>,
    subscriptions: watch::Sender<usize>,
    /// Replaces parts of `status`.
    status: Mutex<Value>,
    /// Heights whose block is called by a wrong hash.
    lies: Mutex<Vec<i64>>,
    /// Heights asked for with `block`.
    fetched: Mutex<Vec<i64>>,
    /// Transactions offered, and where they were included.
    pool: Mutex<Vec<Vec<u8>>>,
    included: Mutex<HashMap<Vec<u8>, i64>>,
}

fn rows(file: &str) -> Vec<Value> {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/../../tests/vectors/golden/peers/{file}");
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

fn hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

impl Node {
    pub(crate) async fn start(head: i64) -> Self {
        let mut recorded = HashMap::new();
        for row in rows("relay-miner-grpc.jsonl.gz") {
            if row["code"] == "OK" {
                let key = (
                    row["method"].as_str().unwrap().to_owned(),
                    hex(&row["request_hex"]),
                );
                recorded
                    .entry(key)
                    .or_insert_with(|| hex(&row["response_hex"]));
            }
        }
        let blocks = rows("blocks.jsonl.gz").into_iter();
        let state = Arc::new(State {
            blocks: blocks
                .map(|row| (row["height"].as_i64().unwrap(), row))
                .collect(),
            head: Mutex::new(head),
            recorded,
            scripted: Mutex::default(),
            calls: Mutex::default(),
            sockets: Mutex::default(),
            subscriptions: watch::Sender::new(0),
            status: Mutex::new(json!({})),
            lies: Mutex::default(),
            fetched: Mutex::default(),
            pool: Mutex::default(),
            included: Mutex::default(),
        });
        let listener = net::listen("127.0.0.1:0", net::ListenLimits::default())
            .await
            .unwrap();
        let tasks = net::Tasks::new();
        let serving = state.clone();
        let spawner = tasks.clone();
        let service = tower::service_fn(move |request| {
            let (state, tasks) = (serving.clone(), spawner.clone());
            async move { Ok::<_, Infallible>(state.answer(request, &tasks).await) }
        });
        let server = net::serve(listener, service, net::ServeLimits::default(), &tasks);
        Self {
            state,
            addr: server.local_addr(),
            tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The recorded row of a block.
    pub(crate) fn row(&self, height: i64) -> &Value {
        &self.state.blocks[&height]
    }

    /// The recorded hash of a block.
    pub(crate) fn hash(&self, height: i64) -> [u8; 32] {
        hex(&self.row(height)["block"]["block_id"]["hash"])
            .try_into()
            .unwrap()
    }

    /// Commits the next block and tells nobody.
    pub(crate) fn commit(&self) -> i64 {
        let mut head = self.state.head.lock().unwrap();
        *head += 1;
        for tx in self.state.pool.lock().unwrap().drain(..) {
            let hash = client::tx::TxHash::of(&tx).0.to_vec();
            self.state.included.lock().unwrap().insert(hash, *head);
        }
        *head
    }

    /// Commits the next block and announces it.
    pub(crate) fn announce(&self) -> i64 {
        let head = self.commit();
        let header = &self.row(head)["block"]["block"]["header"];
        let text = json!({"jsonrpc": "2.0", "id": 0, "result": {
            "query": "tm.event='NewBlockHeader'",
            "data": {"type": "tendermint/event/NewBlockHeader", "value": {"header": header}},
            "events": {"tm.event": ["NewBlockHeader"]},
        }})
        .to_string();
        let mut sockets = self.state.sockets.lock().unwrap();
        sockets.retain(|socket| socket.send(text.clone()).is_ok());
        head
    }

    /// Waits until somebody has subscribed `count` times.
    pub(crate) async fn subscribed(&self, count: usize) {
        let mut subscriptions = self.state.subscriptions.subscribe();
        subscriptions.wait_for(|now| *now >= count).await.unwrap();
    }

    /// Closes every WebSocket.
    pub(crate) fn hang_up(&self) {
        self.state.sockets.lock().unwrap().clear();
    }

    /// Answers the next calls of a method so, then as recorded again.
    pub(crate) fn script(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut scripted = self.state.scripted.lock().unwrap();
        scripted.insert(path.to_owned(), answers.into_iter().collect());
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, path: &str) -> usize {
        self.state
            .calls
            .lock()
            .unwrap()
            .iter()
            .filter(|(called, _)| called == path)
            .count()
    }

    pub(crate) fn say(&self, status: Value) {
        *self.state.status.lock().unwrap() = status;
    }

    pub(crate) fn lie_about(&self, height: i64) {
        self.state.lies.lock().unwrap().push(height);
    }

    pub(crate) fn fetched(&self) -> Vec<i64> {
        self.state.fetched.lock().unwrap().clone()
    }

    /// Loses what was offered and is not in a block.
    pub(crate) fn lose_pool(&self) -> usize {
        self.state.pool.lock().unwrap().drain(..).count()
    }

    pub(crate) fn pool(&self) -> Vec<Vec<u8>> {
        self.state.pool.lock().unwrap().clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl State {
    async fn answer(&self, request: Request<RequestBody>, tasks: &net::Tasks) -> Response<Body> {
        let kind = request
            .headers()
            .get("content-type")
            .map(|value| value.as_bytes().to_vec());
        if request.uri().path() == "/websocket" {
            return self.socket(request, tasks);
        }
        let path = request.uri().path().to_owned();
        let body = request.into_body().read_to_bytes().await.unwrap();
        match kind.as_deref() {
            Some(b"application/grpc") => self.grpc(&path, &body[5..]).await,
            _ => self.rpc(&body),
        }
    }

    fn socket(&self, mut request: Request<RequestBody>, tasks: &net::Tasks) -> Response<Body> {
        let key = request.headers()["sec-websocket-key"].clone();
        let upgrade = hyper::upgrade::on(&mut request);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        self.sockets.lock().unwrap().push(sender);
        let subscriptions = self.subscriptions.clone();
        tasks.spawn(async move {
            let io = TokioIo::new(upgrade.await.unwrap());
            let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            let ask = socket.next().await.unwrap().unwrap().into_text().unwrap();
            let ask: Value = serde_json::from_str(&ask).unwrap();
            assert_eq!(ask["method"], "subscribe");
            assert_eq!(ask["params"]["query"], "tm.event='NewBlockHeader'");
            let empty = json!({"jsonrpc": "2.0", "id": ask["id"], "result": {}}).to_string();
            socket.send(Message::text(empty)).await.unwrap();
            subscriptions.send_modify(|count| *count += 1);
            while let Some(text) = receiver.recv().await {
                if socket.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-accept", derive_accept_key(key.as_bytes()))
            .body(Full::default().boxed_unsync())
            .unwrap()
    }

    async fn grpc(&self, path: &str, request: &[u8]) -> Response<Body> {
        self.calls
            .lock()
            .unwrap()
            .push((path.to_owned(), request.to_vec()));
        let next = self
            .scripted
            .lock()
            .unwrap()
            .get_mut(path)
            .and_then(VecDeque::pop_front);
        let answer = next.unwrap_or_else(|| self.replay(path, request));
        let (message, code, text) = match answer {
            Answer::Bytes(bytes) => (Some(bytes), 0, ""),
            Answer::Status(code, text) => (None, code, text),
            Answer::Silence => std::future::pending().await,
        };
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", code.into());
        trailers.insert("grpc-message", text.parse().unwrap());
        let data = message.map(|bytes| {
            let mut frame = BytesMut::from(&[0][..]);
            frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
            frame.extend_from_slice(&bytes);
            Frame::data(frame.freeze())
        });
        let frames = data.into_iter().chain([Frame::trailers(trailers)]).map(Ok);
        Response::builder()
            .header("content-type", "application/grpc")
            .body(StreamBody::new(stream::iter(frames)).boxed_unsync())
            .unwrap()
    }

    fn replay(&self, path: &str, request: &[u8]) -> Answer {
        if path == "/cosmos.tx.v1beta1.Service/BroadcastTx" {
            use prost::Message as _;
            use proto::cosmos::base::abci::v1beta1::TxResponse;
            use proto::cosmos::tx::v1beta1::{BroadcastTxRequest, BroadcastTxResponse};
            let tx = BroadcastTxRequest::decode(request)
                .unwrap()
                .tx_bytes
                .to_vec();
            let mut pool = self.pool.lock().unwrap();
            let known = pool.contains(&tx);
            let mut answer = TxResponse::default();
            if known {
                answer.code = 19;
                answer.codespace = "sdk".to_owned();
            } else {
                pool.push(tx);
            }
            let answer = BroadcastTxResponse {
                tx_response: Some(answer),
            };
            return Answer::Bytes(answer.encode_to_vec());
        }
        // The parameters never changed while this was recorded.
        let request = match path {
            "/pocket.shared.Query/ParamsAtHeight" => &[0x08, 80],
            _ => request,
        };
        match self.recorded.get(&(path.to_owned(), request.to_vec())) {
            Some(bytes) => Answer::Bytes(bytes.clone()),
            None => Answer::Status(5, "not in the recording"),
        }
    }

    fn rpc(&self, body: &[u8]) -> Response<Body> {
        let ask: Value = serde_json::from_slice(body).unwrap();
        let head = *self.head.lock().unwrap();
        let height = ask["params"]["height"]
            .as_str()
            .map(|text| text.parse::<i64>().unwrap());
        let result = match ask["method"].as_str().unwrap() {
            "status" => Ok(self.status_at(head)),
            "block" => self.block(height.unwrap_or(head), head),
            "block_results" => Ok(self.blocks[&height.unwrap()]["block_results"].clone()),
            "tx" => self.tx(&ask["params"]["hash"]),
            method => panic!("`{method}` is not played"),
        };
        let mut answer = json!({"jsonrpc": "2.0", "id": ask["id"]});
        match result {
            Ok(result) => answer["result"] = result,
            Err(data) => {
                answer["error"] =
                    json!({"code": -32603, "message": "Internal error", "data": data});
            }
        }
        Response::new(Full::from(answer.to_string()).boxed_unsync())
    }

    fn status_at(&self, head: i64) -> Value {
        let row = &self.blocks[&head]["block"];
        let mut status = json!({
            "node_info": {"network": "pocket", "version": "0.38.22", "moniker": "m"},
            "sync_info": {
                "latest_block_hash": row["block_id"]["hash"],
                "latest_block_height": head.to_string(),
                "latest_block_time": row["block"]["header"]["time"],
                "earliest_block_height": "70",
                "catching_up": false,
            },
        });
        for (path, value) in self.status.lock().unwrap().as_object().unwrap() {
            *status.pointer_mut(path).unwrap() = value.clone();
        }
        status
    }

    fn block(&self, height: i64, head: i64) -> Result<Value, String> {
        self.fetched.lock().unwrap().push(height);
        if height > head {
            return Err(format!(
                "height {height} must be less than or equal to the current blockchain height {head}"
            ));
        }
        let row = self.blocks.get(&height);
        let row = row.ok_or_else(|| format!("height {height} is not available"))?;
        let mut block = row["block"].clone();
        if self.lies.lock().unwrap().contains(&height) {
            block["block_id"]["hash"] = json!("00".repeat(32));
        }
        Ok(block)
    }

    fn tx(&self, hash: &Value) -> Result<Value, String> {
        use base64::Engine as _;
        let hash = hash.as_str().unwrap();
        let hash = base64::engine::general_purpose::STANDARD
            .decode(hash)
            .unwrap();
        let text = hex::encode_upper(&hash);
        let included = self.included.lock().unwrap().get(&hash).copied();
        let height = included.ok_or_else(|| format!("tx ({text}) not found"))?;
        Ok(
            json!({"hash": text, "height": height.to_string(), "index": 0, "tx_result": {
                "code": 0, "data": null, "log": "", "gas_wanted": "1", "gas_used": "1",
                "events": [], "codespace": "",
            }}),
        )
    }
}
