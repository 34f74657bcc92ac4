//! Wire formats change only on purpose.

use std::path::Path;

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

/// Programs in other languages make our messages from this file.
#[test]
fn the_descriptor_set_is_checked_in_as_it_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/descriptors.binpb");
    if std::env::var_os("RELAYMILL_APPROVE").is_some() {
        std::fs::write(&file, proto::DESCRIPTOR_SET).unwrap();
    }
    let checked_in = std::fs::read(&file).unwrap_or_default();
    assert!(
        checked_in == proto::DESCRIPTOR_SET,
        "interop/descriptors.binpb is another; RELAYMILL_APPROVE=1 cargo test -p relaymill-proto writes it"
    );
}
