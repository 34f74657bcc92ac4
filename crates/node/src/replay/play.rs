//! The order of a replay: blocks, and between them what was asked and sent at each height.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use net::Tasks;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::answers::{self, Moment, PageKeys, Plan};
use super::calls::HttpAnswer;
use super::checks::{self, Verdict};
use super::recording::{Block, Recording, Rpc};
use super::report::{Difference, Part, Report};
use super::stage::Stage;
use super::web::Request;
use super::{Options, ReplayError, blocks, exports, frames, gateway, web};
use crate::error::NodeError;

/// Replays a recording.
pub(super) async fn recording(
    recording: &Recording,
    options: Options,
    tasks: &Tasks,
) -> Result<Report, ReplayError> {
    let first = recording.blocks.first();
    let first_hash = first.map_or(&[][..], |block| &block.id.hash);
    let strict = options.strict || options.excuses.is_kept_against(first_hash);
    let chain_id = &recording.genesis.chain_id;
    let mut report = Report::new(chain_id, options.excuses, strict, options.per_part);
    for file in &recording.missing {
        report.leave_out(format!("{file}: no such file"));
    }
    let scope = tasks.child();
    match Stage::open(recording, &scope) {
        Ok(stage) => Play::new(recording, stage, report).run().await,
        Err(error) => {
            report.differs("", stopped(None, &error));
            Ok(report)
        }
    }
    .inspect(|_| scope.cancel())
}

/// Our chain stands still where the recorded one went on.
fn stopped(height: Option<i64>, error: &NodeError) -> Difference {
    Difference {
        part: Part::Block,
        height,
        place: height.map_or("genesis", |_| "block").to_owned(),
        field: "execution".to_owned(),
        expected: "goes on".to_owned(),
        got: error.to_string(),
    }
}

/// Blocks in which a transaction can be that is in the mempool: most come with the next block, few wait for two more.
const UNSEEN_BLOCKS: usize = 3;

/// A replay under way.
struct Play<'a> {
    recording: &'a Recording,
    stage: Stage,
    report: Report,
    keys: PageKeys,
    plans: Vec<Plan>,
    /// Recorded calls by the moment at which they are made, in the order of the file.
    queries: BTreeMap<Moment, Vec<usize>>,
    rpc: BTreeMap<Moment, Vec<usize>>,
    rest: BTreeMap<Moment, Vec<usize>>,
    sent: BTreeMap<i64, Vec<usize>>,
    /// Transactions that were sent at a recorded height.
    timed: HashSet<&'a [u8]>,
    /// Included transactions that ours refused so far, with its last verdict: the recorder's height may be late.
    refused: Vec<(usize, Verdict)>,
    /// Broadcasts that wait for their block.
    waiting: Vec<(usize, JoinHandle<HttpAnswer>)>,
    /// Whether all blocks have been played.
    ended: bool,
}

/// Heights of the blocks that hold transactions.
fn included(recording: &Recording) -> HashMap<&[u8], i64> {
    let blocks = recording.blocks.iter();
    let places = blocks.flat_map(|block| {
        let txs = block.txs().iter();
        txs.map(move |tx| (tx.as_slice(), block.height))
    });
    // Where one stands twice, the first counts.
    let mut heights = HashMap::new();
    for (tx, height) in places {
        heights.entry(tx).or_insert(height);
    }
    heights
}

fn group<T: Ord>(moments: impl Iterator<Item = T>) -> BTreeMap<T, Vec<usize>> {
    let mut groups = BTreeMap::<T, Vec<usize>>::new();
    for (place, moment) in moments.enumerate() {
        groups.entry(moment).or_default().push(place);
    }
    groups
}

