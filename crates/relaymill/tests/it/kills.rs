//! kill -9 at random instants under load: what a client has whole is paid, and nothing much else is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::accounting::SETTLED_AFTER;
use crate::support::amount;
use crate::support::chain::{Chain, integer};
use crate::support::evidence::{self, SessionLog, Watch};
use crate::support::load::{Gateway, Outcome};
use crate::support::network::{Journaled, Network, journal};
use crate::support::random::Random;
use crate::support::separate::{Processes, Role};

/// Clients that ask all the time.
const CLIENTS: usize = 6;

/// Rest of a client that got no answer, so that a dead gateway is not hammered.
const REST: Duration = Duration::from_millis(50);

/// Blocks after a session's end: the first of its claim window and the first of its proof window.
const WINDOWS: [i64; 2] = [2, 11];

/// From before a kill to after it.
struct Kill {
    from: Instant,
    to: Instant,
}

impl Kill {
    fn of(kill: impl FnOnce()) -> Self {
        let from = Instant::now();
        kill();
        Self {
            from,
            to: Instant::now(),
        }
    }

    fn in_flight(&self, outcomes: &[Outcome]) -> usize {
        let met = |outcome: &&Outcome| outcome.started <= self.to && outcome.ended >= self.from;
        outcomes.iter().filter(met).count()
    }
}

/// Keeps clients busy over both models, streamed and plain, while `work` runs; gives what became of every request.
fn under_load(gateway: &Gateway, models: &[String], work: impl FnOnce()) -> Vec<Outcome> {
    let (stop, outcomes) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, outcomes) = (&stop, &outcomes);
            scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    let model = &models[(client + number) % models.len()];
                    let prompt = format!("add {number} {client}");
                    let outcome = gateway.chat(model, &prompt, (client / 2 + number) % 2 == 0);
                    if !outcome.whole {
                        std::thread::sleep(REST);
                    }
                    outcomes.lock().expect("no panic").push(outcome);
                    number += 1;
                }
            });
        }
        // The clients must end also when `work` fails, or the scope would wait for ever.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    outcomes.into_inner().expect("no panic")
}

/// Waits for both windows of the last session that has relays, and kills a moment after each opened.
fn in_windows(chain: &Chain, data: &Path, random: &mut Random, mut kill: impl FnMut()) {
    let ends = journal(data)
        .into_iter()
        .map(|entry| entry.session_end_height);
    let end = ends.max().expect("a relay");
    for open in WINDOWS {
        chain.wait_until(end + open);
        std::thread::sleep(Duration::from_millis(random.below(1_500)));
        kill();
    }
}

/// A random instant in the next three seconds.
fn some_instant(random: &mut Random) {
    std::thread::sleep(Duration::from_millis(random.below(3_000)));
}

/// Waits until all work is paid and compares it with what clients have.
fn check(
    name: &str,
    chain: &Chain,
    data: &Path,
    watch: &Watch,
    outcomes: &[Outcome],
    kills: &[Kill],
) {
    let journal = journal(data);
    let in_logs = watch.logs().into_iter();
    let in_logs = in_logs.filter_map(|log| log.opened["end_height"].as_i64());
    let in_journal = journal.iter().map(|entry| entry.session_end_height);
    let last = in_logs.chain(in_journal).max().expect("a session") + SETTLED_AFTER;
    chain.wait_until(last);
    let blocks = chain.blocks(last);
    assert_eq!(evidence::losses(&blocks), [""; 0]);

    // Leaves of settled claims: logs whose root was claimed and settled with that many relays.
    let (roots, settled) = (
        evidence::claimed_roots(&blocks),
        evidence::settled_relays(&blocks),
    );
    let logs = watch.logs();
    let by_root: BTreeMap<Vec<u8>, &SessionLog> =
        logs.iter().map(|log| (log.root(), log)).collect();
    let mut leaves = std::collections::BTreeSet::new();
    for (key, relays) in &settled {
        let log = by_root.get(&roots[key]);
        let log =
            log.unwrap_or_else(|| panic!("no session log has the root that {key:?} settled with"));
        assert_eq!(log.relays.len() as u64, *relays, "{key:?}");
        leaves.extend(log.relay_hashes());
    }

    let of_request: BTreeMap<&str, &Journaled> = journal
        .iter()
        .map(|entry| (entry.request_id.as_str(), entry))
        .collect();
    let whole: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.whole).collect();
    let mut lost = Vec::new();
    for outcome in &whole {
        let id = outcome.request_id.as_deref().expect("a request id");
        let entry = of_request
            .get(id)
            .unwrap_or_else(|| panic!("{id} was answered and not journaled"));
        if !leaves.contains(&entry.relay_hash) {
            let logged = logs
                .iter()
                .find(|log| log.relay_hashes().contains(&entry.relay_hash));
            let of_session = logged.map(|log| (log.relays.len(), log.opened.clone()));
            let claim = settled.get(&(entry.session_id.clone(), entry.supplier.clone()));
            lost.push(format!("{entry:?}; log {of_session:?}; settled {claim:?}"));
        }
    }
    assert!(
        lost.is_empty(),
        "{} answered and not paid: {lost:#?}",
        lost.len()
    );
    let paid: u64 = settled.values().sum();
    let in_flight: usize = kills.iter().map(|kill| kill.in_flight(outcomes)).sum();
    println!(
        "{name}: {} kills, {} requests, {} answered whole, {paid} relays paid, {in_flight} in flight at kills",
        kills.len(),
        outcomes.len(),
        whole.len(),
    );
    assert!(!whole.is_empty(), "some requests were answered");
    let unanswered = usize::try_from(paid).expect("few") - whole.len();
    assert!(
        unanswered <= in_flight,
        "{unanswered} relays paid that nobody has, {in_flight} in flight"
    );
    assert_eq!(paid as usize, leaves.len(), "no relay was paid twice");
}

