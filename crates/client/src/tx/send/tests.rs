//! The sender against a ledger in memory, whose blocks are made when somebody waits for one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::UNIX_EPOCH;

use prost::Message as _;
use proto::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};

use super::*;

/// A chain that includes what it is offered, unless told otherwise.
pub(in crate::tx) struct Fake(Mutex<State>);

type Verdicts = Box<dyn Fn(&[Any], i64) -> Result<u64, Rejection> + Send>;

struct State {
    height: i64,
    time: SystemTime,
    sequence: u64,
    funded: bool,
    /// Offered and not yet in a block.
    mempool: Vec<Vec<u8>>,
    blocks: BTreeMap<TxHash, Included>,
    nonces: BTreeSet<(i64, i32)>,
    /// What a transaction's messages do at a height: gas, or why not.
    verdict: Verdicts,
    /// Heights whose mempool is lost before the block is made.
    lost: BTreeSet<i64>,
    pub(in crate::tx) broadcasts: usize,
    simulations: usize,
    down_until: i64,
    limit: i64,
}

impl Fake {
    pub(in crate::tx) fn new(
        verdict: impl Fn(&[Any], i64) -> Result<u64, Rejection> + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            height: 10,
            time: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            sequence: 7,
            funded: true,
            mempool: Vec::new(),
            blocks: BTreeMap::new(),
            nonces: BTreeSet::new(),
            verdict: Box::new(verdict),
            lost: BTreeSet::new(),
            broadcasts: 0,
            simulations: 0,
            down_until: 0,
            limit: 1_000,
        })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(in crate::tx) fn simulations(&self) -> usize {
        self.state().simulations
    }

    pub(in crate::tx) fn sender(self: &Arc<Self>, options: SendOptions) -> Arc<Sender<Self>> {
        let key = SecretKey::from_bytes(&[7; 32]).unwrap();
        Arc::new(Sender::new(self.clone(), key, options))
    }

    /// Every transaction in a block, oldest first: height and messages.
    pub(in crate::tx) fn transactions(&self) -> usize {
        self.state().blocks.len()
    }
}

pub(in crate::tx) fn failed(index: usize, text: &str) -> Rejection {
    Rejection {
        stage: Stage::Simulation,
        code: 2,
        codespace: "grpc".to_owned(),
        log: format!("failed to execute message; message index: {index}: {text}"),
    }
}

pub(in crate::tx) fn message(tag: u8) -> Any {
    Any {
        type_url: "/test.Msg".to_owned(),
        value: vec![tag; 10],
    }
}

fn parts(tx: &[u8]) -> (TxBody, AuthInfo) {
    let raw = TxRaw::decode(tx).unwrap();
    (
        TxBody::decode(raw.body_bytes).unwrap(),
        AuthInfo::decode(raw.auth_info_bytes).unwrap(),
    )
}

impl State {
    fn check(&self, tx: &[u8]) -> Result<(), Rejection> {
        let (body, auth) = parts(tx);
        let refuse = |code, log: &str| {
            Err(Rejection {
                stage: Stage::Check,
                code,
                codespace: "sdk".to_owned(),
                log: log.to_owned(),
            })
        };
        if body.unordered {
            let timeout = body.timeout_timestamp.unwrap();
            let time = SystemTime::try_from(timeout).unwrap();
            if self.nonces.contains(&(timeout.seconds, timeout.nanos)) {
                return refuse(
                    18,
                    "failed to add unordered nonce: sender x has already used timeout y",
                );
            }
            if time <= self.time {
                return refuse(42, "tx timeout");
            }
            if time > self.time + Duration::from_secs(600) {
                return refuse(18, "unordered tx ttl exceeds 10m0s");
            }
        } else if auth.signer_infos[0].sequence != self.sequence {
            return refuse(
                32,
                "account sequence mismatch, expected 8, got 7: incorrect account sequence",
            );
        }
        Ok(())
    }

