//! Long runs of the state machine's random tests, in release builds.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Soak {
    /// Random operations over all messages; half of them under the reference's rules, half under ours, unless `rules`
    /// names one of the two.
    #[arg(long, default_value_t = 100_000)]
    operations: u64,
    /// Everything random follows from it. A failing run prints the command that repeats it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only under these rules.
    #[arg(long, value_parser = ["reference", "mended"])]
    rules: Option<String>,
    /// Malformed transactions instead of operations: 10,000,000 of them unless a number is given.
    #[arg(long, value_name = "INPUTS", num_args = 0..=1, default_missing_value = "10000000")]
    malformed: Option<u64>,
}

pub(crate) fn run(root: &Path, soak: &Soak) -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root).args([
        "test",
        "--release",
        "-p",
        "relaymill-chain",
        "--test",
        "it",
        "--",
        "--nocapture",
        "--exact",
    ]);
    command.env("RELAYMILL_SOAK_SEED", soak.seed.to_string());
    match soak.malformed {
        None => {
            command.env("RELAYMILL_SOAK_OPERATIONS", soak.operations.to_string());
            if let Some(rules) = &soak.rules {
                command.env("RELAYMILL_SOAK_RULES", rules);
            }
            command.arg("soak::random_operations_keep_what_must_hold");
        }
        Some(inputs) => {
            command.env("RELAYMILL_MALFORMED_INPUTS", inputs.to_string());
            command.args([
                "malformed::malformed_transactions_change_nothing_where_nobody_is",
                "malformed::malformed_transactions_change_nothing_where_much_goes_on",
            ]);
        }
    }
    let status = command.status().context("cargo does not start")?;
    if !status.success() {
        bail!("something does not hold");
    }
    Ok(())
}
