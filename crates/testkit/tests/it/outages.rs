//! C1: the node is away for a while.

use http::StatusCode;
use testkit::{Network, Plan};

use crate::support::alone;

#[test]
fn without_a_node_serving_goes_on_and_claims_follow() {
    alone(Plan::mill(2), async |network: &Network| {
        let mut ids = Vec::new();
        let mut ask = async |network: &Network, count: usize| {
            for number in 0..count {
                let reply = network.front.chat("mill", &format!("{number}")).await?;
                anyhow::ensure!(reply.status == StatusCode::OK, "{reply:?}");
                ids.push(reply.request_id());
            }
            anyhow::Ok(())
        };
        network.hand("mill").await?;
        // Both suppliers open the session while there is a node to ask.
        ask(network, 12).await?;
        network.stop_node().await?;
        ask(network, 6).await?;
        network.start_node().await?;
        let height = network.chain.height();
        network.above(height + 10).await?;
        ask(network, 2).await?;
        // Once more, when that session's claim is due.
        let end = network.hand("mill").await?.header.session_end_block_height;
        network.above(end).await?;
        network.stop_node().await?;
        network.start_node().await?;
        let settled = network.settled(&ids).await?;
        assert_eq!(settled.relays, 20);
        network.conserved().await
    });
}
