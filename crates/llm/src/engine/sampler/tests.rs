use proptest::prelude::*;

use super::*;

fn sampler(change: impl FnOnce(&mut SamplerOptions)) -> Sampler {
    let mut options = SamplerOptions::default();
    change(&mut options);
    Sampler::new(options)
}

fn draws(sampler: &mut Sampler, logits: &[f32], count: usize) -> Vec<u32> {
    (0..count).map(|_| sampler.choose(logits)).collect()
}

#[test]
fn the_generator_is_the_published_one() {
    let mut random = SplitMix64(1_234_567);
    assert_eq!(
        [random.next(), random.next(), random.next()],
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423
        ]
    );
}

#[test]
fn temperature_zero_takes_the_first_of_the_best() {
    let mut greedy = sampler(|options| options.temperature = 0.0);
    assert_eq!(draws(&mut greedy, &[1.0, 5.0, 5.0, -1.0], 3), [1, 1, 1]);
}

#[test]
fn draws_follow_the_probabilities() {
    let logits = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
    let mut counts = [0_i32; 3];
    for token in draws(&mut sampler(|options| options.seed = 7), &logits, 20_000) {
        counts[token as usize] += 1;
    }
    for (count, expected) in counts.iter().zip([10_000, 6_000, 4_000]) {
        assert!((count - expected).abs() < 300, "{counts:?}");
    }
}

#[test]
fn one_seed_gives_one_series_and_another_another() {
    let logits: Vec<f32> = (0..50).map(|i| (i % 7) as f32 / 3.0).collect();
    let series = |seed| draws(&mut sampler(|options| options.seed = seed), &logits, 40);
    assert_eq!(series(3), series(3));
    assert_ne!(series(3), series(4));
}

#[test]
fn top_k_and_top_p_keep_the_likeliest() {
    let logits = [2.0, 1.0, 3.0, 0.0];
    let mut two = sampler(|options| options.top_k = 2);
    assert!(
        draws(&mut two, &logits, 200)
            .iter()
            .all(|token| [0, 2].contains(token))
    );
    let mut one = sampler(|options| options.top_p = 0.0);
    assert_eq!(draws(&mut one, &logits, 5), [2; 5]);
    // 3.0 has 0.644 of the mass, 2.0 the next 0.237.
    let mut pair = sampler(|options| options.top_p = 0.7);
    let drawn = draws(&mut pair, &logits, 300);
    assert!(drawn.contains(&0) && drawn.contains(&2) && !drawn.contains(&1));
}

#[test]
fn penalties_and_biases_move_the_choice() {
    let logits = [1.0, 0.8, 0.0];
    let mut present = sampler(|options| {
        options.temperature = 0.0;
        options.presence_penalty = 0.5;
    });
    assert_eq!(draws(&mut present, &logits, 3), [0, 1, 0]);
    let mut frequent = sampler(|options| {
        options.temperature = 0.0;
        options.frequency_penalty = 0.3;
    });
    assert_eq!(draws(&mut frequent, &logits, 5), [0, 1, 0, 1, 0]);
    let mut biased = sampler(|options| {
        options.temperature = 0.0;
        options.logit_bias = vec![(0, -100.0), (1, -100.0), (99, 100.0)];
    });
    assert_eq!(biased.choose(&logits), 2);
}

#[test]
fn log_probabilities_are_normalised_and_sorted() {
    let logs = log_probabilities(&[1.0, 3.0, 2.0]);
    assert!((logs.iter().map(|log| log.exp()).sum::<f32>() - 1.0).abs() < 1e-5);
    let best: Vec<u32> = likeliest(&logs, 2).into_iter().map(|(_, id)| id).collect();
    assert_eq!(best, [1, 2]);
    assert_eq!(likeliest(&logs, 9).len(), 3);
    assert!(likeliest(&logs, 0).is_empty());
}

proptest! {
    #[test]
    fn any_logits_give_a_token(
        logits in proptest::collection::vec(any::<f32>(), 1..20),
        temperature in 0.0_f32..2.0,
        top_p in 0.0_f32..=1.0,
        top_k in 0_usize..30,
        seed in any::<u64>(),
    ) {
        let mut sampler = sampler(|options| {
            *options = SamplerOptions { temperature, top_p, top_k, seed, ..options.clone() };
        });
        for _ in 0..5 {
            prop_assert!((sampler.choose(&logits) as usize) < logits.len());
        }
    }
}
