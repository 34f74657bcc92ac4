//! relaymill: permissionless LLM inference in one binary.
//!
//! This crate wires the rooms: it reads configuration, loads keys, starts roles and prints. It decides nothing about
//! relays, claims or coins.

mod cli;
mod files;
mod keys;
mod localnet;
mod network;
mod roles;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    cli::init_logging(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(cli::run(cli));
            // What still blocks after an orderly shutdown (a generation, say) must not hold the process.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(status) => status,
        Err(error) => {
            eprintln!("relaymill: {}", text(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each said once: some say their cause themselves.
fn text(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("a.toml: {source}")]
    struct SaysItsCause {
        source: std::fmt::Error,
    }

    #[test]
    fn a_cause_is_said_once() {
        let cause = std::fmt::Error;
        let error = anyhow::Error::new(SaysItsCause { source: cause }).context("start");
        assert_eq!(text(&error), format!("start: a.toml: {cause}"));
        let error = anyhow::Error::new(cause).context("b.toml").context("start");
        assert_eq!(text(&error), format!("start: b.toml: {cause}"));
    }
}
