//! Sending: simulate, sign, offer, and watch block by block until it is in one.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crypto::keys::SecretKey;
use futures_util::future::BoxFuture;
use prost_types::Any;
use tokio::sync::{OnceCell, watch};

use super::{
    Class, GasPrice, Included, Ordering, Outcome, Rejection, SignedTx, Signer, Stage, TxBuilder,
    TxHash,
};
use crate::{Account, BlockEvent, Chain, Error, Result, limits};

/// What a sender needs of a chain. [`Chain`] is one; a test's is another.
pub trait Ledger: Send + Sync + 'static {
    /// Its chain id.
    fn chain_id(&self) -> &str;
    /// The latest block.
    fn head(&self) -> BlockEvent;
    /// Waits for a block above `height`.
    fn wait_above(&self, height: i64) -> impl Future<Output = Result<BlockEvent>> + Send;
    /// An account as it is now.
    fn account(&self, address: &str) -> impl Future<Output = Result<Option<Account>>> + Send;
    /// The gas a transaction would use, or why it would fail.
    fn simulate(&self, tx: &[u8]) -> impl Future<Output = Result<Result<u64, Rejection>>> + Send;
    /// Offers a transaction to the mempool: accepted there, or why not.
    fn broadcast(&self, tx: &[u8]) -> impl Future<Output = Result<Result<(), Rejection>>> + Send;
    /// The block that holds a transaction; `None` while none does.
    fn included(&self, hash: &TxHash) -> impl Future<Output = Result<Option<Included>>> + Send;
}

/// Asks the chain whether what a transaction is for has happened, whoever did it.
pub type Watch = Arc<dyn Fn() -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// How transactions are made.
#[derive(Clone, Debug)]
pub struct SendOptions {
    /// Memo of every transaction.
    pub memo: String,
    /// upokt for one unit of gas. Default 0.
    pub gas_price: GasPrice,
    /// A fee in upokt for every transaction, whatever its gas; `None` follows from the price. Default
    /// `None`.
    pub fee_upokt: Option<u128>,
    /// Who pays the fee by a grant; empty for the account itself. Default empty.
    pub fee_granter: String,
    /// A gas limit for every transaction; `None` simulates each. Default `None`.
    pub gas_limit: Option<u64>,
    /// Gas limit as percent of the simulated gas. Default 170, as the reference's miner.
    pub gas_percent: u64,
    /// Largest gas limit of a transaction.
    pub max_gas: u64,
    /// Largest transaction, in bytes.
    pub max_bytes: usize,
    /// Unordered transactions do not wait for each other; ordered ones are sent one after the
    /// other. Default true.
    pub unordered: bool,
    /// The last height that may include it; 0 for none. Default 0.
    pub timeout_height: u64,
    /// How long an unordered transaction stays valid beyond the latest block; at most ten minutes.
    pub ttl: Duration,
    /// Whether an account that cannot pay is waited for until the deadline (a service does) or is a
    /// rejection (a command does). Default true.
    pub wait_for_funds: bool,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self {
            memo: String::new(),
            gas_price: GasPrice::default(),
            fee_upokt: None,
            fee_granter: String::new(),
            gas_limit: None,
            gas_percent: 170,
            max_gas: limits::TX_GAS,
            max_bytes: limits::TX_BYTES,
            unordered: true,
            timeout_height: 0,
            ttl: limits::UNORDERED_TTL,
            wait_for_funds: true,
        }
    }
}

/// What an operator should know about a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing stands in the way.
    Fine,
    /// Its account cannot pay.
    Unfunded {
        /// The chain's text.
        log: String,
    },
    /// The node cannot be reached, or does not answer usefully.
    Unreachable {
        /// The error's text.
        reason: String,
    },
}

/// Sends transactions of one account.
pub struct Sender<L = Chain> {
    pub(super) ledger: Arc<L>,
    key: SecretKey,
    address: String,
    options: SendOptions,
    number: OnceCell<u64>,
    last_timeout: Mutex<SystemTime>,
    turn: tokio::sync::Mutex<()>,
    condition: watch::Sender<Condition>,
}

/// How a watched transaction ended, for the loop around it.
enum Watched {
    Done(Outcome),
    Again(Rejection),
}

