//! Queries: any gRPC method by its path, at any kept height, from any thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use prost::Message;
use proto::cosmos::base::abci::v1beta1::{GasInfo, Result as TxResult};
use proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse, TxRaw};
use serde_json::{Map, Value};
use tendermint_proto::v0_38::abci::{RequestQuery, ResponseQuery};

use crate::app::CheckState;
use crate::context::{BlockInfo, Context, Mode};
use crate::error::{ChainError, GrpcCode, HeightError, QueryError, TxError};
use crate::genesis;
use crate::helpers::Helpers;
use crate::limits::{QUERY_ROWS_MAX, SIMULATE_GAS_MAX};
use crate::prices;
use crate::router::{self, decode_request};
use crate::rules::Rules;
use crate::store::{Disk, Layered};
use crate::tx::{Gas, GasPrice, Outcome, panic_text, run};
use crate::{APP_NAME, APP_VERSION, sdk};

/// Path of the one method that runs a transaction.
const SIMULATE: &str = "/cosmos.tx.v1beta1.Service/Simulate";

/// An answer and the height it is true at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer {
    /// Encoded response.
    pub value: Vec<u8>,
    /// Height of the state.
    pub height: i64,
}

/// What a transaction would do.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Gas it would consume.
    pub gas_used: u64,
    /// The encoded `SimulateResponse`.
    pub response: Vec<u8>,
}

/// Answers queries. Clones are cheap and independent of the application's progress.
#[derive(Clone, Debug)]
pub struct Reader {
    disk: Disk,
    check: Arc<RwLock<CheckState>>,
    helpers: Helpers,
}

impl Reader {
    pub(super) fn new(disk: Disk, check: Arc<RwLock<CheckState>>, helpers: Helpers) -> Self {
        Self {
            disk,
            check,
            helpers,
        }
    }

    /// Last committed height; `None` before the first block.
    ///
    /// # Errors
    /// When the store fails.
    pub fn latest_height(&self) -> Result<Option<i64>, ChainError> {
        Ok(self.disk.last()?.map(|last| last.block.height))
    }

