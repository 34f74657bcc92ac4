//! T5: suppliers that lie are found out, cost the client nothing, and are left alone for a while.

use anyhow::{Result, ensure};
use http::StatusCode;
use testkit::Network;
use testkit::backend::ANSWER;
use testkit::front::streamed_text;
use testkit::impostor::Lie;

use crate::support::{LIARS, LIES, service_of};

/// Chances for the choice of two to fall on the liar.
const TRIES: usize = 40;

/// Requests in a row of which none may go to a liar who rests.
const RESTING: usize = 5;

fn is_found_out(lie: Lie) {
    LIARS.run(async |network: &'static Network| {
        let service = service_of(lie);
        let place = LIES.iter().position(|one| *one == lie).unwrap();
        let impostor = &network.impostors[&(place + 1)];
        let mut tries = 0;
        while impostor.asked() == 0 {
            ensure!(tries < TRIES, "the liar was never asked");
            answered(network, &service, tries).await?;
            tries += 1;
        }
        let before = impostor.asked();
        for number in 0..RESTING {
            answered(network, &service, number).await?;
        }
        // It rests half a second after its first failure; a slow machine may let it come back for one request.
        ensure!(impostor.asked() <= before + 1, "the liar was asked again");
        let stranger = network.operator(place + 1);
        let journal = network.journal()?;
        ensure!(
            journal.iter().all(|entry| entry.supplier != stranger),
            "a lie was recorded"
        );
        Ok(())
    });
}

async fn answered(network: &Network, service: &str, number: usize) -> Result<()> {
    if number.is_multiple_of(2) {
        let reply = network.front.chat(service, "tell me").await?;
        ensure!(
            reply.status == StatusCode::OK && reply.text() == ANSWER,
            "{reply:?}"
        );
    } else {
        let reply = network.front.stream(service, "tell me").await?;
        let text = reply.rest().await?;
        ensure!(streamed_text(&text) == ANSWER, "{text}");
    }
    Ok(())
}

#[test]
fn silence() {
    is_found_out(Lie::BlackHole);
}

#[test]
fn a_strangers_signature() {
    is_found_out(Lie::WrongKey);
}

#[test]
fn a_payload_that_was_not_signed() {
    is_found_out(Lie::SwappedPayload);
}

#[test]
fn an_answer_of_another_session() {
    is_found_out(Lie::WrongSession);
}

#[test]
fn an_error_body_that_says_200() {
    is_found_out(Lie::ErrorBody);
}

#[test]
fn garbage() {
    is_found_out(Lie::Garbage);
}
