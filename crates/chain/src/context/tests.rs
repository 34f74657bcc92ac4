use std::collections::BTreeMap;

use proptest::prelude::*;
use proto::pocket::application::EventApplicationUnbondingEnd;

use super::*;
use crate::error::{GrpcCode, QueryError};
use crate::testing::TestChain;

fn chain() -> TestChain {
    TestChain::new(Rules::reference())
}

fn with_context<T>(f: impl FnOnce(&mut Context) -> T) -> T {
    let chain = chain();
    f(&mut Context::for_test(
        chain.view(),
        chain.block.clone(),
        chain.rules,
    ))
}

#[test]
fn a_failing_scope_takes_back_changes_and_events_but_not_gas() {
    with_context(|ctx| {
        ctx.meter(None);
        ctx.set(b"a".to_vec(), b"1".to_vec());
        ctx.emit_raw("before", &[]);
        let used = ctx.gas_used();
        let failed: Result<(), &str> = ctx.atomic(|ctx| {
            ctx.set(b"a".to_vec(), b"2".to_vec());
            let inner: Result<(), &str> = ctx.atomic(|ctx| {
                ctx.remove(b"a");
                ctx.set(b"b".to_vec(), b"3".to_vec());
                ctx.emit_raw("inner", &[]);
                Ok(())
            });
            inner?;
            assert_eq!(ctx.get(b"a").unwrap(), None);
            Err("no")
        });
        assert_eq!(failed, Err("no"));
        assert_eq!(ctx.get(b"a").unwrap(), Some(b"1".to_vec()));
        assert_eq!(ctx.get(b"b").unwrap(), None);
        assert_eq!(ctx.events().len(), 1);
        assert!(ctx.gas_used() > used);
    });
}

#[test]
fn typed_events_are_sorted_and_indexed() {
    with_context(|ctx| {
        let event = EventApplicationUnbondingEnd {
            session_end_height: 20,
            ..Default::default()
        };
        ctx.emit(&event).unwrap();
        let events = ctx.take_events();
        assert_eq!(
            events[0].r#type,
            "pocket.application.EventApplicationUnbondingEnd"
        );
        let keys: Vec<_> = events[0]
            .attributes
            .iter()
            .map(|pair| pair.key.as_str())
            .collect();
        assert!(keys.is_sorted());
        let height = events[0]
            .attributes
            .iter()
            .find(|pair| pair.key == "session_end_height");
        assert_eq!(height.unwrap().value, "\"20\"");
        assert!(events[0].attributes.iter().all(|pair| pair.index));
    });
}

#[test]
fn gas_follows_the_sdks_prices() {
    with_context(|ctx| {
        ctx.meter(None);
        ctx.set(b"key".to_vec(), vec![0; 7]);
        assert_eq!(ctx.gas_used(), 2_000 + 30 * 10);
        ctx.get(b"key").unwrap();
        assert_eq!(ctx.gas_used(), 2_300 + 1_000 + 3 * 10);
        ctx.has(b"key").unwrap();
        ctx.remove(b"key");
        assert_eq!(ctx.gas_used(), 3_330 + 2_000);
        ctx.set(b"key".to_vec(), vec![0; 7]);
        let used = ctx.gas_used();
        ctx.scan(b"k", Bound::Unbounded, false, 9).unwrap();
        assert_eq!(ctx.gas_used(), used + 30 + 3 * 10);
    });
}

#[test]
fn walking_a_prefix_crosses_chunks_and_stops_at_its_end() {
    let mut chain = chain();
    let count = SCAN_CHUNK * 2 + 3;
    let result: Result<(), ChainError> = chain.run(|ctx| {
        for number in 0..count {
            ctx.set([b"p/".as_slice(), &number.to_be_bytes()].concat(), vec![1]);
        }
        ctx.set(b"p0".to_vec(), vec![2]);
        ctx.set(b"o".to_vec(), vec![2]);
        Ok(())
    });
    result.unwrap();
    chain.read(|ctx| {
        let keys: Vec<_> = ctx.iter(b"p/").map(|pair| pair.unwrap().0).collect();
        assert_eq!(keys.len(), count);
        assert!(keys.is_sorted());
        let last = ctx.scan(b"p/", Bound::Unbounded, true, 1).unwrap();
        assert_eq!(last[0].0, *keys.last().unwrap());
        let after = ctx
            .scan(b"p/", Bound::Excluded(&keys[4]), false, 1)
            .unwrap();
        assert_eq!(after[0].0, keys[5]);
        let before = ctx.scan(b"p/", Bound::Excluded(&keys[4]), true, 1).unwrap();
        assert_eq!(before[0].0, keys[3]);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Changes above a view read as one map.
    #[test]
    fn reads_as_one_map(
        below in prop::collection::btree_map(prop::collection::vec(0_u8..3, 0..4), any::<u8>(), 0..24),
        above in prop::collection::btree_map(prop::collection::vec(0_u8..3, 0..4), prop::option::of(any::<u8>()), 0..24),
        prefix in prop::collection::vec(0_u8..3, 0..2),
        reverse: bool,
        limit in 1_usize..30,
    ) {
        let mut chain = chain();
        let result: Result<(), ChainError> = chain.run(|ctx| {
            for (key, value) in &below {
                ctx.set(key.clone(), vec![*value]);
            }
            Ok(())
        });
        result.unwrap();
        let mut ctx = Context::for_test(chain.view(), chain.block.clone(), chain.rules);
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> =
            below.into_iter().map(|(key, value)| (key, vec![value])).collect();
        for (key, value) in above {
            match value {
                Some(value) => {
                    ctx.set(key.clone(), vec![value]);
                    model.insert(key, vec![value]);
                }
                None => {
                    ctx.remove(&key);
                    model.remove(&key);
                }
            }
        }
        let mut expected: Vec<_> =
            model.into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        if reverse {
            expected.reverse();
        }
        expected.truncate(limit);
        prop_assert_eq!(ctx.scan(&prefix, Bound::Unbounded, reverse, limit).unwrap(), expected);
    }
}

#[test]
fn a_query_reads_as_many_rows_as_it_may() {
    let mut chain = TestChain::new(Rules::reference());
    chain
        .run(|ctx| {
            for number in 0..10_u8 {
                ctx.set(vec![b'k', number], vec![number]);
            }
            Ok::<(), ChainError>(())
        })
        .unwrap();
    let limited = |limit| {
        let block = chain.block.clone();
        Context::new(chain.view(), block, chain.rules, Mode::Query).with_row_limit(limit)
    };
    let rows = |ctx: &Context| ctx.iter(b"k").collect::<Result<Vec<_>, _>>();
    assert_eq!(rows(&limited(10)).unwrap().len(), 10);
    let error = QueryError::from(rows(&limited(9)).unwrap_err());
    assert_eq!(error.grpc, GrpcCode::ResourceExhausted);
    assert!(error.message.contains("more than 9 rows"), "{error}");
    // Single values count as well.
    let ctx = limited(2);
    assert!(ctx.get(b"k1").is_ok() && ctx.has(b"k2").is_ok());
    assert!(matches!(
        ctx.get(b"k3"),
        Err(ChainError::RowLimit { limit: 2 })
    ));
}