impl<L: Ledger> Sender<L> {
    /// A sender for the account of `key`.
    pub fn new(ledger: Arc<L>, key: SecretKey, options: SendOptions) -> Self {
        Self {
            ledger,
            address: key.public().address().to_bech32(),
            key,
            options,
            number: OnceCell::new(),
            last_timeout: Mutex::new(UNIX_EPOCH),
            turn: tokio::sync::Mutex::new(()),
            condition: watch::Sender::new(Condition::Fine),
        }
    }

    /// The account's address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How transactions are made.
    pub fn options(&self) -> &SendOptions {
        &self.options
    }

    /// What an operator should know, as it changes.
    pub fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    /// Sends `messages` in one transaction and waits until a block up to height `deadline` holds
    /// it.
    ///
    /// With `effect`, its having happened also counts, so that two instances with one key, or a
    /// transaction of an earlier life, do no harm. What passes with time is tried again at each
    /// block; the rest is a rejection.
    ///
    /// # Errors
    /// What is not transient: [`Error::Closed`] at shutdown, [`Error::Build`], answers
    /// that cannot be used. A node that cannot be reached is waited for, as blocks are what time is
    /// measured in here.
    pub async fn send(
        &self,
        messages: &[Any],
        deadline: i64,
        effect: Option<&Watch>,
    ) -> Result<Outcome> {
        self.run(messages, deadline, effect, true).await
    }

