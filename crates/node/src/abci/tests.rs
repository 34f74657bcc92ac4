use std::time::Duration;

use chain::statesync::Shelf;
use chain::{Application, Options};
use net::{LocalAddress, listen_local};
use prost::Message as _;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Answer;
use tendermint_proto::v0_38::abci::{
    RequestCheckTx, RequestCommit, RequestEcho, RequestExtendVote, RequestFinalizeBlock,
    RequestFlush, RequestInfo, RequestListSnapshots, RequestQuery, Response,
};
use tokio::sync::mpsc;

use super::*;

/// A served machine over an empty chain at height 0 with its genesis loaded.
struct Served {
    machine: Arc<Machine>,
    address: LocalAddress,
    failures: mpsc::Receiver<NodeError>,
    tasks: Tasks,
    _folder: tempfile::TempDir,
}

async fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    let mut application = Application::in_memory(Options::default()).unwrap();
    let genesis = chain::genesis::GenesisBuilder::new("abci-test", "2026-01-01T00:00:00Z");
    let genesis = genesis.build().unwrap().init_chain(Vec::new()).unwrap();
    application.init_chain(&genesis).unwrap();
    let plan = SnapshotPlan {
        shelf: Shelf::open(&folder.path().join("snapshots"), 1).unwrap(),
        interval: 0,
    };
    let machine = Machine::new(application, "abci-test".to_owned(), plan, &tasks).unwrap();
    let machine = Arc::new(machine);
    let address = LocalAddress::Unix(folder.path().join("abci.sock"));
    let listener = listen_local(&address).await.unwrap();
    let (failed, failures) = mpsc::channel(1);
    serve(listener, Arc::clone(&machine), &tasks, failed);
    Served {
        machine,
        address,
        failures,
        tasks,
        _folder: folder,
    }
}

struct Caller {
    stream: tokio::net::UnixStream,
    input: BytesMut,
}

impl Served {
    async fn connect(&self) -> Caller {
        let LocalAddress::Unix(path) = &self.address else {
            panic!("not a Unix socket")
        };
        Caller {
            stream: tokio::net::UnixStream::connect(path).await.unwrap(),
            input: BytesMut::new(),
        }
    }
}

