//! Every message that the router handles, how often it comes, and what makes it.

use chain::router;
use prost_types::Any;
use proto::any::{pack, type_name};
use proto::cosmos::authz::v1beta1::MsgExec;

use super::actors::text;
use super::blocks::World;

/// Messages and who must sign them.
pub(crate) type Drafted = (Vec<Any>, Vec<String>);

/// Makes a message and says who signs it; nothing when there is no occasion for it.
type Make = fn(&mut World) -> Option<(Any, String)>;

/// Messages of people and actors.
const KINDS: [(u64, &str, Make); 41] = [
    (16, "cosmos.bank.v1beta1.MsgSend", World::send),
    (4, "cosmos.bank.v1beta1.MsgMultiSend", World::multi_send),
    (
        1,
        "cosmos.vesting.v1beta1.MsgCreateVestingAccount",
        World::create_vesting,
    ),
    (
        1,
        "cosmos.vesting.v1beta1.MsgCreatePermanentLockedAccount",
        World::create_locked,
    ),
    (
        1,
        "cosmos.vesting.v1beta1.MsgCreatePeriodicVestingAccount",
        World::create_periodic,
    ),
    (
        16,
        "pocket.application.MsgStakeApplication",
        World::stake_application,
    ),
    (
        2,
        "pocket.application.MsgUnstakeApplication",
        World::unstake_application,
    ),
    (
        12,
        "pocket.application.MsgDelegateToGateway",
        World::delegate_to_gateway,
    ),
    (
        6,
        "pocket.application.MsgUndelegateFromGateway",
        World::undelegate_from_gateway,
    ),
    (
        3,
        "pocket.application.MsgTransferApplication",
        World::transfer_application,
    ),
    (8, "pocket.gateway.MsgStakeGateway", World::stake_gateway),
    (
        3,
        "pocket.gateway.MsgUnstakeGateway",
        World::unstake_gateway,
    ),
    (
        3,
        "pocket.gateway.MsgUpdateGatewayMetadata",
        World::gateway_metadata,
    ),
    (
        18,
        "pocket.supplier.MsgStakeSupplier",
        World::stake_supplier,
    ),
    (
        2,
        "pocket.supplier.MsgUnstakeSupplier",
        World::unstake_supplier,
    ),
    (5, "pocket.service.MsgAddService", World::add_service),
    (
        3,
        "pocket.service.MsgTransferService",
        World::transfer_service,
    ),
    (50, "pocket.proof.MsgCreateClaim", World::claim),
    (50, "pocket.proof.MsgSubmitProof", World::proof),
    (5, "cosmos.authz.v1beta1.MsgGrant", World::grant),
    (3, "cosmos.authz.v1beta1.MsgExec", World::exec),
    (2, "cosmos.authz.v1beta1.MsgRevoke", World::revoke),
    (
        3,
        "cosmos.feegrant.v1beta1.MsgGrantAllowance",
        World::grant_allowance,
    ),
    (
        2,
        "cosmos.feegrant.v1beta1.MsgRevokeAllowance",
        World::revoke_allowance,
    ),
    (
        1,
        "cosmos.feegrant.v1beta1.MsgPruneAllowances",
        World::prune_allowances,
    ),
    (
        3,
        "cosmos.staking.v1beta1.MsgCreateValidator",
        World::create_validator,
    ),
    (
        3,
        "cosmos.staking.v1beta1.MsgEditValidator",
        World::edit_validator,
    ),
    (6, "cosmos.staking.v1beta1.MsgDelegate", World::delegate),
    (4, "cosmos.staking.v1beta1.MsgUndelegate", World::undelegate),
    (
        3,
        "cosmos.staking.v1beta1.MsgBeginRedelegate",
        World::redelegate,
    ),
    (
        3,
        "cosmos.staking.v1beta1.MsgCancelUnbondingDelegation",
        World::cancel_unbonding,
    ),
    (4, "cosmos.slashing.v1beta1.MsgUnjail", World::unjail),
    (
        3,
        "cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward",
        World::withdraw_reward,
    ),
    (
        2,
        "cosmos.distribution.v1beta1.MsgWithdrawValidatorCommission",
        World::withdraw_commission,
    ),
    (
        2,
        "cosmos.distribution.v1beta1.MsgSetWithdrawAddress",
        World::set_withdraw_address,
    ),
    (
        2,
        "cosmos.distribution.v1beta1.MsgFundCommunityPool",
        World::fund_community,
    ),
    (
        2,
        "cosmos.distribution.v1beta1.MsgDepositValidatorRewardsPool",
        World::deposit_rewards,
    ),
    (1, SUBMIT_EVIDENCE, World::submit_evidence),
    // What the governance account says, mostly by the one it left that to.
    (40, GOVERNED, World::governed),
    // Nobody may use a message that nobody handles.
    (1, UNKNOWN, World::unknown),
    (1, UNKNOWN, World::impostor),
];

