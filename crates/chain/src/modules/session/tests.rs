//! Sessions in the state machine: hashes, heights, the size rule, and what a lookup reads.

use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};

use proto::pocket::session::MsgUpdateParam;
use proto::pocket::session::msg_update_param::AsType;
use proto::pocket::shared::{ServiceConfigUpdate, Supplier};
use proto::pocket::supplier::GenesisState;

use super::error::Error;
use super::{SessionError, block_hash, hydrate};
use crate::context::Context;
use crate::error::ChainError;
use crate::modules::application::tests::stake;
use crate::modules::tests::fixture::{self, address, offer, send, upokt};
use crate::modules::{shared, supplier};
use crate::rules::Rules;
use crate::store::{Pair, View};
use crate::testing::TestChain;

/// A chain with one application and so many suppliers of `svc1`, all serving since height 1.
fn chain(rules: Rules, suppliers: usize) -> TestChain {
    let mut chain = fixture::chain(rules, &["app"]);
    let params = chain.read(|ctx| supplier::params(ctx).unwrap());
    let record = |index: usize| {
        let name = format!("op{index}");
        Supplier {
            owner_address: address(&name),
            operator_address: address(&name),
            stake: upokt(5_000),
            services: vec![offer("svc1", &name), offer("svc2", &name)],
            ..Default::default()
        }
    };
    let state = GenesisState {
        params,
        supplier_list: (0..suppliers).map(record).collect(),
    };
    chain.run(|ctx| supplier::init_genesis(ctx, state)).unwrap();
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    chain
}

fn id(chain: &TestChain, height: i64) -> String {
    chain.read(|ctx| {
        hydrate(ctx, &address("app"), "svc1", height)
            .unwrap()
            .session_id
    })
}

#[test]
fn a_session_has_its_id_from_the_end_of_its_first_block_on() {
    let mut chain = chain(Rules::reference(), 2);
    fixture::run_to(&mut chain, 11);
    assert!(chain.read(|ctx| block_hash(ctx, 11).unwrap()).is_empty());
    assert_eq!(chain.read(|ctx| block_hash(ctx, 10).unwrap()).len(), 32);
    let early = id(&chain, 0);
    fixture::end_block(&mut chain);
    let settled = id(&chain, 0);
    assert_ne!(early, settled);
    fixture::run_to(&mut chain, 25);
    assert_eq!(id(&chain, 11), settled);
    assert_eq!(id(&chain, 20), settled);
    assert_ne!(id(&chain, 21), settled);
}

