//! Relays that a supplier must refuse before its backend hears of them.

use anyhow::{Context as _, Result};
use crypto::keys::SecretKey;
use http::StatusCode;
use proto::pocket::service::RelayRequest;
use testkit::hand::sign;

use crate::support::{MILL, recorded};

#[test]
fn a_relay_is_served_once() {
    MILL.run(async |network| {
        let mut case = network.case();
        let hand = network.hand("mill").await?;
        let supplier = 0;
        let relay = network.signed(&hand, network.unsigned(&hand, supplier, &case.marker))?;
        let (first, played) = tokio::join!(network.post(supplier, &relay), async {
            case.call().await?.answer("once");
            anyhow::Ok(())
        });
        played?;
        assert_eq!(first?.status, StatusCode::OK);
        let again = network.post(supplier, &relay).await?;
        assert_eq!(again.status, StatusCode::FORBIDDEN);
        assert!(
            again.json()["error"]
                .as_str()
                .context("no reason")?
                .contains("already served")
        );
        // The same question, signed anew, is another relay.
        let relay = network.signed(&hand, network.unsigned(&hand, supplier, &case.marker))?;
        let (second, played) = tokio::join!(network.post(supplier, &relay), async {
            case.call().await?.answer("twice");
            anyhow::Ok(())
        });
        played?;
        assert_eq!(second?.status, StatusCode::OK);
        assert!(case.early_call().is_none());
        assert_eq!(recorded(network, &case.marker)?.len(), 2);
        Ok(())
    });
}

#[test]
fn what_is_not_in_order_is_refused_unserved() {
    MILL.run(async |network| {
        let mut case = network.case();
        let hand = network.hand("mill").await?;
        let good = || network.unsigned(&hand, 0, &case.marker);
        let signed = |request: RelayRequest| network.signed(&hand, request);
        let stranger = SecretKey::random()?;
        let ring = network.ring("mill");
        let altered = |alter: &dyn Fn(&mut RelayRequest)| -> Result<RelayRequest> {
            let mut request = good();
            alter(&mut request);
            signed(request)
        };
        let heights = |start: i64, end: i64| {
            altered(&move |request| {
                let header = request.meta.session_header.as_mut().unwrap();
                header.session_start_block_height = start;
                header.session_end_block_height = end;
            })
        };
        let now = network.chain.height();
        let path = |method: &str, path: &str| {
            signed(network.unsigned_to(&hand, 0, method, path, case.marker.clone()))
        };
        let mut forged = signed(good())?;
        forged.payload = network
            .unsigned(&hand, 0, &format!("{} altered", case.marker))
            .payload;
        let mut flipped = signed(good())?;
        let mut bytes = flipped.meta.signature.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        flipped.meta.signature = bytes.into();
        let mut longer = signed(good())?;
        longer.meta.signature = [&longer.meta.signature[..], &[0]].concat().into();
        // A ring of one, which our signer does not make.
        let mut alone = signed(good())?;
        alone.meta.signature = [&[0, 0, 0, 1], &alone.meta.signature[4..134]]
            .concat()
            .into();
        let with_stranger = vec![ring[0], stranger.public()];
        let cases = [
            (
                "addressed to another",
                signed(network.unsigned(&hand, 1, &case.marker))?,
                403,
                "addressed",
            ),
            ("another payload", forged, 403, "signature"),
            ("a flipped bit", flipped, 403, "signature"),
            ("a byte behind it", longer, 403, "signature"),
            ("no signature", good(), 400, "signature"),
            (
                "a stranger's ring",
                sign(good(), &stranger, with_stranger)?,
                403,
                "signature",
            ),
            (
                "a stranger in the member's place",
                sign(good(), &stranger, vec![stranger.public(), ring[1]])?,
                403,
                "signature",
            ),
            ("one member only", alone, 403, "signature"),
            (
                "heights far ahead",
                heights(now + 1_000, now + 1_009)?,
                400,
                "implausible",
            ),
            (
                "an endless session",
                heights(1, i64::MAX)?,
                400,
                "implausible",
            ),
            (
                "another session's heights",
                heights(
                    hand.header.session_start_block_height - 10,
                    hand.header.session_end_block_height - 10,
                )?,
                403,
                "session",
            ),
            (
                "an invented session",
                altered(&|request| {
                    let header = request.meta.session_header.as_mut().unwrap();
                    header.session_id = "cd".repeat(32);
                })?,
                403,
                "session",
            ),
            (
                "an unknown service",
                altered(&|request| {
                    let header = request.meta.session_header.as_mut().unwrap();
                    header.service_id = "granite".to_owned();
                })?,
                404,
                "granite",
            ),
            (
                "a path outside of the list",
                path("POST", "/api/pull")?,
                404,
                "/api/pull",
            ),
            (
                "a path that climbs",
                path("POST", "/v1/chat/../completions")?,
                404,
                "not served",
            ),
            (
                "a method outside of the list",
                path("DELETE", "/v1/chat/completions")?,
                404,
                "DELETE",
            ),
        ];
        for (name, relay, status, why) in cases {
            let reply = network.post(0, &relay).await?;
            let error = reply.json()["error"].clone();
            assert_eq!(reply.status.as_u16(), status, "{name}: {error}");
            let text = error
                .as_str()
                .with_context(|| format!("{name}: {:?}", reply.body))?;
            assert!(text.contains(why), "{name}: {text}");
        }
        let bytes = network.post_bytes(0, vec![b'x'; 600 * 1024]).await?;
        assert_eq!(bytes.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(
            bytes.json()["error"]
                .as_str()
                .context("no reason")?
                .contains("bytes")
        );
        let bytes = network.post_bytes(0, &b"\x0a\xff"[..]).await?;
        assert_eq!(bytes.status, StatusCode::BAD_REQUEST);
        assert!(case.early_call().is_none(), "a backend was asked");
        assert!(recorded(network, &case.marker)?.is_empty());
        Ok(())
    });
}

#[test]
fn a_session_that_is_over_takes_no_relay() {
    MILL.run(async |network| {
        let mut case = network.case();
        let hand = network.hand("mill").await?;
        let relay = network.signed(&hand, network.unsigned(&hand, 0, &case.marker))?;
        // Its grace ends one block after it.
        network
            .above(hand.header.session_end_block_height + 2)
            .await?;
        let reply = network.post(0, &relay).await?;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        let error = reply.json()["error"].clone();
        assert!(
            error.as_str().context("no reason")?.contains("over"),
            "{error}"
        );
        assert!(case.early_call().is_none());
        assert!(recorded(network, &case.marker)?.is_empty());
        Ok(())
    });
}
