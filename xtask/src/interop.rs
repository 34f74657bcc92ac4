//! What the end-to-end tests run and did not come with the repository: unmodified clients of other languages, CometBFT.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::steps::{installed, step};

/// The Python interpreter with the pinned packages.
fn python(root: &Path) -> PathBuf {
    root.join("interop/.venv/bin/python")
}

/// The client in Go, as [`setup`] builds it; the tests build it again from what it left in Go's caches.
fn go_client(root: &Path) -> PathBuf {
    root.join("interop/.cache/go-client")
}

/// CometBFT's version that the tests of real networks run.
const COMETBFT: &str = "github.com/cometbft/cometbft/cmd/cometbft@v0.38.21";

/// Where that CometBFT lies.
fn cometbft(root: &Path) -> PathBuf {
    root.join("interop/bin/cometbft")
}

/// What the tests will skip on this machine, by name.
pub(crate) fn missing(root: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    if !python(root).is_file() {
        missing.push("openai for Python (cargo xtask interop-setup)".to_owned());
    }
    if !root.join("interop/node/node_modules/openai").is_dir() || !installed("node") {
        missing.push("openai for Node (cargo xtask interop-setup)".to_owned());
    }
    if !root
        .join("interop/node/node_modules/@cosmjs/stargate")
        .is_dir()
        || !installed("node")
    {
        missing.push("CosmJS (cargo xtask interop-setup)".to_owned());
    }
    if !go_client(root).is_file() || !installed("go") {
        missing.push("cosmos-sdk and CometBFT in Go (cargo xtask interop-setup)".to_owned());
    }
    if !cometbft(root).is_file() {
        missing.push("networks of CometBFT (cargo xtask interop-setup)".to_owned());
    }
    if !installed("ip") {
        missing.push("network namespaces (cargo xtask interop-setup installs iproute2)".to_owned());
    }
    missing
}

/// CometBFT from its Go module, and `ip` for the namespaces that its tests run in.
fn setup_cometbft(root: &Path) -> Result<()> {
    if installed("go") {
        let mut install = Command::new("go");
        install.args(["install", COMETBFT]);
        install.env("GOBIN", root.join("interop/bin"));
        step("CometBFT", install)?;
    } else {
        println!("go is not installed: the tests of networks will be skipped");
    }
    if !installed("ip") && installed("apt-get") {
        let mut install = Command::new("apt-get");
        install.args(["install", "--yes", "--no-install-recommends", "iproute2"]);
        step("iproute2", install)?;
    }
    Ok(())
}

/// Fetches the pinned versions into `interop/`; a language that is not installed is named and left out.
pub(crate) fn setup(root: &Path) -> Result<()> {
    if installed("python3") {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(root.join("interop/.venv"));
        step("Python environment", venv)?;
        let mut install = Command::new(python(root));
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ]);
        install.arg(root.join("interop/python/requirements.txt"));
        step("Python packages", install)?;
    } else {
        println!("python3 is not installed: its tests will be skipped");
    }
    if installed("npm") {
        let mut install = Command::new("npm");
        install
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(root.join("interop/node"));
        step("Node packages", install)?;
    } else {
        println!("npm is not installed: its tests will be skipped");
    }
    if installed("go") {
        let mut build = Command::new("go");
        build.args(["build", "-mod=readonly", "-buildvcs=false", "-o"]);
        build.arg(go_client(root)).arg(".");
        build.current_dir(root.join("interop/go"));
        step("Go modules and client", build)?;
    } else {
        println!("go is not installed: its tests will be skipped");
    }
    setup_cometbft(root)
}