#[test]
fn the_whole_network_can_be_killed_at_any_instant() {
    let mut random = Random::new("kills of localnet");
    let mut network = Network::start(&[]);
    let watch = Watch::over(&network.data());
    let (gateway, models) = (network.gateway(), network.ready.models.clone());
    let ready = network.ready.clone();
    let mut kills = Vec::new();
    let outcomes = under_load(&gateway, &models, || {
        for _ in 0..amount("RELAYMILL_KILLS", 3) {
            some_instant(&mut random);
            kills.push(Kill::of(|| network.kill()));
            network.launch();
            assert_eq!(network.ready.api_key, ready.api_key);
        }
        some_instant(&mut random);
    });
    let (chain, data) = (network.chain(), network.data());
    in_windows(&chain, &data, &mut random, || {
        kills.push(Kill::of(|| network.kill()));
        network.launch();
    });
    check(
        "kills of localnet",
        &chain,
        &data,
        &watch,
        &outcomes,
        &kills,
    );
}

#[test]
fn suppliers_can_be_killed_at_any_instant() {
    let mut random = Random::new("kills of suppliers");
    let mut processes = Processes::start();
    let watch = Watch::over(&processes.data());
    let (gateway, models) = (processes.gateway(), processes.models().to_vec());
    let mut kills = Vec::new();
    let outcomes = under_load(&gateway, &models, || {
        for _ in 0..amount("RELAYMILL_KILLS", 3) {
            some_instant(&mut random);
            let supplier = Role::Supplier(1 + random.below(3) as u16);
            kills.push(Kill::of(|| processes.kill(supplier)));
            processes.launch(supplier);
        }
        some_instant(&mut random);
    });
    let (chain, data) = (processes.chain(), processes.data());
    in_windows(&chain, &data, &mut random, || {
        for supplier in [1, 2, 3].map(Role::Supplier) {
            kills.push(Kill::of(|| processes.kill(supplier)));
            processes.launch(supplier);
        }
    });
    check(
        "kills of suppliers",
        &chain,
        &data,
        &watch,
        &outcomes,
        &kills,
    );
}

#[test]
fn a_killed_node_resumes_at_the_next_height_with_the_same_state() {
    let mut random = Random::new("kills of the node");
    let mut processes = Processes::start();
    let (gateway, models) = (processes.gateway(), processes.models().to_vec());
    let chain = processes.chain();
    under_load(&gateway, &models, || {
        for _ in 0..amount("RELAYMILL_KILLS", 3).min(5) {
            let until = Instant::now() + Duration::from_millis(300 + random.below(3_000));
            let mut seen = Vec::new();
            while Instant::now() < until {
                seen.push(state(&chain));
            }
            processes.kill(Role::Node);
            processes.launch(Role::Node);
            let (last, _) = *seen.last().expect("a state");
            chain.wait_until(last + 2);
            for (height, app_hash) in &seen {
                let next = chain.header(height + 1);
                let header = &next["block"]["header"];
                assert_eq!(
                    header["app_hash"], *app_hash,
                    "the state after block {height} is what it was"
                );
            }
        }
    });
    let head = chain.height();
    let mut previous = Value::Null;
    for height in 1..=head {
        let block = chain.header(height);
        let header = &block["block"]["header"];
        assert_eq!(integer(&header["height"]), height);
        if height > 1 {
            assert_eq!(
                header["last_block_id"]["hash"], previous,
                "block {height} follows its predecessor"
            );
        }
        previous = block["block_id"]["hash"].clone();
    }
    gateway.answer(&models[0], "add 1 1", true);
}

/// Height and state of the node: what it says of itself, hex as in headers.
fn state(chain: &Chain) -> (i64, String) {
    let info = chain.call("abci_info", &json!({}))["response"].take();
    let app_hash = info["last_block_app_hash"].as_str().expect("base64");
    let app_hash = STANDARD.decode(app_hash).expect("base64");
    (
        integer(&info["last_block_height"]),
        hex::encode_upper(app_hash),
    )
}
