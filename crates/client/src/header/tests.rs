use super::*;
use crate::testing;

#[test]
fn every_recorded_block_hashes_to_its_id() {
    let mut blocks = 0;
    for file in ["chain-a/blocks.jsonl.gz", "peers/blocks.jsonl.gz"] {
        for row in testing::golden(file) {
            let block = &row["block"];
            let header: Header = serde_json::from_value(block["block"]["header"].clone()).unwrap();
            let id: BlockId = serde_json::from_value(block["block_id"].clone()).unwrap();
            assert_eq!(
                hash(&header).as_slice(),
                id.hash,
                "{file} height {}",
                header.height
            );
            assert_eq!(
                serde_json::to_value(&header).unwrap(),
                block["block"]["header"]
            );
            blocks += 1;
        }
    }
    assert_eq!(blocks, 333 + 43);
}

#[test]
fn any_changed_field_changes_the_hash() {
    let row = testing::golden("peers/blocks.jsonl.gz").swap_remove(0);
    let header: Header = serde_json::from_value(row["block"]["block"]["header"].clone()).unwrap();
    let changes: [fn(&mut Header); 14] = [
        |header| header.version.app += 1,
        |header| header.chain_id.push('x'),
        |header| header.height += 1,
        |header| header.time.nanos += 1,
        |header| header.last_block_id.parts.total += 1,
        |header| header.last_commit_hash[0] ^= 1,
        |header| header.data_hash[0] ^= 1,
        |header| header.validators_hash[0] ^= 1,
        |header| header.next_validators_hash[0] ^= 1,
        |header| header.consensus_hash[0] ^= 1,
        |header| header.app_hash[0] ^= 1,
        |header| header.last_results_hash[0] ^= 1,
        |header| header.evidence_hash[0] ^= 1,
        |header| header.proposer_address[0] ^= 1,
    ];
    for change in changes {
        let mut other = header.clone();
        change(&mut other);
        assert_ne!(hash(&other), hash(&header));
    }
}
