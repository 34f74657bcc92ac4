//! What became of a transaction, and what the chain's texts mean.

use crate::rpc::types::Event;

use super::TxHash;

/// Who refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The node, trying it on its state.
    Simulation,
    /// The mempool's check.
    Check,
    /// The block that holds it.
    Block,
    /// We did, before anything was sent.
    Local,
}

/// A refusal, in the chain's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Who refused.
    pub stage: Stage,
    /// The code.
    pub code: u32,
    /// Whose code it is; `undefined` where the chain lost it.
    pub codespace: String,
    /// The text.
    pub log: String,
}

/// What a refusal means to the sender (chain specification 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The chain wants no proof of this claim: done.
    ProofNotRequired,
    /// The window has not opened yet: later.
    WindowNotOpen,
    /// The window has closed: never.
    WindowClosed,
    /// The account cannot pay: an operator must act, then again.
    InsufficientFunds,
    /// The fee is below what this node asks for: an operator must act.
    InsufficientFee,
    /// Another transaction of the account came first: again with a fresh sequence.
    SequenceMismatch,
    /// Its time or height limit has passed: again with a later one.
    Expired,
    /// The mempool has it, or its nonce was used: it, or its twin, is on its way.
    AlreadyKnown,
    /// The mempool is full: later.
    MempoolFull,
    /// Too many bytes or too much gas for one transaction: fewer messages.
    TooLarge,
    /// The simulated gas did not suffice in the block: again.
    OutOfGas,
    /// Everything else: the message or its signer is wrong.
    Other,
}

impl Class {
    /// Whether a later attempt may succeed without anything new being signed for.
    pub fn passes_with_time(self) -> bool {
        matches!(
            self,
            Self::WindowNotOpen
                | Self::SequenceMismatch
                | Self::Expired
                | Self::AlreadyKnown
                | Self::MempoolFull
                | Self::OutOfGas
        )
    }
}

impl Rejection {
    /// What it means. Texts are matched where the chain loses its codes.
    pub fn class(&self) -> Class {
        let log = self.log.as_str();
        let any = |texts: &[&str]| texts.iter().any(|text| log.contains(text));
        if any(&["proof not required"]) {
            return Class::ProofNotRequired;
        }
        if any(&[
            "proof window",
            "proof_window",
            "claim window",
            "claim_window",
        ]) {
            return match any(&["is less than"]) {
                true => Class::WindowNotOpen,
                false => Class::WindowClosed,
            };
        }
        if any(&[
            "account sequence mismatch",
            "incorrect account sequence",
            "sequence mismatch",
        ]) {
            return Class::SequenceMismatch;
        }
        if any(&[
            "already used timeout",
            "tx already in mempool",
            "already exists in cache",
        ]) {
            return Class::AlreadyKnown;
        }
        match (self.codespace.as_str(), self.code) {
            ("sdk", 11) => return Class::OutOfGas,
            ("sdk", 13) => return Class::InsufficientFee,
            ("sdk", 19) => return Class::AlreadyKnown,
            ("sdk", 20) => return Class::MempoolFull,
            // 41: more gas than one transaction may use.
            ("sdk", 21 | 41) => return Class::TooLarge,
            ("sdk", 30 | 42) => return Class::Expired,
            ("sdk", 32) => return Class::SequenceMismatch,
            _ => {}
        }
        if any(&["insufficient fee"]) {
            return Class::InsufficientFee;
        }
        if any(&[
            "insufficient funds",
            "insufficient account balance",
            "spendable balance",
        ]) {
            return Class::InsufficientFunds;
        }
        // Simulation keeps only texts.
        if any(&["out of gas"]) {
            return Class::OutOfGas;
        }
        if any(&[
            "tx timeout",
            "unordered transaction has a timeout_timestamp that has already passed",
        ]) {
            return Class::Expired;
        }
        if any(&["tx too large", "Tx too large"]) {
            return Class::TooLarge;
        }
        Class::Other
    }

    /// Which message failed, where the chain says so.
    pub fn message_index(&self) -> Option<usize> {
        let (_, rest) = self.log.split_once("message index: ")?;
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest.get(..digits)?.parse().ok()
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?}: {} ({} {})",
            self.stage, self.log, self.codespace, self.code
        )
    }
}

/// A transaction that is in a block. Code 0 is success; anything else paid its fee for nothing.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its name.
    pub hash: TxHash,
    /// The block.
    pub height: i64,
    /// 0 for success.
    pub code: u32,
    /// Whose code it is.
    pub codespace: String,
    /// What went wrong.
    pub log: String,
    /// Gas limit.
    pub gas_wanted: i64,
    /// Gas used.
    pub gas_used: i64,
    /// What happened.
    pub events: Vec<Event>,
}

impl Included {
    /// Why it failed inside its block, if it did.
    pub fn rejection(&self) -> Option<Rejection> {
        (self.code != 0).then(|| Rejection {
            stage: Stage::Block,
            code: self.code,
            codespace: self.codespace.clone(),
            log: self.log.clone(),
        })
    }
}

/// What became of a transaction.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A block holds it; look at its code.
    Included(Included),
    /// What it was for is on the chain, whoever brought it there.
    Observed {
        /// The latest block when it was seen.
        height: i64,
    },
    /// It will not be included.
    Rejected(Rejection),
    /// The deadline passed and no block up to there holds it.
    TimedOut {
        /// The last one offered, if any got that far.
        hash: Option<TxHash>,
        /// The last height it was waited for.
        deadline: i64,
        /// The last refusal, if there was one.
        last: Option<Rejection>,
    },
}

impl Outcome {
    /// Whether the chain did what was asked.
    pub fn is_success(&self) -> bool {
        match self {
            Self::Included(included) => included.code == 0,
            Self::Observed { .. } => true,
            Self::Rejected(_) | Self::TimedOut { .. } => false,
        }
    }

    /// Why not, where the chain said so.
    pub fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Included(included) => included.rejection(),
            Self::Observed { .. } => None,
            Self::Rejected(rejection) => Some(rejection.clone()),
            Self::TimedOut { last, .. } => last.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
