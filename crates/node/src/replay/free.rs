//! What two implementations may answer differently without either being wrong.
//!
//! Gas numbers and hashes of state are an implementation's own, and so is its prose: of a text only the parts count that
//! clients match on (chain specification 6.7). Everything else is compared.

/// How the value of a key is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freedom {
    /// Not free.
    None,
    /// Not compared at all, its presence included.
    Ignored,
    /// A text: the same [`substrings`].
    Text,
    /// A page key: empty, or not.
    Opaque,
}

/// The keys that are free wherever they stand in a JSON form.
const KEYS: &[(&str, Freedom)] = &[
    ("gas_used", Freedom::Ignored),
    ("gas_wanted", Freedom::Ignored),
    ("app_hash", Freedom::Ignored),
    ("last_results_hash", Freedom::Ignored),
    ("latest_app_hash", Freedom::Ignored),
    ("earliest_app_hash", Freedom::Ignored),
    ("last_block_app_hash", Freedom::Ignored),
    ("build_deps", Freedom::Ignored),
    ("go_version", Freedom::Ignored),
    ("git_commit", Freedom::Ignored),
    ("default_node_id", Freedom::Ignored),
    ("listen_addr", Freedom::Ignored),
    ("rpc_address", Freedom::Ignored),
    ("validator_info", Freedom::Ignored),
    ("pruning_keep_recent", Freedom::Ignored),
    ("pruning_interval", Freedom::Ignored),
    ("halt_height", Freedom::Ignored),
    ("log", Freedom::Text),
    ("raw_log", Freedom::Text),
    ("failure_reason", Freedom::Text),
    ("next_key", Freedom::Opaque),
];

/// How a key of a JSON form is compared.
pub(super) fn of(key: &str) -> Freedom {
    KEYS.iter()
        .find(|(name, _)| *name == key)
        .map_or(Freedom::None, |(_, freedom)| *freedom)
}

/// How a key at a path is compared: the texts of errors stand under keys that mean something else elsewhere.
pub(super) fn at(path: &str, key: &str) -> Freedom {
    if path.ends_with(".error.data") || path == ".message" {
        return Freedom::Text;
    }
    let about_node = path.strip_suffix(key).unwrap_or_default();
    let about_node = [".node_info.", ".default_node_info."]
        .iter()
        .any(|end| about_node.ends_with(end));
    // Validators have monikers, too, and those are state.
    if about_node && matches!(key, "id" | "channels" | "moniker") {
        return Freedom::Ignored;
    }
    of(key)
}

/// Attributes of events whose value is a text.
pub(super) fn is_text_attribute(key: &str) -> bool {
    matches!(key, "error" | "failure_reason")
}

/// The event whose order within a block is free: its proofs are checked side by side.
pub(super) const UNORDERED_EVENT: &str = "pocket.proof.EventProofValidityChecked";

/// What clients look for in texts, and what names the kind of an error (chain specification 6.7).
const SUBSTRINGS: &[&str] = &[
    "proof not required",
    "proof window",
    "proof_window",
    "insufficient funds",
    "insufficient account balance",
    "spendable balance",
    "account sequence mismatch",
    "incorrect account sequence",
    "sequence mismatch",
    "signature verification failed",
    "failed to execute message; message index: ",
    "rpc error: code = ",
    "tx timeout",
    "unordered transaction must have timeout_timestamp set",
    "unordered tx ttl exceeds 10m0s",
    "sequence is not allowed for unordered transactions",
    "failed to add unordered nonce",
    "has already used timeout",
    "tx already exists in cache",
    "invalid authority; expected ",
    "expected gov account as only signer for proposal message",
    "unsupported return type unspecified; supported types: sync, async",
];

/// The parts of a text that count, with the word that follows where that word is part of the meaning.
pub(super) fn substrings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in SUBSTRINGS {
        let Some((_, rest)) = text.split_once(part) else {
            continue;
        };
        let word = if part.ends_with("index: ") || part.ends_with("code = ") {
            rest.split([':', ' ']).next().unwrap_or_default()
        } else {
            ""
        };
        found.push(format!("{part}{word}"));
    }
    found
}

/// Whether two texts say the same to a client.
pub(super) fn same_text(expected: &str, got: &str) -> bool {
    expected == got || substrings(expected) == substrings(got)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_text_what_clients_match_on_counts() {
        let ours = "failed to execute message; message index: 1: rpc error: code = NotFound desc = no such thing";
        let theirs = "failed to execute message; message index: 1: rpc error: code = NotFound desc = it is not there";
        assert!(same_text(theirs, ours));
        assert!(!same_text(theirs, &ours.replace("index: 1", "index: 0")));
        assert!(!same_text(theirs, &ours.replace("NotFound", "Internal")));
        assert!(!same_text(theirs, "out of luck"));
        assert!(same_text("a", "b"));
        let sequence = "account sequence mismatch, expected 2, got 7: incorrect account sequence";
        assert!(same_text(sequence, &sequence.replace('2', "3")));
        assert!(!same_text(sequence, "incorrect account sequence"));
    }

    #[test]
    fn keys_are_free_by_name() {
        assert_eq!(of("gas_used"), Freedom::Ignored);
        assert_eq!(of("raw_log"), Freedom::Text);
        assert_eq!(of("next_key"), Freedom::Opaque);
        assert_eq!(of("code"), Freedom::None);
        let moniker = |path| at(path, "moniker");
        assert_eq!(moniker(".result.node_info.moniker"), Freedom::Ignored);
        assert_eq!(moniker(".default_node_info.moniker"), Freedom::Ignored);
        let validator = ".validators[0].description.moniker";
        assert_eq!(moniker(validator), Freedom::None);
        assert_eq!(at(".id", "id"), Freedom::None);
    }
}
