//! `relaymill replay`: a recording of a reference node, played on ours and compared.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use node::replay::{Excuses, Options, PER_PART, Report};

use super::output::Output;

/// Exit status for a recording that cannot be read.
const UNREADABLE: u8 = 2;

/// Plays a recorded chain through ours and compares all that both say; ends 0 only when nothing differs.
///
/// 1 means that something differs, 2 that the recording cannot be read.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Folder with genesis.json, blocks.jsonl(.gz), and what else was recorded.
    folder: PathBuf,
    /// Deliberate differences, instead of the built-in list.
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,
    /// Take a row of that list that excuses nothing for an error, whichever recording this is.
    #[arg(long)]
    strict_differences: bool,
    /// Differences printed of each kind; the rest are counted.
    #[arg(long, value_name = "COUNT", default_value_t = PER_PART)]
    max_differences: u64,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: ReplayArgs, tasks: &net::Tasks) -> ExitCode {
    match report(&args, tasks).await {
        Ok(report) => {
            match args.output {
                Output::Json => println!("{}", report.to_json()),
                Output::Text => println!("{}", report.to_text()),
            }
            if report.is_equal() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("relaymill: {}", crate::text(&error));
            ExitCode::from(UNREADABLE)
        }
    }
}

async fn report(args: &ReplayArgs, tasks: &net::Tasks) -> Result<Report> {
    let excuses = match &args.differences {
        None => Excuses::built_in()?,
        Some(path) => {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
            Excuses::parse(&name, &text)?
        }
    };
    let options = Options {
        excuses,
        strict: args.strict_differences,
        per_part: args.max_differences,
    };
    Ok(node::replay::run(&args.folder, options, tasks).await?)
}
