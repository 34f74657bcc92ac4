//! What everybody must agree on: sessions, relays, windows, claims, proofs and amounts.
