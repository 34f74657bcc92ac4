//! The actor around the claims machine: blocks and outcomes in, effects performed.
//!
//! One task owns the machine. Everything slow (sealing, transactions, queries) runs beside it and comes back as an event,
//! so a block is never missed because of a claim. Claims and proofs are confirmed by what the chain holds, so a second
//! instance, or a transaction of an earlier life, does no harm.

use std::sync::Arc;

use client::events::PocketEvent;
use client::tx::{BatchLimits, Batcher, Class, Item, Outcome, SendOptions, Sender};
use client::{BlockEvent, Chain};
use proto::pocket::proof::{Claim, ClaimProofStatus, MsgCreateClaim, MsgSubmitProof};
use protocol::amount::Upokt;
use protocol::claim::{ClaimedWork, Pricing, ProofRequirement, proof_path, requirement};
use tokio::sync::mpsc;

use crate::claims::{Claims, Effect, Event, Id, Stage};
use crate::limits::OUTCOMES;
use crate::session::Session;
use crate::sessions::{FRESH, Sessions, due};
use crate::{Notice, Observer};

/// Bytes of a proof that still fits one transaction with its envelope; above it the sibling is left out.
const PROOF_BYTES: usize = 900 * 1024;

/// Everything that performing an effect needs.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) chain: Arc<Chain>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) batcher: Arc<Batcher>,
    pub(crate) operator: String,
    pub(crate) observer: Option<Observer>,
    pub(crate) tasks: net::Tasks,
    outcomes: mpsc::Sender<Event>,
}

/// Starts the keeper with what a restart found.
pub(crate) fn start(
    chain: Arc<Chain>,
    sessions: Arc<Sessions>,
    key: crypto::keys::SecretKey,
    observer: Option<Observer>,
    restored: Vec<(Arc<Session>, Stage)>,
    opened: mpsc::UnboundedReceiver<Arc<Session>>,
    tasks: &net::Tasks,
) {
    let (outcomes, inbox) = mpsc::channel(OUTCOMES);
    let operator = key.public().address().to_bech32();
    let options = SendOptions {
        memo: "relaymill".to_owned(),
        ..SendOptions::default()
    };
    let sender = Arc::new(Sender::new(Arc::clone(&chain), key, options));
    let batcher = Arc::new(Batcher::new(sender, BatchLimits::default()));
    let keeper = Keeper {
        chain,
        sessions,
        batcher,
        operator,
        observer,
        tasks: tasks.clone(),
        outcomes,
    };
    let scope = tasks.clone();
    tasks.spawn(async move {
        scope
            .until_cancelled(keeper.run(restored, opened, inbox))
            .await;
    });
}

impl Keeper {
    async fn run(
        self,
        restored: Vec<(Arc<Session>, Stage)>,
        mut opened: mpsc::UnboundedReceiver<Arc<Session>>,
        mut inbox: mpsc::Receiver<Event>,
    ) {
        let mut claims = Claims::default();
        for (session, stage) in restored {
            claims.apply(tracked(&session, stage));
        }
        let mut blocks = self.chain.blocks();
        self.perform(claims.apply(Event::Block {
            height: self.chain.height(),
        }));
        loop {
            let event = tokio::select! {
                biased;
                Some(session) = opened.recv() => tracked(&session, FRESH),
                Some(event) = inbox.recv() => event,
                block = blocks.next() => match block {
                    Some(BlockEvent { height, .. }) => Event::Block { height },
                    None => return,
                },
            };
            self.perform(claims.apply(event));
        }
    }

