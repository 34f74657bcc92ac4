//! The rules of `proof`, each both ways.
