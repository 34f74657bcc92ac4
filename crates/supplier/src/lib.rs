//! Serves relays and mines them: admission, backend, signature, log, trie, claim, proof.
