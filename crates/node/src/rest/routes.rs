//! Which REST path is which gRPC method: the reference's grpc-gateway paths (chain specification 5.6), in its order.
//!
//! A path that fits two templates belongs to the first.

use Verb::{Get, Post};

/// HTTP method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Arguments come from the path and the URI's query.
    Get,
    /// The body is the request as JSON.
    Post,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// HTTP method.
    pub verb: Verb,
    /// Path with `{field}` for a segment that fills a field of the request, `{field=**}` for all that is left.
    pub template: &'static str,
    /// gRPC path.
    pub method: &'static str,
}

const fn get(template: &'static str, method: &'static str) -> Route {
    Route {
        verb: Get,
        template,
        method,
    }
}

const fn post(template: &'static str, method: &'static str) -> Route {
    Route {
        verb: Post,
        template,
        method,
    }
}

/// All routes.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    get("/pokt-network/poktroll/application/params", "/pocket.application.Query/Params"),
    get("/pokt-network/poktroll/application/application/{address}", "/pocket.application.Query/Application"),
    get("/pokt-network/poktroll/application/application", "/pocket.application.Query/AllApplications"),
    get("/pokt-network/poktroll/gateway/params", "/pocket.gateway.Query/Params"),
    get("/pokt-network/poktroll/gateway/gateway/{address}", "/pocket.gateway.Query/Gateway"),
    get("/pokt-network/poktroll/gateway/gateway", "/pocket.gateway.Query/AllGateways"),
    get("/pokt-network/poktroll/migration/params", "/pocket.migration.Query/Params"),
    get("/pokt-network/poktroll/proof/params", "/pocket.proof.Query/Params"),
    get("/pokt-network/poktroll/proof/claim/{session_id}/{supplier_operator_address}", "/pocket.proof.Query/Claim"),
    get("/pokt-network/poktroll/proof/claim", "/pocket.proof.Query/AllClaims"),
    get("/pokt-network/poktroll/proof/proof/{session_id}/{supplier_operator_address}", "/pocket.proof.Query/Proof"),
    get("/pokt-network/poktroll/proof/proof", "/pocket.proof.Query/AllProofs"),
    get("/pokt-network/poktroll/service/params", "/pocket.service.Query/Params"),
    get("/pokt-network/poktroll/service/service/{id}", "/pocket.service.Query/Service"),
    get("/pokt-network/poktroll/service/service", "/pocket.service.Query/AllServices"),
    get("/pokt-network/poktroll/service/relay_mining_difficulty/{serviceId}", "/pocket.service.Query/RelayMiningDifficulty"),
    get("/pokt-network/poktroll/service/relay_mining_difficulty", "/pocket.service.Query/RelayMiningDifficultyAll"),
    get("/pokt-network/poktroll/service/relay_mining_difficulty/{serviceId}/at_height/{blockHeight}", "/pocket.service.Query/RelayMiningDifficultyAtHeight"),
    get("/pokt-network/poktroll/service/relay_mining_difficulty/{serviceId}/history", "/pocket.service.Query/RelayMiningDifficultyHistory"),
    get("/pokt-network/poktroll/service/compute_units_per_relay/{serviceId}/at_height/{blockHeight}", "/pocket.service.Query/ComputeUnitsPerRelayAtHeight"),
    get("/pokt-network/poktroll/service/compute_units_per_relay/{serviceId}/history", "/pocket.service.Query/ComputeUnitsPerRelayHistory"),
    get("/pokt-network/poktroll/session/params", "/pocket.session.Query/Params"),
    get("/pokt-network/poktroll/session/get_session", "/pocket.session.Query/GetSession"),
    get("/pokt-network/poktroll/shared/params", "/pocket.shared.Query/Params"),
    get("/pokt-network/poktroll/shared/params/{height}", "/pocket.shared.Query/ParamsAtHeight"),
    get("/pokt-network/poktroll/supplier/params", "/pocket.supplier.Query/Params"),
    get("/pokt-network/poktroll/supplier/supplier/{operator_address}", "/pocket.supplier.Query/Supplier"),
    get("/pokt-network/poktroll/supplier/supplier", "/pocket.supplier.Query/AllSuppliers"),
    get("/pokt-network/poktroll/tokenomics/params", "/pocket.tokenomics.Query/Params"),

    get("/cosmos/auth/v1beta1/accounts", "/cosmos.auth.v1beta1.Query/Accounts"),
    get("/cosmos/auth/v1beta1/accounts/{address}", "/cosmos.auth.v1beta1.Query/Account"),
    get("/cosmos/auth/v1beta1/address_by_id/{id}", "/cosmos.auth.v1beta1.Query/AccountAddressByID"),
    get("/cosmos/auth/v1beta1/params", "/cosmos.auth.v1beta1.Query/Params"),
    get("/cosmos/auth/v1beta1/module_accounts", "/cosmos.auth.v1beta1.Query/ModuleAccounts"),
    get("/cosmos/auth/v1beta1/module_accounts/{name}", "/cosmos.auth.v1beta1.Query/ModuleAccountByName"),
    get("/cosmos/auth/v1beta1/bech32", "/cosmos.auth.v1beta1.Query/Bech32Prefix"),
    get("/cosmos/auth/v1beta1/bech32/{address_bytes}", "/cosmos.auth.v1beta1.Query/AddressBytesToString"),
    get("/cosmos/auth/v1beta1/account_info/{address}", "/cosmos.auth.v1beta1.Query/AccountInfo"),

    get("/cosmos/authz/v1beta1/grants", "/cosmos.authz.v1beta1.Query/Grants"),
    get("/cosmos/authz/v1beta1/grants/granter/{granter}", "/cosmos.authz.v1beta1.Query/GranterGrants"),
    get("/cosmos/authz/v1beta1/grants/grantee/{grantee}", "/cosmos.authz.v1beta1.Query/GranteeGrants"),

    get("/cosmos/bank/v1beta1/balances/{address}/by_denom", "/cosmos.bank.v1beta1.Query/Balance"),
    get("/cosmos/bank/v1beta1/balances/{address}", "/cosmos.bank.v1beta1.Query/AllBalances"),
    get("/cosmos/bank/v1beta1/spendable_balances/{address}", "/cosmos.bank.v1beta1.Query/SpendableBalances"),
    get("/cosmos/bank/v1beta1/spendable_balances/{address}/by_denom", "/cosmos.bank.v1beta1.Query/SpendableBalanceByDenom"),
    get("/cosmos/bank/v1beta1/supply", "/cosmos.bank.v1beta1.Query/TotalSupply"),
    get("/cosmos/bank/v1beta1/supply/by_denom", "/cosmos.bank.v1beta1.Query/SupplyOf"),
    get("/cosmos/bank/v1beta1/params", "/cosmos.bank.v1beta1.Query/Params"),
    get("/cosmos/bank/v1beta1/denoms_metadata/{denom=**}", "/cosmos.bank.v1beta1.Query/DenomMetadata"),
    get("/cosmos/bank/v1beta1/denoms_metadata_by_query_string", "/cosmos.bank.v1beta1.Query/DenomMetadataByQueryString"),
    get("/cosmos/bank/v1beta1/denoms_metadata", "/cosmos.bank.v1beta1.Query/DenomsMetadata"),
    get("/cosmos/bank/v1beta1/denom_owners/{denom=**}", "/cosmos.bank.v1beta1.Query/DenomOwners"),
    get("/cosmos/bank/v1beta1/denom_owners_by_query", "/cosmos.bank.v1beta1.Query/DenomOwnersByQuery"),
    get("/cosmos/bank/v1beta1/send_enabled", "/cosmos.bank.v1beta1.Query/SendEnabled"),

    get("/cosmos/base/node/v1beta1/config", "/cosmos.base.node.v1beta1.Service/Config"),
    get("/cosmos/base/node/v1beta1/status", "/cosmos.base.node.v1beta1.Service/Status"),
    get("/cosmos/base/tendermint/v1beta1/node_info", "/cosmos.base.tendermint.v1beta1.Service/GetNodeInfo"),
    get("/cosmos/base/tendermint/v1beta1/syncing", "/cosmos.base.tendermint.v1beta1.Service/GetSyncing"),
    get("/cosmos/base/tendermint/v1beta1/blocks/latest", "/cosmos.base.tendermint.v1beta1.Service/GetLatestBlock"),
    get("/cosmos/base/tendermint/v1beta1/blocks/{height}", "/cosmos.base.tendermint.v1beta1.Service/GetBlockByHeight"),
    get("/cosmos/base/tendermint/v1beta1/validatorsets/latest", "/cosmos.base.tendermint.v1beta1.Service/GetLatestValidatorSet"),
    get("/cosmos/base/tendermint/v1beta1/validatorsets/{height}", "/cosmos.base.tendermint.v1beta1.Service/GetValidatorSetByHeight"),
    get("/cosmos/base/tendermint/v1beta1/abci_query", "/cosmos.base.tendermint.v1beta1.Service/ABCIQuery"),

    get("/cosmos/consensus/v1/params", "/cosmos.consensus.v1.Query/Params"),

    get("/cosmos/distribution/v1beta1/params", "/cosmos.distribution.v1beta1.Query/Params"),
    get("/cosmos/distribution/v1beta1/validators/{validator_address}", "/cosmos.distribution.v1beta1.Query/ValidatorDistributionInfo"),
    get("/cosmos/distribution/v1beta1/validators/{validator_address}/outstanding_rewards", "/cosmos.distribution.v1beta1.Query/ValidatorOutstandingRewards"),
    get("/cosmos/distribution/v1beta1/validators/{validator_address}/commission", "/cosmos.distribution.v1beta1.Query/ValidatorCommission"),
    get("/cosmos/distribution/v1beta1/validators/{validator_address}/slashes", "/cosmos.distribution.v1beta1.Query/ValidatorSlashes"),
    get("/cosmos/distribution/v1beta1/delegators/{delegator_address}/rewards/{validator_address}", "/cosmos.distribution.v1beta1.Query/DelegationRewards"),
    get("/cosmos/distribution/v1beta1/delegators/{delegator_address}/rewards", "/cosmos.distribution.v1beta1.Query/DelegationTotalRewards"),
    get("/cosmos/distribution/v1beta1/delegators/{delegator_address}/validators", "/cosmos.distribution.v1beta1.Query/DelegatorValidators"),
    get("/cosmos/distribution/v1beta1/delegators/{delegator_address}/withdraw_address", "/cosmos.distribution.v1beta1.Query/DelegatorWithdrawAddress"),
    get("/cosmos/distribution/v1beta1/community_pool", "/cosmos.distribution.v1beta1.Query/CommunityPool"),

    get("/cosmos/evidence/v1beta1/evidence/{hash}", "/cosmos.evidence.v1beta1.Query/Evidence"),
    get("/cosmos/evidence/v1beta1/evidence", "/cosmos.evidence.v1beta1.Query/AllEvidence"),

    get("/cosmos/feegrant/v1beta1/allowance/{granter}/{grantee}", "/cosmos.feegrant.v1beta1.Query/Allowance"),
    get("/cosmos/feegrant/v1beta1/allowances/{grantee}", "/cosmos.feegrant.v1beta1.Query/Allowances"),
    get("/cosmos/feegrant/v1beta1/issued/{granter}", "/cosmos.feegrant.v1beta1.Query/AllowancesByGranter"),

    get("/cosmos/gov/v1/constitution", "/cosmos.gov.v1.Query/Constitution"),
    get("/cosmos/gov/v1/proposals/{proposal_id}", "/cosmos.gov.v1.Query/Proposal"),
    get("/cosmos/gov/v1/proposals", "/cosmos.gov.v1.Query/Proposals"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/votes/{voter}", "/cosmos.gov.v1.Query/Vote"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/votes", "/cosmos.gov.v1.Query/Votes"),
    get("/cosmos/gov/v1/params/{params_type}", "/cosmos.gov.v1.Query/Params"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/deposits/{depositor}", "/cosmos.gov.v1.Query/Deposit"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/deposits", "/cosmos.gov.v1.Query/Deposits"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/tally", "/cosmos.gov.v1.Query/TallyResult"),

    get("/cosmos/gov/v1beta1/proposals/{proposal_id}", "/cosmos.gov.v1beta1.Query/Proposal"),
    get("/cosmos/gov/v1beta1/proposals", "/cosmos.gov.v1beta1.Query/Proposals"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/votes/{voter}", "/cosmos.gov.v1beta1.Query/Vote"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/votes", "/cosmos.gov.v1beta1.Query/Votes"),
    get("/cosmos/gov/v1beta1/params/{params_type}", "/cosmos.gov.v1beta1.Query/Params"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/deposits/{depositor}", "/cosmos.gov.v1beta1.Query/Deposit"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/deposits", "/cosmos.gov.v1beta1.Query/Deposits"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/tally", "/cosmos.gov.v1beta1.Query/TallyResult"),

    get("/cosmos/mint/v1beta1/params", "/cosmos.mint.v1beta1.Query/Params"),
    get("/cosmos/mint/v1beta1/inflation", "/cosmos.mint.v1beta1.Query/Inflation"),
    get("/cosmos/mint/v1beta1/annual_provisions", "/cosmos.mint.v1beta1.Query/AnnualProvisions"),

    get("/cosmos/slashing/v1beta1/params", "/cosmos.slashing.v1beta1.Query/Params"),
    get("/cosmos/slashing/v1beta1/signing_infos/{cons_address}", "/cosmos.slashing.v1beta1.Query/SigningInfo"),
    get("/cosmos/slashing/v1beta1/signing_infos", "/cosmos.slashing.v1beta1.Query/SigningInfos"),

    get("/cosmos/staking/v1beta1/validators", "/cosmos.staking.v1beta1.Query/Validators"),
    get("/cosmos/staking/v1beta1/validators/{validator_addr}", "/cosmos.staking.v1beta1.Query/Validator"),
    get("/cosmos/staking/v1beta1/validators/{validator_addr}/delegations", "/cosmos.staking.v1beta1.Query/ValidatorDelegations"),
    get("/cosmos/staking/v1beta1/validators/{validator_addr}/unbonding_delegations", "/cosmos.staking.v1beta1.Query/ValidatorUnbondingDelegations"),
    get("/cosmos/staking/v1beta1/validators/{validator_addr}/delegations/{delegator_addr}", "/cosmos.staking.v1beta1.Query/Delegation"),
    get("/cosmos/staking/v1beta1/validators/{validator_addr}/delegations/{delegator_addr}/unbonding_delegation", "/cosmos.staking.v1beta1.Query/UnbondingDelegation"),
    get("/cosmos/staking/v1beta1/delegations/{delegator_addr}", "/cosmos.staking.v1beta1.Query/DelegatorDelegations"),
    get("/cosmos/staking/v1beta1/delegators/{delegator_addr}/unbonding_delegations", "/cosmos.staking.v1beta1.Query/DelegatorUnbondingDelegations"),
    get("/cosmos/staking/v1beta1/delegators/{delegator_addr}/redelegations", "/cosmos.staking.v1beta1.Query/Redelegations"),
    get("/cosmos/staking/v1beta1/delegators/{delegator_addr}/validators", "/cosmos.staking.v1beta1.Query/DelegatorValidators"),
    get("/cosmos/staking/v1beta1/delegators/{delegator_addr}/validators/{validator_addr}", "/cosmos.staking.v1beta1.Query/DelegatorValidator"),
    get("/cosmos/staking/v1beta1/historical_info/{height}", "/cosmos.staking.v1beta1.Query/HistoricalInfo"),
    get("/cosmos/staking/v1beta1/pool", "/cosmos.staking.v1beta1.Query/Pool"),
    get("/cosmos/staking/v1beta1/params", "/cosmos.staking.v1beta1.Query/Params"),

    post("/cosmos/tx/v1beta1/simulate", "/cosmos.tx.v1beta1.Service/Simulate"),
    get("/cosmos/tx/v1beta1/txs/{hash}", "/cosmos.tx.v1beta1.Service/GetTx"),
    post("/cosmos/tx/v1beta1/txs", "/cosmos.tx.v1beta1.Service/BroadcastTx"),
    get("/cosmos/tx/v1beta1/txs", "/cosmos.tx.v1beta1.Service/GetTxsEvent"),
    get("/cosmos/tx/v1beta1/txs/block/{height}", "/cosmos.tx.v1beta1.Service/GetBlockWithTxs"),
    post("/cosmos/tx/v1beta1/decode", "/cosmos.tx.v1beta1.Service/TxDecode"),
    post("/cosmos/tx/v1beta1/encode", "/cosmos.tx.v1beta1.Service/TxEncode"),
    post("/cosmos/tx/v1beta1/encode/amino", "/cosmos.tx.v1beta1.Service/TxEncodeAmino"),
    post("/cosmos/tx/v1beta1/decode/amino", "/cosmos.tx.v1beta1.Service/TxDecodeAmino"),

    get("/cosmos/upgrade/v1beta1/current_plan", "/cosmos.upgrade.v1beta1.Query/CurrentPlan"),
    get("/cosmos/upgrade/v1beta1/applied_plan/{name}", "/cosmos.upgrade.v1beta1.Query/AppliedPlan"),
    get("/cosmos/upgrade/v1beta1/upgraded_consensus_state/{last_height}", "/cosmos.upgrade.v1beta1.Query/UpgradedConsensusState"),
    get("/cosmos/upgrade/v1beta1/module_versions", "/cosmos.upgrade.v1beta1.Query/ModuleVersions"),
    get("/cosmos/upgrade/v1beta1/authority", "/cosmos.upgrade.v1beta1.Query/Authority"),
];

/// The values that a path gives to the fields of a template; `None` when it does not fit. A value may be empty.
pub(super) fn fit<'a>(
    template: &'static str,
    segments: &[&'a str],
) -> Option<Vec<(&'static str, String)>> {
    let mut values = Vec::new();
    let mut parts = template.split('/').skip(1);
    let mut rest = segments;
    for part in parts.by_ref() {
        let field = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        if let Some(name) = field.and_then(|field| field.strip_suffix("=**")) {
            values.push((name, rest.join("/")));
            return (!rest.is_empty()).then_some(values);
        }
        let (first, after): (&&'a str, _) = rest.split_first()?;
        match field {
            Some(name) => values.push((name, (*first).to_owned())),
            None if *first == part => {}
            _ => return None,
        }
        rest = after;
    }
    rest.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fills_the_fields_of_its_template() {
        let split = |path: &'static str| path.split('/').skip(1).collect::<Vec<_>>();
        let value = |name, value: &str| (name, value.to_owned());
        let fitted = fit("/a/{x}/b/{y}", &split("/a/1/b/2"));
        assert_eq!(fitted, Some(vec![value("x", "1"), value("y", "2")]));
        for path in ["/a/1/b", "/a/1/b/2/3", "/a/1/c/2"] {
            assert_eq!(fit("/a/{x}/b/{y}", &split(path)), None, "{path}");
        }
        let fitted = fit("/a/{x}/b/{y}", &split("/a/1/b/"));
        assert_eq!(fitted, Some(vec![value("x", "1"), value("y", "")]));
        let rest = fit("/a/{x=**}", &split("/a/ibc/27"));
        assert_eq!(rest, Some(vec![value("x", "ibc/27")]));
        assert_eq!(fit("/a/{x=**}", &split("/a")), None);
    }
}
