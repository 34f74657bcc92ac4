//! Networks that tests share, and small helpers.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Result;
use testkit::front::{Reply, StreamReply};
use testkit::impostor::Lie;
use testkit::logs::LoggedRelay;
use testkit::{Kind, Network, Plan};
use tokio::runtime::Runtime;

/// A network that lives as long as the process, and the runtime it lives in.
pub(crate) struct World {
    runtime: Runtime,
    network: Network,
}

/// `mill`, served by suppliers 0 and 1, and `tiny`, by supplier 0 alone, whose application can pay a few relays. Nobody
/// serves `ghost`: that its application has no session must be nobody else's trouble.
pub(crate) static MILL: LazyLock<World> = LazyLock::new(|| {
    // A third of a third of the stake is what a supplier may serve in a session: two relays and a half.
    let plan = Plan::default()
        .service("mill")
        .poor_service("tiny", 2_250)
        .service("ghost")
        .supplier(&["mill", "tiny"], Kind::Honest)
        .supplier(&["mill"], Kind::Honest);
    World::start("mill", plan)
});

/// One service a lie, each served by supplier 0 and by the liar; and a gateway that soon loses its patience.
pub(crate) static LIARS: LazyLock<World> = LazyLock::new(|| {
    let mut plan = Plan {
        first_byte: Duration::from_secs(6),
        idle: Duration::from_secs(1),
        ..Plan::default()
    };
    let names: Vec<String> = LIES.iter().map(|lie| service_of(*lie)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        plan = plan.service(name);
    }
    plan = plan.service("lone");
    plan = plan.supplier(&[names.as_slice(), &["lone"]].concat(), Kind::Honest);
    for (lie, name) in LIES.into_iter().zip(&names) {
        plan = plan.supplier(&[name], Kind::Impostor(lie));
    }
    World::start("liars", plan)
});

/// All of them; supplier 1 tells the first.
pub(crate) const LIES: [Lie; 6] = [
    Lie::BlackHole,
    Lie::WrongKey,
    Lie::SwappedPayload,
    Lie::WrongSession,
    Lie::ErrorBody,
    Lie::Garbage,
];

/// The service that a liar shares with an honest supplier.
pub(crate) fn service_of(lie: Lie) -> String {
    format!("lie-{lie:?}").to_lowercase()
}

impl World {
    fn start(name: &str, plan: Plan) -> Self {
        let runtime = runtime();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let network = runtime.block_on(Network::start_in(plan, &folder)).unwrap();
        Self { runtime, network }
    }

    /// Runs one test on it.
    pub(crate) fn run(&'static self, test: impl AsyncFnOnce(&'static Network) -> Result<()>) {
        self.runtime.block_on(test(&self.network)).unwrap();
    }
}

/// Runs a test on a network of its own.
pub(crate) fn alone(plan: Plan, test: impl AsyncFnOnce(&Network) -> Result<()>) {
    let runtime = runtime();
    runtime
        .block_on(async {
            let network = Network::start(plan).await?;
            test(&network).await
        })
        .unwrap();
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Asks while the test goes on.
pub(crate) fn chat(network: &Network, model: &str, prompt: &str) -> net::Task<Result<Reply>> {
    let (front, model, prompt) = (network.front.clone(), model.to_owned(), prompt.to_owned());
    net::Tasks::new().spawn(async move { front.chat(&model, &prompt).await })
}

/// The same for a stream.
pub(crate) fn stream(
    network: &Network,
    model: &str,
    prompt: &str,
) -> net::Task<Result<StreamReply>> {
    let (front, model, prompt) = (network.front.clone(), model.to_owned(), prompt.to_owned());
    net::Tasks::new().spawn(async move { front.stream(&model, &prompt).await })
}

/// What came of it.
pub(crate) async fn got<T>(asked: net::Task<Result<T>>) -> Result<T> {
    asked.await?
}

/// Relays on any supplier's record whose request holds `marker`.
pub(crate) fn recorded(network: &Network, marker: &str) -> Result<Vec<LoggedRelay>> {
    let mut found = Vec::new();
    for index in 0..network.plan.suppliers.len() {
        if network.plan.suppliers[index].kind == Kind::Honest {
            let logs = network.sessions(index)?.into_iter();
            found.extend(logs.flat_map(|log| log.relays));
        }
    }
    found.retain(|relay| holds(&relay.bytes, marker.as_bytes()));
    Ok(found)
}

/// Whether `bytes` hold `part` somewhere.
pub(crate) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
