//! What the way through gateway and supplier costs: CPU per relay, and the wait for a stream's first byte.
//!
//! Everything but the backend is real: the roles are processes of the release binary on a network that
//! `relaymill localnet` laid out. The suppliers of one model forward to a [`backend`] that answers at once, so that what is measured
//! is the hop; the supplier of the other keeps the embedded engine. Each run is repeated without the hop, straight at the
//! same backend. CPU time comes from `/proc`, so figures per relay hold on a busy machine too; rates and waits do not.

mod backend;
mod load;
mod network;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;

use load::{Load, Target, first_bytes};
use network::{Network, cpu_seconds};

/// The model whose suppliers forward to the fixed backend, and the one that stays with the engine.
const FIXED: &str = "millstone";
const ENGINE: &str = "grist";

/// Measures the hop through gateway and supplier.
#[derive(Parser)]
#[command(name = "hop")]
struct Arguments {
    /// The release binary.
    #[arg(long)]
    binary: PathBuf,
    /// First of nine free ports.
    #[arg(long, default_value_t = 28_650)]
    ports_from: u16,
    /// Clients that ask one after the other.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Length of each load run.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Requests of each first-byte run.
    #[arg(long, default_value_t = 200)]
    samples: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let tasks = net::Tasks::new();
    println!("load average before: {}", load_average()?);
    let fixed = backend::serve(&tasks).await?;
    let network = Network::start(
        &arguments.binary,
        arguments.ports_from,
        &format!("http://{fixed}/v1"),
    )
    .await?;
    let through = |model: &'static str| Target {
        url: network.gateway_url.clone(),
        key: network.api_key.clone(),
        model,
    };
    let direct = |url: String, model: &'static str| Target {
        url,
        key: String::new(),
        model,
    };
    let hop = through(FIXED);
    let straight = direct(format!("http://{fixed}/v1"), FIXED);
    hop.ready().await?;

    println!(
        "\n{} clients, {} s a run\n",
        arguments.clients, arguments.seconds
    );
    println!(
        "| answer | way | relays/s | median | 99 % | gateway CPU | suppliers CPU | both | node CPU | refused |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for stream in [false, true] {
        let run = Load {
            clients: arguments.clients,
            length: Duration::from_secs(arguments.seconds),
            stream,
        };
        for (way, target) in [
            ("gateway and supplier", &hop),
            ("straight at the backend", &straight),
        ] {
            load_row(&network, &run, way, target).await?;
        }
    }

    println!(
        "\nfirst streamed byte, {} requests each way, one at a time\n",
        arguments.samples
    );
    println!("| backend | straight, median | through the hop, median | difference | 90 % |");
    println!("|---|---:|---:|---:|---:|");
    let engine = through(ENGINE);
    engine.ready().await?;
    for (name, straight, hop) in [
        ("answers at once", straight, hop),
        (
            "embedded engine",
            direct(network.engine_url.clone(), ENGINE),
            engine,
        ),
    ] {
        let (straight, hop) = first_bytes(&straight, &hop, arguments.samples).await?;
        println!(
            "| {name} | {} | {} | {} | {} |",
            milliseconds(straight.median()),
            milliseconds(hop.median()),
            milliseconds(hop.median().saturating_sub(straight.median())),
            milliseconds(hop.percentile(90)),
        );
    }
    println!("\nload average after: {}", load_average()?);
    drop(network);
    tasks.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

/// One run, with the CPU time that each role spent while it lasted.
async fn load_row(network: &Network, run: &Load, way: &str, target: &Target) -> Result<()> {
    let processes = [&network.gateway, &network.suppliers, &network.node];
    let running = run.start(target).await?;
    let before = processes.map(|group| cpu_seconds(group));
    let outcome = running.finish().await?;
    let after = processes.map(|group| cpu_seconds(group));
    let mut cpu = Vec::with_capacity(3);
    for (before, after) in before.into_iter().zip(after) {
        cpu.push((after? - before?) / f64::from(outcome.answered.max(1)));
    }
    let answer = if run.stream { "stream" } else { "whole" };
    let shown = |seconds: f64| {
        if target.key.is_empty() {
            String::new()
        } else {
            format!("{:.3} ms", seconds * 1e3)
        }
    };
    println!(
        "| {answer} | {way} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
        f64::from(outcome.answered) / outcome.lasted.as_secs_f64(),
        milliseconds(outcome.waits.median()),
        milliseconds(outcome.waits.percentile(99)),
        shown(cpu[0]),
        shown(cpu[1]),
        shown(cpu[0] + cpu[1]),
        shown(cpu[2]),
        outcome.refused,
    );
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn load_average() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg").context("this benchmark needs Linux")?;
    Ok(text
        .split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" "))
}
