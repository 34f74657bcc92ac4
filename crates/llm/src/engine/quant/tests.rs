use proptest::prelude::*;

use super::*;

#[test]
fn every_half_survives_a_round_trip() {
    for half in 0..=u16::MAX {
        let value = f16_to_f32(half);
        if value.is_nan() {
            assert!(f16_to_f32(f32_to_f16(value)).is_nan());
        } else {
            assert_eq!(f32_to_f16(value), half, "{half:#06x}");
        }
    }
}

#[test]
fn known_halves() {
    for (value, half) in [
        (0.0, 0x0000),
        (-0.0, 0x8000),
        (1.0, 0x3c00),
        (-2.0, 0xc000),
        (65_504.0, 0x7bff),
        (65_519.0, 0x7bff),
        (65_520.0, 0x7c00),
        (1e9, 0x7c00),
        (5.960_464_5e-8, 0x0001),
        (6.1e-5, 0x03ff),
        (1.000_488_3, 0x3c00),
        (1.001_464_8, 0x3c02),
    ] {
        assert_eq!(f32_to_f16(value), half, "{value}");
    }
}

#[test]
fn a_half_way_case_goes_to_the_even_half() {
    for half in 0x0400..0x7bff_u16 {
        let middle = (f16_to_f32(half) + f16_to_f32(half + 1)) / 2.0;
        assert_eq!(f32_to_f16(middle), half + (half & 1), "{half:#06x}");
    }
}

#[test]
fn a_block_of_zeros_is_zero() {
    let mut zeros = Quantised::default();
    zeros.set(&[0.0; BLOCK]);
    assert_eq!((zeros.scales[0], zeros.quants[0]), (0.0, 0));
}

#[test]
fn what_is_not_a_number_does_not_panic() {
    let mut odd = Quantised::default();
    odd.set(&[f32::NAN; BLOCK]);
    odd.set(&[f32::INFINITY; BLOCK]);
    let _ = dot(&[-128; BLOCK], &[1.0], &odd);
}

proptest! {
    #[test]
    fn a_block_is_off_by_at_most_half_a_step(
        values in proptest::collection::vec(-50.0_f32..50.0, BLOCK)
    ) {
        let mut quantised = Quantised::default();
        quantised.set(&values);
        let step = values.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / 127.0;
        for (value, quant) in values.iter().zip(&quantised.quants) {
            let back = f32::from(*quant) * quantised.scales[0];
            // Half a step, and the rounding of the scale to 11 bits over 127 steps.
            prop_assert!((value - back).abs() <= step * 0.58 + 1e-6, "{} {}", value, back);
        }
    }

    #[test]
    fn the_dot_product_is_near_that_of_the_floats(
        pairs in proptest::collection::vec((-1.0_f32..1.0, -3.0_f32..3.0), 4 * BLOCK)
    ) {
        let (weights, inputs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let (mut w, mut x) = (Quantised::default(), Quantised::default());
        w.set(&weights);
        x.set(&inputs);
        let bytes: Vec<i8> = w.quants.iter().map(|&quant| quant as i8).collect();
        let exact: f64 =
            weights.iter().zip(&inputs).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let got = f64::from(dot(&bytes, &w.scales, &x));
        // Each product errs by at most |a|·step_b/2 + |b|·step_a/2 and a little.
        prop_assert!((got - exact).abs() < 128.0 * (1.5 / 127.0 + 1.5 / 127.0), "{got} {exact}");
    }
}
