//! `cargo xtask bench`: the figures of BENCHMARKS.md, by name.

use anyhow::{Result, bail};

use crate::steps::{cargo, root, step};

/// Benchmarks by name: the package, and the bench target or the binary's arguments.
const BENCHES: [(&str, &[&str]); 1] = [("crypto", &["bench", "-p", "relaymill-crypto"])];

/// Runs one benchmark or all of them.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    let mut found = false;
    for (bench, arguments) in BENCHES {
        if name.is_none_or(|name| name == bench) {
            found = true;
            step(bench, cargo(&root(), arguments))?;
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
