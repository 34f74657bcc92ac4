//! Rules about the repository that no compiler checks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The layer of every crate (ARCHITECTURE.md); a crate may depend on lower layers only.
const LAYERS: [(&str, u8); 13] = [
    ("relaymill-proto", 0),
    ("relaymill-crypto", 0),
    ("relaymill-protocol", 1),
    ("relaymill-net", 1),
    ("relaymill-llm", 1),
    ("relaymill-chain", 2),
    ("relaymill-client", 2),
    ("relaymill-node", 3),
    ("relaymill-supplier", 3),
    ("relaymill-gateway", 3),
    ("relaymill", 4),
    ("relaymill-testkit", 9),
    ("xtask", 9),
];

/// Rooms that must not know each other although the layers would allow it.
const APART: [(&str, &str); 4] = [
    ("relaymill-supplier", "relaymill-chain"),
    ("relaymill-supplier", "relaymill-node"),
    ("relaymill-gateway", "relaymill-chain"),
    ("relaymill-gateway", "relaymill-node"),
];

/// Lines of a source file beyond which it must be cut; tests are files of their own.
const LINES_MAX: usize = 700;

/// Text that must not be in any committed file: marks of somebody's machine.
const MARKS: [&str; 3] = ["/home/", "/Users/", "C:\\Users"];

/// Checks everything and reports every breach at once.
pub(crate) fn check(root: &Path) -> Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        // Not offline: the licences of packages that only other systems compile are read too, and may not be fetched yet.
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cargo metadata")?;
    let mut breaches = Vec::new();
    layers(&metadata, &mut breaches);
    licences(&metadata, root, &mut breaches)?;
    sources(&metadata, &mut breaches);
    files(root, &mut breaches)?;
    if breaches.is_empty() {
        return Ok(());
    }
    for breach in &breaches {
        eprintln!("tidy: {breach}");
    }
    bail!("{} breaches of the repository's rules", breaches.len());
}

fn layers(metadata: &Metadata, breaches: &mut Vec<String>) {
    let layer: BTreeMap<&str, u8> = LAYERS.into_iter().collect();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(own) = layer.get(name) else {
            breaches.push(format!("crate {name} has no layer in xtask/src/tidy.rs"));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some())
        {
            let other = dependency.name.as_str();
            let lower = layer.get(other).is_some_and(|other| other < own);
            let for_tests = dependency.kind == DependencyKind::Development;
            if !lower && !for_tests {
                breaches.push(format!("{name} depends on {other}, which is not below it"));
            }
            if !for_tests && APART.contains(&(name, other)) {
                breaches.push(format!("{name} must not know {other}"));
            }
        }
    }
}

/// Every licence expression must be satisfiable with the list in deny.toml.
fn licences(metadata: &Metadata, root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root.join("deny.toml"))?;
    let list = text
        .split("allow = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let list = list.context("deny.toml needs `allow = [` under [licenses]")?;
    let allowed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    for package in &metadata.packages {
        let expression = package
            .license
            .clone()
            .unwrap_or_default()
            .replace('/', " OR ");
        let permitted = |all: &str| {
            all.split(" AND ")
                .all(|one| allowed.contains(&one.trim_matches(['(', ')', ' '])))
        };
        let either = expression.split(" OR ").any(permitted);
        let grouped = expression.split(" AND ").all(|group| {
            group
                .trim_matches(['(', ')', ' '])
                .split(" OR ")
                .any(|one| allowed.contains(&one.trim_matches(['(', ')', ' '])))
        });
        if !either && !grouped {
            breaches.push(format!(
                "{} {}: licence `{expression}`",
                package.name, package.version
            ));
        }
    }
    Ok(())
}

fn sources(metadata: &Metadata, breaches: &mut Vec<String>) {
    for package in &metadata.packages {
        if package
            .source
            .as_ref()
            .is_some_and(|source| !source.is_crates_io())
        {
            breaches.push(format!("{} does not come from crates.io", package.name));
        }
    }
}

fn files(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()?;
    for name in String::from_utf8_lossy(&listed.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        let Ok(text) = fs::read_to_string(root.join(name)) else {
            continue;
        };
        let source = name.ends_with(".rs");
        let test =
            name.contains("/tests/") || name.ends_with("tests.rs") || name.contains("/benches/");
        let lines = text.lines().count();
        if source && !test && lines > LINES_MAX {
            breaches.push(format!(
                "{name}: {lines} lines; cut it where the ideas part"
            ));
        }
        if name.starts_with("tests/vectors/") || name == "xtask/src/tidy.rs" {
            continue;
        }
        for mark in MARKS {
            if text.contains(mark) {
                breaches.push(format!(
                    "{name}: names a path of somebody's machine ({mark})"
                ));
            }
        }
        let ignored = concat!("#[", "ignore");
        if source && text.contains(ignored) {
            breaches.push(format!("{name}: an ignored test"));
        }
    }
    Ok(())
}
