//! The steps of `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{interop, tidy};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// Runs everything that must hold before a change lands.
pub(crate) fn test() -> Result<()> {
    let root = root();
    let mut skipped = interop::missing(&root);
    if std::env::var_os("CI").is_some() && !skipped.is_empty() {
        bail!(
            "CI is set and these are missing: {}; run `cargo xtask interop-setup`",
            skipped.join("; ")
        );
    }
    step("format", cargo(&root, &["fmt", "--all", "--check"]))?;
    step(
        "lints",
        cargo(
            &root,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--features",
                "xtask/hop",
                "--",
                "-D",
                "warnings",
            ],
        ),
    )?;
    named("repository rules", || tidy::check(&root))?;
    if installed("cargo-deny") {
        step(
            "licences, bans, sources",
            cargo(
                &root,
                &["deny", "--offline", "check", "bans", "licenses", "sources"],
            ),
        )?;
    } else {
        skipped
            .push("cargo-deny is not installed (licences and sources were checked by tidy)".into());
    }
    let mut docs = cargo(
        &root,
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ],
    );
    // Private items are documented too, so links to them lead somewhere.
    docs.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private-intra-doc-links",
    );
    step("documentation", docs)?;
    step(
        "build of the binary for the end-to-end tests",
        cargo(&root, &["build", "--bin", "relaymill"]),
    )?;
    step(
        "tests",
        cargo(
            &root,
            &[
                "test",
                "--workspace",
                "--no-fail-fast",
                "--features",
                "xtask/hop",
            ],
        ),
    )?;
    println!("\nall steps passed; skipped: {}", skipped.len());
    for name in &skipped {
        println!("  skipped: {name}");
    }
    Ok(())
}

/// A cargo command at `root`.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(arguments);
    command
}

/// Whether a program of this name is in `PATH`.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs `command`, with its name and time on the way.
pub(crate) fn step(name: &str, mut command: Command) -> Result<()> {
    named(name, || {
        let status = command
            .status()
            .with_context(|| format!("cannot start {command:?}"))?;
        if !status.success() {
            bail!("{name} failed ({status}): {command:?}");
        }
        Ok(())
    })
}

fn named(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n=== {name}");
    let start = Instant::now();
    run()?;
    println!("=== {name}: ok ({:.0} s)", start.elapsed().as_secs_f64());
    Ok(())
}
