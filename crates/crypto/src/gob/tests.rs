use proptest::prelude::*;

use super::encode::{bytes, int, uint};
use super::*;
use crate::error::Error;
use crate::test_vectors::{relay_protocol, text};
use crate::trie::{CompactInner, CompactProof};

fn proof() -> CompactProof {
    CompactProof {
        path: vec![1; 32],
        flipped_bits: vec![vec![1], vec![2]],
        depth: vec![4],
        closest_path: vec![2; 32],
        closest_value_hash: vec![3; 300],
        closest_proof: Some(CompactInner {
            side_nodes: vec![vec![4; 48], vec![5; 48]],
            non_membership_leaf_data: vec![],
            bit_mask: vec![0x60],
            num_side_nodes: 4,
            sibling_data: vec![6; 70],
        }),
    }
}

/// A stream made by hand.
#[derive(Default)]
struct Stream(Vec<u8>);

impl Stream {
    fn message(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut body = vec![];
        write(&mut body);
        bytes(&mut self.0, &body);
        self
    }

    fn structure(self, id: i64, fields: &[(&str, i64)]) -> Self {
        self.message(|body| {
            int(body, -id);
            body.extend([3, 2]);
            uint(body, fields.len() as u64);
            for (name, id) in fields {
                body.push(1);
                bytes(body, name.as_bytes());
                body.push(1);
                int(body, *id);
                body.push(0);
            }
            body.extend([0, 0]);
        })
    }

    /// A type of another kind: the number of the alternative, then type ids from its second field
    /// on.
    fn kind(self, id: i64, alternative: u8, ids: &[i64]) -> Self {
        self.message(|body| {
            int(body, -id);
            body.push(alternative);
            for (number, id) in ids.iter().enumerate() {
                body.push(if number == 0 { 2 } else { 1 });
                int(body, *id);
            }
            body.extend([0, 0]);
        })
    }

    fn decode(&self) -> Result<CompactProof, Error> {
        decode_proof(&self.0)
    }
}

fn gob(reason: &'static str) -> Result<CompactProof, Error> {
    Err(Error::Gob { reason })
}

#[test]
fn the_definitions_equal_go_s() {
    let preamble = text(&relay_protocol()["smst"]["gob_preamble"]);
    assert!(hex::encode(encode_proof(&proof())).starts_with(preamble));
    assert_eq!(preamble.len(), 2 * 286);
}

#[test]
fn empty_fields_survive() {
    let mut proof = proof();
    assert_eq!(decode_proof(&encode_proof(&proof)).unwrap(), proof);
    proof.flipped_bits = vec![vec![], vec![0, 0, 0]];
    proof.closest_proof = Some(CompactInner {
        num_side_nodes: i64::MIN,
        ..Default::default()
    });
    assert_eq!(decode_proof(&encode_proof(&proof)).unwrap(), proof);
    proof.closest_proof = Some(CompactInner::default());
    assert_eq!(decode_proof(&encode_proof(&proof)).unwrap(), proof);
    let nothing = CompactProof::default();
    assert_eq!(decode_proof(&encode_proof(&nothing)).unwrap(), nothing);
}

#[test]
fn numbers_have_go_s_bytes() {
    let cases: [(u64, &[u8]); 5] = [
        (0, &[0]),
        (127, &[127]),
        (128, &[255, 128]),
        (256, &[254, 1, 0]),
        (u64::MAX, &[248, 255, 255, 255, 255, 255, 255, 255, 255]),
    ];
    for (number, wanted) in cases {
        let mut out = vec![];
        uint(&mut out, number);
        assert_eq!(out, wanted);
    }
    let cases: [(i64, &[u8]); 5] = [
        (0, &[0]),
        (-1, &[1]),
        (1, &[2]),
        (-65, &[255, 129]),
        (-64, &[127]),
    ];
    for (number, wanted) in cases {
        let mut out = vec![];
        int(&mut out, number);
        assert_eq!(out, wanted);
    }
}

