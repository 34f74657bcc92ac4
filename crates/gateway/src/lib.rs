//! Sells relays behind an OpenAI API: keys, candidates, choice, relay, account.
