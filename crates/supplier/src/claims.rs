//! What is to be done with every session after it was served: claim, prove, see it paid.
//!
//! A pure machine: blocks and outcomes go in, effects come out. The same events give the same effects, so a restart, which
//! tells it each session's last recorded stage, goes on where it stopped. Nothing is done twice in one window, and nothing
//! is given up before its window closes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits::{CUT_BLOCKS, KEEP_BLOCKS};

/// A session id, 64 hex digits.
pub type Id = String;

/// How far a session got. Recorded in its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Takes relays.
    Serving,
    /// Takes none; waits for those in flight.
    Closing,
    /// Has a root.
    Sealed,
    /// The claim is on the chain.
    Claimed,
    /// The proof was accepted and found valid.
    Proven,
    /// The chain wants no proof of this claim.
    NoProofNeeded,
    /// Paid.
    Settled,
    /// Not paid, and why.
    Lost(String),
}

/// When a session's windows are. Heights are those of the including block, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// First block that may hold the claim.
    pub claim_open: i64,
    /// Last one.
    pub claim_close: i64,
    /// First block that may hold the proof.
    pub proof_open: i64,
    /// Last one; the claim settles at its end.
    pub proof_close: i64,
}

/// What the machine learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A session begins, or is found in the log at this stage.
    Tracked {
        /// Its id.
        session: Id,
        /// Its windows.
        due: Due,
        /// Where it stands.
        stage: Stage,
    },
    /// A block is committed.
    Block {
        /// Its height.
        height: i64,
    },
    /// A session was sealed; without relays there is nothing to claim.
    Sealed {
        /// Its id.
        session: Id,
        /// Whether it has relays.
        has_relays: bool,
    },
    /// The claim is on the chain.
    Claimed(Id),
    /// The proof was found valid.
    Proven(Id),
    /// The chain wants no proof.
    ProofNotNeeded(Id),
    /// An attempt ended without success; it is made again while the window is open.
    Failed {
        /// Its id.
        session: Id,
        /// Why.
        why: String,
        /// Whether no later attempt can succeed.
        is_final: bool,
    },
    /// The chain paid.
    Settled(Id),
    /// The chain did not pay.
    Unpaid {
        /// Its id.
        session: Id,
        /// The chain's reason.
        why: String,
    },
}

/// What the machine wants done. Every outcome returns as an [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Stop taking relays, wait for those in flight, seal.
    Close(Id),
    /// End the streams that are still running.
    Cut(Id),
    /// Claim these, in a block up to the height.
    Claim {
        /// Sessions.
        sessions: Vec<Id>,
        /// Last block of the window.
        deadline: i64,
    },
    /// Prove these if the chain wants it, in a block up to the height.
    Prove {
        /// Sessions.
        sessions: Vec<Id>,
        /// Last block of the window.
        deadline: i64,
    },
    /// Look in this block's events for what became of these.
    Look {
        /// Sessions.
        sessions: Vec<Id>,
        /// Settlement height.
        height: i64,
    },
    /// Put the stage on record.
    Record(Id, Stage),
    /// Tell the operator that work is lost.
    Alert {
        /// Session.
        session: Id,
        /// Why.
        why: String,
    },
    /// Remove the session and its log.
    Forget(Id),
}

#[derive(Clone, Debug)]
struct Tracked {
    due: Due,
    stage: Stage,
    busy: bool,
    cut: bool,
}

/// The machine.
#[derive(Debug, Default)]
pub struct Claims {
    sessions: BTreeMap<Id, Tracked>,
    height: i64,
}

