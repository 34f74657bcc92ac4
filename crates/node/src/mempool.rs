//! Transactions that wait for a block, in the order of their arrival.
//!
//! Bounded by count, bytes and count of each first signer. Whatever was seen once is refused again for as long as it is
//! among the last [`MEMPOOL_CACHE`](limits::MEMPOOL_CACHE), unless it had failed its check. What is in here has passed
//! `check_tx` above the last committed state and above everything before it; after each block the rest is checked
//! again.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bytes::Bytes;
use chain::sdk;
use chain::tx::Transaction;
use crypto::keys::Address;
use tendermint_proto::v0_38::abci::ResponseCheckTx;

use crate::block::Hash;
use crate::limits;

/// sdk code of a transaction that was seen before.
const TX_IN_CACHE: u32 = 19;
/// sdk code of a full mempool.
const MEMPOOL_FULL: u32 = 20;

/// Why a transaction does not even reach `check_tx`. Only [`Refused::Full`] is worth a later retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Seen before.
    #[error("tx already exists in cache")]
    Known,
    /// No room, for anybody or for this sender.
    #[error("mempool is full: {0}")]
    Full(String),
    /// Larger than any block.
    #[error("Tx too large. Max size is {max}, but got {size}", max = limits::TX_BYTES)]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// The node makes no blocks any more.
    #[error("the node is stopping")]
    Stopped,
}

impl Refused {
    /// The sdk error code in a gRPC answer.
    pub fn code(&self) -> u32 {
        match self {
            Self::Known => TX_IN_CACHE,
            Self::Full(_) | Self::Stopped => MEMPOOL_FULL,
            Self::TooLarge { .. } => sdk::TX_TOO_LARGE,
        }
    }
}

/// What is waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The first transactions.
    pub txs: Vec<Bytes>,
    /// Count of all.
    pub count: usize,
    /// Bytes of all.
    pub bytes: usize,
}

#[derive(Debug)]
struct Entry {
    tx: Bytes,
    hash: Hash,
    sender: Option<Address>,
}

/// The waiting line.
#[derive(Debug, Default)]
pub struct Mempool {
    entries: BTreeMap<u64, Entry>,
    by_hash: HashMap<Hash, u64>,
    of_sender: HashMap<Address, usize>,
    bytes: usize,
    next: u64,
    seen: HashSet<Hash>,
    seen_order: VecDeque<Hash>,
}

impl Mempool {
    /// Takes a transaction in if there is room and `check` finds no fault.
    ///
    /// # Errors
    /// [`Refused`]; a failed check is an answer, not an error.
    pub fn add(
        &mut self,
        tx: Bytes,
        check: impl FnOnce(&Bytes) -> ResponseCheckTx,
    ) -> Result<ResponseCheckTx, Refused> {
        if tx.len() > limits::TX_BYTES {
            return Err(Refused::TooLarge { size: tx.len() });
        }
        if self.entries.len() >= limits::MEMPOOL_TXS
            || self.bytes.saturating_add(tx.len()) > limits::MEMPOOL_BYTES
        {
            return Err(Refused::Full(format!(
                "number of txs {} (max: {}), total txs bytes {} (max: {})",
                self.entries.len(),
                limits::MEMPOOL_TXS,
                self.bytes,
                limits::MEMPOOL_BYTES
            )));
        }
        let hash = crypto::hash::sha256(&tx);
        if self.seen.contains(&hash) || self.by_hash.contains_key(&hash) {
            return Err(Refused::Known);
        }
        let decoded = Transaction::decode(&tx).ok();
        let sender = decoded.and_then(|tx| tx.signers.first().copied());
        if let Some(sender) = sender {
            let waiting = self.of_sender.get(&sender).copied().unwrap_or(0);
            if waiting >= limits::MEMPOOL_PER_SENDER {
                return Err(Refused::Full(format!(
                    "{waiting} txs of {sender} are waiting"
                )));
            }
        }
        let answer = check(&tx);
        if answer.code == 0 {
            self.remember(hash);
            self.bytes = self.bytes.saturating_add(tx.len());
            self.by_hash.insert(hash, self.next);
            if let Some(sender) = sender {
                *self.of_sender.entry(sender).or_default() += 1;
            }
            self.entries.insert(self.next, Entry { tx, hash, sender });
            self.next += 1;
        }
        Ok(answer)
    }

