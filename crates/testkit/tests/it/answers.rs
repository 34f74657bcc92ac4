//! What clients get, and what becomes of it on the chain.

use anyhow::{Context as _, ensure};
use http::StatusCode;
use serde_json::{Value, json};
use supplier::Notice;
use testkit::front::streamed_text;

use crate::support::{MILL, alone, chat, got, holds, recorded, stream};

#[test]
fn every_answer_is_claimed_proven_and_paid() {
    MILL.run(async |network| {
        let mut ids = Vec::new();
        // Two equal prompts are two relays (L4); the audit fails on two requests with one relay.
        for _ in 0..2 {
            let reply = network.front.chat("mill", "the same question").await?;
            assert_eq!(reply.text(), testkit::backend::ANSWER);
            ids.push(reply.request_id());
        }
        let reply = network.front.stream("mill", "the same question").await?;
        assert_eq!(reply.status, StatusCode::OK);
        ids.push(reply.request_id());
        let text = reply.rest().await?;
        assert_eq!(streamed_text(&text), testkit::backend::ANSWER);
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");

        let settled = network.settled(&ids).await?;
        assert_eq!(settled.relays, 3);
        for claim in &settled.claims {
            let proven = |_: usize, notice: &Notice| {
                matches!(notice, Notice::Proven { session_id } if *session_id == claim.session_id)
            };
            network.notice("a proof", proven).await?;
            assert_eq!(claim.num_relays * 100, claim.num_claimed_compute_units);
            assert_eq!(claim.settled_upokt, format!("{}upokt", claim.num_relays * 100));
        }
        network.conserved().await
    });
}

#[test]
fn the_delimiter_in_a_models_text_arrives() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = stream(network, "mill", &case.marker);
        let playing = case.call().await?.stream();
        let texts = [
            "a||POKT_STREAM||b",
            "||POKT_STREAM||",
            "||POKT_",
            "STREAM||",
        ];
        for text in texts {
            playing.text(text).await;
        }
        playing.done().await;
        let stream = got(asked).await?.rest().await?;
        assert_eq!(streamed_text(&stream), texts.concat());
        assert!(stream.ends_with("data: [DONE]\n\n"));
        Ok(())
    });
}

#[test]
fn a_backends_4xx_is_passed_through_and_mined() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = chat(network, "mill", &case.marker);
        let body = r#"{"error":{"message":"too long","type":"invalid_request_error"}}"#;
        let call = case.call().await?;
        call.respond(StatusCode::UNPROCESSABLE_ENTITY, "application/json", body);
        let reply = got(asked).await?;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(reply.body, body);
        let entry = network.entry(&reply.request_id())?;
        assert_eq!(entry.status, 422);
        let mined = recorded(network, &case.marker)?;
        assert_eq!(mined.len(), 1);
        assert_eq!(mined[0].hash, entry.relay_hash);
        Ok(())
    });
}

#[test]
fn nothing_of_a_requests_headers_or_query_is_in_a_relay() {
    MILL.run(async |network| {
        let mut case = network.case();
        let body = testkit::front::chat_body("mill", &case.marker, false);
        let path = "/v1/chat/completions?session=CANARY-1";
        let mut request = network.front.request(http::Method::POST, path, body)?;
        let names = [
            "cookie",
            "x-api-key",
            "openai-organization",
            "user-agent",
            "x-forwarded-for",
        ];
        for (name, number) in names.into_iter().zip(2..) {
            request
                .headers_mut()
                .insert(name, format!("CANARY-{number}").parse()?);
        }
        let playing = async {
            let call = case.call().await?;
            for (name, value) in &call.headers {
                ensure!(
                    !holds(value.as_bytes(), b"CANARY"),
                    "the backend was sent {name}"
                );
                ensure!(name != "authorization", "the backend was sent the API key");
            }
            ensure!(
                !call.path.contains("CANARY"),
                "the backend was sent the query"
            );
            call.answer("fine");
            Ok(())
        };
        let (reply, played) = tokio::join!(network.front.send(request), playing);
        played?;
        assert_eq!(reply?.status, StatusCode::OK);
        let mined = recorded(network, &case.marker)?;
        assert_eq!(mined.len(), 1);
        assert!(!holds(&mined[0].bytes, b"CANARY"));
        assert!(!holds(&mined[0].bytes, network.front.api_key().as_bytes()));
        Ok(())
    });
}