impl Caller {
    async fn send(&mut self, request: Asked) {
        let request = Request {
            value: Some(request),
        };
        let bytes = request.encode_length_delimited_to_vec();
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// The next answer; `None` when the connection ended.
    async fn answer(&mut self) -> Option<Answer> {
        loop {
            let mut head = &self.input[..];
            if let Ok(response) = Response::decode_length_delimited(&mut head) {
                let taken = self.input.len() - head.len();
                let _ = self.input.split_to(taken);
                return response.value;
            }
            let read = self.stream.read_buf(&mut self.input);
            let read = tokio::time::timeout(Duration::from_secs(10), read).await;
            if !matches!(read, Ok(Ok(1..))) {
                return None;
            }
        }
    }

    async fn ask(&mut self, request: Asked) -> Answer {
        self.send(request).await;
        self.answer().await.unwrap()
    }
}

fn echo(text: &str) -> Asked {
    Asked::Echo(RequestEcho {
        message: text.to_owned(),
    })
}

fn block(height: i64) -> Asked {
    Asked::FinalizeBlock(RequestFinalizeBlock {
        height,
        hash: vec![1; 32].into(),
        proposer_address: vec![2; 20].into(),
        ..Default::default()
    })
}

#[tokio::test]
async fn answers_come_in_order_and_a_block_leads_to_the_next_height() {
    let served = served().await;
    let mut caller = served.connect().await;
    caller.send(echo("a")).await;
    caller.send(Asked::Info(RequestInfo::default())).await;
    caller.send(echo("b")).await;
    caller.send(Asked::Flush(RequestFlush {})).await;
    assert!(matches!(caller.answer().await, Some(Answer::Echo(it)) if it.message == "a"));
    assert!(matches!(caller.answer().await, Some(Answer::Info(it)) if it.last_block_height == 0));
    assert!(matches!(caller.answer().await, Some(Answer::Echo(it)) if it.message == "b"));
    assert!(matches!(caller.answer().await, Some(Answer::Flush(_))));
    let Answer::FinalizeBlock(result) = caller.ask(block(1)).await else {
        panic!("no block")
    };
    assert_eq!(*served.machine.committed().borrow(), 0);
    let answer = caller.ask(Asked::Commit(RequestCommit {})).await;
    assert!(matches!(answer, Answer::Commit(_)));
    assert_eq!(*served.machine.committed().borrow(), 1);
    let Answer::Info(info) = caller.ask(Asked::Info(RequestInfo::default())).await else {
        panic!("no info")
    };
    assert_eq!(
        (info.last_block_height, info.last_block_app_hash),
        (1, result.app_hash)
    );
}

#[tokio::test]
async fn checks_and_queries_go_on_while_the_application_is_busy() {
    let served = served().await;
    let (mut consensus, mut mempool) = (served.connect().await, served.connect().await);
    consensus.ask(block(1)).await;
    consensus.ask(Asked::Commit(RequestCommit {})).await;
    // As long as a block is executed its owner holds the application.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (holding, ready) = tokio::sync::oneshot::channel();
    let machine = Arc::clone(&served.machine);
    let busy = served.tasks.spawn_blocking(move || {
        let _application = machine.application();
        holding.send(()).unwrap();
        held.recv().ok()
    });
    ready.await.unwrap();
    consensus.send(Asked::Info(RequestInfo::default())).await;
    let check = Asked::CheckTx(RequestCheckTx {
        tx: b"garbage".to_vec().into(),
        r#type: 0,
    });
    assert!(matches!(mempool.ask(check).await, Answer::CheckTx(it) if it.code == 2));
    let query = Asked::Query(RequestQuery {
        path: "/cosmos.bank.v1beta1.Query/TotalSupply".to_owned(),
        ..Default::default()
    });
    assert!(matches!(mempool.ask(query).await, Answer::Query(it) if it.code == 0));
    let list = Asked::ListSnapshots(RequestListSnapshots {});
    assert!(matches!(mempool.ask(list).await, Answer::ListSnapshots(_)));
    assert!(!busy.is_finished());
    drop(release);
    assert!(matches!(consensus.answer().await, Some(Answer::Info(_))));
}

#[tokio::test]
async fn a_broken_frame_ends_its_connection_and_no_other() {
    let mut served = served().await;
    let mut good = served.connect().await;
    let oversize = {
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(limits::ABCI_FRAME_BYTES as u64 + 1, &mut bytes);
        bytes
    };
    let no_length = vec![0xff; 11];
    let no_request = vec![3, 0xff, 0xff, 0xff];
    for bytes in [oversize, no_length, no_request] {
        let mut bad = served.connect().await;
        bad.stream.write_all(&bytes).await.unwrap();
        assert_eq!(bad.answer().await, None, "{bytes:?}");
        assert!(matches!(
            good.ask(echo("still here")).await,
            Answer::Echo(_)
        ));
    }
    let mut empty = served.connect().await;
    empty.stream.write_all(&[0]).await.unwrap();
    assert!(matches!(empty.answer().await, Some(Answer::Exception(_))));
    assert!(served.failures.try_recv().is_err());
}

#[tokio::test]
async fn a_failure_of_the_machine_is_an_exception_and_stops_the_node() {
    let mut served = served().await;
    let mut caller = served.connect().await;
    let vote = Asked::ExtendVote(RequestExtendVote::default());
    assert!(
        matches!(caller.ask(vote).await, Answer::ExtendVote(it) if it.vote_extension.is_empty())
    );
    let Answer::Exception(exception) = caller.ask(block(7)).await else {
        panic!("a block out of order was executed")
    };
    assert!(exception.error.contains("block 7"), "{}", exception.error);
    let failure = served.failures.recv().await.unwrap();
    assert!(failure.to_string().contains("block 7"), "{failure}");
    served.tasks.shutdown(Duration::from_secs(5)).await.unwrap();
    assert_eq!(caller.answer().await, None);
}