impl Claims {
    /// Decides what follows from `event`.
    pub fn apply(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Tracked {
                session,
                due,
                stage,
            } => {
                // A session found closing has nobody in flight any more: it is closed again.
                let stage = if stage == Stage::Closing {
                    Stage::Serving
                } else {
                    stage
                };
                self.sessions.entry(session).or_insert(Tracked {
                    due,
                    stage,
                    busy: false,
                    cut: false,
                });
                Vec::new()
            }
            Event::Block { height } => {
                self.height = self.height.max(height);
                self.due()
            }
            Event::Sealed {
                session,
                has_relays: true,
            } => self.enter(&session, Stage::Sealed),
            Event::Sealed {
                session,
                has_relays: false,
            } => {
                self.sessions.remove(&session);
                vec![Effect::Forget(session)]
            }
            Event::Claimed(session) => self.enter(&session, Stage::Claimed),
            Event::Proven(session) => self.enter(&session, Stage::Proven),
            Event::ProofNotNeeded(session) => self.enter(&session, Stage::NoProofNeeded),
            Event::Failed {
                session,
                why,
                is_final: true,
            } => self.lose(&session, why),
            Event::Failed { session, .. } => {
                if let Some(tracked) = self.sessions.get_mut(&session) {
                    tracked.busy = false;
                    // Sealing failed (a full disk, say): it is closed and sealed again at the next block.
                    if tracked.stage == Stage::Closing {
                        tracked.stage = Stage::Serving;
                    }
                }
                Vec::new()
            }
            Event::Settled(session) => self.enter(&session, Stage::Settled),
            Event::Unpaid { session, why } => self.lose(&session, why),
        }
    }

    /// Stage of a session.
    pub fn stage(&self, session: &str) -> Option<&Stage> {
        self.sessions.get(session).map(|tracked| &tracked.stage)
    }

    /// Sessions and their stages, in order of their ids.
    pub fn stages(&self) -> impl Iterator<Item = (&Id, &Stage)> {
        self.sessions
            .iter()
            .map(|(id, tracked)| (id, &tracked.stage))
    }

    fn due(&mut self) -> Vec<Effect> {
        let height = self.height;
        let mut effects = Vec::new();
        let mut claims: BTreeMap<i64, Vec<Id>> = BTreeMap::new();
        let mut proofs: BTreeMap<i64, Vec<Id>> = BTreeMap::new();
        let mut looks: BTreeMap<i64, Vec<Id>> = BTreeMap::new();
        let (mut lost, mut gone) = (Vec::new(), Vec::new());
        for (id, tracked) in &mut self.sessions {
            let due = tracked.due;
            match &tracked.stage {
                Stage::Serving | Stage::Closing | Stage::Sealed
                    if height > due.claim_close && !tracked.busy =>
                {
                    lost.push((
                        id.clone(),
                        "the claim window closed before the claim was included",
                    ));
                }
                Stage::Serving if height >= due.claim_open => {
                    tracked.stage = Stage::Closing;
                    effects.push(Effect::Close(id.clone()));
                }
                Stage::Closing if height >= due.claim_close - CUT_BLOCKS && !tracked.cut => {
                    tracked.cut = true;
                    effects.push(Effect::Cut(id.clone()));
                }
                Stage::Sealed
                    if height >= due.claim_open && height < due.claim_close && !tracked.busy =>
                {
                    tracked.busy = true;
                    claims.entry(due.claim_close).or_default().push(id.clone());
                }
                Stage::Claimed if height > due.proof_close && !tracked.busy => {
                    tracked.busy = true;
                    looks.entry(due.proof_close).or_default().push(id.clone());
                }
                Stage::Claimed
                    if height >= due.proof_open && height < due.proof_close && !tracked.busy =>
                {
                    tracked.busy = true;
                    proofs.entry(due.proof_close).or_default().push(id.clone());
                }
                Stage::Proven | Stage::NoProofNeeded
                    if height >= due.proof_close && !tracked.busy =>
                {
                    tracked.busy = true;
                    looks.entry(due.proof_close).or_default().push(id.clone());
                }
                Stage::Settled | Stage::Lost(_) if height > due.proof_close + KEEP_BLOCKS => {
                    gone.push(id.clone());
                }
                _ => {}
            }
        }
        for (id, why) in lost {
            effects.extend(self.lose(&id, why.to_owned()));
        }
        effects.extend(
            claims
                .into_iter()
                .map(|(deadline, sessions)| Effect::Claim { sessions, deadline }),
        );
        effects.extend(
            proofs
                .into_iter()
                .map(|(deadline, sessions)| Effect::Prove { sessions, deadline }),
        );
        effects.extend(
            looks
                .into_iter()
                .map(|(height, sessions)| Effect::Look { sessions, height }),
        );
        for id in gone {
            self.sessions.remove(&id);
            effects.push(Effect::Forget(id));
        }
        effects
    }

    /// Moves on; what comes next may be due at once. A session never moves backwards, whatever late news arrive.
    fn enter(&mut self, session: &str, stage: Stage) -> Vec<Effect> {
        let Some(tracked) = self.sessions.get_mut(session) else {
            return Vec::new();
        };
        if rank(&stage) <= rank(&tracked.stage) {
            return Vec::new();
        }
        tracked.stage = stage.clone();
        tracked.busy = false;
        let mut effects = vec![Effect::Record(session.to_owned(), stage)];
        effects.extend(self.due());
        effects
    }

    fn lose(&mut self, session: &str, why: String) -> Vec<Effect> {
        let stage = Stage::Lost(why.clone());
        let Some(tracked) = self.sessions.get_mut(session) else {
            return Vec::new();
        };
        if rank(&stage) <= rank(&tracked.stage) {
            return Vec::new();
        }
        tracked.stage = stage.clone();
        tracked.busy = false;
        let session = session.to_owned();
        vec![
            Effect::Record(session.clone(), stage),
            Effect::Alert { session, why },
        ]
    }
}

fn rank(stage: &Stage) -> u8 {
    match stage {
        Stage::Serving => 0,
        Stage::Closing => 1,
        Stage::Sealed => 2,
        Stage::Claimed => 3,
        Stage::Proven | Stage::NoProofNeeded => 4,
        Stage::Settled | Stage::Lost(_) => 5,
    }
}

#[cfg(test)]
mod tests;