#[test]
fn refusals_name_their_reason() {
    let chain = chain(Rules::reference(), 1);
    let reason = |app: &str, service: &str, height| {
        chain.read(|ctx| match hydrate(ctx, &address(app), service, height) {
            Err(SessionError::Refused { reason, log }) => (reason, log),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(reason("app", "svc1", 2).0, Error::Hydration);
    assert_eq!(reason("eve", "svc1", 0).0, Error::AppNotFound);
    assert_eq!(reason("app", "svc2", 0).0, Error::AppNotStakedForService);
    let mut lonely = fixture::chain(Rules::reference(), &["app"]);
    send(&mut lonely, &stake("app", 2_000, "svc1")).unwrap();
    let refused = lonely.read(|ctx| hydrate(ctx, &address("app"), "svc1", 0));
    assert!(matches!(
        refused,
        Err(SessionError::Refused {
            reason: Error::SuppliersNotFound,
            ..
        })
    ));
}

#[test]
fn a_smaller_session_size_reaches_back_into_sessions_before_it_unless_mended() {
    let sizes = |rules| {
        let mut chain = chain(rules, 5);
        fixture::run_to(&mut chain, 25);
        let update = MsgUpdateParam {
            authority: shared::authority::gov().to_bech32(),
            name: "num_suppliers_per_session".to_owned(),
            as_type: Some(AsType::AsUint64(2)),
        };
        send(&mut chain, &update).unwrap();
        fixture::run_to(&mut chain, 31);
        [15, 25, 31].map(|height| {
            chain.read(|ctx| {
                hydrate(ctx, &address("app"), "svc1", height)
                    .unwrap()
                    .suppliers
                    .len()
            })
        })
    };
    assert_eq!(sizes(Rules::reference()), [2, 3, 2]);
    assert_eq!(sizes(Rules::mended()), [3, 3, 2]);
}

/// In the first block of a new session length the old one is still live, but a change of the size counts from the next
/// start of the new grid.
#[test]
fn a_change_in_the_first_block_of_a_new_length_counts_from_the_next_session_of_that_length() {
    for rules in [Rules::reference(), Rules::mended()] {
        let mut chain = chain(rules, 5);
        fixture::run_to(&mut chain, 15);
        let length = proto::pocket::shared::MsgUpdateParam {
            authority: shared::authority::gov().to_bech32(),
            name: "num_blocks_per_session".to_owned(),
            as_type: Some(proto::pocket::shared::msg_update_param::AsType::AsUint64(7)),
        };
        send(&mut chain, &length).unwrap();
        fixture::run_to(&mut chain, 21);
        let size = MsgUpdateParam {
            authority: shared::authority::gov().to_bech32(),
            name: "num_suppliers_per_session".to_owned(),
            as_type: Some(AsType::AsUint64(2)),
        };
        send(&mut chain, &size).unwrap();
        fixture::run_to(&mut chain, 29);
        let sizes = [21, 27, 28].map(|height| {
            let session = chain.read(|ctx| hydrate(ctx, &address("app"), "svc1", height));
            session.unwrap().suppliers.len()
        });
        assert_eq!(sizes, [3, 3, 2]);
    }
}

/// A view that counts what is read.
struct Counting<'a> {
    below: &'a dyn View,
    gets: AtomicUsize,
    rows: AtomicUsize,
}

impl View for Counting<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.below.get(key)
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, ChainError> {
        let rows = self.below.range(from, to, reverse, limit)?;
        self.rows.fetch_add(rows.len(), Ordering::Relaxed);
        Ok(rows)
    }
}

#[test]
fn a_supplier_with_two_active_configurations_is_in_a_session_twice() {
    let mut chain = fixture::chain(Rules::reference(), &["app"]);
    let config = |activation_height: i64, url: &str| {
        let mut service = offer("svc1", "op");
        service.endpoints[0].url = url.to_owned();
        ServiceConfigUpdate {
            operator_address: address("op"),
            service: Some(service),
            activation_height,
            deactivation_height: 0,
        }
    };
    let record = Supplier {
        owner_address: address("op"),
        operator_address: address("op"),
        stake: upokt(5_000),
        services: vec![offer("svc1", "op")],
        service_config_history: vec![config(1, "http://old"), config(2, "http://new")],
        ..Default::default()
    };
    let params = chain.read(|ctx| supplier::params(ctx).unwrap());
    let state = GenesisState {
        params,
        supplier_list: vec![record],
    };
    chain.run(|ctx| supplier::init_genesis(ctx, state)).unwrap();
    send(&mut chain, &stake("app", 2_000, "svc1")).unwrap();
    fixture::run_to(&mut chain, 12);
    let session = chain.read(|ctx| hydrate(ctx, &address("app"), "svc1", 12).unwrap());
    let urls = session.suppliers.iter().map(|supplier| {
        assert_eq!(supplier.services.len(), 1);
        supplier.services[0].endpoints[0].url.as_str()
    });
    assert_eq!(urls.collect::<Vec<_>>(), ["http://old", "http://new"]);
}

#[test]
fn a_lookup_reads_the_index_of_the_service_and_the_chosen_records_only() {
    let suppliers = 3_000;
    let mut chain = chain(Rules::reference(), suppliers);
    fixture::run_to(&mut chain, 12);
    let view = Counting {
        below: chain.view(),
        gets: 0.into(),
        rows: 0.into(),
    };
    let ctx = Context::for_test(&view, chain.block.clone(), chain.rules);
    let session = hydrate(&ctx, &address("app"), "svc1", 12).unwrap();
    assert_eq!(session.suppliers.len(), 3);
    let (gets, rows) = (view.gets.into_inner(), view.rows.into_inner());
    // One row per candidate, one configuration per chosen supplier; a handful of params, hash and records.
    assert!(rows <= suppliers + 3, "{rows} rows");
    assert!(gets <= 12, "{gets} gets");
}