    /// As [`Sender::send`]; an impatient sender does not wait where the chain names the message
    /// that is refused, so that the others can go on.
    pub(super) async fn run(
        &self,
        messages: &[Any],
        deadline: i64,
        effect: Option<&Watch>,
        patient: bool,
    ) -> Result<Outcome> {
        let _turn = match self.options.unordered {
            true => None,
            false => Some(self.turn.lock().await),
        };
        let mut last = None;
        let mut mismatches = 0;
        let mut percent = self.options.gas_percent;
        loop {
            let head = self.ledger.head();
            if head.height >= deadline {
                return Ok(Outcome::TimedOut {
                    hash: None,
                    deadline,
                    last,
                });
            }
            match self.attempt(messages, &head, percent).await {
                Ok(Ok((signed, expiry))) => {
                    self.set(Condition::Fine);
                    let watched = self
                        .watch(signed, expiry, deadline, effect, patient)
                        .await?;
                    match watched {
                        Watched::Done(outcome) => return Ok(outcome),
                        Watched::Again(rejection) => {
                            if rejection.class() == Class::OutOfGas {
                                percent = percent.saturating_mul(3) / 2;
                            }
                            last = Some(rejection);
                        }
                    }
                    continue;
                }
                Ok(Err(rejection)) => {
                    let class = rejection.class();
                    let named = !patient && rejection.message_index().is_some();
                    if !self.worth_waiting(&rejection) || named {
                        return Ok(Outcome::Rejected(rejection));
                    }
                    last = Some(rejection);
                    if class == Class::SequenceMismatch && mismatches < limits::SEQUENCE_ATTEMPTS {
                        mismatches += 1;
                        continue;
                    }
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "transaction cannot be offered yet");
                    self.set(Condition::Unreachable {
                        reason: error.to_string(),
                    });
                }
                Err(error) => return Err(error),
            }
            let head = self.ledger.wait_above(head.height).await?;
            if happened(effect).await {
                return Ok(Outcome::Observed {
                    height: head.height,
                });
            }
        }
    }

    /// The time limit of the next unordered transaction: beyond `head`, and never the same twice.
    ///
    /// It follows the chain's clock, not ours. A random part of a second keeps instances with one
    /// key apart.
    pub(super) fn next_timeout(&self, head: &BlockEvent) -> SystemTime {
        let ttl = self.options.ttl.min(limits::UNORDERED_TTL_MAX);
        let nanos = RandomState::new().hash_one(head.hash) % 1_000_000_000;
        let wanted = head.time + ttl + Duration::from_nanos(nanos);
        let mut last = self
            .last_timeout
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Within one block everything goes a nanosecond after the last, so the limit stays where it
        // was.
        let fresh = wanted > *last + Duration::from_secs(1);
        *last = if fresh {
            wanted
        } else {
            *last + Duration::from_nanos(1)
        };
        *last
    }

    /// Simulates, signs and offers once. Returns the transaction and when it expires.
    async fn attempt(
        &self,
        messages: &[Any],
        head: &BlockEvent,
        percent: u64,
    ) -> Result<Result<(SignedTx, Option<SystemTime>), Rejection>> {
        let Some((account_number, sequence)) = self.numbers().await? else {
            let log = format!(
                "{} is not on chain, it never received coins: insufficient funds",
                self.address
            );
            return Ok(Err(local(5, log)));
        };
        let signer = Signer {
            key: &self.key,
            account_number,
            sequence,
        };
        let expiry = self.options.unordered.then(|| self.next_timeout(head));
        let ordering = match expiry {
            Some(timeout) => Ordering::Unordered { timeout },
            None => Ordering::Sequence,
        };
        let builder = TxBuilder::new()
            .anys(messages.iter().cloned())
            .memo(&self.options.memo)
            .timeout_height(self.options.timeout_height)
            .fee_granter(&self.options.fee_granter)
            .ordering(ordering);
        let chain_id = self.ledger.chain_id();
        let gas = match self.options.gas_limit {
            Some(gas) => gas,
            None => {
                let trial = builder.sign(signer, chain_id)?;
                match self.ledger.simulate(&trial.bytes).await? {
                    Ok(used) => used.saturating_mul(percent).div_ceil(100),
                    // A simulation may use what one transaction may: only fewer messages help.
                    Err(rejection) if rejection.class() == Class::OutOfGas => {
                        let log = format!("tx too large: {}", rejection.log);
                        return Ok(Err(local(21, log)));
                    }
                    Err(rejection) => return Ok(Err(rejection)),
                }
            }
        };
        if gas > self.options.max_gas {
            let log = format!("tx too large: {gas} gas, limit {}", self.options.max_gas);
            return Ok(Err(local(21, log)));
        }
        let fee = self.options.fee_upokt;
        let fee = fee.unwrap_or_else(|| self.options.gas_price.fee(gas));
        let signed = builder
            .gas_limit(gas)
            .fee_upokt(fee)
            .sign(signer, chain_id)?;
        if signed.bytes.len() > self.options.max_bytes {
            let (bytes, limit) = (signed.bytes.len(), self.options.max_bytes);
            return Ok(Err(local(
                21,
                format!("tx too large: {bytes} bytes, limit {limit}"),
            )));
        }
        match self.ledger.broadcast(&signed.bytes).await? {
            Err(rejection) if rejection.class() != Class::AlreadyKnown => Ok(Err(rejection)),
            _ => Ok(Ok((signed, expiry))),
        }
    }

    /// Number and sequence of the account; `None` while it does not exist.
    async fn numbers(&self) -> Result<Option<(u64, u64)>> {
        if let (Some(number), true) = (self.number.get(), self.options.unordered) {
            return Ok(Some((*number, 0)));
        }
        let Some(account) = self.ledger.account(&self.address).await? else {
            return Ok(None);
        };
        // A number never changes; whoever was first is right.
        let _ = self.number.set(account.number);
        Ok(Some((account.number, account.sequence)))
    }

    /// Watches block by block. Offers it again while it is missing, and gives up on it once it
    /// cannot be included any more.
    async fn watch(
        &self,
        signed: SignedTx,
        expiry: Option<SystemTime>,
        deadline: i64,
        effect: Option<&Watch>,
        patient: bool,
    ) -> Result<Watched> {
        let mut seen = self.ledger.head();
        let mut offered = seen.height;
        let mut last = None;
        loop {
            let head = self.ledger.wait_above(seen.height).await?;
            match self.ledger.included(&signed.hash).await {
                Ok(Some(included)) => return self.included(included, deadline, patient).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, hash = %signed.hash, "inclusion cannot be asked")
                }
            }
            if happened(effect).await {
                return Ok(Watched::Done(Outcome::Observed {
                    height: head.height,
                }));
            }
            // One block more than the deadline, as a node's index may lag behind its blocks.
            if head.height > deadline {
                let hash = Some(signed.hash);
                return Ok(Watched::Done(Outcome::TimedOut {
                    hash,
                    deadline,
                    last,
                }));
            }
            if expiry.is_some_and(|expiry| seen.time >= expiry) {
                return Ok(Watched::Again(local(
                    42,
                    "tx timeout: not included in time".to_owned(),
                )));
            }
            if head.height - offered >= limits::REBROADCAST_BLOCKS {
                offered = head.height;
                match self.ledger.broadcast(&signed.bytes).await {
                    Ok(Err(rejection)) if rejection.class() == Class::SequenceMismatch => {
                        // Ours was included unseen, or another took its sequence; the block after
                        // tells.
                        if last.is_some() {
                            return Ok(Watched::Again(rejection));
                        }
                        last = Some(rejection);
                    }
                    Ok(Err(rejection)) if rejection.class() != Class::AlreadyKnown => {
                        tracing::debug!(%rejection, hash = %signed.hash, "offered again");
                        last = Some(rejection);
                    }
                    Ok(_) => tracing::debug!(hash = %signed.hash, "offered again"),
                    Err(error) => {
                        tracing::warn!(%error, hash = %signed.hash, "cannot be offered again")
                    }
                }
            }
            seen = head;
        }
    }

    /// It is in a block: wait until our own view has reached that block, so that what is asked next
    /// sees it.
    async fn included(&self, included: Included, deadline: i64, patient: bool) -> Result<Watched> {
        while self.ledger.head().height < included.height {
            self.ledger.wait_above(self.ledger.head().height).await?;
        }
        match included.rejection() {
            Some(rejection)
                if matches!(rejection.class(), Class::OutOfGas | Class::WindowNotOpen)
                    && self.worth_waiting(&rejection)
                    && (patient || rejection.message_index().is_none())
                    && included.height < deadline =>
            {
                Ok(Watched::Again(rejection))
            }
            _ => Ok(Watched::Done(Outcome::Included(included))),
        }
    }

    fn worth_waiting(&self, rejection: &Rejection) -> bool {
        match rejection.class() {
            Class::InsufficientFunds | Class::InsufficientFee => {
                // Whoever does not wait is told by the outcome.
                if self.options.wait_for_funds {
                    tracing::error!(account = %self.address, %rejection, "account cannot pay");
                }
                self.set(Condition::Unfunded {
                    log: rejection.log.clone(),
                });
                self.options.wait_for_funds
            }
            // With a limit that was given, the same would come of it again.
            Class::OutOfGas if self.options.gas_limit.is_some() => false,
            class => class.passes_with_time(),
        }
    }

    fn set(&self, condition: Condition) {
        self.condition.send_if_modified(|current| {
            let changed = *current != condition;
            *current = condition;
            changed
        });
    }
}

