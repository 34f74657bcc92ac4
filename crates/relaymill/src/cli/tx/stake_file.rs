//! What is staked, from a file: TOML, or the YAML that POKT people have.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use crypto::keys::Address;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use super::amount::Upokt;

/// A supplier's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Supplier {
    /// Who the stake belongs to.
    #[serde(default)]
    pub(crate) owner_address: Option<Address>,
    /// Who serves.
    #[serde(default)]
    pub(crate) operator_address: Option<Address>,
    /// Stake after this.
    #[serde(default, deserialize_with = "amount")]
    pub(crate) stake_amount: Option<Upokt>,
    /// Percent of the revenue by address, for services that do not say.
    #[serde(default)]
    pub(crate) default_rev_share_percent: Option<BTreeMap<Address, u64>>,
    /// What is served.
    #[serde(default)]
    pub(crate) services: Vec<Service>,
}

/// A service of a supplier's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// Service id.
    pub(crate) service_id: String,
    /// Where it is served.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Percent of the revenue by address.
    #[serde(default)]
    pub(crate) rev_share_percent: Option<BTreeMap<Address, u64>>,
}

/// An endpoint of a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// As gateways reach it.
    #[serde(alias = "url")]
    pub(crate) publicly_exposed_url: String,
    /// rest, json_rpc, grpc, websocket or comet_bft.
    #[serde(default = "rest")]
    pub(crate) rpc_type: String,
}

fn rest() -> String {
    "REST".to_owned()
}

