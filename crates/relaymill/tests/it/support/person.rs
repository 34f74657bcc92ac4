//! Somebody with a keyring who uses a network from the command line.

use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use crypto::keys::SecretKey;
use serde_json::{Value, json};

use super::network::Network;
use super::{process, wait_for};
use crate::keys::Ring;

const SHORT: Duration = Duration::from_secs(60);

/// A person with a keyring who uses a network.
pub(crate) struct Person {
    pub(crate) network: Network,
    pub(crate) ring: Ring,
}

impl Person {
    /// On a new network.
    pub(crate) fn new() -> Self {
        Self::on(Network::start(&[]))
    }

    /// On this network.
    pub(crate) fn on(network: Network) -> Self {
        Self {
            network,
            ring: Ring::new(),
        }
    }

    /// Runs a command: how it ended, and what it printed on both outputs.
    pub(crate) fn run(&self, arguments: &[&str]) -> (ExitStatus, String, String) {
        let data = self.network.data();
        let options = self.ring.options();
        let mut all = arguments.to_vec();
        all.extend(["--data-dir", data.to_str().unwrap(), "--output", "json"]);
        if arguments[0] == "tx" {
            all.extend(options.iter().map(String::as_str));
        }
        let (status, out, error) = process::run(&all, SHORT);
        assert!(!error.contains("panicked"), "{all:?}: {error}");
        (status, out, error)
    }

    /// Runs a command that ends well and reads its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let (status, out, error) = self.run(arguments);
        assert!(status.success(), "{arguments:?}: {error}");
        serde_json::from_str(&out)
            .unwrap_or_else(|failure| panic!("{arguments:?}: {failure} in {out}"))
    }

    /// Sends a transaction that a block takes.
    pub(crate) fn tx(&self, from: &str, arguments: &[&str]) -> Value {
        let mut all = vec!["tx"];
        all.extend(arguments);
        all.extend(["--from", from]);
        let included = self.json(&all);
        assert_eq!(included["code"], 0, "{included}");
        assert!(
            included["events"]
                .as_array()
                .is_some_and(|events| !events.is_empty())
        );
        included
    }

    /// Runs a command that must fail; what it says about that.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let (status, out, error) = self.run(arguments);
        assert_eq!(status.code(), Some(1), "{arguments:?}: {out}{error}");
        error
    }

    /// A query's answer.
    pub(crate) fn query(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["query"];
        all.extend(arguments);
        self.json(&all)
    }

    /// What an account has, in upokt.
    pub(crate) fn balance(&self, address: &str) -> u128 {
        let balances = self.query(&["bank", "balance", address, "upokt"]);
        balances["balance"]["amount"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Makes a key; its address.
    pub(crate) fn key(&self, name: &str) -> String {
        self.ring.json(&["add", name])["address"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Makes a plain key in the network's own folder, where no passphrase costs time; its address.
    pub(crate) fn plain_key(&self, name: &str) -> String {
        let key = SecretKey::random().unwrap();
        let file = self.network.data().join(format!("keys/{name}.key"));
        std::fs::write(&file, hex::encode(key.to_bytes().as_slice())).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        key.public().address().to_bech32()
    }

    /// Address of a key of the network.
    pub(crate) fn address(&self, name: &str) -> String {
        self.network.key(name).public().address().to_bech32()
    }

    /// The same as a validator's operator.
    pub(crate) fn operator(&self, name: &str) -> String {
        let address = self.network.key(name).public().address();
        address.to_bech32_with("poktvaloper")
    }

    /// Writes JSON to a file of a person's own; its path.
    pub(crate) fn file(&self, name: &str, json: &Value) -> String {
        let file = self.ring.path(name);
        std::fs::write(&file, json.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Asks until the answer has `expected` at `pointer`.
    pub(crate) fn comes_to(&self, query: &[&str], pointer: &str, expected: impl Into<Value>) {
        let expected = expected.into();
        let what = format!("{pointer} = {expected} from {query:?}");
        wait_for(&what, Duration::from_secs(90), || {
            let (status, out, _) = self.run(&[&["query"], query].concat());
            let answer: Value = serde_json::from_str(&out).unwrap_or(json!(null));
            let there = answer.pointer(pointer) == Some(&expected);
            (status.success() && there).then_some(())
        });
    }
}
