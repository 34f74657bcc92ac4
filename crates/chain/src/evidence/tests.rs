//! Evidence by message.

use super::*;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

#[test]
fn evidence_by_message_is_refused_as_in_the_reference() {
    let mut chain = TestChain::new(Rules::reference());
    let sound = Equivocation {
        height: 1,
        time: prost_types::Timestamp {
            seconds: 1,
            nanos: 0,
        },
        power: 1,
        consensus_address: "poktvalcons1".to_owned(),
    };
    let unsound = Equivocation {
        height: 0,
        ..sound.clone()
    };
    for (evidence, codespace, code) in [
        (Some(sound), "undefined", 111_222),
        (Some(unsound), MODULE, 3),
        (None, MODULE, 3),
    ] {
        let message = MsgSubmitEvidence {
            submitter: crypto::keys::Address([1; 20]).to_bech32(),
            evidence: evidence.as_ref().map(proto::any::pack),
        };
        refused(chain.run(|ctx| submit(ctx, message)), codespace, code).unwrap();
    }
}
