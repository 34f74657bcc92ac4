//! Validators of a recorded reference chain: every event, update of the set and answer of the SDK's modules.

use chain::Application;
use chain::tx::{Gas, GasPrice};
use serde_json::Value;

use crate::recording::{
    Flat, document, flat, recorded_events, recorded_updates, request, rows, updates,
};

/// The last recorded block.
const LAST: i64 = 333;

/// Modules whose answers are compared.
const MODULES: [&str; 12] = [
    "auth",
    "authz",
    "bank",
    "consensus",
    "distribution",
    "evidence",
    "feegrant",
    "migration",
    "mint",
    "slashing",
    "staking",
    "upgrade",
];

/// Events that are not a pocket module's.
fn of_sdk(events: Vec<Flat>) -> Vec<Flat> {
    events
        .into_iter()
        .filter(|(kind, _)| !kind.starts_with("pocket."))
        .collect()
}

/// Differences found, each a line; the first ones are shown.
#[derive(Default)]
struct Differences {
    lines: Vec<String>,
    compared: usize,
}

impl Differences {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, got: &T) {
        self.compared += 1;
        if expected != got {
            self.lines.push(format!(
                "{what}\n  expected {expected:?}\n  got      {got:?}"
            ));
        }
    }

    fn events(&mut self, what: &str, expected: &[Flat], got: &[Flat]) {
        self.compared += expected.len();
        let first = expected
            .iter()
            .zip(got)
            .position(|(expected, got)| expected != got);
        if let Some(position) = first {
            self.lines.push(format!(
                "{what}: event {position}\n  expected {:?}\n  got      {:?}",
                expected[position], got[position]
            ));
        } else if expected.len() != got.len() {
            let more = if expected.len() > got.len() {
                expected
            } else {
                got
            };
            let from = expected.len().min(got.len());
            self.lines.push(format!(
                "{what}: {} events expected, {} got; first of the rest {:?}",
                expected.len(),
                got.len(),
                more[from]
            ));
        }
    }
}

fn answers(application: &Application, height: i64, queries: &[Value], found: &mut Differences) {
    let reader = application.reader();
    for row in queries {
        let method = row["method"].as_str().unwrap();
        let module = method.split('.').nth(1).unwrap_or_default();
        if row["height"].as_i64() != Some(height) || !MODULES.contains(&module) {
            continue;
        }
        let request = hex::decode(row["request_hex"].as_str().unwrap()).unwrap();
        let what = format!("height {height} {method} {}", hex::encode(&request));
        let code = row["grpc_code"].as_i64().unwrap();
        match reader.query(method, &request, Some(height)) {
            Ok(answer) => {
                let expected = row["response_hex"].as_str().unwrap().to_owned();
                found.compare(&what, &expected, &hex::encode(answer.value));
            }
            Err(error) => found.compare(&what, &code, &i64::from(error.grpc as i32)),
        }
    }
}

/// What gas, whose numbers are not ours, did to the recorded transactions of a block.
fn fates(results: &Value) -> Vec<Gas> {
    let results = results["txs_results"].as_array().into_iter().flatten();
    results
        .map(
            |result| match result["codespace"] == "sdk" && result["code"] == 11 {
                true => Gas::Spent,
                false => Gas::Counted,
            },
        )
        .collect()
}

/// Runs the recording up to a height and compares what the modules say.
fn replay(last: i64) -> Differences {
    let mut found = Differences::default();
    let queries: Vec<Value> = rows("queries.jsonl.gz").collect();
    let mut application = Application::for_replay(GasPrice::ZERO).unwrap();
    application
        .init_chain(&document().init_chain(Vec::new()).unwrap())
        .unwrap();
    let mut before: Option<Value> = None;
    for row in rows("blocks.jsonl.gz").take_while(|row| row["height"].as_i64() <= Some(last)) {
        let height = row["height"].as_i64().unwrap();
        let request = request(&row, before.as_ref());
        let recorded = &row["block_results"];
        let response = application
            .replay_block(&request, &fates(recorded))
            .unwrap();
        found.events(
            &format!("height {height}"),
            &of_sdk(recorded_events(&recorded["finalize_block_events"])),
            &of_sdk(flat(&response.events)),
        );
        found.compare(
            &format!("height {height}: validator updates"),
            &recorded_updates(&recorded["validator_updates"]),
            &updates(&response.validator_updates),
        );
        let results = recorded["txs_results"].as_array();
        for (index, expected) in results.into_iter().flatten().enumerate() {
            let got = &response.tx_results[index];
            let what = format!("height {height} transaction {index} {}", got.log);
            let code = expected["code"].as_i64().unwrap();
            found.compare(&what, &code, &i64::from(got.code));
            found.events(
                &what,
                &of_sdk(recorded_events(&expected["events"])),
                &of_sdk(flat(&got.events)),
            );
        }
        application.commit().unwrap();
        answers(&application, height, &queries, &mut found);
        before = Some(row);
    }
    found
}

#[test]
fn validators_earn_vote_and_answer_as_recorded() {
    let found = replay(LAST);
    for line in found.lines.iter().take(20) {
        println!("{line}");
    }
    assert!(found.lines.is_empty(), "{} differences", found.lines.len());
    assert!(found.compared > 500, "{} compared", found.compared);
}
