//! T1: clients that leave.

use std::time::{Duration, Instant};

use crate::support::{MILL, chat, got, recorded, stream};

/// What a backend may go on working for nobody.
const AT_MOST: Duration = Duration::from_millis(500);

#[test]
fn a_client_leaves_in_mid_stream_and_what_it_got_is_mined() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = stream(network, "mill", &case.marker);
        let playing = case.call().await?.stream();
        playing.text("the first words").await;
        let mut reply = got(asked).await?;
        reply.until("the first words").await?;
        let left = Instant::now();
        drop(reply);
        playing.closed().await?;
        assert!(left.elapsed() < AT_MOST, "{:?}", left.elapsed());
        assert_eq!(recorded(network, &case.marker)?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_client_leaves_before_the_first_byte_and_nothing_is_mined() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = chat(network, "mill", &case.marker);
        let mut call = case.call().await?;
        let left = Instant::now();
        asked.abort();
        call.abandoned().await?;
        assert!(left.elapsed() < AT_MOST, "{:?}", left.elapsed());
        assert!(recorded(network, &case.marker)?.is_empty());
        assert!(case.early_call().is_none(), "asked for a client who left");
        Ok(())
    });
}
