//! Wire formats change only on purpose.

use sha2::{Digest, Sha256};

#[test]
fn the_descriptor_set_is_the_approved_one() {
    let actual = hex::encode(Sha256::digest(proto::DESCRIPTOR_SET));
    assert_eq!(
        actual,
        proto::DESCRIPTOR_SHA256,
        "a wire format changed; if that is meant, put this hash into proto::DESCRIPTOR_SHA256"
    );
}
