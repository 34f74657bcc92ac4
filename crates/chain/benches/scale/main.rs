//! What a block costs when much happens in it: `cargo bench -p relaymill-chain --bench scale [-- NAME]`.
//!
//! Each measure is made at several sizes, so that it shows whether the cost grows with the size. CPU time is that of the
//! whole process; wall time on a busy machine is a bound on the bad side. States are written through the modules' own
//! functions between two blocks.

#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../../tests/common/rng.rs"]
mod rng;
#[path = "../../tests/common/work.rs"]
mod work;

mod measure;
mod proofs;
mod session;
mod settle;
mod state;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let all: [(&str, fn()); 3] = [
        ("settle", settle::run),
        ("proofs", proofs::run),
        ("session", session::run),
    ];
    for (name, run) in all {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n## {name}\n");
            run();
        }
    }
}
