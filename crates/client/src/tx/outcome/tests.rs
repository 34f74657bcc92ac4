use super::*;
use crate::testing;

fn rejection(codespace: &str, code: u32, log: &str) -> Rejection {
    Rejection {
        stage: Stage::Check,
        code,
        codespace: codespace.to_owned(),
        log: log.to_owned(),
    }
}

#[test]
fn recorded_refusals_are_told_apart() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for row in testing::golden("chain-a/txs.jsonl.gz") {
        for result in [&row["check_tx"], &row["result"]] {
            let Some(code) = result["code"].as_u64().filter(|code| *code != 0) else {
                continue;
            };
            let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
            let rejection = rejection(
                &text("codespace"),
                u32::try_from(code).unwrap(),
                &text("log"),
            );
            let class = rejection.class();
            *seen.entry(format!("{class:?}")).or_default() += 1;
            let expected = match (rejection.codespace.as_str(), code) {
                ("sdk", 32) => Some(Class::SequenceMismatch),
                ("sdk", 30 | 42) => Some(Class::Expired),
                ("sdk", 13) => Some(Class::InsufficientFee),
                ("sdk", 11) => Some(Class::OutOfGas),
                ("sdk", 5) => Some(Class::InsufficientFunds),
                ("sdk", 4) => Some(Class::Other),
                _ => None,
            };
            assert!(
                expected.is_none_or(|expected| expected == class),
                "{class:?}: {rejection}"
            );
            if let Some((_, index)) = rejection.log.split_once("message index: ") {
                let index = index.split(':').next().unwrap();
                assert_eq!(rejection.message_index(), index.parse().ok());
            }
        }
    }
    for class in [
        "WindowClosed",
        "WindowNotOpen",
        "InsufficientFunds",
        "SequenceMismatch",
        "Other",
    ] {
        assert!(seen.contains_key(class), "{class} not in {seen:?}");
    }
}

#[test]
fn the_windows_side_is_read_from_the_heights() {
    let early = "failed to execute message; message index: 12: rpc error: code = FailedPrecondition desc = current block \
                 height (25) is less than session's earliest proof commit height (30): proof attempted outside of the \
                 session's proof window";
    let late = "current block height (32) is greater than session proof window close height (30): proof attempted \
                outside of the session's proof window";
    assert_eq!(
        rejection("undefined", 1, early).class(),
        Class::WindowNotOpen
    );
    assert_eq!(rejection("undefined", 1, early).message_index(), Some(12));
    assert_eq!(rejection("undefined", 1, late).class(), Class::WindowClosed);
    assert_eq!(rejection("undefined", 1, late).message_index(), None);
    assert_eq!(
        rejection("undefined", 1, "x: proof not required").class(),
        Class::ProofNotRequired
    );
    assert_eq!(rejection("sdk", 19, "").class(), Class::AlreadyKnown);
    assert!(!Class::WindowClosed.passes_with_time() && Class::WindowNotOpen.passes_with_time());
}