/// Stands for any message of the governance account.
const GOVERNED: &str = "";

/// Stands for a message that no module has.
const UNKNOWN: &str = "cosmos.gov.v1.MsgVote";

/// The one message that is always refused: there is no handler for any kind of evidence, as in the reference.
pub(super) const SUBMIT_EVIDENCE: &str = "cosmos.evidence.v1beta1.MsgSubmitEvidence";

/// Signs what only the governance account may say: nobody has its key.
const AUTHORITY: &str = "governance";

impl World {
    /// The messages of a transaction: one, or a few of different signers.
    pub(crate) fn draft(&mut self) -> Drafted {
        let count = if self.rng.percent(15) {
            1 + self.rng.below(3)
        } else {
            1
        };
        let (mut messages, mut signers) = (Vec::new(), Vec::<String>::new());
        while messages.is_empty() || messages.len() < usize::try_from(count).unwrap() {
            let Some((message, signer)) = self.message() else {
                continue;
            };
            let (message, signer) = self.under_grant(message, signer);
            messages.push(message);
            if !signers.contains(&signer) {
                signers.push(signer);
            }
        }
        (messages, signers)
    }

    fn message(&mut self) -> Option<(Any, String)> {
        let total = KINDS.iter().map(|(weight, ..)| weight).sum();
        let mut drawn = self.rng.below(total);
        for (weight, name, make) in KINDS {
            if let Some(rest) = drawn.checked_sub(weight) {
                drawn = rest;
                continue;
            }
            let (message, signer) = make(self)?;
            let made = type_name(&message.type_url);
            assert!(
                name == made || name == GOVERNED || name == UNKNOWN,
                "{made} for {name}"
            );
            return Some((message, signer));
        }
        None
    }

    /// A message of the governance account.
    fn governed(&mut self) -> Option<(Any, String)> {
        let (name, make) = *self.rng.pick(&super::governance::MESSAGES);
        let message = make(self);
        assert_eq!(type_name(&message.type_url), name);
        Some((message, AUTHORITY.to_owned()))
    }

    /// Something that is no message here.
    fn unknown(&mut self) -> Option<(Any, String)> {
        let message = Any {
            type_url: format!("/{UNKNOWN}"),
            value: vec![8, 1],
        };
        Some((message, self.anybody()))
    }

    /// The words of the governance account, signed by somebody else.
    fn impostor(&mut self) -> Option<(Any, String)> {
        let (message, _) = self.governed()?;
        Some((message, self.anybody()))
    }

    /// The message as it is, or handed in by somebody with a grant for it.
    fn under_grant(&mut self, message: Any, signer: String) -> (Any, String) {
        let grantee = if signer == AUTHORITY {
            super::authorised::foundation()
        } else {
            let granter = text(&signer);
            let of_signer = self.view.grants.iter();
            let mut of_signer = of_signer
                .filter(|grant| grant.granter == granter && grant.url == message.type_url)
                .filter_map(|grant| self.people.get(&grant.grantee).cloned());
            let Some(grantee) = of_signer.next() else {
                return (message, signer);
            };
            if self.rng.percent(50) {
                return (message, signer);
            }
            grantee
        };
        let exec = MsgExec {
            grantee: text(&grantee),
            msgs: vec![message],
        };
        (pack(&exec), grantee)
    }
}

/// Every message that the soak makes, by its full name.
pub(super) fn made() -> impl Iterator<Item = &'static str> {
    let of_people = KINDS.iter().map(|(_, name, _)| *name);
    let of_people = of_people.filter(|name| *name != GOVERNED && *name != UNKNOWN);
    of_people.chain(super::governance::MESSAGES.iter().map(|(name, _)| *name))
}

/// Every message that a module handles, by its full name.
pub(super) fn handled() -> Vec<String> {
    let messages = proto::descriptor_pool().all_messages();
    let names = messages.map(|message| message.full_name().to_owned());
    let mut names: Vec<String> = names.filter(|name| router::handles(name)).collect();
    names.sort();
    names
}

#[test]
fn random_operations_know_every_message_that_a_module_handles() {
    let mut made: Vec<&str> = made().collect();
    made.sort_unstable();
    assert_eq!(made, handled());
    assert!(!router::handles(UNKNOWN));
}
