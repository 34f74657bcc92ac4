//! The session of an application looked up among all suppliers of its service.

use std::time::Duration;

use chain::{Application, Options, Reader};
use prost::Message as _;
use proto::pocket::session::{QueryGetSessionRequest, QueryGetSessionResponse};

use crate::measure::{each, load, thread_cpu};
use crate::state;

const SERVICE: &str = "popular";
const APPS: usize = 20;

pub(crate) fn run() {
    println!("CPU time of a query, hydrated answer with 50 suppliers.\n");
    println!(
        "| suppliers of the service | first of all | first of an application | again | again, a block later | load |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for suppliers in [10_000, 30_000, 100_000] {
        lookup(suppliers);
    }
}

fn lookup(suppliers: usize) {
    let directory = tempfile::tempdir().unwrap();
    state::start(directory.path(), |builder| {
        builder.session.params.num_suppliers_per_session = 50;
    });
    let name = |name: String| (state::address(&name).to_bech32(), SERVICE.to_owned());
    let apps: Vec<_> = (0..APPS)
        .map(|index| name(format!("app {index}")))
        .collect();
    let operators: Vec<_> = (0..suppliers)
        .map(|index| name(format!("op {index}")))
        .collect();
    state::write(directory.path(), |ctx| {
        state::put_services(ctx, &[SERVICE.to_owned()]);
        state::put_applications(ctx, &apps);
        state::put_suppliers(ctx, &operators);
    });
    let mut application = Application::open(directory.path(), Options::default()).unwrap();
    state::run_to(&mut application, 12);
    let reader = application.reader();
    let (first, rest) = apps.split_first().unwrap();
    let first_of_all = ask(&reader, std::slice::from_ref(first), 1);
    let of_an_application = ask(&reader, rest, 1);
    let again = ask(&reader, &apps, 10);
    state::run_to(&mut application, 13);
    let later = ask(&reader, &apps, 1);
    println!(
        "| {suppliers} | {:.2} ms | {:.2} ms | {:.0} µs | {:.0} µs | {} |",
        each(first_of_all, 1) / 1e3,
        each(of_an_application, rest.len() as u64) / 1e3,
        each(again, 10 * apps.len() as u64),
        each(later, apps.len() as u64),
        load(),
    );
}

/// Asks for the session of each application so many times.
fn ask(reader: &Reader, apps: &[(String, String)], times: usize) -> Duration {
    let before = thread_cpu();
    for _ in 0..times {
        for (app, service_id) in apps {
            let request = QueryGetSessionRequest {
                application_address: app.clone(),
                service_id: service_id.clone(),
                block_height: 0,
            };
            let answer = reader
                .query(
                    "/pocket.session.Query/GetSession",
                    &request.encode_to_vec(),
                    None,
                )
                .unwrap();
            let answer = QueryGetSessionResponse::decode(answer.value.as_slice()).unwrap();
            assert_eq!(answer.session.unwrap().suppliers.len(), 50);
        }
    }
    thread_cpu().saturating_sub(before)
}
