//! `upgrade`: which version of each module runs. A new version of relaymill brings its own; nothing is planned on chain.

use proto::cosmos::upgrade::v1beta1::{
    ModuleVersion, QueryAppliedPlanRequest, QueryAppliedPlanResponse, QueryAuthorityResponse,
    QueryCurrentPlanResponse, QueryModuleVersionsRequest, QueryModuleVersionsResponse,
    QueryUpgradedConsensusStateResponse,
};

use crate::error::QueryError;
use crate::message::answer;
use crate::modules::shared::authority;
use crate::router::decode_request;
use crate::sdk;

/// Modules of the reference and the versions of their state, by name, as it answers at v0.1.35.
const VERSIONS: &[(&str, u64)] = &[
    ("application", 1),
    ("auth", 5),
    ("authz", 2),
    ("bank", 4),
    ("circuit", 1),
    ("consensus", 1),
    ("crisis", 2),
    ("distribution", 3),
    ("evidence", 1),
    ("feegrant", 2),
    ("gateway", 1),
    ("genutil", 1),
    ("gov", 5),
    ("group", 2),
    ("migration", 1),
    ("mint", 2),
    ("params", 1),
    ("proof", 1),
    ("runtime", 0),
    ("service", 1),
    ("session", 1),
    ("shared", 1),
    ("slashing", 4),
    ("staking", 5),
    ("supplier", 1),
    ("tokenomics", 1),
    ("upgrade", 2),
    ("vesting", 1),
];

/// Answers a method of `cosmos.upgrade.v1beta1.Query`. `None` for methods it does not have.
pub fn query(method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "CurrentPlan" => Ok(answer(&QueryCurrentPlanResponse { plan: None })),
        "AppliedPlan" => decode_request::<QueryAppliedPlanRequest>(data)
            .map(|_| answer(&QueryAppliedPlanResponse { height: 0 })),
        "UpgradedConsensusState" => Ok(answer(&QueryUpgradedConsensusStateResponse::default())),
        "ModuleVersions" => module_versions(data),
        "Authority" => Ok(answer(&QueryAuthorityResponse {
            address: authority::gov().to_bech32(),
        })),
        _ => return None,
    })
}

fn module_versions(data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryModuleVersionsRequest = decode_request(data)?;
    let wanted = request.module_name.as_str();
    let module_versions: Vec<ModuleVersion> = VERSIONS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || *name == wanted)
        .map(|(name, version)| ModuleVersion {
            name: (*name).to_owned(),
            version: *version,
        })
        .collect();
    if module_versions.is_empty() {
        let detail = format!("x/upgrade: QueryModuleVersions module {wanted} not found");
        return Err(QueryError::registered(
            sdk::CODESPACE,
            sdk::NOT_FOUND,
            "not found",
            &detail,
        ));
    }
    Ok(answer(&QueryModuleVersionsResponse { module_versions }))
}
