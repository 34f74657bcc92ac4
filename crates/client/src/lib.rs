//! A chain seen from outside: typed queries, block feed, transactions confirmed by inclusion.
