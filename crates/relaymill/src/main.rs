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
            eprintln!("relaymill: {error:#}");
            ExitCode::FAILURE
        }
    }
}
