//! Random operations over all messages against a whole application, from a seed.
//!
//! An operation is a transaction: mostly sensible, often not quite, sometimes nonsense. Blocks end at random. After every
//! block what must always hold is checked by calculation from the blocks' events, which shares no code with the modules.
//! `cargo xtask soak` runs more of it; a failing run prints the command that repeats it.

mod actors;
mod authorised;
mod blocks;
mod checks;
mod governance;
mod kinds;
mod messages;
pub(crate) mod panics;
mod relays;
mod tally;
mod validators;
mod vesting;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chain::Rules;

pub(crate) use actors::document;
pub(crate) use blocks::{World, options, proposal};

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}

/// Operations of one run from which on each kind of message must have been accepted at least once.
const ALL_KINDS: u64 = 20_000;

/// Runs so many operations; says how to run them again when something does not hold.
fn run(seed: u64, (which, rules): (&str, Rules), operations: u64) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, rules);
        world.run(operations);
        println!("seed {seed}, {which} rules: {}", world.summary());
        if operations >= ALL_KINDS {
            let never = world.never_accepted();
            assert!(never.is_empty(), "never accepted: {never:?}");
        }
    }));
    if let Err(panic) = outcome {
        eprintln!(
            "\nseed {seed}, {which} rules: run it again with\n  cargo xtask soak --operations {operations} \
             --seed {seed} --rules {which}\n"
        );
        resume_unwind(panic);
    }
}

/// So many operations, half of them under the reference's rules and half under ours, or all under those named. Without
/// settings 1,000 under each, from two seeds.
#[test]
fn random_operations_keep_what_must_hold() {
    let operations = setting("RELAYMILL_SOAK_OPERATIONS").unwrap_or(2_000);
    let seeds = match setting("RELAYMILL_SOAK_SEED") {
        Some(seed) => vec![seed],
        None => vec![1, 2],
    };
    let wanted = std::env::var("RELAYMILL_SOAK_RULES").ok();
    let all = [
        ("reference", Rules::reference()),
        ("mended", Rules::mended()),
    ];
    let wanted: Vec<_> = all
        .into_iter()
        .filter(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == *name))
        .collect();
    let share = operations.div_ceil(wanted.len() as u64 * seeds.len() as u64);
    for seed in seeds {
        for rules in &wanted {
            run(seed, *rules, share);
        }
    }
}