/// A refusal of our own, with the SDK's code for it.
pub(super) fn local(code: u32, log: String) -> Rejection {
    Rejection {
        stage: Stage::Local,
        code,
        codespace: "sdk".to_owned(),
        log,
    }
}

/// Whether the effect is on the chain. Not knowing is not seeing.
pub(super) async fn happened(effect: Option<&Watch>) -> bool {
    let Some(effect) = effect else { return false };
    effect().await.unwrap_or_else(|error| {
        tracing::debug!(%error, "effect cannot be asked");
        false
    })
}

impl Ledger for Chain {
    fn chain_id(&self) -> &str {
        Self::chain_id(self)
    }

    fn head(&self) -> BlockEvent {
        Self::head(self)
    }

    async fn wait_above(&self, height: i64) -> Result<BlockEvent> {
        Self::wait_above(self, height).await
    }

    async fn account(&self, address: &str) -> Result<Option<Account>> {
        Self::account(self, address).await
    }

    async fn simulate(&self, tx: &[u8]) -> Result<Result<u64, Rejection>> {
        Self::simulate(self, tx).await
    }

    async fn broadcast(&self, tx: &[u8]) -> Result<Result<(), Rejection>> {
        Self::broadcast(self, tx).await
    }

    async fn included(&self, hash: &TxHash) -> Result<Option<Included>> {
        let Some(answer) = self.rpc().tx(hash).await? else {
            return Ok(None);
        };
        if answer.hash != hash.0 {
            return Err(Error::malformed(
                "tx",
                "the node answered with another transaction",
            ));
        }
        Ok(Some(Included {
            hash: *hash,
            height: answer.height,
            code: answer.tx_result.code,
            codespace: answer.tx_result.codespace,
            log: answer.tx_result.log,
            gas_wanted: answer.tx_result.gas_wanted,
            gas_used: answer.tx_result.gas_used,
            events: answer.tx_result.events,
        }))
    }
}

#[cfg(test)]
pub(super) mod tests;
