//! Blocks under construction: what a proposer takes, and what the others accept.
//!
//! Neither executes anything. A proposer leaves out what cannot fit or cannot succeed by its bytes alone. The others
//! refuse only what depends on nothing but the block and the state below it, so that all of them decide alike.

use std::collections::BTreeSet;

use bytes::Bytes;
use crypto::keys::Address;
use tendermint_proto::v0_38::abci::response_process_proposal::ProposalStatus;
use tendermint_proto::v0_38::abci::{
    RequestPrepareProposal, RequestProcessProposal, ResponsePrepareProposal,
    ResponseProcessProposal,
};

use crate::app::{Application, block_time};
use crate::consensus;
use crate::context::{BlockInfo, BlockTime, Context, Mode};
use crate::error::ChainError;
use crate::rules::Rules;
use crate::tx::{Transaction, read};

/// Limits of a block.
struct Limits {
    /// Bytes of all transactions; negative for none.
    bytes: i64,
    /// Sum of their gas limits.
    gas: Option<u64>,
}

impl Application {
    /// Takes transactions in the given order, leaving out what cannot be read, is past its timeout, or does not fit, and
    /// what a signer of something left out sends after it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn prepare_proposal(
        &self,
        request: &RequestPrepareProposal,
    ) -> Result<ResponsePrepareProposal, ChainError> {
        let limits = Limits {
            bytes: request.max_tx_bytes,
            gas: self.limits(request.height)?.gas,
        };
        let time = block_time(request.time.as_ref());
        Ok(ResponsePrepareProposal {
            txs: fitting(&request.txs, &limits, request.height, time),
        })
    }

    /// Accepts a block whose transactions can all be read and fit.
    ///
    /// # Errors
    /// When the store fails.
    pub fn process_proposal(
        &self,
        request: &RequestProcessProposal,
    ) -> Result<ResponseProcessProposal, ChainError> {
        let limits = self.limits(request.height)?;
        let status = match acceptable(&request.txs, &limits) {
            Ok(()) => ProposalStatus::Accept,
            Err(reason) => {
                tracing::warn!(height = request.height, reason, "refusing a proposed block");
                ProposalStatus::Reject
            }
        };
        Ok(ResponseProcessProposal {
            status: status.into(),
        })
    }

    /// The limits of a block of this height.
    fn limits(&self, height: i64) -> Result<Limits, ChainError> {
        let (view, genesis, chain_id) = self.before(height)?;
        let block = BlockInfo {
            chain_id,
            height,
            ..BlockInfo::default()
        };
        let ctx = Context::new(&view, block, Rules::reference(), Mode::Query).resume(genesis);
        let bytes = consensus::params(&ctx)?.block.map_or(-1, |it| it.max_bytes);
        Ok(Limits {
            bytes,
            gas: consensus::block_gas_max(&ctx)?,
        })
    }
}

/// The transactions that a proposer takes.
fn fitting(txs: &[Bytes], limits: &Limits, height: i64, time: BlockTime) -> Vec<Bytes> {
    let mut bytes_left = budget(limits.bytes);
    let mut gas_left = limits.gas.unwrap_or(u64::MAX);
    let mut left_out: BTreeSet<Address> = BTreeSet::new();
    let mut taken = Vec::new();
    for bytes in txs {
        let Ok(tx) = read(bytes) else { continue };
        let after_one_left_out = tx.signers.iter().any(|signer| left_out.contains(signer));
        let fits = bytes_left
            .checked_sub(encoded(bytes))
            .zip(gas_left.checked_sub(tx.fee().gas_limit));
        match fits {
            Some(rest) if !after_one_left_out && !is_late(&tx, height, time) => {
                (bytes_left, gas_left) = rest;
                taken.push(bytes.clone());
            }
            // What follows from the same signers counts on this one's sequence.
            _ if !tx.body.unordered => left_out.extend(tx.signers.iter().copied()),
            _ => {}
        }
    }
    taken
}

/// Whether a transaction's own timeout lies before the block.
fn is_late(tx: &Transaction, height: i64, time: BlockTime) -> bool {
    let height = u64::try_from(height).unwrap_or(0);
    let past_height = tx.body.timeout_height > 0 && tx.body.timeout_height < height;
    let past_time = tx.timeout_nanos().is_some_and(|timeout| {
        let now = time.unix_nanos();
        timeout < now || tx.body.unordered && timeout == now
    });
    past_height || past_time
}

/// Whether everybody accepts a block of these transactions.
fn acceptable(txs: &[Bytes], limits: &Limits) -> Result<(), &'static str> {
    if size(txs) > budget(limits.bytes) {
        return Err("more bytes than a block may have");
    }
    let mut gas_left = limits.gas.unwrap_or(u64::MAX);
    for bytes in txs {
        let tx = read(bytes).map_err(|_| "a transaction that cannot be read")?;
        if limits.gas.is_some() {
            gas_left = gas_left
                .checked_sub(tx.fee().gas_limit)
                .ok_or("more gas than a block may have")?;
        }
    }
    Ok(())
}

fn budget(bytes: i64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Bytes that transactions take in a block.
fn size(txs: &[Bytes]) -> usize {
    txs.iter().map(encoded).fold(0, usize::saturating_add)
}

/// A transaction in a block's data is a protobuf field: tag, length, bytes.
fn encoded(tx: &Bytes) -> usize {
    tx.len()
        .saturating_add(prost::length_delimiter_len(tx.len()))
        .saturating_add(1)
}