impl<'a> Play<'a> {
    fn new(recording: &'a Recording, stage: Stage, report: Report) -> Self {
        let last = recording.last_height();
        let queries = recording.queries.iter();
        let first = recording.genesis.initial_height.value();
        let included = included(recording);
        let in_block = |tx: &[u8]| included.get(tx).copied();
        let plans: Vec<Plan> = queries
            .map(|query| answers::plan(query, first, last))
            .collect();
        let heights = recording.sent.iter().map(|sent| sent.sent_after_height);
        let sent = group(heights)
            .into_iter()
            .filter_map(|(height, rows)| Some((height?, rows)))
            .collect();
        let timed = recording.sent.iter();
        let timed = timed.filter(|sent| sent.sent_after_height.is_some());
        Self {
            recording,
            stage,
            report,
            keys: PageKeys::default(),
            queries: group(plans.iter().map(|plan| plan.moment)),
            plans,
            rpc: group(
                recording
                    .rpc
                    .iter()
                    .map(|row| web::moment(row, first, last, in_block)),
            ),
            rest: group(
                recording
                    .rest
                    .iter()
                    .map(|row| gateway::moment(row, first, last)),
            ),
            sent,
            timed: timed.map(|sent| sent.tx.as_slice()).collect(),
            refused: Vec::new(),
            waiting: Vec::new(),
            ended: false,
        }
    }

    async fn run(mut self) -> Result<Report, ReplayError> {
        let before = self.recording.genesis.initial_height.value() - 1;
        self.after(before).await?;
        for block in &self.recording.blocks {
            if let Err(error) = self.block(block) {
                self.report.differs("", stopped(Some(block.height), &error));
                return Ok(self.report);
            }
            self.report.blocks += 1;
            self.after(block.height).await?;
        }
        self.end().await?;
        Ok(self.report)
    }

    fn block(&mut self, block: &Block) -> Result<(), NodeError> {
        let results = self.stage.execute(block)?;
        blocks::compare(&mut self.report, block, &results, self.stage.validators());
        self.stage.commit(block, results)
    }

    /// What happened between a block and the next.
    async fn after(&mut self, height: i64) -> Result<(), ReplayError> {
        self.gather(height).await;
        self.simulate(height).await;
        self.send(height).await;
        self.ask(Moment::After(height)).await;
        self.browse(Moment::After(height)).await;
        Ok(())
    }

    /// Makes the recorded gRPC calls of a moment.
    async fn ask(&mut self, moment: Moment) {
        for place in self.queries.remove(&moment).unwrap_or_default() {
            let (Some(query), Some(plan)) =
                (self.recording.queries.get(place), self.plans.get(place))
            else {
                continue;
            };
            if let Some(reason) = answers::reason_to_skip(query) {
                self.report.leave_out(reason);
                continue;
            }
            let view = Arc::clone(self.stage.view.shared());
            let mut found = answers::ask(&view, &mut self.keys, query, plan).await;
            if !found.is_empty() && answers::meets_mempool(query) {
                for tx in self.unseen() {
                    let _ = self.stage.send(tx);
                    let again = answers::ask(&view, &mut self.keys, query, plan).await;
                    if again.is_empty() {
                        found = again;
                        break;
                    }
                }
            }
            answers::note(&mut self.report, query, found);
        }
    }

    /// Makes the recorded exchanges with REST of a moment.
    async fn browse(&mut self, moment: Moment) {
        let view = Arc::clone(self.stage.view.shared());
        for place in self.rest.remove(&moment).unwrap_or_default() {
            if let Some(row) = self.recording.rest.get(place) {
                gateway::compare(&mut self.report, &view, &mut self.keys, row, moment).await;
            }
        }
    }

    /// Makes the simulations of a height whose recorded answers ours gives already: of what was sent at that height, nobody
    /// recorded what came before them and what after.
    async fn simulate(&mut self, height: i64) {
        let moment = Moment::After(height);
        let view = Arc::clone(self.stage.view.shared());
        let mut later = Vec::new();
        for place in self.queries.remove(&moment).unwrap_or_default() {
            let query = self.recording.queries.get(place);
            let query = query.filter(|query| answers::is_simulation(query));
            let found = match query.zip(self.plans.get(place)) {
                Some((query, plan)) => {
                    let found = answers::ask(&view, &mut self.keys, query, plan).await;
                    Some((query, found))
                }
                None => None,
            };
            match found {
                Some((query, found)) if found.is_empty() => {
                    answers::note(&mut self.report, query, found);
                }
                _ => later.push(place),
            }
        }
        if !later.is_empty() {
            self.queries.insert(moment, later);
        }
    }

