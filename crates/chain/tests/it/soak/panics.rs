//! Panics, those that the state machine catches included. Some answers repeat a panic of the reference by code and text; here
//! nothing panics.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static SEEN: AtomicU64 = AtomicU64::new(0);

/// Threads of the tests that watch, and of the pools of their applications.
const THREADS: [&str; 4] = ["determinism::", "malformed::", "soak::", "chain-"];

/// Counts panics from now on.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or_default();
            if THREADS.iter().any(|prefix| name.starts_with(prefix)) {
                SEEN.fetch_add(1, Ordering::Relaxed);
            }
            before(info);
        }));
    });
}

/// How many there were. A failing test panics too: what others report after it is an echo.
pub(crate) fn seen() -> u64 {
    SEEN.load(Ordering::Relaxed)
}
