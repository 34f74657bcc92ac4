//! Checks of this repository, its tests and its benchmarks.
//!
//! `cargo xtask test` is the one command that README and CI call. Every step prints its name, and what a machine cannot
//! run is named and counted at the end; when `CI` is set nothing may be missing.

mod bench;
mod interop;
mod soak;
mod steps;
mod tidy;

use clap::{Parser, Subcommand};

/// Tools for people who work on relaymill.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Formats, lints, checks the repository's own rules, runs every test.
    Test,
    /// Checks layers, licences, names and sizes from `cargo metadata` and the files.
    Tidy,
    /// Fetches the pinned Python, Node and Go clients that the interoperability tests run.
    InteropSetup,
    /// Runs the benchmarks named in BENCHMARKS.md.
    Bench {
        /// Which one; all when absent.
        name: Option<String>,
    },
    /// Runs the state machine under random operations, or feeds it malformed transactions, for long.
    Soak(soak::Soak),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Test => steps::test(),
        Command::Tidy => tidy::check(&steps::root()),
        Command::InteropSetup => interop::setup(&steps::root()),
        Command::Bench { name } => bench::run(name.as_deref()),
        Command::Soak(soak) => soak::run(&steps::root(), &soak),
    }
}
