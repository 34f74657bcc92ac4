use super::*;

#[test]
fn exp_is_close_over_its_whole_range() {
    let mut x = -87.0_f32;
    while x < 88.0 {
        let exact = f64::from(x).exp();
        let error = (f64::from(exp(x)) - exact).abs() / exact;
        assert!(error < 3e-7, "exp({x}) is off by {error:e}");
        x += 0.003;
    }
    assert_eq!(exp(0.0), 1.0);
    assert!(exp(-1e30) < 2e-38 && exp(1e30) > 1e38 && exp(f32::NAN).is_nan());
}

#[test]
fn probabilities_sum_to_one() {
    let mut scores = [1.0, -3.0, 2.5, 1000.0, 999.0];
    softmax(&mut scores);
    assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    assert!((scores[3] / scores[4] - std::f32::consts::E).abs() < 1e-4);
}

#[test]
fn a_normalised_row_has_root_mean_square_one() {
    let input: Vec<f32> = (0..64).map(|i| (i as f32 - 20.0) * 3.0).collect();
    let mut output = vec![0.0; 64];
    rms_norm(&input, &[1.0; 64], 1e-6, &mut output);
    let mean = output.iter().map(|x| x * x).sum::<f32>() / 64.0;
    assert!((mean - 1.0).abs() < 1e-5, "{mean}");
}

#[test]
fn the_dot_product_counts_the_remainder() {
    let a: Vec<f32> = (0..19).map(|i| i as f32).collect();
    assert_eq!(dot(&a, &[2.0; 19]), 342.0);
}
