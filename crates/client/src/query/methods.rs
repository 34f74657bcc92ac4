//! The gRPC methods asked, each with what it takes and answers.

use proto::cosmos::{auth::v1beta1 as auth, bank::v1beta1 as bank, tx::v1beta1 as tx};
use proto::pocket::{application, gateway, proof, service, session, shared, supplier, tokenomics};

use crate::grpc::Method;
#[cfg(test)]
use crate::grpc::Row;

/// Names each method once; the list of all is for the test against the descriptors.
macro_rules! methods {
    ($($name:ident = $path:literal: $request:ty => $answer:ty;)*) => {
        $(pub(crate) const $name: Method<$request, $answer> = Method::new($path);)*

        #[cfg(test)]
        pub(crate) fn all() -> Vec<Row> {
            vec![$(Row::from(&$name)),*]
        }
    };
}

methods! {
    SHARED_PARAMS = "/pocket.shared.Query/Params":
        shared::QueryParamsRequest => shared::QueryParamsResponse;
    SHARED_PARAMS_AT = "/pocket.shared.Query/ParamsAtHeight":
        shared::QueryParamsAtHeightRequest => shared::QueryParamsAtHeightResponse;
    SESSION_PARAMS = "/pocket.session.Query/Params":
        session::QueryParamsRequest => session::QueryParamsResponse;
    GET_SESSION = "/pocket.session.Query/GetSession":
        session::QueryGetSessionRequest => session::QueryGetSessionResponse;
    APPLICATION_PARAMS = "/pocket.application.Query/Params":
        application::QueryParamsRequest => application::QueryParamsResponse;
    APPLICATION = "/pocket.application.Query/Application":
        application::QueryGetApplicationRequest => application::QueryGetApplicationResponse;
    ALL_APPLICATIONS = "/pocket.application.Query/AllApplications":
        application::QueryAllApplicationsRequest => application::QueryAllApplicationsResponse;
    SUPPLIER_PARAMS = "/pocket.supplier.Query/Params":
        supplier::QueryParamsRequest => supplier::QueryParamsResponse;
    SUPPLIER = "/pocket.supplier.Query/Supplier":
        supplier::QueryGetSupplierRequest => supplier::QueryGetSupplierResponse;
    ALL_SUPPLIERS = "/pocket.supplier.Query/AllSuppliers":
        supplier::QueryAllSuppliersRequest => supplier::QueryAllSuppliersResponse;
    SERVICE_PARAMS = "/pocket.service.Query/Params":
        service::QueryParamsRequest => service::QueryParamsResponse;
    SERVICE = "/pocket.service.Query/Service":
        service::QueryGetServiceRequest => service::QueryGetServiceResponse;
    ALL_SERVICES = "/pocket.service.Query/AllServices":
        service::QueryAllServicesRequest => service::QueryAllServicesResponse;
    DIFFICULTY_AT = "/pocket.service.Query/RelayMiningDifficultyAtHeight":
        service::QueryGetRelayMiningDifficultyAtHeightRequest
            => service::QueryGetRelayMiningDifficultyAtHeightResponse;
    COMPUTE_UNITS_AT = "/pocket.service.Query/ComputeUnitsPerRelayAtHeight":
        service::QueryComputeUnitsPerRelayAtHeightRequest
            => service::QueryComputeUnitsPerRelayAtHeightResponse;
    GATEWAY_PARAMS = "/pocket.gateway.Query/Params":
        gateway::QueryParamsRequest => gateway::QueryParamsResponse;
    GATEWAY = "/pocket.gateway.Query/Gateway":
        gateway::QueryGetGatewayRequest => gateway::QueryGetGatewayResponse;
    ALL_GATEWAYS = "/pocket.gateway.Query/AllGateways":
        gateway::QueryAllGatewaysRequest => gateway::QueryAllGatewaysResponse;
    PROOF_PARAMS = "/pocket.proof.Query/Params":
        proof::QueryParamsRequest => proof::QueryParamsResponse;
    CLAIM = "/pocket.proof.Query/Claim":
        proof::QueryGetClaimRequest => proof::QueryGetClaimResponse;
    ALL_CLAIMS = "/pocket.proof.Query/AllClaims":
        proof::QueryAllClaimsRequest => proof::QueryAllClaimsResponse;
    TOKENOMICS_PARAMS = "/pocket.tokenomics.Query/Params":
        tokenomics::QueryParamsRequest => tokenomics::QueryParamsResponse;
    ACCOUNT = "/cosmos.auth.v1beta1.Query/Account":
        auth::QueryAccountRequest => auth::QueryAccountResponse;
    BALANCE = "/cosmos.bank.v1beta1.Query/Balance":
        bank::QueryBalanceRequest => bank::QueryBalanceResponse;
    SIMULATE = "/cosmos.tx.v1beta1.Service/Simulate":
        tx::SimulateRequest => tx::SimulateResponse;
    BROADCAST = "/cosmos.tx.v1beta1.Service/BroadcastTx":
        tx::BroadcastTxRequest => tx::BroadcastTxResponse;
}
