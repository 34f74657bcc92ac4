use proptest::prelude::*;

use super::*;

fn sample() -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .metadata("a.text", Value::Text("grün".into()))
        .metadata(
            "a.list",
            Value::Array(vec![Value::Text("x".into()), Value::Text("".into())]),
        )
        .metadata(
            "a.nested",
            Value::Array(vec![Value::Array(vec![Value::I8(-1)])]),
        )
        .metadata("a.flag", Value::Bool(true))
        .metadata(
            "a.numbers",
            Value::Array(vec![Value::F32(1.5), Value::F32(-2.0)]),
        )
        .metadata("a.big", Value::U64(u64::MAX))
        .metadata("a.small", Value::I16(-3))
        .metadata("a.double", Value::F64(0.1))
        .tensor(
            "t.f32",
            &[3, 2],
            TensorKind::F32,
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        )
        .tensor("t.f16", &[2], TensorKind::F16, &[0.5, -0.25])
        .tensor("t.q8", &[32, 2], TensorKind::Q8_0, &[0.25; 64]);
    writer.finish()
}

#[test]
fn what_was_written_reads_back() {
    let bytes = sample();
    let file = Gguf::parse(&bytes).unwrap();
    assert_eq!(file.metadata["a.text"].as_str(), Some("grün"));
    assert_eq!(file.metadata["a.list"].as_array().unwrap().len(), 2);
    assert_eq!(file.metadata["a.big"].as_u64(), Some(u64::MAX));
    assert_eq!(file.metadata["a.small"].as_u64(), None);
    assert_eq!(file.metadata["a.flag"].as_bool(), Some(true));
    assert_eq!(file.metadata["a.double"].as_f32(), Some(0.1));
    assert_eq!(file.tensors["t.f32"].shape, [3, 2]);
    assert_eq!(file.tensors["t.f32"].data[4..8], 2.0_f32.to_le_bytes());
    assert_eq!(file.tensors["t.f16"].data, [0x00, 0x38, 0x00, 0xb4]);
    assert_eq!(file.tensors["t.q8"].data.len(), 2 * BLOCK_BYTES);
}

#[test]
fn the_alignment_of_the_file_is_kept() {
    let mut writer = Writer::new();
    writer
        .metadata(ALIGNMENT_KEY, Value::U32(256))
        .tensor("a", &[1], TensorKind::F32, &[1.0])
        .tensor("b", &[1], TensorKind::F32, &[2.0]);
    let bytes = writer.finish();
    let file = Gguf::parse(&bytes).unwrap();
    assert_eq!(file.tensors["b"].data, 2.0_f32.to_le_bytes());
    assert_eq!(bytes.len() % 256, 4);
}

#[test]
fn other_files_are_named_as_such() {
    assert_eq!(Gguf::parse(b"GGML\0\0\0\0"), Err(Error::NotGguf));
    assert_eq!(Gguf::parse(b"GGUF\x01\0\0\0"), Err(Error::Version(1)));
    assert_eq!(
        Gguf::parse(b"GGUF\0\0\0\x03"),
        Err(Error::Version(0x0300_0000))
    );
    assert!(matches!(Gguf::parse(b"GG"), Err(Error::Truncated(_))));
}

#[test]
fn a_name_that_occurs_twice_is_refused() {
    let mut writer = Writer::new();
    writer
        .metadata("a", Value::U8(1))
        .metadata("a", Value::U8(2));
    assert!(matches!(
        Gguf::parse(&writer.finish()),
        Err(Error::Malformed(_))
    ));
    let mut writer = Writer::new();
    writer
        .tensor("t", &[1], TensorKind::F32, &[1.0])
        .tensor("t", &[1], TensorKind::F32, &[1.0]);
    assert!(matches!(
        Gguf::parse(&writer.finish()),
        Err(Error::Malformed(_))
    ));
}

#[test]
fn every_cut_of_a_file_is_refused() {
    let bytes = sample();
    for length in 0..bytes.len() {
        assert!(Gguf::parse(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn huge_counts_are_refused_without_allocating() {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend_from_slice(&u64::MAX.to_le_bytes());
    bytes.extend_from_slice(&u64::MAX.to_le_bytes());
    bytes.extend_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(Gguf::parse(&bytes), Err(Error::Truncated(_))));
}

proptest! {
    #[test]
    fn a_changed_byte_never_panics(at in 0..sample().len(), byte in any::<u8>()) {
        let mut bytes = sample();
        bytes[at] = byte;
        let _ = Gguf::parse(&bytes);
    }

    #[test]
    fn any_bytes_after_the_magic_never_panic(
        rest in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(rest);
        let _ = Gguf::parse(&bytes);
    }
}
