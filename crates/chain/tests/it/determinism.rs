//! The same blocks give the same results: on any number of threads, and on a node that is stopped at the worst moment.

use chain::{Application, Options, Rules};
use tendermint_proto::v0_38::abci::{RequestFinalizeBlock, ResponseFinalizeBlock};

use crate::soak::{World, document};

type Block = (RequestFinalizeBlock, ResponseFinalizeBlock);

/// Blocks full of claims, proofs, settlements and everything else.
fn blocks(rules: Rules) -> Vec<Block> {
    let mut world = World::recording(11, rules);
    world.run(400);
    let blocks = world.take_recorded();
    let settled = blocks.iter().flat_map(|(_, response)| &response.events);
    let settled = settled.filter(|event| event.r#type.ends_with("EventClaimSettled"));
    assert!(settled.count() > 3);
    blocks
}

fn options(threads: usize) -> Options {
    Options {
        threads,
        ..Options::default()
    }
}

fn start(mut application: Application, rules: Rules) -> Application {
    let genesis = document(rules).init_chain(Vec::new()).unwrap();
    application.init_chain(&genesis).unwrap();
    application
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let rules = Rules::mended();
    let blocks = blocks(rules);
    for threads in [1, 8] {
        let application = Application::in_memory(options(threads)).unwrap();
        let mut application = start(application, rules);
        for (request, expected) in &blocks {
            let response = application.finalize_block(request).unwrap();
            assert_eq!(
                response, *expected,
                "{threads} threads, height {}",
                request.height
            );
            application.commit().unwrap();
        }
    }
}

#[test]
fn a_node_stopped_between_finalize_and_commit_changes_nothing() {
    for rules in [Rules::reference(), Rules::mended()] {
        let directory = tempfile::tempdir().unwrap();
        let open = || Application::open(directory.path(), options(2)).unwrap();
        let mut application = start(open(), rules);
        for (request, expected) in &blocks(rules) {
            let response = application.finalize_block(request).unwrap();
            assert_eq!(response, *expected, "height {}", request.height);
            if request.height % 5 == 3 {
                drop(application);
                application = open();
                let again = application.finalize_block(request).unwrap();
                assert_eq!(
                    again, *expected,
                    "height {} after a restart",
                    request.height
                );
            }
            application.commit().unwrap();
            if request.height % 7 == 0 {
                drop(application);
                application = open();
            }
        }
    }
}
