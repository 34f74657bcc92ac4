//! What a request and an answer are, and a small deterministic engine for Llama-family models.
