//! Random operations over all messages against a whole application, from a seed.
//!
//! An operation is a transaction: mostly sensible, often not quite, sometimes nonsense. Blocks end at random. After every
//! block what must always hold is checked by calculation from the blocks' events, which shares no code with the modules.
//! `cargo xtask soak` runs more of it; a failing run prints the command that repeats it.

mod actors;
mod authorised;
mod blocks;
mod checks;
mod messages;
pub(crate) mod panics;
mod relays;
mod validators;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chain::Rules;

pub(crate) use actors::document;
pub(crate) use blocks::{World, proposal};

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}

/// Runs so many operations; says how to run them again when something does not hold.
fn run(seed: u64, rules: Rules, operations: u64) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, rules);
        world.run(operations);
        world.summary()
    }));
    let which = if rules == Rules::mended() {
        "mended"
    } else {
        "reference"
    };
    match outcome {
        Ok(summary) => println!("seed {seed}, {which} rules: {summary}"),
        Err(panic) => {
            eprintln!(
                "\nseed {seed}, {which} rules: run it again with\n  cargo xtask soak --operations {} --seed {seed}\n",
                2 * operations
            );
            resume_unwind(panic);
        }
    }
}

#[test]
fn random_operations_keep_what_must_hold() {
    let operations = setting("RELAYMILL_SOAK_OPERATIONS").unwrap_or(1_000);
    let seeds = match setting("RELAYMILL_SOAK_SEED") {
        Some(seed) => vec![seed],
        None => vec![1, 2],
    };
    let share = operations.div_ceil(2 * seeds.len() as u64);
    for seed in seeds {
        run(seed, Rules::reference(), share);
        run(seed, Rules::mended(), share);
    }
}
