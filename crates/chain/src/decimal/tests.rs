use super::*;

fn dec(text: &str) -> Dec {
    Dec::from_text(text).unwrap()
}

#[test]
fn text_and_wire_are_the_references() {
    assert_eq!(dec("0.05").to_wire(), "50000000000000000");
    assert_eq!(Dec::from_wire("50000000000000000").unwrap(), dec("0.05"));
    assert_eq!(dec("-1.5").to_string(), "-1.500000000000000000");
    assert_eq!(Dec::zero().to_string(), "0.000000000000000000");
    assert_eq!(Dec::read_wire(""), Some(None));
    assert_eq!(Dec::read_wire("1.5"), None);
    assert_eq!(Dec::read_wire("-"), None);
}

/// Tie and near-tie cases of the last place: product and quotient, rounded half to even and truncated.
#[test]
fn the_last_place_rounds_half_to_even() {
    let smallest = Dec::from_places(1);
    let half = dec("0.5");
    assert_eq!(smallest.mul(&half).unwrap(), Dec::zero());
    assert_eq!(Dec::from_places(3).mul(&half).unwrap(), Dec::from_places(2));
    assert_eq!(Dec::from_places(5).mul(&half).unwrap(), Dec::from_places(2));
    assert_eq!(
        Dec::from_places(-3).mul(&half).unwrap(),
        Dec::from_places(-2)
    );
    assert_eq!(
        Dec::from_places(3).mul_truncate(&half).unwrap(),
        Dec::from_places(1)
    );
    let third = Dec::one().quo(&Dec::from_int(3)).unwrap();
    assert_eq!(third.to_string(), "0.333333333333333333");
    let two_thirds = dec("2").quo(&dec("3")).unwrap();
    assert_eq!(two_thirds.to_string(), "0.666666666666666667");
    assert_eq!(
        dec("2").quo_truncate(&dec("3")).unwrap().to_string(),
        "0.666666666666666666"
    );
    assert_eq!(
        Dec::one().quo_round_up(&dec("3")).unwrap().to_string(),
        "0.333333333333333334"
    );
    assert_eq!(dec("2.5").round().unwrap(), 2);
    assert_eq!(dec("3.5").round().unwrap(), 4);
    assert_eq!(dec("3.999").truncate().unwrap(), 3);
}

#[test]
fn what_the_reference_panics_at_is_an_error() {
    let mut large = Dec::from_int(u128::MAX);
    for _ in 0..2 {
        large = large.mul(&dec("18446744073709551616")).unwrap();
    }
    assert!(large.mul_int(2).is_err());
    assert!(Dec::one().quo(&Dec::zero()).is_err());
    assert!(dec("-1").truncate().is_err());
}

#[test]
fn coins_drop_zeros_and_keep_the_order_of_denominations() {
    let mut coins = DecCoins::new();
    coins.add("upokt", &dec("1.5")).unwrap();
    coins.add("mact", &dec("0.25")).unwrap();
    assert_eq!(
        coins.to_string(),
        "0.250000000000000000mact,1.500000000000000000upokt"
    );
    assert_eq!(DecCoins::from_proto(&coins.to_proto()).unwrap(), coins);
    let (whole, rest) = coins.truncate().unwrap();
    assert_eq!(whole.to_string(), "1upokt");
    assert_eq!(
        rest.to_string(),
        "0.250000000000000000mact,0.500000000000000000upokt"
    );
    assert!(rest.minus(&coins).is_err());
    assert!(coins.minus(&coins).unwrap().is_empty());
    assert_eq!(coins.intersect(&rest), rest);
}
