//! T2: backends that fail, before the first byte and after it.

use anyhow::Result;
use http::StatusCode;
use testkit::Network;
use testkit::backend::Streaming;
use testkit::front::streamed_text;

use crate::support::{LIARS, MILL, World, chat, got, recorded, stream};

#[test]
fn a_failing_backend_is_another_suppliers_chance() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = chat(network, "mill", &case.marker);
        let first = case.call().await?;
        let failed = first.supplier;
        first.respond(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            "out of memory",
        );
        let second = case.call().await?;
        assert_ne!(second.supplier, failed);
        second.answer("here you are");
        let reply = got(asked).await?;
        assert_eq!(reply.text(), "here you are");
        let entry = network.entry(&reply.request_id())?;
        assert_ne!(network.index_of(&entry.supplier)?, failed);
        let mined = recorded(network, &case.marker)?;
        assert_eq!(mined.len(), 1, "what failed costs nothing");
        assert_eq!(mined[0].hash, entry.relay_hash);
        Ok(())
    });
}

#[test]
fn when_all_fail_the_client_is_told_and_nothing_is_mined() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = chat(network, "mill", &case.marker);
        for _ in 0..2 {
            let call = case.call().await?;
            call.respond(StatusCode::BAD_GATEWAY, "text/plain", "no");
        }
        let reply = got(asked).await?;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
        assert_eq!(reply.json()["error"]["type"], "server_error");
        assert!(network.entry(&reply.request_id()).is_err());
        assert!(recorded(network, &case.marker)?.is_empty());
        Ok(())
    });
}

#[test]
fn a_stream_that_breaks_before_its_first_byte_is_tried_elsewhere() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = stream(network, "mill", &case.marker);
        let first = case.call().await?;
        let failed = first.supplier;
        first.stream().cut().await;
        let second = case.call().await?;
        assert_ne!(second.supplier, failed);
        let playing = second.stream();
        playing.text("well").await;
        playing.done().await;
        let reply = got(asked).await?;
        let id = reply.request_id();
        assert_eq!(streamed_text(&reply.rest().await?), "well");
        let mined = recorded(network, &case.marker)?;
        assert_eq!(mined.len(), 1);
        assert_eq!(mined[0].hash, network.entry(&id)?.relay_hash);
        Ok(())
    });
}

/// A stream that begins well and then goes wrong: the client keeps what it got, is told, and sees no `[DONE]`; the
/// delivered part is one relay.
fn goes_wrong(
    world: &'static World,
    model: &str,
    wrong: impl AsyncFnOnce(Streaming) -> Result<Option<Streaming>>,
) {
    world.run(async |network: &'static Network| {
        let mut case = network.case();
        let asked = stream(network, model, &case.marker);
        let playing = case.call().await?.stream();
        playing.text("so far ").await;
        let mut reply = got(asked).await?;
        reply.until("so far").await?;
        let open = wrong(playing).await?;
        let text = reply.rest().await?;
        assert_eq!(streamed_text(&text), "so far ");
        assert!(
            !text.contains("[DONE]"),
            "{}",
            &text[..text.len().min(2_000)]
        );
        let error = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "));
        let error: serde_json::Value = serde_json::from_str(error.unwrap())?;
        assert_eq!(error["error"]["code"], "stream_broken", "{error}");
        // What the supplier put on record, it did before it let its backend go.
        if let Some(open) = open {
            open.closed().await?;
        }
        assert_eq!(recorded(network, &case.marker)?.len(), 1);
        assert!(
            case.early_call().is_none(),
            "tried again after the first byte"
        );
        Ok(())
    });
}

#[test]
fn a_backend_breaks_off_in_mid_stream() {
    goes_wrong(&MILL, "mill", async |playing| {
        playing.cut().await;
        Ok(None)
    });
}

#[test]
fn a_backend_ends_a_stream_without_its_end() {
    goes_wrong(&MILL, "mill", async |playing| {
        drop(playing);
        Ok(None)
    });
}

#[test]
fn a_backend_sends_bytes_that_are_no_text() {
    goes_wrong(&MILL, "mill", async |playing| {
        playing.raw(&b"data: \xff\xfe\n\n"[..]).await;
        Ok(Some(playing))
    });
}

#[test]
fn a_backend_sends_what_is_no_event() {
    goes_wrong(&MILL, "mill", async |playing| {
        playing.raw("Traceback (most recent call last)\n").await;
        Ok(Some(playing))
    });
}

#[test]
fn a_backend_sends_a_line_of_a_megabyte() {
    goes_wrong(&MILL, "mill", async |playing| {
        playing.raw(format!("data: {}", "x".repeat(1 << 20))).await;
        Ok(Some(playing))
    });
}

#[test]
fn a_backend_stalls_in_mid_stream() {
    goes_wrong(&LIARS, "lone", async |playing| Ok(Some(playing)));
}

#[test]
fn a_stalled_backend_is_let_go() {
    LIARS.run(async |network| {
        let mut case = network.case();
        let asked = stream(network, "lone", &case.marker);
        let playing = case.call().await?.stream();
        playing.text("and then").await;
        let mut reply = got(asked).await?;
        reply.until("and then").await?;
        let (rest, closed) = tokio::join!(reply.rest(), playing.closed());
        assert!(!rest?.contains("[DONE]"));
        closed
    });
}

#[test]
fn a_backend_that_never_answers_is_a_timeout() {
    LIARS.run(async |network| {
        let mut case = network.case();
        let asked = chat(network, "lone", &case.marker);
        let mut call = case.call().await?;
        let reply = got(asked).await?;
        assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(reply.json()["error"]["code"], "timeout");
        call.abandoned().await?;
        assert!(recorded(network, &case.marker)?.is_empty());
        Ok(())
    });
}
