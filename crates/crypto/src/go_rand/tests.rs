use super::*;
use crate::hash::{sha256, sha256_parts};
use crate::test_vectors::{self, text};

/// Reads Go's `%x` form of a positive double, exactly (serde_json's reading of decimals may be off
/// by one bit).
fn hexadecimal_float(text: &str) -> f64 {
    let (fraction, exponent) = text.strip_prefix("0x1.").unwrap().split_once('p').unwrap();
    let fraction = u64::from_str_radix(&format!("{fraction:0<13}"), 16).unwrap();
    let exponent = (1023 + exponent.parse::<i64>().unwrap()) as u64;
    f64::from_bits(exponent << 52 | fraction)
}

#[test]
fn the_table_is_go_s() {
    let group = &test_vectors::relay_protocol()["go_rand"];
    let bytes: Vec<u8> = COOKED.iter().flat_map(|word| word.to_be_bytes()).collect();
    assert_eq!(
        hex::encode(sha256_parts(&[&bytes])),
        text(&group["cooked_sha256_be"])
    );
    let strings: Vec<String> = COOKED.iter().map(u64::to_string).collect();
    let wanted: Vec<&str> = group["cooked_u64_decimal_strings"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert_eq!(strings, wanted);
    assert_eq!(COOKED[0] as i64, -4_181_792_142_133_755_926);
}

#[test]
fn first_numbers_equal_the_vectors() {
    let items = test_vectors::relay_protocol()["go_rand"]["items"]
        .as_array()
        .unwrap();
    assert!(!items.is_empty());
    for item in items {
        let hash = sha256(text(&item["seed_input_ascii"]).as_bytes());
        assert_eq!(hex::encode(hash), text(&item["sha256"]));
        let seed = varint(&hash);
        assert_eq!(seed, test_vectors::integer(&item["varint_seed"]));
        assert_eq!(
            GoRand::new(seed).int63(),
            test_vectors::integer(&item["first_int63"])
        );
        assert_eq!(
            GoRand::new(seed).float64(),
            hexadecimal_float(text(&item["float64_hex"]))
        );
    }
}

#[test]
fn varints_at_the_edge_equal_the_vectors() {
    let items = test_vectors::relay_protocol()["go_rand"]["varint_edge"]
        .as_array()
        .unwrap();
    assert!(!items.is_empty());
    for item in items {
        let bytes = hex::decode(text(&item["bytes"])).unwrap();
        assert_eq!(
            varint(&bytes),
            test_vectors::integer(&item["value"]),
            "{}",
            item["bytes"]
        );
    }
    assert_eq!(varint(&[]), 0);
    assert_eq!(
        varint(&[1, 0xff]),
        -1,
        "bytes after the number do not matter"
    );
}

#[test]
fn sequences_equal_go() {
    let sequences: [(i64, &[f64]); 6] = [
        (
            1,
            &[
                0.6046602879796196,
                0.9405090880450124,
                0.6645600532184904,
                0.4377141871869802,
            ],
        ),
        (0, &[0.9451961492941164, 0.24496508529377975]),
        (-5, &[0.1964231528691937, 0.48006842453323395]),
        (123_456_789, &[0.764978064279259, 0.8051820201933766]),
        (1 << 40, &[0.5930843231590794, 0.685489550248101]),
        (-(1 << 62), &[0.3951876009960174, 0.05964969860952545]),
    ];
    for (seed, wanted) in sequences {
        let mut generator = GoRand::new(seed);
        let drawn: Vec<f64> = wanted.iter().map(|_| generator.float64()).collect();
        assert_eq!(drawn, wanted, "seed {seed}");
    }
}

#[test]
fn seeds_equal_modulo_the_lehmer_modulus_draw_alike() {
    let mut one = GoRand::new(7);
    let mut other = GoRand::new(7 - LEHMER_MODULUS);
    for _ in 0..1300 {
        assert_eq!(one.uint64(), other.uint64());
    }
}
