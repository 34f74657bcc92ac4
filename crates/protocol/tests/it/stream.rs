//! Frames: against the naive rule, against a recorded stream, and the last frame of ours.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use proto::pocket::service::RelayResponse;
use protocol::http;
use protocol::relay::{build_response, response_of_hash};
use protocol::stream::{
    DELIMITER, FrameDecoder, Received, Receiver, Sender, StreamError, encode_frame, is_last_frame,
};
use serde_json::Value;

use crate::vectors::{bytes, list};

/// The rule as it is written: search a delimiter; it ends a frame only where the bytes before it decode completely.
fn frames_by_search(stream: &[u8]) -> Vec<RelayResponse> {
    let (mut frames, mut start) = (Vec::new(), 0);
    for at in 0..stream.len().saturating_sub(DELIMITER.len() - 1) {
        if at < start || !stream[at..].starts_with(DELIMITER) {
            continue;
        }
        if let Ok(frame) = RelayResponse::decode(&stream[start..at]) {
            if at > start {
                frames.push(frame);
            }
            start = at + DELIMITER.len();
        }
    }
    frames
}

/// Feeds a stream in pieces of these sizes, again and again.
fn decode(stream: &[u8], sizes: &[usize]) -> Result<Vec<RelayResponse>, StreamError> {
    let mut decoder = FrameDecoder::default();
    let (mut frames, mut rest) = (Vec::new(), stream);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, next) = rest.split_at((*size).min(rest.len()));
        rest = next;
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
    }
    frames.extend(decoder.finish()?);
    Ok(frames)
}

fn response(payload: impl Into<Bytes>) -> RelayResponse {
    build_response(Default::default(), payload.into()).unwrap()
}

/// The stream that a reference miner really sent.
#[test]
fn a_recorded_stream() {
    let file = include_str!("../../../../tests/vectors/golden/peers/relays.jsonl");
    let mut streams = 0;
    for line in file.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if row["response_headers"]["Content-Type"] != "text/event-stream" {
            continue;
        }
        streams += 1;
        let stream = bytes(&row["response_hex"]);
        let frames = decode(&stream, &[stream.len()]).unwrap();
        assert_eq!(frames, frames_by_search(&stream));
        assert_eq!(frames.len(), list(&row["response_arrivals_ms_bytes"]).len());
        let mut receiver = Receiver::new(false);
        let mut body = Vec::new();
        for frame in &frames {
            assert!(!is_last_frame(frame));
            let Ok(Received::Part(part)) = receiver.accept(frame) else {
                panic!("{frame:?}")
            };
            assert_eq!((part.status_code, part.header.len()), (200, 0));
            body.extend(part.body_bz);
        }
        assert_eq!(receiver.finish(), Ok(()));
        assert!(body.starts_with(b"data: "));
    }
    assert!(streams > 0);
}

#[test]
fn a_delimiter_that_the_model_prints_ends_nothing() {
    let answer = http::build_response(
        200,
        [],
        Bytes::from_static(b"say ||POKT_STREAM|| twice ||POKT_STREAM||"),
    );
    let sent = [response(answer), response(&DELIMITER[..])];
    let stream: Vec<u8> = sent.iter().flat_map(encode_frame).collect();
    for sizes in [vec![1], vec![7, 3], vec![stream.len()]] {
        assert_eq!(decode(&stream, &sizes).unwrap(), sent);
    }
}

