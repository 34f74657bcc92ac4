use client::{BlockEvent, Blocks, Error, FeedState};

use crate::{connected, soon};

async fn next(blocks: &mut Blocks) -> BlockEvent {
    soon(blocks.next()).await.unwrap()
}

#[tokio::test]
async fn blocks_come_in_order_with_the_hash_of_their_header() {
    let (node, chain, _tasks) = connected().await;
    let mut blocks = chain.blocks();
    node.announce();
    let block = next(&mut blocks).await;
    assert_eq!(
        (block.height, block.hash, &*block.chain_id),
        (86, node.hash(86), "pocket")
    );
    // Two that nobody announced.
    node.commit();
    node.commit();
    node.announce();
    for height in 87..=89 {
        let block = next(&mut blocks).await;
        assert_eq!((block.height, block.hash), (height, node.hash(height)));
    }
    assert_eq!(chain.health().borrow().state, FeedState::Live);
}

#[tokio::test]
async fn a_closed_socket_is_opened_again_and_its_gap_repaired() {
    let (node, chain, _tasks) = connected().await;
    let mut blocks = chain.blocks();
    node.hang_up();
    node.commit();
    assert_eq!(next(&mut blocks).await.height, 86);
    soon(node.subscribed(2)).await;
    node.announce();
    assert_eq!(next(&mut blocks).await.height, 87);
}

#[tokio::test]
async fn whoever_comes_late_gets_every_block_all_the_same() {
    let (node, chain, _tasks) = connected().await;
    for height in 86..=95 {
        node.announce();
        soon(chain.wait_above(height - 1)).await.unwrap();
    }
    let fetched = node.fetched().len();
    let mut blocks = chain.blocks_from(72);
    for height in 72..=95 {
        let block = next(&mut blocks).await;
        assert_eq!((block.height, block.hash), (height, node.hash(height)));
    }
    // Those before the connection were fetched, the others remembered.
    let fetched = node.fetched()[fetched..].to_vec();
    assert!(fetched.iter().all(|height| *height < 85), "{fetched:?}");
}

#[tokio::test]
async fn hashes_are_recomputed_and_kept() {
    let (node, chain, _tasks) = connected().await;
    assert_eq!(chain.block_hash(74).await.unwrap(), node.hash(74));
    let fetched = node.fetched().len();
    assert_eq!(chain.block_hash(74).await.unwrap(), node.hash(74));
    assert_eq!(node.fetched().len(), fetched);
    node.lie_about(73);
    let error = chain.block_hash(73).await.unwrap_err();
    assert!(matches!(&error, Error::Malformed { .. }), "{error}");
    assert!(
        error.to_string().contains("but its header hashes to"),
        "{error}"
    );
    let error = chain.block_hash(86).await.unwrap_err();
    assert!(matches!(&error, Error::Rpc { data, .. } if data.contains("must be less than")));
}

#[tokio::test]
async fn the_end_of_the_scope_is_the_end_of_the_blocks() {
    let (_node, chain, tasks) = connected().await;
    let mut blocks = chain.blocks();
    let (ended, waited, ()) =
        tokio::join!(soon(blocks.next()), soon(chain.wait_above(99)), async {
            tasks.cancel()
        },);
    assert!(ended.is_none() && matches!(waited, Err(Error::Closed)));
    soon(tasks.shutdown(std::time::Duration::from_secs(5)))
        .await
        .unwrap();
}
