//! Keys, ring signatures, the sum trie, and compatibility with Go's gob and math/rand.