    /// Transactions of the next blocks of which nobody recorded when they were sent: by now they may have been.
    fn unseen(&self) -> Vec<&'a [u8]> {
        let latest = self.stage.view.height();
        let blocks = self.recording.blocks.iter();
        let next = blocks
            .skip_while(|block| block.height <= latest)
            .take(UNSEEN_BLOCKS);
        let txs = next.flat_map(|block| block.txs().iter().map(Vec::as_slice));
        txs.filter(|tx| !self.timed.contains(tx)).collect()
    }

    /// Sends what was sent at a height, and asks the RPC what it was asked there.
    async fn send(&mut self, height: i64) {
        let mut rpc: BTreeSet<usize> = self
            .rpc
            .remove(&Moment::After(height))
            .unwrap_or_default()
            .into_iter()
            .collect();
        let rows = &self.recording.rpc;
        let mut senders = HashMap::<Vec<u8>, Vec<usize>>::new();
        for place in rpc.iter().rev() {
            if let Some(tx) = rows.get(*place).and_then(|row| Request::new(row).sends()) {
                senders.entry(tx).or_default().push(*place);
            }
        }
        for place in self.sent.remove(&height).unwrap_or_default() {
            let Some(sent) = self.recording.sent.get(place) else {
                continue;
            };
            let verdict = match senders.get_mut(&sent.tx).and_then(Vec::pop) {
                // The exchange itself was recorded, and may stand behind others.
                Some(row) => {
                    let sends_later =
                        |place: &usize| senders.values().any(|all| all.contains(place));
                    let due = rpc.range(..row).filter(|place| !sends_later(place));
                    for place in due.copied().collect::<Vec<_>>() {
                        rpc.remove(&place);
                        self.exchange(place).await;
                    }
                    rpc.remove(&row);
                    self.exchange(row).await
                }
                None => match checks::reason_to_skip(sent, height) {
                    Some(reason) => {
                        self.report.leave_out(reason);
                        None
                    }
                    None => Some(Verdict::of(self.stage.send(&sent.tx))),
                },
            };
            if let Some(verdict) = verdict {
                self.judge(place, verdict);
                self.simulate(height).await;
            }
        }
        for place in rpc {
            self.exchange(place).await;
        }
    }

    /// Compares a verdict with the recorded one.
    fn judge(&mut self, place: usize, verdict: Verdict) {
        let Some(sent) = self.recording.sent.get(place) else {
            return;
        };
        let expected = match checks::recorded(sent) {
            Ok(expected) => expected,
            Err(reason) => return self.report.leave_out(reason),
        };
        if checks::agrees(&expected, &verdict) {
            self.report.compared(Part::Check, 1);
        } else if sent.is_included() {
            self.refused.push((place, verdict));
        } else {
            self.report.compared(Part::Check, 1);
            checks::differs(&mut self.report, sent, &expected, &verdict);
        }
    }

    /// Makes a recorded exchange with the RPC; the verdict on the transaction that it sends.
    async fn exchange(&mut self, place: usize) -> Option<Verdict> {
        let row = self.recording.rpc.get(place)?;
        if let Some(reason) = web::unknown_kind(row) {
            self.report.leave_out(reason);
            return None;
        }
        let mut request = Request::new(row);
        let moment = match self.ended {
            true => Moment::End,
            false => Moment::After(self.stage.view.height()),
        };
        request.translate(&self.keys, moment);
        let asked = request.clone();
        let name = request.name.clone();
        let sends = request.sends();
        let view = Arc::clone(&self.stage.view);
        let mut making = Box::pin(request.make(view));
        if name == "broadcast_tx_commit" && sends.is_some() {
            // Asked once, the transaction is on its way to the mempool; the answer comes with its block.
            let first = poll_fn(|cx| Poll::Ready(making.as_mut().poll(cx))).await;
            if let Poll::Ready(answer) = first {
                return self.answered(place, &name, &answer);
            }
            // The queue keeps the order: once this is answered, the transaction has been checked.
            let _ = self.stage.view.driver.waiting(0).await;
            let waiting = tokio::spawn(making);
            self.waiting.push((place, waiting));
            return None;
        }
        let mut answer = making.await;
        let latest = self.stage.view.height();
        if name == "broadcast_tx_sync"
            && sends.is_some()
            && !web::differences(row, &name, &answer, latest).is_empty()
        {
            for tx in self
                .unseen()
                .into_iter()
                .filter(|tx| Some(*tx) != sends.as_deref())
            {
                let _ = self.stage.send(tx);
                let again = Request::new(row).make(Arc::clone(&self.stage.view)).await;
                if web::differences(row, &name, &again, latest).is_empty() {
                    answer = again;
                    break;
                }
            }
        }
        let theirs = row.body.as_deref().unwrap_or_default();
        asked.teach(&mut self.keys, moment, theirs, &answer.body);
        self.answered(place, &name, &answer)
    }

    /// Compares an exchange; the verdict on the transaction that it sent.
    fn answered(&mut self, place: usize, name: &str, answer: &HttpAnswer) -> Option<Verdict> {
        let row = self.recording.rpc.get(place)?;
        match web::reason_to_skip(row, name) {
            Some(reason) => self.report.leave_out(reason),
            None => {
                let found = web::differences(row, name, answer, self.stage.view.height());
                web::note(&mut self.report, row, name, found);
            }
        }
        let json: Value = serde_json::from_str(&answer.body).ok()?;
        Verdict::of_rpc(&json)
    }

    /// Looks after what was waiting for a block.
    async fn gather(&mut self, height: i64) {
        for (place, waiting) in std::mem::take(&mut self.waiting) {
            let row = self.recording.rpc.get(place);
            if row.and_then(due).is_some_and(|due| due > height) {
                self.waiting.push((place, waiting));
                continue;
            }
            if let Ok(answer) = waiting.await {
                self.answered(place, "broadcast_tx_commit", &answer);
            }
        }
        for (place, last) in std::mem::take(&mut self.refused) {
            let Some(sent) = self.recording.sent.get(place) else {
                continue;
            };
            let Ok(expected) = checks::recorded(sent) else {
                continue;
            };
            if sent
                .result
                .height
                .is_some_and(|included| included <= height)
            {
                self.report.compared(Part::Check, 1);
                checks::differs(&mut self.report, sent, &expected, &last);
                continue;
            }
            let verdict = Verdict::of(self.stage.send(&sent.tx));
            self.judge(place, verdict);
        }
    }

    /// What was asked after everything.
    async fn end(&mut self) -> Result<(), ReplayError> {
        for (_, waiting) in self.waiting.drain(..) {
            waiting.abort();
            self.report
                .leave_out("broadcasts whose block was not recorded");
        }
        self.ended = true;
        self.ask(Moment::End).await;
        for place in self.rpc.remove(&Moment::End).unwrap_or_default() {
            self.exchange(place).await;
        }
        self.browse(Moment::End).await;
        let later = self.queries.values().chain(self.rpc.values());
        for _ in later.flatten() {
            self.report
                .leave_out("calls at heights that were not recorded");
        }
        for _ in &self.refused {
            self.report
                .leave_out("transactions whose block was not recorded");
        }
        for _ in self.sent.values().flatten() {
            self.report
                .leave_out("transactions sent at heights that were not recorded");
        }
        frames::compare(&mut self.report, &self.stage.view, &self.recording.frames).await;
        for export in &self.recording.exports {
            if export.height > self.recording.last_height() {
                self.report
                    .leave_out("exports of heights that were not recorded");
                continue;
            }
            let ours = self.stage.view.reader.export(Some(export.height));
            let ours = ours.map_err(NodeError::from)?;
            exports::compare(&mut self.report, export, &ours);
        }
        Ok(())
    }
}

/// The height at which a recorded broadcast had its block; `None` when it never had one.
fn due(row: &Rpc) -> Option<i64> {
    let body: Value = serde_json::from_str(row.body.as_deref()?).ok()?;
    body["result"]["height"].as_str()?.parse().ok()
}
