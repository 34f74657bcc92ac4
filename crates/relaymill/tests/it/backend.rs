//! `localnet --backend`: a server of one's own becomes a service that is asked, mined and paid like the others.

use crate::accounting::SETTLED_AFTER;
use crate::support::evidence;
use crate::support::network::{Network, PORTS, journal};
use crate::support::process::{Process, run};
use crate::support::{root, wait_for, web};
use std::time::Duration;

const SHORT: Duration = Duration::from_secs(60);

#[test]
fn a_server_of_ones_own_becomes_a_service() {
    let folder = tempfile::tempdir().expect("folder");
    let model = folder.path().join("my.model-7b.gguf");
    std::fs::copy(root().join("models/grist.gguf"), &model).expect("a model");
    let listen = format!("127.0.0.1:{}", web::free_ports(1));
    let model = model.to_str().expect("a path in UTF-8");
    let arguments = ["engine", "start", "--listen", &listen, "--model", model];
    let mut server = Process::start("own server", &arguments, &folder.path().join("log"));
    let url = format!("http://{listen}/v1");
    wait_for("own server", SHORT, || {
        server.assert_running();
        web::answers(&format!("{url}/models")).then_some(())
    });

    let network = Network::start_with(&["--backend", &url], &[]);
    assert_eq!(network.ready.models, ["millstone", "grist", "my.model-7b"]);
    let outcome = network.gateway().answer("my.model-7b", "add 1 2", true);
    let same = network.gateway().answer("grist", "add 1 2", false);
    assert_eq!(outcome.text, same.text, "the same weights");
    let entry = journal(&network.data())
        .into_iter()
        .find(|entry| Some(&entry.request_id) == outcome.request_id.as_ref())
        .expect("journaled");
    assert_eq!(entry.service_id, "my-model-7b", "as the chain writes ids");

    let last = entry.session_end_height + SETTLED_AFTER;
    network.chain().wait_until(last);
    let blocks = network.chain().blocks(last);
    assert_eq!(evidence::losses(&blocks), [""; 0]);
    let settled = evidence::settled_relays(&blocks);
    assert_eq!(settled[&(entry.session_id, entry.supplier)], 1);
}

#[test]
fn a_backend_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("net");
    let (first, nobody) = (web::free_ports(PORTS), web::free_ports(1));
    let (ports, url) = (first.to_string(), format!("http://127.0.0.1:{nobody}/v1"));
    let data = data.to_str().expect("a path in UTF-8");
    let arguments = [
        "localnet",
        "--data-dir",
        data,
        "--ports-from",
        &ports,
        "--backend",
        &url,
    ];
    let (status, _, error) = run(&arguments, SHORT);
    assert!(!status.success());
    assert!(
        error.contains("--backend") && error.contains(&url),
        "{error}"
    );
}