#[test]
fn other_ids_orders_and_unknown_fields_are_read() {
    // The inner struct first, ids far away, fields in another order, and one unknown field of every
    // kind.
    let stream = Stream::default()
        .structure(
            900,
            &[("NumSideNodes", 2), ("New", 901), ("SideNodes", 903)],
        )
        .kind(901, 4, &[2, 902])
        .structure(902, &[("Again", 901), ("Flag", 1)])
        .kind(903, 2, &[5])
        .kind(904, 1, &[4, 3])
        .kind(905, 5, &[])
        .structure(
            70,
            &[
                ("Text", 6),
                ("ClosestProof", 900),
                ("Array", 904),
                ("Complex", 7),
                ("Opaque", 905),
                ("Unsigned", 3),
                ("Path", 5),
                ("Empty", 902),
            ],
        )
        .message(|body| {
            int(body, 70);
            body.push(1);
            bytes(body, b"hello");
            // ClosestProof: NumSideNodes 3; New: {7: {Again: {}, Flag}}; SideNodes: ["x"].
            body.extend([1, 1, 6, 1, 1, 14, 1, 0, 1, 1, 0, 1, 1, 1, b'x', 0]);
            // Array of three floats, complex, opaque of two bytes, unsigned.
            body.extend([1, 3, 1, 2, 3, 1, 5, 6, 1, 2, 9, 9, 1, 77]);
            body.push(1);
            bytes(body, &[8; 32]);
            body.extend([1, 0, 0]);
        });
    let proof = stream.decode().unwrap();
    assert_eq!(proof.path, [8; 32]);
    let inner = proof.closest_proof.unwrap();
    assert_eq!(
        (inner.num_side_nodes, inner.side_nodes),
        (3, vec![b"x".to_vec()])
    );
    // What follows the first value is not looked at.
    let followed = Stream([&stream.0[..], &[0xff; 9]].concat());
    assert_eq!(followed.decode().unwrap().path, [8; 32]);
}

#[test]
fn wrong_streams_are_named() {
    let path = |id| Stream::default().structure(64, &[("Path", id), ("Other", 8), ("Same", 64)]);
    let value = |stream: Stream, body: &[u8]| {
        stream.message(|out| {
            int(out, 64);
            out.extend_from_slice(body);
        })
    };
    assert_eq!(
        value(path(6), &[1, 0, 0]).decode(),
        gob("a byte string is expected where it holds something else")
    );
    assert_eq!(
        value(path(5), &[1, 5, 1, 0]).decode(),
        gob("a length is beyond its end")
    );
    assert_eq!(
        value(path(5), &[1, 1]).decode(),
        gob("a length is beyond its end")
    );
    assert_eq!(
        value(path(5), &[3, 255]).decode(),
        gob("it ends in the middle of a value")
    );
    assert_eq!(
        value(path(5), &[9]).decode(),
        gob("a struct has an undefined field")
    );
    assert_eq!(
        value(path(5), &[2, 0]).decode(),
        gob("a value has an unknown type")
    );
    assert_eq!(
        value(path(5), &[0xf7; 20]).decode(),
        gob("a number has more than eight bytes")
    );
    let huge = [1, 0, 0xf8, 255, 255, 255, 255, 255, 255, 255, 255];
    assert_eq!(
        value(path(5), &huge).decode(),
        gob("a field number is out of range")
    );
    assert_eq!(
        value(path(5), &[3; 60]).decode(),
        gob("values nest too deeply")
    );
    assert_eq!(
        path(5).structure(64, &[]).decode(),
        gob("it defines a type again")
    );
    assert_eq!(
        Stream::default().structure(5, &[]).decode(),
        gob("it defines a type again")
    );
    assert_eq!(
        Stream::default()
            .message(|body| body.extend([0x81, 0]))
            .decode(),
        gob("a number has more than eight bytes")
    );
    assert_eq!(
        Stream::default().message(|body| int(body, 5)).decode(),
        gob("a struct is expected where it holds something else")
    );
    assert_eq!(
        Stream::default()
            .message(|body| int(body, i64::MIN))
            .decode(),
        gob("a type id is out of range")
    );
    assert_eq!(
        Stream::default()
            .message(|body| {
                int(body, -70);
                body.push(0)
            })
            .structure(64, &[("Path", 5), ("Nothing", 70)])
            .message(|body| int(body, 64))
            .decode(),
        gob("a type is defined as nothing")
    );
    assert_eq!(
        Stream::default().kind(70, 8, &[]).decode(),
        gob("a type is of an unknown kind")
    );
    assert_eq!(decode_proof(&[]), gob("it ends in the middle of a value"));
    let many = (64..200).fold(Stream::default(), |stream, id| stream.structure(id, &[]));
    assert_eq!(many.decode(), gob("it defines too many types"));
    let wide = vec![("Path", 5); 65];
    assert_eq!(
        Stream::default().structure(64, &wide).decode(),
        gob("a struct has too many fields")
    );
    let list = Stream::default()
        .kind(65, 2, &[5])
        .structure(64, &[("FlippedBits", 65)]);
    let long = [&[1, 0xfe, 0x10, 1][..], &[0; 4098]].concat();
    assert_eq!(
        value(list, &long).decode(),
        gob("a list is too long for a proof")
    );
}

