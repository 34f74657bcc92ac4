//! Messages that the reference's application handles and this chain does not: a grant for them can be given, as any other.

/// Their full names, ascending. Facts of poktroll v0.1.35, asked of its application one by one.
const MESSAGES: &[&str] = &[
    "cosmos.circuit.v1.MsgAuthorizeCircuitBreaker",
    "cosmos.circuit.v1.MsgResetCircuitBreaker",
    "cosmos.circuit.v1.MsgTripCircuitBreaker",
    "cosmos.crisis.v1beta1.MsgUpdateParams",
    "cosmos.crisis.v1beta1.MsgVerifyInvariant",
    "cosmos.gov.v1.MsgCancelProposal",
    "cosmos.gov.v1.MsgDeposit",
    "cosmos.gov.v1.MsgExecLegacyContent",
    "cosmos.gov.v1.MsgSubmitProposal",
    "cosmos.gov.v1.MsgUpdateParams",
    "cosmos.gov.v1.MsgVote",
    "cosmos.gov.v1.MsgVoteWeighted",
    "cosmos.gov.v1beta1.MsgDeposit",
    "cosmos.gov.v1beta1.MsgSubmitProposal",
    "cosmos.gov.v1beta1.MsgVote",
    "cosmos.gov.v1beta1.MsgVoteWeighted",
    "cosmos.group.v1.MsgCreateGroup",
    "cosmos.group.v1.MsgCreateGroupPolicy",
    "cosmos.group.v1.MsgCreateGroupWithPolicy",
    "cosmos.group.v1.MsgExec",
    "cosmos.group.v1.MsgLeaveGroup",
    "cosmos.group.v1.MsgSubmitProposal",
    "cosmos.group.v1.MsgUpdateGroupAdmin",
    "cosmos.group.v1.MsgUpdateGroupMembers",
    "cosmos.group.v1.MsgUpdateGroupMetadata",
    "cosmos.group.v1.MsgUpdateGroupPolicyAdmin",
    "cosmos.group.v1.MsgUpdateGroupPolicyDecisionPolicy",
    "cosmos.group.v1.MsgUpdateGroupPolicyMetadata",
    "cosmos.group.v1.MsgVote",
    "cosmos.group.v1.MsgWithdrawProposal",
    "cosmos.upgrade.v1beta1.MsgCancelUpgrade",
    "cosmos.upgrade.v1beta1.MsgSoftwareUpgrade",
    "ibc.applications.fee.v1.MsgPayPacketFee",
    "ibc.applications.fee.v1.MsgPayPacketFeeAsync",
    "ibc.applications.fee.v1.MsgRegisterCounterpartyPayee",
    "ibc.applications.fee.v1.MsgRegisterPayee",
    "ibc.applications.interchain_accounts.controller.v1.MsgRegisterInterchainAccount",
    "ibc.applications.interchain_accounts.controller.v1.MsgSendTx",
    "ibc.applications.interchain_accounts.controller.v1.MsgUpdateParams",
    "ibc.applications.interchain_accounts.host.v1.MsgModuleQuerySafe",
    "ibc.applications.interchain_accounts.host.v1.MsgUpdateParams",
    "ibc.applications.transfer.v1.MsgTransfer",
    "ibc.applications.transfer.v1.MsgUpdateParams",
    "ibc.core.channel.v1.MsgAcknowledgement",
    "ibc.core.channel.v1.MsgChannelCloseConfirm",
    "ibc.core.channel.v1.MsgChannelCloseInit",
    "ibc.core.channel.v1.MsgChannelOpenAck",
    "ibc.core.channel.v1.MsgChannelOpenConfirm",
    "ibc.core.channel.v1.MsgChannelOpenInit",
    "ibc.core.channel.v1.MsgChannelOpenTry",
    "ibc.core.channel.v1.MsgChannelUpgradeAck",
    "ibc.core.channel.v1.MsgChannelUpgradeCancel",
    "ibc.core.channel.v1.MsgChannelUpgradeConfirm",
    "ibc.core.channel.v1.MsgChannelUpgradeInit",
    "ibc.core.channel.v1.MsgChannelUpgradeOpen",
    "ibc.core.channel.v1.MsgChannelUpgradeTimeout",
    "ibc.core.channel.v1.MsgChannelUpgradeTry",
    "ibc.core.channel.v1.MsgPruneAcknowledgements",
    "ibc.core.channel.v1.MsgRecvPacket",
    "ibc.core.channel.v1.MsgTimeout",
    "ibc.core.channel.v1.MsgTimeoutOnClose",
    "ibc.core.channel.v1.MsgUpdateParams",
    "ibc.core.client.v1.MsgCreateClient",
    "ibc.core.client.v1.MsgIBCSoftwareUpgrade",
    "ibc.core.client.v1.MsgRecoverClient",
    "ibc.core.client.v1.MsgSubmitMisbehaviour",
    "ibc.core.client.v1.MsgUpdateClient",
    "ibc.core.client.v1.MsgUpdateParams",
    "ibc.core.client.v1.MsgUpgradeClient",
    "ibc.core.connection.v1.MsgConnectionOpenAck",
    "ibc.core.connection.v1.MsgConnectionOpenConfirm",
    "ibc.core.connection.v1.MsgConnectionOpenInit",
    "ibc.core.connection.v1.MsgConnectionOpenTry",
    "ibc.core.connection.v1.MsgUpdateParams",
    "pocket.migration.MsgAdminRecoverMorseAccount",
    "pocket.migration.MsgClaimMorseAccount",
    "pocket.migration.MsgClaimMorseApplication",
    "pocket.migration.MsgClaimMorseSupplier",
    "pocket.migration.MsgImportMorseClaimableAccounts",
    "pocket.migration.MsgRecoverMorseAccount",
    "pocket.migration.MsgUpdateParams",
];

/// Whether the reference handles a message that this chain does not.
pub(super) fn is_handled(full_name: &str) -> bool {
    MESSAGES.binary_search(&full_name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_nothing_of_ours() {
        assert!(MESSAGES.is_sorted());
        for name in MESSAGES {
            assert!(!crate::router::handles(name), "{name}");
        }
    }
}