#[test]
fn what_is_no_frame_is_an_error_at_once() {
    let mut decoder = FrameDecoder::default();
    decoder.push(b"<html>");
    assert_eq!(decoder.next_frame(), Err(StreamError::Malformed));

    let mut decoder = FrameDecoder::new(1000);
    // Field 2 of 2^40 bytes: refused before any of them arrives.
    decoder.push(&[0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
    assert_eq!(decoder.next_frame(), Err(StreamError::FrameTooLarge(1000)));

    let mut decoder = FrameDecoder::new(100);
    decoder.push(&encode_frame(&response(vec![7; 200])));
    assert_eq!(decoder.next_frame(), Err(StreamError::FrameTooLarge(100)));

    let frame = encode_frame(&response("cut"));
    for cut in 1..frame.len() - DELIMITER.len() {
        let mut decoder = FrameDecoder::default();
        decoder.push(&frame[..cut]);
        let whole = RelayResponse::decode(&frame[..cut]).is_ok();
        assert_eq!(decoder.finish().is_ok(), whole, "cut at {cut}");
    }
    // Without its delimiter, a clean end completes the last frame.
    let mut decoder = FrameDecoder::default();
    decoder.push(&frame[..frame.len() - DELIMITER.len()]);
    assert_eq!(decoder.finish(), Ok(Some(response("cut"))));
}

/// A whole stream between two of ours: frames of a sender, and the last one.
fn ours(bodies: &[&[u8]]) -> Vec<RelayResponse> {
    let headers = http::collect_headers([("content-type", "text/event-stream")]);
    let mut sender = Sender::new(200, headers);
    let mut frames: Vec<RelayResponse> = bodies
        .iter()
        .map(|body| response(sender.part(Bytes::copy_from_slice(body)).unwrap()))
        .collect();
    frames.push(response_of_hash(Default::default(), sender.finish()));
    frames
}

fn receive(frames: &[RelayResponse]) -> Result<Vec<u8>, StreamError> {
    let mut receiver = Receiver::new(true);
    let mut body = Vec::new();
    for frame in frames {
        if let Received::Part(part) = receiver.accept(frame)? {
            body.extend(part.body_bz);
        }
    }
    receiver.finish()?;
    Ok(body)
}

#[test]
fn the_last_frame_covers_the_whole_answer() {
    let frames = ours(&[b"one ", b"", b"two"]);
    assert_eq!(receive(&frames).unwrap(), b"one two");
    let headers = [("content-type", "text/event-stream")];
    let whole = http::build_response(200, headers, Bytes::from_static(b"one two"));
    let last = frames.last().unwrap();
    assert!(is_last_frame(last));
    assert_eq!(last.payload_hash, crypto::hash::sha256(&whole).to_vec());

    assert_eq!(receive(&frames[..3]), Err(StreamError::NoLastFrame), "cut");
    let without = [&frames[..2], &frames[3..]].concat();
    assert_eq!(
        receive(&without),
        Err(StreamError::LastFrame),
        "a frame is missing"
    );
    let swapped = [
        frames[2].clone(),
        frames[1].clone(),
        frames[0].clone(),
        frames[3].clone(),
    ];
    assert_eq!(
        receive(&swapped),
        Err(StreamError::LastFrame),
        "another order"
    );
    assert_eq!(
        receive(&frames[3..]),
        Err(StreamError::LastFrame),
        "nothing but an end"
    );
    let behind = [frames.as_slice(), &frames[..1]].concat();
    assert!(matches!(receive(&behind), Err(StreamError::Unexpected(_))));
    let mut unpromised = Receiver::new(false);
    assert!(matches!(
        unpromised.accept(last),
        Err(StreamError::Unexpected(_))
    ));
}

proptest! {
    /// Payloads full of delimiters and pieces of them, cut anywhere: as the search finds them, and as they were sent.
    #[test]
    fn frames_survive_delimiters_and_cuts(
        payloads in proptest::collection::vec(
            proptest::collection::vec(
                prop_oneof![
                    Just(DELIMITER.to_vec()),
                    (0..15usize).prop_map(|n| DELIMITER[..n].to_vec()),
                    (0..15usize).prop_map(|n| DELIMITER[n..].to_vec()),
                    proptest::collection::vec(any::<u8>(), 0..20),
                ],
                1..6,
            ),
            1..6,
        ),
        sizes in proptest::collection::vec(1usize..50, 1..5),
    ) {
        let sent: Vec<RelayResponse> = payloads
            .into_iter()
            .map(|pieces| {
                let payload = pieces.concat();
                response(if payload.is_empty() { DELIMITER.to_vec() } else { payload })
            })
            .collect();
        let stream: Vec<u8> = sent.iter().flat_map(encode_frame).collect();
        let received = decode(&stream, &sizes).unwrap();
        prop_assert_eq!(&received, &sent);
        prop_assert_eq!(&received, &frames_by_search(&stream));
    }

    /// Whatever arrives, frames are those of the search up to the point where ours gives up, and nothing panics.
    #[test]
    fn arbitrary_bytes_are_cut_as_the_search_cuts(
        pieces in proptest::collection::vec(
            prop_oneof![
                3 => Just(DELIMITER.to_vec()),
                2 => proptest::collection::vec(any::<u8>(), 0..12),
                2 => proptest::collection::vec(any::<u8>(), 1..20).prop_map(|p| response(p).encode_to_vec()),
                1 => Just(vec![0x22, 0x00]),
            ],
            0..8,
        ),
        sizes in proptest::collection::vec(1usize..50, 1..5),
    ) {
        let stream = pieces.concat();
        let model = frames_by_search(&stream);
        let mut decoder = FrameDecoder::default();
        let mut found = Vec::new();
        let mut rest = stream.as_slice();
        'stream: for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, next) = rest.split_at((*size).min(rest.len()));
            rest = next;
            decoder.push(piece);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => found.push(frame),
                    Ok(None) => break,
                    Err(_) => break 'stream,
                }
            }
        }
        prop_assert!(model.starts_with(&found), "{:?} {:?}", model, found);
    }

    #[test]
    fn any_answer_in_any_parts_is_received(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8),
        sizes in proptest::collection::vec(1usize..50, 1..5),
    ) {
        let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let stream: Vec<u8> = ours(&slices).iter().flat_map(encode_frame).collect();
        let frames = decode(&stream, &sizes).unwrap();
        prop_assert_eq!(receive(&frames).unwrap(), bodies.concat());
    }
}
