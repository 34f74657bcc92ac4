//! `relaymill query`: what the chain says, as JSON.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use client::Chain;
use serde_json::Value;

use super::{NodeArgs, relay};

#[derive(Args, Debug)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// State at this height instead of the latest.
    #[arg(long, global = true, default_value_t = 0)]
    height: i64,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Follows an answer from its request id to the coins.
    Relay {
        /// The `x-request-id` of the answer.
        request_id: String,
    },
    /// Height, time and identity of the node.
    Status,
    /// The parameters of a module, e.g. shared.
    Params {
        /// application, gateway, proof, service, session, shared, supplier or tokenomics.
        module: String,
    },
    /// An application.
    Application {
        /// Its address.
        address: String,
    },
    /// A gateway.
    Gateway {
        /// Its address.
        address: String,
    },
    /// A supplier.
    Supplier {
        /// Its operator address.
        operator: String,
    },
    /// A service.
    Service {
        /// Its id.
        id: String,
    },
    /// The session of an application and a service.
    Session {
        /// Address of the application.
        application: String,
        /// Service id.
        service: String,
    },
    /// A claim that is not settled yet.
    Claim {
        /// Session id.
        session_id: String,
        /// Operator address.
        supplier: String,
    },
    /// All claims that are not settled yet.
    Claims,
    /// Balances of an account.
    Balances {
        /// Its address.
        address: String,
    },
    /// An account: number, sequence, public key.
    Account {
        /// Its address.
        address: String,
    },
}

/// Asks and prints.
pub(crate) async fn run(args: QueryArgs, tasks: &net::Tasks) -> Result<()> {
    let chain = args.node.connect(tasks).await?;
    let json = match &args.what {
        What::Relay { request_id } => return relay::run(&args.node, &chain, request_id).await,
        What::Status => serde_json::json!({
            "chain_id": chain.chain_id(),
            "height": chain.height().to_string(),
        }),
        what => {
            let (service, method, request) = call(what);
            grpc(&chain, &service, method, &request, args.height).await?
        }
    };
    args.node.print(&json)
}

/// Service, method and request of a query.
fn call(what: &What) -> (String, &'static str, Value) {
    let pocket = |module: &str| format!("pocket.{module}.Query");
    match what {
        What::Params { module } => (pocket(module), "Params", serde_json::json!({})),
        What::Application { address } => (
            pocket("application"),
            "Application",
            serde_json::json!({ "address": address }),
        ),
        What::Gateway { address } => (
            pocket("gateway"),
            "Gateway",
            serde_json::json!({ "address": address }),
        ),
        What::Supplier { operator } => (
            pocket("supplier"),
            "Supplier",
            serde_json::json!({ "operator_address": operator }),
        ),
        What::Service { id } => (
            pocket("service"),
            "Service",
            serde_json::json!({ "id": id }),
        ),
        What::Session {
            application,
            service,
        } => (
            pocket("session"),
            "GetSession",
            serde_json::json!({ "application_address": application, "service_id": service }),
        ),
        What::Claim {
            session_id,
            supplier,
        } => (
            pocket("proof"),
            "Claim",
            serde_json::json!({ "session_id": session_id, "supplier_operator_address": supplier }),
        ),
        What::Claims => (pocket("proof"), "AllClaims", serde_json::json!({})),
        What::Balances { address } => (
            "cosmos.bank.v1beta1.Query".to_owned(),
            "AllBalances",
            serde_json::json!({ "address": address }),
        ),
        What::Account { address } => (
            "cosmos.auth.v1beta1.Query".to_owned(),
            "Account",
            serde_json::json!({ "address": address }),
        ),
        What::Relay { .. } | What::Status => (String::new(), "", Value::Null),
    }
}

/// Calls any unary method with a JSON request and gives its answer as JSON.
async fn grpc(
    chain: &Chain,
    service: &str,
    method: &str,
    request: &Value,
    height: i64,
) -> Result<Value> {
    let descriptor = proto::descriptor_pool().get_service_by_name(service);
    let found =
        descriptor.and_then(|service| service.methods().find(|found| found.name() == method));
    let Some(found) = found else {
        bail!("there is no query {service}/{method}")
    };
    let bytes = proto::json::json_to_bytes(found.input().full_name(), request)?;
    let path = format!("/{service}/{method}");
    let answer = chain.rpc().abci_query(&path, &bytes, height).await?;
    if answer.code != 0 {
        bail!("{} ({} {})", answer.log, answer.codespace, answer.code);
    }
    Ok(serde_json::from_str(&proto::json::bytes_to_json(
        found.output().full_name(),
        &answer.value,
    )?)?)
}