#[test]
fn what_the_gateway_can_refuse_costs_nothing() {
    MILL.run(async |network| {
        let mut case = network.case();
        let messages = json!([{"role": "user", "content": case.marker}]);
        let with = |change: Value| {
            let mut body = json!({"model": "mill", "messages": messages});
            for (key, value) in change.as_object().unwrap() {
                body[key] = value.clone();
            }
            body.to_string()
        };
        let role = json!([{"role": "wizard", "content": case.marker}]);
        let long = format!("{}{}", case.marker, "x".repeat(500 * 1024));
        let cases = [
            (with(json!({"model": "granite"})), 404, "model_not_found"),
            (
                format!("{{\"model\": \"mill\", {}", case.marker),
                400,
                "invalid_json",
            ),
            (with(json!({"messages": role})), 400, "invalid_value"),
            (with(json!({"temperature": 3})), 400, "invalid_value"),
            (with(json!({"user": long})), 413, "request_too_large"),
        ];
        for (body, status, code) in cases {
            let reply = network.front.post(body).await?;
            let error = reply.json()["error"].clone();
            assert_eq!(
                (reply.status.as_u16(), error["code"].as_str()),
                (status, Some(code)),
                "{error}"
            );
        }
        for key in ["", "Bearer rk-wrong"] {
            let body = with(json!({}));
            let mut request =
                network
                    .front
                    .request(http::Method::POST, "/v1/chat/completions", body)?;
            request.headers_mut().insert("authorization", key.parse()?);
            let reply = network.front.send(request).await?;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        }
        assert!(case.early_call().is_none());
        assert!(recorded(network, &case.marker)?.is_empty());
        Ok(())
    });
}

/// L2: the cap is reached before the backend is asked, failures do not count against it.
#[test]
fn an_application_gets_what_its_stake_covers() {
    MILL.run(async |network| {
        let mut case = network.case();
        // All of it in one session.
        let hand = network.hand("tiny").await?;
        let asked = chat(network, "tiny", &case.marker);
        let call = case.call().await?;
        call.respond(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "warming up");
        let failed = got(asked).await?;
        assert_eq!(failed.status, StatusCode::BAD_GATEWAY);
        assert_eq!(failed.json()["error"]["code"], "upstream_error");
        for _ in 0..2 {
            let asked = chat(network, "tiny", &case.marker);
            case.call().await?.answer("yes");
            assert_eq!(got(asked).await?.status, StatusCode::OK);
        }
        let refused = got(chat(network, "tiny", &case.marker)).await?;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.json()["error"]["type"], "rate_limit_error");
        let relay = network.signed(&hand, network.unsigned(&hand, 0, &case.marker))?;
        let refused = network.post(0, &relay).await?;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.json()["error"].as_str().unwrap().contains("stake"));
        assert!(case.early_call().is_none());
        assert_eq!(recorded(network, &case.marker)?.len(), 2);
        Ok(())
    });
}

#[test]
fn a_model_that_nobody_serves_is_unavailable() {
    MILL.run(async |network| {
        let reply = network.front.chat("ghost", "anyone?").await?;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.json()["error"]["code"], "unavailable");
        Ok(())
    });
}

/// A stream that outlives its session is cut when the claim is due; what was delivered is paid (S6).
#[test]
fn a_stream_without_an_end_is_cut_and_paid() {
    MILL.run(async |network| {
        let mut case = network.case();
        let asked = stream(network, "mill", &case.marker);
        let call = case.call().await?;
        let supplier = call.supplier;
        let playing = call.stream();
        playing.text("once upon a time").await;
        let mut reply = got(asked).await?;
        reply.until("once upon a time").await?;
        let log = network.sessions(supplier)?.into_iter();
        // Open in the newest session that has begun there.
        let session = log
            .map(|log| log.opened)
            .max_by_key(|opened| opened.start_height);
        let session = session.context("no session")?.session_id;
        let (rest, closed) = tokio::join!(reply.rest(), playing.closed());
        closed?;
        let rest = rest?;
        assert!(
            rest.contains("stream_broken") && !rest.contains("[DONE]"),
            "{rest}"
        );
        let settled = |index: usize, notice: &Notice| {
            index == supplier
                && matches!(notice, Notice::Settled { session_id, .. } if *session_id == session)
        };
        network.notice("its settlement", settled).await?;
        let claimed = network.claimed(supplier)?.into_iter();
        let relays = claimed.flat_map(|log| log.relays);
        let ours = relays.filter(|relay| holds(&relay.bytes, case.marker.as_bytes()));
        assert_eq!(ours.count(), 1);
        Ok(())
    });
}

/// T4: no request fails while sessions come and go.
#[test]
fn sessions_change_under_load_without_a_failure() {
    alone(testkit::Plan::mill(2), async |network| {
        let start = network.hand("mill").await?.header.session_end_block_height;
        let last = start + 30;
        let worker = async |number: usize| {
            let mut ids = Vec::new();
            while network.chain.height() <= last {
                let prompt = format!("worker {number} asks");
                if ids.len() % 3 == 2 {
                    let reply = network.front.stream("mill", &prompt).await?;
                    let id = reply.request_id();
                    let stream = reply.rest().await?;
                    ensure!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
                    ids.push(id);
                } else {
                    let reply = network.front.chat("mill", &prompt).await?;
                    ensure!(reply.status == StatusCode::OK, "{reply:?}");
                    ids.push(reply.request_id());
                }
            }
            Ok(ids)
        };
        let ids = futures_util::future::try_join_all((0..4).map(worker)).await?;
        let ids: Vec<String> = ids.concat();
        let settled = network.settled(&ids).await?;
        assert_eq!(settled.relays, ids.len());
        assert!(settled.claims.len() >= 4, "{} claims", settled.claims.len());
        network.conserved().await
    });
}