    fn make_block(&mut self) {
        self.height += 1;
        self.time += Duration::from_secs(1);
        assert!(self.height < self.limit, "waited for {} blocks", self.limit);
        if self.lost.contains(&self.height) {
            self.mempool.clear();
        }
        for tx in std::mem::take(&mut self.mempool) {
            if self.check(&tx).is_err() {
                continue;
            }
            let (body, auth) = parts(&tx);
            if let Some(timeout) = body.timeout_timestamp.filter(|_| body.unordered) {
                self.nonces.insert((timeout.seconds, timeout.nanos));
            } else {
                self.sequence += 1;
            }
            let hash = TxHash::of(&tx);
            let limit = auth.fee.unwrap().gas_limit;
            let result = (self.verdict)(&body.messages, self.height);
            let (code, codespace, log) = match &result {
                Ok(gas) if *gas > limit => (11, "sdk".to_owned(), "out of gas".to_owned()),
                Ok(_) => (0, String::new(), String::new()),
                Err(rejection) => (1, "undefined".to_owned(), rejection.log.clone()),
            };
            let gas_used = i64::try_from(result.unwrap_or(1)).unwrap();
            let included = Included {
                hash,
                height: self.height,
                code,
                codespace,
                log,
                gas_wanted: i64::try_from(limit).unwrap(),
                gas_used,
                events: Vec::new(),
            };
            self.blocks.insert(hash, included);
        }
    }
}

impl Ledger for Fake {
    fn chain_id(&self) -> &str {
        "test-1"
    }

    fn head(&self) -> BlockEvent {
        let state = self.state();
        BlockEvent {
            height: state.height,
            hash: [0; 32],
            time: state.time,
            chain_id: "test-1".into(),
            previous: Vec::new(),
        }
    }

    async fn wait_above(&self, height: i64) -> crate::Result<BlockEvent> {
        // The block comes when everybody else has had a turn.
        tokio::time::sleep(Duration::from_secs(1)).await;
        while self.head().height <= height {
            self.state().make_block();
        }
        Ok(self.head())
    }

    async fn account(&self, address: &str) -> crate::Result<Option<Account>> {
        let state = self.state();
        Ok(state.funded.then(|| Account {
            address: address.to_owned(),
            public_key: None,
            number: 3,
            sequence: state.sequence,
        }))
    }

    async fn simulate(&self, tx: &[u8]) -> crate::Result<Result<u64, Rejection>> {
        let mut state = self.state();
        if state.height < state.down_until {
            return Err(gone());
        }
        state.simulations += 1;
        if let Err(rejection) = state.check(tx) {
            return Ok(Err(rejection));
        }
        Ok((state.verdict)(&parts(tx).0.messages, state.height))
    }

    async fn broadcast(&self, tx: &[u8]) -> crate::Result<Result<(), Rejection>> {
        let mut state = self.state();
        state.broadcasts += 1;
        if state.mempool.iter().any(|known| known == tx) {
            let log = String::new();
            return Ok(Err(Rejection {
                stage: Stage::Check,
                code: 19,
                codespace: "sdk".to_owned(),
                log,
            }));
        }
        if let Err(rejection) = state.check(tx) {
            return Ok(Err(rejection));
        }
        state.mempool.push(tx.to_vec());
        Ok(Ok(()))
    }

    async fn included(&self, hash: &TxHash) -> crate::Result<Option<Included>> {
        Ok(self.state().blocks.get(hash).cloned())
    }
}

fn gone() -> Error {
    Error::Unreachable {
        node: "n".to_owned(),
        what: "w".to_owned(),
        reason: "refused".to_owned(),
    }
}

