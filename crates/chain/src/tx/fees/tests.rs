use super::*;

#[test]
fn prices_are_read_exactly_and_fees_rounded_up() {
    let fee = |price: &str, gas| price.parse::<GasPrice>().unwrap().fee(gas).unwrap();
    assert_eq!(fee("0upokt", 1_000_000), 0);
    assert_eq!(fee("0.000000001upokt", 1), 1);
    assert_eq!(fee("0.000000001", 1_000_000_000), 1);
    assert_eq!(fee("0.000000001", 1_000_000_001), 2);
    assert_eq!(fee("1.5upokt", 3), 5);
    assert_eq!(GasPrice::ZERO.fee(u64::MAX), Some(0));
    for wrong in [
        "",
        "upokt",
        "-1",
        "1e3",
        "0.1pokt",
        "1.0000000000000000001",
        ".5",
    ] {
        assert!(wrong.parse::<GasPrice>().is_err(), "{wrong}");
    }
}