#[test]
fn all_types_are_looked_at_before_a_value_is() {
    let value = |stream: Stream| {
        let stream = stream.message(|body| {
            int(body, 64);
            body.extend([1, 1, 7]);
        });
        stream.decode()
    };
    let with = |name, id| Stream::default().structure(64, &[("Path", 5), (name, id)]);
    // A struct may end with its message.
    assert_eq!(value(with("Other", 4)).unwrap().path, [7]);
    for id in [4, 6, 80] {
        assert_eq!(
            value(with("Depth", id)),
            gob("a byte string is expected where it holds something else")
        );
    }
    let lists = [
        with("FlippedBits", 5),
        with("FlippedBits", 65).kind(65, 2, &[6]),
        with("FlippedBits", 65).kind(65, 1, &[5, 3]),
    ];
    for stream in lists {
        assert_eq!(
            value(stream),
            gob("a list of byte strings is expected where it holds something else")
        );
    }
    let inner = |name, id| with("ClosestProof", 66).structure(66, &[(name, id)]);
    assert_eq!(value(inner("NumSideNodes", 2)).unwrap().path, [7]);
    assert_eq!(
        value(inner("NumSideNodes", 3)),
        gob("an integer is expected where it holds something else")
    );
    assert_eq!(value(inner("Other", 66)).unwrap().path, [7]);
    assert_eq!(value(inner("Other", 67)), gob("a type is not defined"));
    assert_eq!(value(inner("", 2)), gob("a field has no name"));
    assert_eq!(
        value(with("ClosestProof", 5)),
        gob("a struct is expected where it holds something else")
    );
    assert_eq!(
        value(Stream::default().structure(64, &[("Other", 5)])),
        gob("a struct is expected that has a field of a proof")
    );
    let followed = Stream::default().message(|body| {
        int(body, -64);
        body.extend([3, 0, 0, 1]);
    });
    assert_eq!(
        value(followed),
        gob("a message goes on after a type's definition")
    );
}

fn any_proof() -> impl Strategy<Value = CompactProof> {
    let blob = || prop::collection::vec(any::<u8>(), 0..200);
    let blobs = || prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..10);
    let inner = (blobs(), blob(), blob(), any::<i64>(), blob()).prop_map(
        |(side_nodes, non_membership_leaf_data, bit_mask, num_side_nodes, sibling_data)| {
            CompactInner {
                side_nodes,
                non_membership_leaf_data,
                bit_mask,
                num_side_nodes,
                sibling_data,
            }
        },
    );
    (
        blob(),
        blobs(),
        blob(),
        blob(),
        blob(),
        prop::option::of(inner),
    )
        .prop_map(
            |(path, flipped_bits, depth, closest_path, closest_value_hash, closest_proof)| {
                CompactProof {
                    path,
                    flipped_bits,
                    depth,
                    closest_path,
                    closest_value_hash,
                    closest_proof,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read(proof in any_proof()) {
        prop_assert_eq!(decode_proof(&encode_proof(&proof)).unwrap(), proof);
    }

    #[test]
    fn changed_streams_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut stream = encode_proof(&proof());
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let _ = decode_proof(&stream);
        prop_assert!(decode_proof(&stream[..cut.index(286)]).is_err());
        let _ = decode_proof(&stream[..cut.index(stream.len())]);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_proof(&bytes);
    }
}
