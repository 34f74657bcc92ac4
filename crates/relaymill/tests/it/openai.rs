//! The official OpenAI clients, unmodified: they get a base URL and a key, nothing else.

use std::path::PathBuf;
use std::process::Command;

use crate::support::network::Network;
use crate::support::root;

/// Runs a program that acts as a client, when the machine has it; with `CI` set it must.
fn run(name: &str, program: PathBuf, needs: PathBuf, script: &str) {
    let present = (program.components().count() == 1 || program.is_file()) && needs.exists();
    if !present {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI is set and {name} is missing: cargo xtask interop-setup"
        );
        println!("skipped: {name} (cargo xtask interop-setup)");
        return;
    }
    let network = Network::shared();
    let mut client = Command::new(&program);
    client.arg(root().join(script)).current_dir(root());
    client.env("OPENAI_BASE_URL", &network.ready.gateway_url);
    client.env("OPENAI_API_KEY", &network.ready.api_key);
    for proxy in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        client.env_remove(proxy);
    }
    let output = client
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    println!("{out}");
    assert!(
        output.status.success(),
        "{name}: {}\n{out}{error}",
        output.status
    );
    let done = out.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(done >= 9, "{name} made only {done} checks:\n{out}");
}

#[test]
fn openai_for_python() {
    let program = root().join("interop/.venv/bin/python");
    run(
        "openai for Python",
        program.clone(),
        program,
        "interop/python/openai_client.py",
    );
}

#[test]
fn openai_for_node() {
    let needs = root().join("interop/node/node_modules/openai");
    run(
        "openai for Node",
        "node".into(),
        needs,
        "interop/node/openai_client.mjs",
    );
}