    fn perform(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Record(id, stage) => self.record(&id, &stage),
                Effect::Alert { session, why } => {
                    tracing::error!(session, why, "a session's work is lost");
                    self.notify(Notice::Lost {
                        session_id: session,
                        why,
                    });
                }
                Effect::Forget(id) => self.sessions.forget(&id),
                Effect::Cut(id) => {
                    if let Some(session) = self.sessions.get(&id) {
                        session.cut.cancel();
                    }
                }
                Effect::Close(id) => self.beside(|keeper| async move { keeper.close(id).await }),
                Effect::Claim { sessions, deadline } => {
                    self.beside(
                        move |keeper| async move { keeper.claim(sessions, deadline).await },
                    );
                }
                Effect::Prove { sessions, deadline } => {
                    self.beside(
                        move |keeper| async move { keeper.prove(sessions, deadline).await },
                    );
                }
                Effect::Look { sessions, height } => {
                    self.beside(move |keeper| async move { keeper.look(sessions, height).await });
                }
            }
        }
    }

    fn beside<F, W>(&self, work: W)
    where
        W: FnOnce(Keeper) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let future = work(self.clone());
        self.tasks.spawn(future);
    }

    fn record(&self, id: &str, stage: &Stage) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        if let Err(error) = session.record_stage(stage) {
            tracing::error!(session = id, %error, "a stage cannot be recorded; a restart will repeat it");
        }
        let session_id = id.to_owned();
        match stage {
            Stage::Claimed => self.notify(Notice::Claimed {
                session_id,
                service_id: session.opened.service_id.clone(),
                relays: session.root().map_or(0, |root| root.count()),
            }),
            Stage::Proven => self.notify(Notice::Proven { session_id }),
            Stage::NoProofNeeded => self.notify(Notice::ProofNotNeeded { session_id }),
            _ => {}
        }
    }

    fn notify(&self, notice: Notice) {
        if let Some(observer) = &self.observer {
            observer(&notice);
        }
    }

    async fn tell(&self, event: Event) {
        // The loop ends only with the process.
        let _ = self.outcomes.send(event).await;
    }

    async fn fail(&self, session: Id, why: String, is_final: bool) {
        tracing::warn!(
            session,
            why,
            is_final,
            "an attempt to claim or prove failed"
        );
        self.tell(Event::Failed {
            session,
            why,
            is_final,
        })
        .await;
    }

    async fn close(&self, id: Id) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        session.close();
        session.drained().await;
        let sealing = Arc::clone(&session);
        let sealed = tokio::task::spawn_blocking(move || sealing.seal()).await;
        match sealed {
            Ok(Ok(root)) => {
                self.tell(Event::Sealed {
                    session: id,
                    has_relays: root.is_some(),
                })
                .await;
            }
            Ok(Err(error)) => self.fail(id, error.to_string(), false).await,
            Err(error) => self.fail(id, error.to_string(), false).await,
        }
    }

    async fn claim(&self, ids: Vec<Id>, deadline: i64) {
        let mut items = Vec::new();
        for id in ids {
            let Some((session, root)) = self.sealed(&id) else {
                self.fail(id, "its log is gone".to_owned(), true).await;
                continue;
            };
            match self.claim_on_chain(&id).await {
                Ok(Some(claim)) if claim.root_hash[..] == root[..] => {
                    self.tell(Event::Claimed(id)).await;
                }
                Ok(_) => items.push(Item {
                    key: id,
                    message: proto::any::pack(&MsgCreateClaim {
                        supplier_operator_address: self.operator.clone(),
                        session_header: Some(session.opened.header()),
                        root_hash: root.to_vec().into(),
                    }),
                    effect: None,
                }),
                Err(error) => self.fail(id, error.to_string(), false).await,
            }
        }
        for (id, outcome) in self.send(items, deadline).await {
            match outcome {
                Ok(()) => self.tell(Event::Claimed(id)).await,
                Err((why, class)) => {
                    self.fail(id, why, class == Some(Class::WindowClosed)).await;
                }
            }
        }
    }

    async fn prove(&self, ids: Vec<Id>, deadline: i64) {
        let mut items = Vec::new();
        for id in ids {
            match self.proof_message(&id).await {
                Ok(Wanted::Proof(message)) => {
                    items.push(Item {
                        key: id,
                        message: proto::any::pack(&*message),
                        effect: None,
                    });
                }
                Ok(Wanted::Nothing) => self.tell(Event::ProofNotNeeded(id)).await,
                Ok(Wanted::AlreadyValid) => self.tell(Event::Proven(id)).await,
                Err((why, is_final)) => self.fail(id, why, is_final).await,
            }
        }
        for (id, outcome) in self.send(items, deadline).await {
            match outcome {
                Ok(()) => self.confirm(id).await,
                Err((_, Some(Class::ProofNotRequired))) => {
                    self.tell(Event::ProofNotNeeded(id)).await
                }
                Err((why, class)) => self.fail(id, why, class == Some(Class::WindowClosed)).await,
            }
        }
    }

    /// Inclusion is not enough: the chain checks proofs at the end of the block and writes its verdict into the claim.
    async fn confirm(&self, id: Id) {
        match self.claim_on_chain(&id).await {
            Ok(Some(claim)) => match claim.proof_validation_status() {
                ClaimProofStatus::Validated => self.tell(Event::Proven(id)).await,
                ClaimProofStatus::Invalid => {
                    self.fail(id, "the chain found the proof invalid".to_owned(), true)
                        .await;
                }
                ClaimProofStatus::PendingValidation => {
                    self.fail(
                        id,
                        "the proof was included but is not checked yet".to_owned(),
                        false,
                    )
                    .await;
                }
            },
            // Settled in the same block: what became of it stands in that block's events.
            Ok(None) => self.tell(Event::Proven(id)).await,
            Err(error) => self.fail(id, error.to_string(), false).await,
        }
    }

    async fn proof_message(&self, id: &str) -> Result<Wanted, (String, bool)> {
        let again = |error: client::Error| (error.to_string(), false);
        let (session, root) = self
            .sealed(id)
            .ok_or(("its log is gone".to_owned(), true))?;
        let opened = session.opened.clone();
        let claim = self.claim_on_chain(id).await.map_err(again)?;
        let claim = claim.ok_or(("its claim is not on the chain".to_owned(), false))?;
        if claim.root_hash[..] != root[..] {
            return Err(("the claim on the chain has another root".to_owned(), true));
        }
        match claim.proof_validation_status() {
            ClaimProofStatus::Validated => return Ok(Wanted::AlreadyValid),
            ClaimProofStatus::Invalid => {
                return Err(("the chain found the proof invalid".to_owned(), true));
            }
            ClaimProofStatus::PendingValidation => {}
        }
        let seed = self
            .chain
            .block_hash(opened.proof_open - 1)
            .await
            .map_err(again)?;
        if self.requirement(&claim, &opened, &seed).await? == ProofRequirement::NotRequired {
            return Ok(Wanted::Nothing);
        }
        let challenge = proof_path(&seed, id);
        let proving = Arc::clone(&session);
        let proof =
            tokio::task::spawn_blocking(move || proving.prove(&challenge, PROOF_BYTES)).await;
        let proof = proof.map_err(|error| (error.to_string(), false))?;
        let proof = proof.map_err(|error| (error.to_string(), true))?;
        Ok(Wanted::Proof(Box::new(MsgSubmitProof {
            supplier_operator_address: self.operator.clone(),
            session_header: Some(opened.header()),
            proof: proof.into(),
        })))
    }

    async fn requirement(
        &self,
        claim: &Claim,
        opened: &crate::session::Opened,
        seed: &[u8; 32],
    ) -> Result<ProofRequirement, (String, bool)> {
        let again = |error: client::Error| (error.to_string(), false);
        let wrong = |error: protocol::ProtocolError| (error.to_string(), false);
        let params = self.chain.proof_params().await.map_err(again)?;
        let shared = self
            .chain
            .shared_params_at(opened.start_height)
            .await
            .map_err(again)?;
        let target = hex::decode(&opened.target_hash).map_err(|error| (error.to_string(), true))?;
        let pricing = Pricing::new(
            &target,
            shared.compute_units_to_tokens_multiplier,
            shared.compute_unit_cost_granularity,
        )
        .map_err(wrong)?;
        let work = ClaimedWork::from_root(&claim.root_hash).map_err(wrong)?;
        let claimed = pricing.claimed(&work).map_err(wrong)?;
        let threshold = params
            .proof_requirement_threshold
            .as_ref()
            .map(Upokt::from_coin);
        let threshold = threshold.transpose().map_err(wrong)?.unwrap_or(Upokt::ZERO);
        Ok(requirement(
            claim,
            claimed,
            seed,
            threshold,
            params.proof_request_probability,
        ))
    }

    async fn look(&self, ids: Vec<Id>, height: i64) {
        let found = self
            .chain
            .events(height)
            .await
            .and_then(|events| events.pocket());
        let events = match found {
            Ok(events) => events,
            Err(error) => {
                for id in ids {
                    self.fail(id, error.to_string(), false).await;
                }
                return;
            }
        };
        for id in ids {
            let Some(session) = self.sessions.get(&id) else {
                continue;
            };
            let outcome = events
                .iter()
                .find_map(|(_, event)| self.fate(event, &session));
            self.tell(outcome.unwrap_or_else(|| Event::Unpaid {
                session: id.clone(),
                why: format!("block {height} has no settlement of it"),
            }))
            .await;
        }
    }

    /// What an event says of a session. Expiries name application and end height, not the session.
    fn fate(&self, event: &PocketEvent, session: &Session) -> Option<Event> {
        let opened = &session.opened;
        let id = opened.session_id.clone();
        match event {
            PocketEvent::ClaimSettled(event)
                if event.session_id == id && event.supplier_operator_address == self.operator =>
            {
                self.notify(Notice::Settled {
                    session_id: id.clone(),
                    upokt: event.settled_upokt.clone(),
                });
                Some(Event::Settled(id))
            }
            PocketEvent::ClaimExpired(event)
                if event.application_address == opened.application
                    && event.service_id == opened.service_id
                    && event.session_end_block_height == opened.end_height
                    && event.supplier_operator_address == self.operator =>
            {
                let why = format!(
                    "the claim expired: {}",
                    event.expiration_reason().as_str_name()
                );
                Some(Event::Unpaid { session: id, why })
            }
            PocketEvent::ClaimDiscarded(event)
                if event.application_address == opened.application
                    && event.service_id == opened.service_id
                    && event.session_end_block_height == opened.end_height
                    && event.supplier_operator_address == self.operator =>
            {
                Some(Event::Unpaid {
                    session: id,
                    why: format!("the claim was discarded: {}", event.error),
                })
            }
            _ => None,
        }
    }

    fn sealed(&self, id: &str) -> Option<(Arc<Session>, [u8; 48])> {
        let session = self.sessions.get(id)?;
        let root = session.root()?;
        Some((session, *root.as_bytes()))
    }

    async fn claim_on_chain(&self, id: &str) -> client::Result<Option<Claim>> {
        self.chain.claim(id, &self.operator).await
    }

    /// Sends, and reduces outcomes to what matters here.
    async fn send(
        &self,
        items: Vec<Item<Id>>,
        deadline: i64,
    ) -> Vec<(Id, Result<(), (String, Option<Class>)>)> {
        if items.is_empty() {
            return Vec::new();
        }
        let outcomes = self.batcher.run(items, deadline).await;
        let reduce = |outcome: client::Result<Outcome>| match outcome {
            Ok(outcome) if outcome.is_success() => Ok(()),
            Ok(outcome) => {
                let rejection = outcome.rejection();
                let class = rejection.as_ref().map(client::tx::Rejection::class);
                Err((
                    rejection.map_or_else(|| format!("{outcome:?}"), |found| found.log),
                    class,
                ))
            }
            Err(error) => Err((error.to_string(), None)),
        };
        outcomes
            .into_iter()
            .map(|(id, outcome)| (id, reduce(outcome)))
            .collect()
    }
}

/// What the chain wants of a claim.
enum Wanted {
    Proof(Box<MsgSubmitProof>),
    Nothing,
    AlreadyValid,
}

fn tracked(session: &Session, stage: Stage) -> Event {
    let opened = &session.opened;
    Event::Tracked {
        session: opened.session_id.clone(),
        due: due(opened),
        stage,
    }
}
