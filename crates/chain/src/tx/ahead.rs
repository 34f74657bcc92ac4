//! The transactions of a block, read and their signatures checked on all threads before the first of them is executed.
//!
//! Whether a signature is good follows from the transaction's bytes, the chain's id, and the signer's key and account
//! number. The last two are taken from the state before the block. The checks look at a verdict only when it was given
//! for the key and number that they find themselves, so an account that the block itself makes or changes is simply
//! checked later.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use crypto::keys::Address;
use proto::cosmos::tx::v1beta1::SignerInfo;

use crate::auth::{self, SignerKey};
use crate::context::Context;
use crate::error::TxError;
use crate::tx::run::read;
use crate::tx::{Transaction, signing};

/// What came of checking a signature against a key and an account number.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    key: SignerKey,
    account_number: u64,
    result: Result<(), String>,
}

impl Transaction {
    /// The verdict about the signature of a signer, if it is known for this key and number.
    pub(super) fn verdict(
        &self,
        signer: usize,
        key: &SignerKey,
        account_number: u64,
    ) -> Option<&Result<(), String>> {
        let verdict = self.verdicts.get(signer)?.as_ref()?;
        (verdict.key == *key && verdict.account_number == account_number).then_some(&verdict.result)
    }
}

/// A transaction beside the key and number of each signer, as far as they can be told before the block.
type Job = (Result<Transaction, TxError>, Vec<Option<(SignerKey, u64)>>);

/// Reads the transactions of a block, in their order, with the verdicts that can be given ahead.
pub(crate) fn read_ahead(ctx: &Context, txs: &[Bytes]) -> Vec<Result<Transaction, TxError>> {
    let workers = &ctx.helpers().workers;
    let read = workers.map(txs, |bytes| read(bytes));
    let jobs: Vec<Job> = ctx.unpriced(|ctx| {
        read.into_iter()
            .map(|tx| {
                let signers = tx
                    .as_ref()
                    .map_or_else(|_| Vec::new(), |tx| signers(ctx, tx));
                (tx, signers)
            })
            .collect()
    });
    let chain_id = ctx.block.chain_id.as_str();
    let verdicts = workers.map(&jobs, |(tx, signers)| match tx {
        Ok(tx) => judge(tx, signers, chain_id),
        Err(_) => Vec::new(),
    });
    jobs.into_iter()
        .zip(verdicts)
        .map(|((tx, _), verdicts)| tx.map(|tx| Transaction { verdicts, ..tx }))
        .collect()
}

fn signers(ctx: &Context, tx: &Transaction) -> Vec<Option<(SignerKey, u64)>> {
    tx.signer_infos()
        .map(|(signer, info)| key_and_number(ctx, signer, info))
        .collect()
}

/// The stored key of an account, or the one that comes with its first signature; a store that fails will fail again.
fn key_and_number(ctx: &Context, signer: &Address, info: &SignerInfo) -> Option<(SignerKey, u64)> {
    let account = auth::account(ctx, signer).ok().flatten()?;
    let base = account.base()?;
    let key = base.pub_key.as_ref().or(info.public_key.as_ref())?;
    let key = SignerKey::from_any(key).ok()?;
    Some((key, base.account_number))
}

fn judge(
    tx: &Transaction,
    signers: &[Option<(SignerKey, u64)>],
    chain_id: &str,
) -> Vec<Option<Verdict>> {
    let each = tx.signer_infos().zip(&tx.raw.signatures).zip(signers);
    each.map(|(((_, info), signature), known)| {
        let (key, account_number) = known.clone()?;
        let signer = signing::Signer {
            chain_id,
            account_number,
            sequence: info.sequence,
        };
        let verify = || signing::verify(tx, info, &key, signature, signer);
        // A panic is left to the checks, where it costs the transaction.
        let result = catch_unwind(AssertUnwindSafe(verify)).ok()?;
        Some(Verdict {
            key,
            account_number,
            result,
        })
    })
    .collect()
}
