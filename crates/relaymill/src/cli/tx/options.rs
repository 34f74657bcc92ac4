//! How transactions are made: the options that every message has.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use client::Chain;
use client::tx::{GasPrice, SendOptions};
use serde_json::json;

use super::amount::Upokt;
use crate::cli::query::{Method, call};

/// Blocks to wait for inclusion where nothing else ends the wait.
const DEADLINE_BLOCKS: i64 = 20;

#[derive(Args, Debug)]
pub(crate) struct TxOptions {
    /// Who signs: name or address of a key, or a key file. On a local network also faucet, source-1, …; there the
    /// default is faucet.
    #[arg(long, global = true)]
    pub(super) from: Option<String>,
    /// The whole fee, instead of a price of gas, e.g. 500upokt.
    #[arg(
        long,
        global = true,
        value_name = "AMOUNT",
        conflicts_with = "gas_prices"
    )]
    fees: Option<Upokt>,
    /// Limit of gas: a number, or auto for what a simulation uses.
    #[arg(long, global = true, default_value = "auto")]
    gas: Gas,
    /// How much more than the simulation used.
    #[arg(long, global = true, value_name = "FACTOR", default_value = "1.7")]
    gas_adjustment: Percent,
    /// upokt for one unit of gas, e.g. 0.000001upokt. Default: what the node asks for.
    #[arg(long, global = true, value_name = "PRICE")]
    gas_prices: Option<GasPrice>,
    /// Account that pays the fee by its grant.
    #[arg(long, global = true, value_name = "ADDRESS")]
    fee_granter: Option<String>,
    /// A text that goes with it; at most 256 characters, for everybody to read.
    #[arg(long, global = true, default_value = "", hide_default_value = true)]
    memo: String,
    /// The last height that may include it; 0 for any.
    #[arg(long, global = true, value_name = "HEIGHT", default_value_t = 0)]
    pub(super) timeout_height: u64,
    /// Goes without a sequence, protected by its time limit alone, so that transactions need not follow each other.
    #[arg(long, global = true)]
    pub(super) unordered: bool,
    /// How long an unordered transaction stays valid.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 120, requires = "unordered",
          value_parser = clap::value_parser!(u64).range(1..=590))]
    ttl: u64,
    /// How long to wait for a block before the chain is taken to stand still.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    block_wait: u64,
    /// Simulates and prints the gas; sends nothing.
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
    /// Prints the transaction unsigned; sends nothing.
    #[arg(long, global = true, conflicts_with = "dry_run")]
    pub(super) generate_only: bool,
    /// Does not show the messages and ask before signing, as is done on a terminal for other than local networks.
    #[arg(long, short, global = true)]
    pub(super) yes: bool,
}

/// `auto`, or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gas(Option<u64>);

impl FromStr for Gas {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self(None)),
            _ => Ok(Self(Some(
                text.parse().context("expected auto or a number")?,
            ))),
        }
    }
}

/// A factor such as 1.7, kept as percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Percent(u64);

impl FromStr for Percent {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = format!("{fraction:0<2}");
        let percent = (fraction.len() == 2)
            .then(|| format!("{whole}{fraction}").parse::<u64>().ok())
            .flatten();
        match percent {
            Some(percent) if (100..=1_000).contains(&percent) => Ok(Self(percent)),
            _ => bail!("expected a factor from 1 to 10, with at most two decimals"),
        }
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl TxOptions {
    /// For the sender.
    pub(super) async fn send_options(&self, chain: &Chain) -> Result<SendOptions> {
        let gas_price = match (&self.fees, self.gas_prices) {
            (Some(_), _) => GasPrice::default(),
            (None, Some(price)) => price,
            (None, None) => minimum_price(chain).await,
        };
        if self.memo.chars().count() > 256 {
            bail!("--memo has more than 256 characters");
        }
        Ok(SendOptions {
            memo: self.memo.clone(),
            gas_price,
            fee_upokt: self.fees.as_ref().map(|fees| fees.0),
            fee_granter: self.fee_granter.clone().unwrap_or_default(),
            gas_limit: self.gas.0,
            gas_percent: self.gas_adjustment.0,
            unordered: self.unordered,
            timeout_height: self.timeout_height,
            ttl: Duration::from_secs(self.ttl),
            wait_for_funds: false,
            ..SendOptions::default()
        })
    }

    /// Longest wait for the next block.
    pub(super) fn block_wait(&self) -> Duration {
        Duration::from_secs(self.block_wait)
    }

    /// The last height to wait for.
    pub(super) fn deadline(&self, chain: &Chain) -> i64 {
        match i64::try_from(self.timeout_height) {
            Ok(height) if height > 0 => height,
            _ => chain.height().saturating_add(DEADLINE_BLOCKS),
        }
    }
}

/// What the node's mempool asks for; nothing where it does not say.
async fn minimum_price(chain: &Chain) -> GasPrice {
    let price = async {
        let method = Method::find("cosmos.base.node.v1beta1.Service", "Config")?;
        let config = call(chain, &method, &json!({}), 0).await?;
        let text = config["minimum_gas_price"].as_str().unwrap_or_default();
        // A node may take several denominations.
        let ours = text.split(',').find(|price| price.ends_with("upokt"));
        anyhow::Ok(ours.unwrap_or("0").parse::<GasPrice>()?)
    };
    price.await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the node does not say what gas costs");
        GasPrice::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_and_gas_are_read_strictly() {
        for (text, percent) in [("1", 100), ("1.7", 170), ("1.25", 125), ("10", 1_000)] {
            assert_eq!(text.parse::<Percent>().unwrap(), Percent(percent));
        }
        for text in ["", "0.9", "1.234", "11", "x", "-1", "1,5"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
        assert_eq!("auto".parse::<Gas>().unwrap(), Gas(None));
        assert_eq!("7".parse::<Gas>().unwrap(), Gas(Some(7)));
        assert!("much".parse::<Gas>().is_err());
    }
}
