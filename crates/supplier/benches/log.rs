//! Appending to the session log: what a relay pays before its last byte leaves.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use supplier::log::{Kind, SessionLog, Syncer};

fn append(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let tasks = net::Tasks::new();
    let syncer = {
        let _inside = runtime.enter();
        Syncer::start(&tasks)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let log = SessionLog::create(&folder.path().join("bench.log"), b"{}", &syncer).expect("a log");
    let relay = vec![7; 800];
    criterion.bench_function(
        "log: append a relay of 800 bytes, synced in groups",
        |bencher| {
            bencher.iter(|| {
                log.append(Kind::Relay, black_box(&relay))
                    .expect("space on the disk")
            });
        },
    );
}

criterion_group!(benches, append);
criterion_main!(benches);
