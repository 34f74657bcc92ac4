//! Which module answers what, and in which order the phases of a block run (chain specification 3.1).

use crate::context::Context;
use crate::error::{ChainError, GrpcCode, QueryError, TxError};
use crate::modules::{
    application, gateway, migration, proof, service, session, shared, supplier, tokenomics,
};
use crate::{
    auth, authz, bank, consensus, distribution, evidence, feegrant, gov, mint, slashing, staking,
    upgrade, vesting,
};

/// A step of a block: the module's name and what it runs.
pub type Step = (&'static str, fn(&mut Context) -> Result<(), ChainError>);

/// Before BeginBlock.
pub const PRE_BLOCK: &[Step] = &[("auth", auth::unordered::expire)];

/// Before the transactions.
pub const BEGIN_BLOCK: &[Step] = &[
    ("mint", mint::begin_block),
    ("distribution", distribution::begin_block),
    ("slashing", slashing::begin_block),
    ("evidence", evidence::begin_block),
    ("staking", staking::begin_block),
    ("authz", authz::begin_block),
    ("service", service::begin_block),
    ("gateway", gateway::begin_block),
    ("application", application::begin_block),
    ("supplier", supplier::begin_block),
    ("session", session::begin_block),
    ("proof", proof::begin_block),
    ("tokenomics", tokenomics::begin_block),
    ("shared", shared::begin_block),
];

/// After the transactions.
pub const END_BLOCK: &[Step] = &[
    ("staking", staking::end_block),
    ("feegrant", feegrant::end_block),
    ("service", service::end_block),
    ("session", session::end_block),
    ("proof", proof::end_block),
    ("tokenomics", tokenomics::end_block),
    ("gateway", gateway::end_block),
    ("application", application::end_block),
    ("supplier", supplier::end_block),
    ("shared", shared::end_block),
];

/// Executes a message; the answer is the encoded response. `None` for a type that no module has.
pub fn execute(
    ctx: &mut Context,
    type_name: &str,
    value: &[u8],
) -> Option<Result<Vec<u8>, TxError>> {
    match package(type_name) {
        "cosmos.auth.v1beta1" => auth::msg::execute(ctx, type_name, value),
        "cosmos.authz.v1beta1" => authz::execute(ctx, type_name, value),
        "cosmos.bank.v1beta1" => bank::msg::execute(ctx, type_name, value),
        "cosmos.consensus.v1" => consensus::execute(ctx, type_name, value),
        "cosmos.feegrant.v1beta1" => feegrant::execute(ctx, type_name, value),
        "cosmos.distribution.v1beta1" => distribution::execute(ctx, type_name, value),
        "cosmos.evidence.v1beta1" => evidence::execute(ctx, type_name, value),
        "cosmos.mint.v1beta1" => mint::execute(ctx, type_name, value),
        "cosmos.slashing.v1beta1" => slashing::execute(ctx, type_name, value),
        "cosmos.staking.v1beta1" => staking::execute(ctx, type_name, value),
        "cosmos.vesting.v1beta1" => vesting::execute(ctx, type_name, value),
        "pocket.application" => application::execute(ctx, type_name, value),
        "pocket.gateway" => gateway::execute(ctx, type_name, value),
        "pocket.proof" => proof::execute(ctx, type_name, value),
        "pocket.service" => service::execute(ctx, type_name, value),
        "pocket.session" => session::execute(ctx, type_name, value),
        "pocket.shared" => shared::execute(ctx, type_name, value),
        "pocket.supplier" => supplier::execute(ctx, type_name, value),
        "pocket.tokenomics" => tokenomics::execute(ctx, type_name, value),
        _ => None,
    }
}

/// Checks a message without state. `None` for a type that no module has.
pub fn check(type_name: &str, value: &[u8]) -> Option<Result<(), TxError>> {
    match package(type_name) {
        "cosmos.auth.v1beta1" => auth::msg::check(type_name, value),
        "cosmos.authz.v1beta1" => authz::check(type_name, value),
        "cosmos.bank.v1beta1" => bank::msg::check(type_name, value),
        "cosmos.consensus.v1" => consensus::check(type_name, value),
        "cosmos.feegrant.v1beta1" => feegrant::check(type_name, value),
        "cosmos.distribution.v1beta1" => distribution::check(type_name, value),
        "cosmos.evidence.v1beta1" => evidence::check(type_name, value),
        "cosmos.mint.v1beta1" => mint::check(type_name, value),
        "cosmos.slashing.v1beta1" => slashing::check(type_name, value),
        "cosmos.staking.v1beta1" => staking::check(type_name, value),
        "cosmos.vesting.v1beta1" => vesting::check(type_name, value),
        "pocket.application" => application::check(type_name, value),
        "pocket.gateway" => gateway::check(type_name, value),
        "pocket.proof" => proof::check(type_name, value),
        "pocket.service" => service::check(type_name, value),
        "pocket.session" => session::check(type_name, value),
        "pocket.shared" => shared::check(type_name, value),
        "pocket.supplier" => supplier::check(type_name, value),
        "pocket.tokenomics" => tokenomics::check(type_name, value),
        _ => None,
    }
}

/// Who must sign a message, as written in it. `None` for a type that no module has.
pub fn signers(type_name: &str, value: &[u8]) -> Option<Result<Vec<String>, TxError>> {
    match package(type_name) {
        "cosmos.auth.v1beta1" => auth::msg::signers(type_name, value),
        "cosmos.authz.v1beta1" => authz::signers(type_name, value),
        "cosmos.bank.v1beta1" => bank::msg::signers(type_name, value),
        "cosmos.consensus.v1" => consensus::signers(type_name, value),
        "cosmos.feegrant.v1beta1" => feegrant::signers(type_name, value),
        "cosmos.distribution.v1beta1" => distribution::signers(type_name, value),
        "cosmos.evidence.v1beta1" => evidence::signers(type_name, value),
        "cosmos.mint.v1beta1" => mint::signers(type_name, value),
        "cosmos.slashing.v1beta1" => slashing::signers(type_name, value),
        "cosmos.staking.v1beta1" => staking::signers(type_name, value),
        "cosmos.vesting.v1beta1" => vesting::signers(type_name, value),
        "pocket.application" => application::signers(type_name, value),
        "pocket.gateway" => gateway::signers(type_name, value),
        "pocket.proof" => proof::signers(type_name, value),
        "pocket.service" => service::signers(type_name, value),
        "pocket.session" => session::signers(type_name, value),
        "pocket.shared" => shared::signers(type_name, value),
        "pocket.supplier" => supplier::signers(type_name, value),
        "pocket.tokenomics" => tokenomics::signers(type_name, value),
        _ => None,
    }
}

/// Whether a module handles messages of a type.
pub fn handles(type_name: &str) -> bool {
    signers(type_name, &[]).is_some()
}

/// Answers a gRPC method by its path, `/package.Service/Method`.
///
/// # Errors
/// The module's, or Unimplemented for a path that no module has.
pub fn query(ctx: &Context, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let (service_name, method) = path
        .strip_prefix('/')
        .and_then(|path| path.split_once('/'))
        .unwrap_or((path, ""));
    let answer = match service_name {
        "cosmos.auth.v1beta1.Query" => auth::query::query(ctx, method, data),
        "cosmos.authz.v1beta1.Query" => authz::query::query(ctx, method, data),
        "cosmos.bank.v1beta1.Query" => bank::query::query(ctx, method, data),
        "cosmos.consensus.v1.Query" => consensus::query(ctx, method, data),
        "cosmos.feegrant.v1beta1.Query" => feegrant::query::query(ctx, method, data),
        "cosmos.gov.v1.Query" => gov::query(ctx, method, data),
        "cosmos.gov.v1beta1.Query" => gov::legacy::query(ctx, method, data),
        "cosmos.upgrade.v1beta1.Query" => upgrade::query(method, data),
        "cosmos.distribution.v1beta1.Query" => distribution::query(ctx, method, data),
        "cosmos.evidence.v1beta1.Query" => evidence::query(ctx, method, data),
        "cosmos.mint.v1beta1.Query" => mint::query(ctx, method, data),
        "cosmos.slashing.v1beta1.Query" => slashing::query(ctx, method, data),
        "cosmos.staking.v1beta1.Query" => staking::query(ctx, method, data),
        "pocket.application.Query" => application::query(ctx, method, data),
        "pocket.gateway.Query" => gateway::query(ctx, method, data),
        "pocket.migration.Query" => migration::query(ctx, method),
        "pocket.proof.Query" => proof::query(ctx, method, data),
        "pocket.service.Query" => service::query(ctx, method, data),
        "pocket.session.Query" => session::query(ctx, method, data),
        "pocket.shared.Query" => shared::query(ctx, method, data),
        "pocket.supplier.Query" => supplier::query(ctx, method, data),
        "pocket.tokenomics.Query" => tokenomics::query(ctx, method, data),
        _ => None,
    };
    let answer = answer.ok_or_else(|| unknown_path(path))??;
    // A request without fields was read by nobody yet.
    decode_request::<()>(data).map(|()| answer)
}

/// The answer to a path that nothing serves.
pub fn unknown_path(path: &str) -> QueryError {
    QueryError::status(
        GrpcCode::Unimplemented,
        format!("unknown query path {path}: unknown request"),
    )
}

/// The package of a full name: `pocket.proof` of `pocket.proof.MsgCreateClaim`.
pub fn package(type_name: &str) -> &str {
    type_name
        .rsplit_once('.')
        .map_or("", |(package, _)| package)
}

/// Decodes a query's request; unknown fields are ignored.
///
/// # Errors
/// Internal, as a gRPC server answers bytes that it cannot read.
pub fn decode_request<M: prost::Message + Default>(data: &[u8]) -> Result<M, QueryError> {
    M::decode(data).map_err(|error| QueryError {
        code: crate::sdk::INVALID_REQUEST,
        ..QueryError::internal(format!("grpc: error unmarshalling request: {error}"))
    })
}