fn included(outcome: &Outcome) -> &Included {
    match outcome {
        Outcome::Included(included) => included,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_counts_when_a_block_holds_it() {
    let chain = Fake::new(|_, _| Ok(100_000));
    let options = SendOptions {
        gas_price: "0.00001".parse().unwrap(),
        ..SendOptions::default()
    };
    let outcome = chain
        .sender(options)
        .send(&[message(1)], 20, None)
        .await
        .unwrap();
    assert_eq!(included(&outcome).height, 11);
    assert!(outcome.is_success());
}

#[tokio::test(start_paused = true)]
async fn what_the_mempool_forgot_is_offered_again() {
    let chain = Fake::new(|_, _| Ok(1));
    chain.state().lost = BTreeSet::from([11, 12, 13]);
    let outcome = chain
        .sender(SendOptions::default())
        .send(&[message(1)], 20, None)
        .await
        .unwrap();
    assert_eq!(included(&outcome).height, 15);
    let state = chain.state();
    assert_eq!((state.broadcasts, state.blocks.len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_beyond_the_deadline() {
    let chain = Fake::new(|_, _| Ok(1));
    chain.state().lost = (11..100).collect();
    let sender = chain.sender(SendOptions::default());
    let outcome = sender.send(&[message(1)], 14, None).await.unwrap();
    assert!(
        matches!(
            outcome,
            Outcome::TimedOut {
                hash: Some(_),
                deadline: 14,
                ..
            }
        ),
        "{outcome:?}"
    );
    let height = chain.head().height;
    assert_eq!(height, 15);
    let late = sender.send(&[message(1)], height, None).await.unwrap();
    assert!(matches!(late, Outcome::TimedOut { hash: None, .. }));
}

#[tokio::test(start_paused = true)]
async fn an_expired_transaction_is_made_anew_and_never_included_twice() {
    let chain = Fake::new(|_, _| Ok(1));
    chain.state().lost = (11..20).collect();
    let options = SendOptions {
        ttl: Duration::from_secs(3),
        ..SendOptions::default()
    };
    let outcome = chain
        .sender(options)
        .send(&[message(1)], 40, None)
        .await
        .unwrap();
    assert!(outcome.is_success());
    assert_eq!(chain.transactions(), 1);
}

#[tokio::test(start_paused = true)]
async fn time_limits_of_unordered_transactions_are_unique_and_within_ten_minutes() {
    let chain = Fake::new(|_, _| Ok(1));
    let options = SendOptions {
        ttl: Duration::from_secs(3_600),
        ..SendOptions::default()
    };
    let sender = chain.sender(options);
    let head = chain.head();
    let limits: BTreeSet<_> = (0..10_000).map(|_| sender.next_timeout(&head)).collect();
    assert_eq!(limits.len(), 10_000);
    let bounds = (
        head.time + Duration::from_secs(60),
        head.time + Duration::from_secs(600),
    );
    assert!(
        limits
            .iter()
            .all(|limit| (bounds.0..=bounds.1).contains(limit))
    );
    // Another instance with the same key starts elsewhere in the second.
    let other = chain.sender(SendOptions {
        ttl: Duration::from_secs(3_600),
        ..SendOptions::default()
    });
    assert!(!limits.contains(&other.next_timeout(&head)));
    let sends = (0..20).map(|tag| {
        let sender = &sender;
        async move { sender.send(&[message(tag)], 20, None).await }
    });
    let outcomes = futures_util::future::join_all(sends).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.as_ref().unwrap().is_success())
    );
    assert_eq!(chain.transactions(), 20);
}

#[tokio::test(start_paused = true)]
async fn ordered_transactions_take_turns_and_survive_a_rival() {
    let chain = Fake::new(|_, _| Ok(1));
    let sender = chain.sender(SendOptions {
        unordered: false,
        ..SendOptions::default()
    });
    let rival = chain.sender(SendOptions {
        unordered: false,
        ..SendOptions::default()
    });
    let (one, two) = ([message(1)], [message(2)]);
    let (mine, again, theirs) = tokio::join!(
        sender.send(&one, 40, None),
        sender.send(&two, 40, None),
        rival.send(&two, 40, None)
    );
    for outcome in [mine, again, theirs] {
        let outcome = outcome.unwrap();
        assert!(outcome.is_success(), "{outcome:?}");
    }
    assert_eq!(chain.transactions(), 3);
    assert_eq!(chain.state().sequence, 10);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_not_open_is_waited_for_and_a_closed_one_is_not() {
    let early = "current block height (10) is less than session's earliest proof commit height (13): proof attempted \
                 outside of the session's proof window";
    let chain = Fake::new(move |_, height| {
        if height < 13 {
            Err(failed(0, early))
        } else {
            Ok(1)
        }
    });
    let outcome = chain
        .sender(SendOptions::default())
        .send(&[message(1)], 20, None)
        .await
        .unwrap();
    assert_eq!(included(&outcome).height, 14);

    let late = "current block height (32) is greater than session proof window close height (30): proof attempted \
                outside of the session's proof window";
    let chain = Fake::new(move |_, _| Err(failed(0, late)));
    let outcome = chain
        .sender(SendOptions::default())
        .send(&[message(1)], 20, None)
        .await
        .unwrap();
    assert_eq!(outcome.rejection().unwrap().class(), Class::WindowClosed);
    assert_eq!((chain.simulations(), chain.head().height), (1, 10));
}

#[tokio::test(start_paused = true)]
async fn an_empty_account_is_told_and_paid_up_later() {
    let chain = Fake::new(|_, height| match height {
        ..=14 => Err(failed(
            0,
            "spendable balance 1upokt is smaller than 5upokt: insufficient funds",
        )),
        _ => Ok(1),
    });
    let sender = chain.sender(SendOptions::default());
    let mut condition = sender.condition();
    let messages = [message(1)];
    let outcome = sender.send(&messages, 20, None);
    let told = async {
        condition
            .wait_for(|now| *now != Condition::Fine)
            .await
            .unwrap()
            .clone()
    };
    let (outcome, told) = tokio::join!(outcome, told);
    assert!(matches!(told, Condition::Unfunded { log } if log.contains("insufficient")));
    assert!(outcome.unwrap().is_success());
    assert_eq!(*sender.condition().borrow(), Condition::Fine);

    chain.state().funded = false;
    let command = chain.sender(SendOptions {
        wait_for_funds: false,
        ..SendOptions::default()
    });
    let outcome = command.send(&[message(1)], 40, None).await.unwrap();
    assert_eq!(
        outcome.rejection().unwrap().class(),
        Class::InsufficientFunds
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_away_is_waited_for() {
    let chain = Fake::new(|_, _| Ok(1));
    chain.state().down_until = 14;
    let sender = chain.sender(SendOptions::default());
    let outcome = sender.send(&[message(1)], 20, None).await.unwrap();
    assert_eq!(included(&outcome).height, 15);
}

#[tokio::test(start_paused = true)]
async fn gas_that_did_not_suffice_in_the_block_is_raised() {
    let chain = Fake::new(|_, height| Ok(if height < 11 { 100 } else { 240 }));
    let outcome = chain
        .sender(SendOptions::default())
        .send(&[message(1)], 20, None)
        .await
        .unwrap();
    assert!(outcome.is_success());
    assert_eq!(chain.transactions(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_another_instance_did_counts() {
    let chain = Fake::new(|_, _| Ok(1));
    chain.state().lost = (11..100).collect();
    let seen = chain.clone();
    let effect: Watch = Arc::new(move || {
        let height = seen.head().height;
        Box::pin(async move { Ok(height >= 13) })
    });
    let outcome = chain
        .sender(SendOptions::default())
        .send(&[message(1)], 40, Some(&effect))
        .await
        .unwrap();
    assert!(
        matches!(outcome, Outcome::Observed { height: 13 }),
        "{outcome:?}"
    );
    // Not knowing is not seeing.
    let blind: Watch = Arc::new(|| Box::pin(async { Err(gone()) }));
    let outcome = chain
        .sender(SendOptions::default())
        .send(&[message(1)], 20, Some(&blind))
        .await
        .unwrap();
    assert!(matches!(outcome, Outcome::TimedOut { .. }));
}
