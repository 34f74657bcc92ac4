//! `cargo xtask bench`: the figures of BENCHMARKS.md, by name.

use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

use crate::steps::{cargo, root, step};

type Bench = fn() -> Result<()>;

/// Benchmarks by name.
const BENCHES: [(&str, Bench); 3] = [("crypto", crypto), ("log", log), ("hop", hop)];

/// Runs one benchmark or all of them.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    let mut found = false;
    for (bench, run) in BENCHES {
        if name.is_none_or(|name| name == bench) {
            found = true;
            run()?;
        }
    }
    if !found {
        let names: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
        bail!(
            "no benchmark `{}`; there are: {}",
            name.unwrap_or_default(),
            names.join(", ")
        );
    }
    Ok(())
}

/// Ring signatures, trie, proofs and gob.
fn crypto() -> Result<()> {
    step(
        "crypto",
        cargo(&root(), &["bench", "-p", "relaymill-crypto"]),
    )
}

/// Appending to the supplier's session log.
fn log() -> Result<()> {
    step(
        "log",
        cargo(&root(), &["bench", "-p", "relaymill-supplier"]),
    )
}

/// CPU per relay and the first streamed byte, through real processes of the release binary.
fn hop() -> Result<()> {
    let root = root();
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    // One build for both, so that what they share is built once.
    let packages = ["build", "--release", "-p", "relaymill", "-p", "xtask"];
    let mut build = cargo(&root, &packages);
    build.args(["--features", "xtask/hop"]);
    step("release binary and load generator", build)?;
    let built = metadata.target_directory.join("release");
    let mut hop = Command::new(built.join("hop"));
    hop.arg("--binary").arg(built.join("relaymill"));
    step("hop", hop)
}