impl Supplier {
    /// One service at one URL.
    pub(crate) fn of(service: &str, url: &str) -> Self {
        let endpoint = Endpoint {
            publicly_exposed_url: url.to_owned(),
            rpc_type: rest(),
        };
        Self {
            owner_address: None,
            operator_address: None,
            stake_amount: None,
            default_rev_share_percent: None,
            services: vec![Service {
                service_id: service.to_owned(),
                endpoints: vec![endpoint],
                rev_share_percent: None,
            }],
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    #[serde(default, deserialize_with = "amount")]
    stake_amount: Option<Upokt>,
    service_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gateway {
    #[serde(default, deserialize_with = "amount")]
    stake_amount: Option<Upokt>,
}

/// An amount, as text or as a bare number of upokt.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Upokt>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse().map(Some).map_err(de::Error::custom)
}

/// What a supplier stakes.
pub(crate) fn supplier(file: &Path) -> Result<Supplier> {
    read(file)
}

/// Stake and services of an application.
pub(super) fn application(file: &Path) -> Result<(Upokt, Vec<String>)> {
    let read: Application = read(file)?;
    let stake = read
        .stake_amount
        .with_context(|| format!("{}: `stake_amount` is missing", file.display()))?;
    Ok((stake, read.service_ids))
}

/// Stake of a gateway.
pub(super) fn gateway(file: &Path) -> Result<Upokt> {
    let read: Gateway = read(file)?;
    read.stake_amount
        .with_context(|| format!("{}: `stake_amount` is missing", file.display()))
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let yaml = file
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    if !yaml {
        return toml::from_str(&text).map_err(|error| anyhow!("{}: {error}", file.display()));
    }
    let documents =
        YamlLoader::load_from_str(&text).with_context(|| format!("{}", file.display()))?;
    let [document] = documents.as_slice() else {
        bail!("{}: expected one YAML document", file.display());
    };
    let json = json(document).with_context(|| format!("{}", file.display()))?;
    serde_json::from_value(json).with_context(|| format!("{}", file.display()))
}

/// The part of YAML that JSON has too.
fn json(yaml: &Yaml) -> Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(value) => Value::Bool(*value),
        Yaml::Integer(value) => Value::from(*value),
        // A number with a point is kept as it was written.
        Yaml::Real(text) | Yaml::String(text) => Value::String(text.clone()),
        Yaml::Array(items) => Value::Array(items.iter().map(json).collect::<Result<_>>()?),
        Yaml::Hash(entries) => {
            let mut out = serde_json::Map::new();
            for (key, value) in entries {
                let key = key.as_str().context("a key is no text")?;
                out.insert(key.to_owned(), json(value)?);
            }
            Value::Object(out)
        }
        Yaml::Alias(_) | Yaml::BadValue => bail!("aliases are not read"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::pocket::service_configs;
    use super::*;

    const OWNER: &str = "pokt1rl3gjgzexmplmds3tq3r3yk84zlwdl6djzgsvm";
    const OTHER: &str = "pokt1j40dzzmn6cn9kxku7a5tjnud6hv37vesr5ccaa";

    fn written(name: &str, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        (folder, file)
    }

    #[test]
    fn yaml_of_pocketd_and_our_toml_say_the_same() {
        let yaml = format!(
            "owner_address: {OWNER}\noperator_address: {OTHER}\nstake_amount: 1000069upokt\ndefault_rev_share_percent:\n  {OWNER}: 80\n  {OTHER}: 20\nservices:\n  - service_id: \"anvil\"\n    endpoints:\n      - publicly_exposed_url: http://relayminer1:8545\n        rpc_type: JSON_RPC\n  - service_id: ollama\n    rev_share_percent:\n      {OTHER}: 100\n    endpoints:\n      - publicly_exposed_url: http://relayminer1:8545\n        rpc_type: REST\n"
        );
        let toml = format!(
            "owner_address = \"{OWNER}\"\noperator_address = \"{OTHER}\"\nstake_amount = 1000069\n[default_rev_share_percent]\n{OWNER} = 80\n{OTHER} = 20\n[[services]]\nservice_id = \"anvil\"\nendpoints = [{{ url = \"http://relayminer1:8545\", rpc_type = \"json_rpc\" }}]\n[[services]]\nservice_id = \"ollama\"\nendpoints = [{{ url = \"http://relayminer1:8545\" }}]\nrev_share_percent = {{ {OTHER} = 100 }}\n"
        );
        let (_one, yaml) = written("s.yaml", &yaml);
        let (_other, toml) = written("s.toml", &toml);
        let (yaml, toml) = (supplier(&yaml).unwrap(), supplier(&toml).unwrap());
        assert_eq!(yaml.stake_amount, Some(Upokt(1_000_069)));
        assert_eq!(
            format!("{:?}", yaml.owner_address),
            format!("{:?}", toml.owner_address)
        );
        let configs = service_configs(&yaml, OWNER).unwrap();
        assert_eq!(configs, service_configs(&toml, OWNER).unwrap());
        assert_eq!(configs[0].rev_share.len(), 2);
        assert_eq!(configs[1].rev_share[0].address, OTHER);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        for (name, text, words) in [
            ("a.toml", "service_idz = []", "service_idz"),
            ("a.toml", "service_ids = [\"x\"]", "stake_amount"),
            ("a.yml", "stake_amount: 5mact\nservice_ids: [x]", "5mact"),
            ("a.yml", "stake_amount: [", "a.yml"),
        ] {
            let (_folder, file) = written(name, text);
            let error = format!("{:#}", application(&file).unwrap_err());
            assert!(error.contains(words) && error.contains(name), "{error}");
        }
        let mut wrong = Supplier::of("svc", "http://x");
        wrong.services[0].endpoints[0].rpc_type = "smoke".to_owned();
        let error = service_configs(&wrong, OWNER).unwrap_err().to_string();
        assert!(error.contains("svc") && error.contains("SMOKE"), "{error}");
        let mut wrong = Supplier::of("svc", "http://x");
        wrong.default_rev_share_percent = Some(BTreeMap::from([(OWNER.parse().unwrap(), 99)]));
        let error = service_configs(&wrong, OWNER).unwrap_err().to_string();
        assert!(error.contains("99 percent"), "{error}");
    }

    #[test]
    fn applications_and_gateways_have_files_too() {
        let (_folder, file) = written(
            "a.yaml",
            "stake_amount: 1000upokt\nservice_ids:\n  - anvil\n",
        );
        let (stake, services) = application(&file).unwrap();
        assert_eq!((stake, services), (Upokt(1_000), vec!["anvil".to_owned()]));
        let (_folder, file) = written("g.yaml", "stake_amount: 1.5pokt\n");
        assert_eq!(gateway(&file).unwrap(), Upokt(1_500_000));
    }
}
