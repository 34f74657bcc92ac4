//! What a relay costs in cryptography: `cargo bench -p relaymill-crypto`.
//!
//! Figures are CPU time of the thread, so they hold on a busy machine; sealing, which uses all cores, is in wall time.

use std::fs;
use std::hint::black_box;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, SamplingMode, criterion_group, criterion_main};
use crypto::gob;
use crypto::hash::sha256;
use crypto::keys::{PublicKey, SecretKey};
use crypto::limits::HOT_AFTER;
use crypto::ring::{self, Cache, Signer};
use crypto::trie::{
    ClosestProof, SealedTrie, SiblingData, Trie, leaf_digest, value_path, verify_closest_strict,
};

/// Bytes of a short chat request and its response, both signed.
const RELAY_BYTES: usize = 800;
const LEAVES: u64 = 100_000;

/// Time that the thread spent on a core, as Linux's scheduler counts it: in steps of up to 4 ms, so samples are few, long
/// and equal.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = f64;
    type Value = f64;

    fn start(&self) -> f64 {
        let text = fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux machine");
        let spent = text.split(' ').next().and_then(|field| field.parse().ok());
        spent.expect("nanoseconds come first")
    }

    fn end(&self, start: f64) -> f64 {
        self.start() - start
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_bytes(&[number; 32]).expect("a small scalar")
}

fn rings(criterion: &mut Criterion<CpuTime>) {
    let members: Vec<PublicKey> = [1, 2].map(|number| secret(number).public()).to_vec();
    let signer = Signer::new(secret(2), members.clone()).expect("a ring of two");
    let message = sha256(b"request");
    let signature = signer.sign(&message).expect("randomness");
    let cache = Cache::new(100);
    for _ in 0..HOT_AFTER {
        cache
            .verify(&message, &signature, &members)
            .expect("our own signature");
    }
    assert_eq!(cache.tables_held(), 5);

    let mut group = criterion.benchmark_group("ring of 2");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("verify, warm tables", |bencher| {
        bencher.iter(|| cache.verify(black_box(&message), &signature, &members));
    });
    group.bench_function("verify, cold", |bencher| {
        bencher.iter(|| ring::verify(black_box(&message), &signature));
    });
    group.bench_function("sign", |bencher| {
        bencher.iter(|| signer.sign(black_box(&message)))
    });
    group.bench_function("tables of a signer", |bencher| {
        bencher.iter(|| Signer::new(secret(2), members.clone()));
    });
    group.bench_function("tables of a member", |bencher| {
        bencher.iter(|| Cache::new(100).prepare(&members[..1]));
    });
    group.finish();

    let key = secret(3);
    let ecdsa = key.sign(&message);
    let mut group = criterion.benchmark_group("ECDSA");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("sign", |bencher| {
        bencher.iter(|| key.sign(black_box(&message)))
    });
    let public = key.public();
    group.bench_function("verify", |bencher| {
        bencher.iter(|| public.verify(black_box(&message), &ecdsa));
    });
    group.finish();
}

fn value(number: u64) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    value.resize(RELAY_BYTES, 7);
    value
}

fn filled() -> Trie {
    let mut trie = Trie::new();
    for number in 0..LEAVES {
        let path = sha256(&number.to_be_bytes());
        trie.insert(
            path,
            leaf_digest(&path, &number.to_be_bytes(), 1000),
            number,
        );
    }
    trie
}

fn prove(trie: &SealedTrie, challenge: &[u8; 32]) -> ClosestProof {
    trie.prove(challenge, SiblingData::Include, |leaf| {
        Ok::<_, crypto::Error>(leaf.position.to_be_bytes().to_vec())
    })
    .expect("values are those inserted")
}

fn tries(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("trie");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("leaf of 800 bytes: path, digest, insert", |bencher| {
        let mut number = 0;
        let mut trie = Trie::new();
        bencher.iter_batched(
            || {
                number += 1;
                value(number)
            },
            |value| {
                let path = value_path(&value);
                trie.insert(path, leaf_digest(&path, &value, 1000), 0)
            },
            BatchSize::SmallInput,
        );
    });
    let sealed = filled().seal();
    let challenge = sha256(b"block");
    group.bench_function("prove among 100,000", |bencher| {
        bencher.iter(|| prove(&sealed, black_box(&challenge)));
    });
    let compact = prove(&sealed, &challenge).compact();
    let root = sealed.root();
    group.bench_function("verify a proof among 100,000", |bencher| {
        bencher.iter(|| verify_closest_strict(&root, &challenge, black_box(&compact)).is_ok());
    });
    group.finish();

    let mut group = criterion.benchmark_group("gob");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("encode", |bencher| {
        bencher.iter(|| gob::encode_proof(black_box(&compact)));
    });
    let stream = gob::encode_proof(&compact);
    group.bench_function("decode", |bencher| {
        bencher.iter(|| gob::decode_proof(black_box(&stream)));
    });
    group.finish();
}

fn sealing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trie");
    group.sample_size(10);
    group.bench_function("seal 100,000 leaves (wall)", |bencher| {
        bencher.iter_batched(filled, Trie::seal, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group! {
    name = of_one_thread;
    config = Criterion::default().with_measurement(CpuTime).sample_size(10);
    targets = rings, tries
}
criterion_group!(of_all_cores, sealing);
criterion_main!(of_one_thread, of_all_cores);
