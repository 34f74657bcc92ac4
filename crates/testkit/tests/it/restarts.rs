//! S1 and S3: a supplier that dies between requests, in a stream, and between claim and proof.

use http::StatusCode;
use supplier::Notice;
use testkit::{Network, Plan};

use crate::support::{alone, chat, got, stream};

#[test]
fn what_was_answered_before_a_death_is_paid_after_it() {
    alone(Plan::mill(1), async |network: &Network| {
        let mut case = network.case();
        let hand = network.hand("mill").await?;
        let mut ids = Vec::new();
        for number in 0..3 {
            ids.push(
                network
                    .front
                    .chat("mill", &format!("{number}"))
                    .await?
                    .request_id(),
            );
        }
        let relay = network.signed(&hand, network.unsigned(&hand, 0, "by hand"))?;
        assert_eq!(network.post(0, &relay).await?.status, StatusCode::OK);
        // One answer is under way, and one stream.
        let cut = chat(network, "mill", &case.marker);
        let mut call = case.call().await?;
        let broken = stream(network, "mill", &case.marker);
        let playing = case.call().await?.stream();
        playing.text("so far").await;
        let mut broken = got(broken).await?;
        broken.until("so far").await?;

        network.kill_supplier(0).await?;
        call.abandoned().await?;
        playing.closed().await?;
        assert!(got(cut).await?.status.is_server_error());
        assert!(!broken.rest().await?.contains("[DONE]"));
        network.start_supplier(0).await?;

        let again = network.post(0, &relay).await?;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "{:?}", again.body);
        for number in 0..2 {
            let reply = network
                .front
                .chat("mill", &format!("{number}, after"))
                .await?;
            assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
            ids.push(reply.request_id());
        }
        let session = hand.header.session_id;
        network
            .notice("the claim", |_, notice| {
                matches!(notice, Notice::Claimed { session_id, .. } if *session_id == session)
            })
            .await?;
        network.kill_supplier(0).await?;
        network.start_supplier(0).await?;
        let settled = network.settled(&ids).await?;
        assert_eq!(settled.relays, 5);
        // The one by hand and the broken stream's were served as well.
        let paid: u64 = settled.claims.iter().map(|claim| claim.num_relays).sum();
        assert_eq!(paid, 7);
        network.conserved().await
    });
}
