//! What governance may change, and when it holds.

use crypto::keys::Address;
use prost::Message as _;
use proto::cosmos::consensus::v1::MsgUpdateParams;

use super::*;
use crate::error::TxError;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

fn message() -> MsgUpdateParams {
    let params = Form::default().to_proto();
    MsgUpdateParams {
        authority: Address::module("gov").to_bech32(),
        block: params.block,
        evidence: params.evidence,
        validator: params.validator,
        abci: None,
    }
}

fn act(chain: &mut TestChain, message: &MsgUpdateParams) -> Result<Vec<u8>, TxError> {
    let name = "cosmos.consensus.v1.MsgUpdateParams";
    chain.run(|ctx| execute(ctx, name, &message.encode_to_vec()).unwrap())
}

#[test]
fn governance_sets_the_gas_of_a_block_and_the_event_tells() {
    let mut chain = TestChain::new(Rules::reference());
    let mut change = message();
    change.block.as_mut().unwrap().max_gas = 5;
    let name = "cosmos.consensus.v1.MsgUpdateParams";
    let events = chain
        .run(|ctx| {
            execute(ctx, name, &change.encode_to_vec()).unwrap()?;
            Ok::<_, TxError>(ctx.take_events())
        })
        .unwrap();
    assert_eq!(chain.read(block_gas_max).unwrap(), Some(5));
    assert_eq!(events[0].r#type, "update_consensus_params");
    assert_eq!(
        events[0].attributes[1].value,
        "block:<max_bytes:22020096 max_gas:5 > evidence:<max_age_num_blocks:100000 \
         max_age_duration:<seconds:172800 > max_bytes:1048576 > validator:<pub_key_types:\"ed25519\" \
         > version:<> "
    );
    // What the message leaves out stays.
    assert!(chain.read(params).unwrap().abci.is_some());
}

#[test]
fn nobody_else_changes_them_and_bounds_hold() {
    type Bend = fn(&mut MsgUpdateParams);
    let rows: [(&str, u32, Bend); 8] = [
        ("gov", 13, |own| {
            own.authority = Address([1; 20]).to_bech32()
        }),
        ("undefined", 1, |own| own.block = None),
        ("undefined", 1, |own| {
            own.block.as_mut().unwrap().max_bytes = 0
        }),
        ("undefined", 1, |own| {
            own.block.as_mut().unwrap().max_bytes = 104_857_601
        }),
        ("undefined", 1, |own| {
            own.block.as_mut().unwrap().max_gas = -2
        }),
        ("undefined", 1, |own| {
            own.evidence.as_mut().unwrap().max_bytes = 22_020_097
        }),
        ("undefined", 1, |own| {
            own.validator.as_mut().unwrap().pub_key_types.clear()
        }),
        ("undefined", 1, |own| {
            own.abci = Some(AbciParams {
                vote_extensions_enable_height: 1,
            });
        }),
    ];
    let mut chain = TestChain::new(Rules::reference());
    for (position, (codespace, code, bend)) in rows.into_iter().enumerate() {
        let mut bent = message();
        bend(&mut bent);
        let result = act(&mut chain, &bent);
        refused(result, codespace, code).unwrap_or_else(|error| panic!("{position}: {error}"));
    }
    let mut later = message();
    later.abci = Some(AbciParams {
        vote_extensions_enable_height: 2,
    });
    act(&mut chain, &later).unwrap();
    assert_eq!(
        chain
            .read(params)
            .unwrap()
            .abci
            .unwrap()
            .vote_extensions_enable_height,
        2
    );
}