    /// All transactions in order.
    pub fn txs(&self) -> Vec<Bytes> {
        self.entries
            .values()
            .map(|entry| entry.tx.clone())
            .collect()
    }

    /// Count, bytes and the first `limit` transactions.
    pub fn waiting(&self, limit: usize) -> Waiting {
        Waiting {
            txs: self
                .entries
                .values()
                .take(limit)
                .map(|entry| entry.tx.clone())
                .collect(),
            count: self.entries.len(),
            bytes: self.bytes,
        }
    }

    /// Takes out what a block included, and whatever `recheck` refuses now.
    pub fn after_block(
        &mut self,
        included: &[Hash],
        mut recheck: impl FnMut(&Bytes) -> ResponseCheckTx,
    ) {
        for hash in included {
            self.remember(*hash);
            if let Some(number) = self.by_hash.get(hash).copied() {
                self.remove(number);
            }
        }
        let refused: Vec<(u64, Hash)> = self
            .entries
            .iter()
            .filter(|(_, entry)| recheck(&entry.tx).code != 0)
            .map(|(number, entry)| (*number, entry.hash))
            .collect();
        for (number, hash) in &refused {
            self.remove(*number);
            self.seen.remove(hash);
        }
        if !refused.is_empty() {
            let seen = &self.seen;
            self.seen_order.retain(|hash| seen.contains(hash));
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(entry) = self.entries.remove(&number) else {
            return;
        };
        self.by_hash.remove(&entry.hash);
        self.bytes = self.bytes.saturating_sub(entry.tx.len());
        if let Some(sender) = entry.sender
            && let Some(count) = self.of_sender.get_mut(&sender)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of_sender.remove(&sender);
            }
        }
    }

    fn remember(&mut self, hash: Hash) {
        if self.seen.insert(hash) {
            self.seen_order.push_back(hash);
        }
        while self.seen_order.len() > limits::MEMPOOL_CACHE {
            if let Some(oldest) = self.seen_order.pop_front() {
                self.seen.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u32) -> ResponseCheckTx {
        ResponseCheckTx {
            code,
            ..ResponseCheckTx::default()
        }
    }

    fn tx(number: usize) -> Bytes {
        Bytes::from(number.to_be_bytes().to_vec())
    }

    #[test]
    fn a_repetition_is_refused_also_after_its_block_and_a_failure_is_not_remembered() {
        let mut mempool = Mempool::default();
        assert_eq!(mempool.add(tx(1), |_| answer(5)).unwrap().code, 5);
        assert_eq!(mempool.add(tx(1), |_| answer(0)).unwrap().code, 0);
        assert_eq!(mempool.add(tx(1), |_| answer(0)), Err(Refused::Known));
        assert_eq!(
            mempool.waiting(0),
            Waiting {
                txs: vec![],
                count: 1,
                bytes: 8
            }
        );
        mempool.after_block(&[crypto::hash::sha256(&tx(1))], |_| answer(0));
        assert_eq!(mempool.waiting(9), Waiting::default());
        assert_eq!(mempool.add(tx(1), |_| answer(0)), Err(Refused::Known));
    }

    #[test]
    fn what_a_block_made_invalid_leaves_and_may_come_again() {
        let mut mempool = Mempool::default();
        for number in 0..4 {
            mempool.add(tx(number), |_| answer(0)).unwrap();
        }
        mempool.after_block(&[], |bytes| answer(u32::from(*bytes == tx(2))));
        assert_eq!(mempool.txs(), [tx(0), tx(1), tx(3)]);
        assert!(mempool.add(tx(2), |_| answer(0)).is_ok());
        assert_eq!(mempool.txs(), [tx(0), tx(1), tx(3), tx(2)]);
    }

    #[test]
    fn it_is_bounded() {
        let mut mempool = Mempool::default();
        let large = Bytes::from(vec![0; limits::TX_BYTES + 1]);
        assert!(matches!(
            mempool.add(large, |_| answer(0)),
            Err(Refused::TooLarge { .. })
        ));
        for number in 0..limits::MEMPOOL_TXS {
            mempool.add(tx(number), |_| answer(0)).unwrap();
        }
        let refused = mempool
            .add(tx(limits::MEMPOOL_TXS), |_| answer(0))
            .unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("mempool is full: number of txs 5000")
        );
    }
}