    /// The last committed block and the root after it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn latest_block(&self) -> Result<Option<(BlockInfo, [u8; 32])>, ChainError> {
        Ok(self.disk.last()?.map(|last| (last.block, last.root)))
    }

    /// Runs `f` on the state of a height; none or 0 is the latest.
    ///
    /// # Errors
    /// [`ChainError::Height`] for a height that is not kept; the store's; those of `f`.
    pub fn at<T, E: From<ChainError>>(
        &self,
        height: Option<i64>,
        f: impl FnOnce(&Context) -> Result<T, E>,
    ) -> Result<T, E> {
        self.limited(height, None, f)
    }

    /// The same, reading at most `rows` values.
    fn limited<T, E: From<ChainError>>(
        &self,
        height: Option<i64>,
        rows: Option<u64>,
        f: impl FnOnce(&Context) -> Result<T, E>,
    ) -> Result<T, E> {
        let height = match height {
            None | Some(0) => self
                .latest_height()?
                .ok_or(ChainError::Height(HeightError::NotReady { app: APP_NAME }))?,
            Some(height) => height,
        };
        let block = self.disk.at(height)?.block;
        let view = self.disk.snapshot(height)?;
        let mut ctx = Context::new(&view, block, Rules::reference(), Mode::Query)
            .with_helpers(self.helpers.clone());
        ctx.rules = genesis::read_rules(&ctx)?;
        if let Some(rows) = rows {
            ctx = ctx.with_row_limit(rows);
        }
        f(&ctx)
    }

    /// Answers a gRPC method by its path, such as `/pocket.session.Query/GetSession`, at a height or the latest.
    ///
    /// # Errors
    /// The status that a gRPC server answers.
    pub fn query(
        &self,
        path: &str,
        data: &[u8],
        height: Option<i64>,
    ) -> Result<QueryAnswer, QueryError> {
        if path == SIMULATE {
            let request: SimulateRequest = decode_request(data)?;
            let bytes = simulated_bytes(request)?;
            let simulation = self.simulate(&bytes)?;
            let height = self.latest_height()?.unwrap_or(0);
            return Ok(QueryAnswer {
                value: simulation.response,
                height,
            });
        }
        self.limited(height, Some(QUERY_ROWS_MAX), |ctx| {
            // A query that panics is a bug that must not take its caller along.
            let answer = catch_unwind(AssertUnwindSafe(|| router::query(ctx, path, data)));
            let value = answer.unwrap_or_else(|panic| {
                Err(QueryError::internal(format!(
                    "panic: {}",
                    panic_text(panic.as_ref())
                )))
            })?;
            Ok(QueryAnswer {
                value,
                height: ctx.block.height,
            })
        })
    }

    /// Tries out a transaction above the mempool's: signatures are not verified, nothing is kept. It may use as much gas
    /// as a transaction of a block.
    ///
    /// # Errors
    /// Unknown, with the log that the transaction would have and the gas it used.
    pub fn simulate(&self, bytes: &[u8]) -> Result<Simulation, QueryError> {
        if bytes.is_empty() {
            return Err(QueryError::invalid_argument("invalid empty tx"));
        }
        let outcome = self.try_out(bytes)?;
        let gas_used = outcome.gas_used;
        let response = simulated(outcome).map_err(|error| {
            QueryError::failed_status(format!("{error} with gas used: '{gas_used}'"))
        })?;
        Ok(Simulation {
            gas_used,
            response: response.encode_to_vec(),
        })
    }

    /// The ABCI form of a simulation: its answer is JSON, and its error has the transaction's own code.
    fn simulate_as_json(&self, request: &RequestQuery) -> Result<QueryAnswer, QueryError> {
        if request.data.is_empty() {
            let text = "failed to simulate tx: must contain at least one message: invalid request";
            return Err(QueryError::unknown(text));
        }
        let response = simulated(self.try_out(&request.data)?).map_err(|error| QueryError {
            grpc: GrpcCode::Unknown,
            code: error.code,
            message: format!("failed to simulate tx: {error}"),
            codespace: error.codespace,
        })?;
        let json = proto::json::to_json(&response);
        let json = json.map_err(|error| QueryError::internal(error.to_string()))?;
        Ok(QueryAnswer {
            value: json.into_bytes(),
            height: request.height,
        })
    }

    fn try_out(&self, bytes: &[u8]) -> Result<Outcome, QueryError> {
        let check = self.check.read().unwrap_or_else(PoisonError::into_inner);
        let view = Layered::new(&check.view, &check.changes);
        let mut ctx = Context::new(&view, check.block.clone(), check.rules, Mode::Simulate)
            .with_helpers(self.helpers.clone());
        let max = prices::tx_gas_max(&ctx)?.unwrap_or(SIMULATE_GAS_MAX);
        let price = GasPrice::ZERO;
        Ok(run(&mut ctx, bytes, price, Some(max), Gas::Enforced))
    }

    /// The whole state of a height as a genesis document's `app_state`.
    ///
    /// # Errors
    /// As [`Reader::at`].
    pub fn export(&self, height: Option<i64>) -> Result<Map<String, Value>, ChainError> {
        self.at(height, genesis::export_state)
    }

    /// The ABCI form of a query: gRPC paths, and `/app/version` and `/app/simulate`.
    pub fn abci_query(&self, request: &RequestQuery) -> ResponseQuery {
        let answer = match request.path.as_str() {
            "" => Err(QueryError::status(
                GrpcCode::Unimplemented,
                "no query path provided: unknown request",
            )),
            "/app/version" => {
                let height = match request.height {
                    0 => self.latest_height().ok().flatten().unwrap_or(0),
                    asked => asked,
                };
                let value = APP_VERSION.trim_start_matches('v').into();
                Ok(QueryAnswer { value, height })
            }
            // Whoever asks whether a peer may connect: the application has nothing against it.
            path if path.starts_with("/p2p/filter/") => return ResponseQuery::default(),
            "/app/simulate" => self.simulate_as_json(request),
            path => self.query(path, &request.data, Some(request.height)),
        };
        match answer {
            Ok(answer) => ResponseQuery {
                value: answer.value.into(),
                height: answer.height,
                codespace: if request.path.starts_with("/app/") {
                    sdk::CODESPACE.to_owned()
                } else {
                    String::new()
                },
                ..Default::default()
            },
            Err(error) => ResponseQuery {
                code: error.code,
                log: error.log(),
                codespace: error.codespace.into_owned(),
                ..Default::default()
            },
        }
    }
}

/// What a transaction did when it was tried out.
fn simulated(outcome: Outcome) -> Result<SimulateResponse, TxError> {
    let data = outcome.result?;
    let events = outcome.events.into_iter().map(|mut event| {
        for attribute in &mut event.attributes {
            attribute.index = false;
        }
        event
    });
    Ok(SimulateResponse {
        gas_info: Some(GasInfo {
            gas_wanted: outcome.gas_wanted,
            gas_used: outcome.gas_used,
        }),
        result: Some(TxResult {
            data: data.encode_to_vec().into(),
            events: events.collect(),
            msg_responses: data.msg_responses,
            ..Default::default()
        }),
    })
}

/// The transaction in a request: its bytes, or the older form put together.
fn simulated_bytes(request: SimulateRequest) -> Result<Vec<u8>, QueryError> {
    if !request.tx_bytes.is_empty() {
        return Ok(request.tx_bytes.to_vec());
    }
    let tx = request
        .tx
        .ok_or_else(|| QueryError::invalid_argument("empty txBytes is not allowed"))?;
    let encode = |message: Option<Vec<u8>>| message.unwrap_or_default().into();
    let raw = TxRaw {
        body_bytes: encode(tx.body.map(|body| body.encode_to_vec())),
        auth_info_bytes: encode(tx.auth_info.map(|info| info.encode_to_vec())),
        signatures: tx.signatures,
    };
    Ok(raw.encode_to_vec())
}
