use super::*;
use crate::testing;
use prost::Message as _;

#[test]
fn the_methods_are_those_of_the_descriptors() {
    let pool = proto::descriptor_pool();
    for row in methods::all() {
        let (service, name) = row.path.trim_start_matches('/').split_once('/').unwrap();
        let service = pool
            .get_service_by_name(service)
            .unwrap_or_else(|| panic!("{}", row.path));
        let method = service.methods().find(|method| method.name() == name);
        let method = method.unwrap_or_else(|| panic!("{}", row.path));
        assert_eq!(method.input().full_name(), row.request, "{}", row.path);
        assert_eq!(method.output().full_name(), row.answer, "{}", row.path);
    }
}

#[test]
fn sessions_start_where_the_recorded_ones_do() {
    let mut checked = 0;
    for row in testing::golden("peers/relay-miner-grpc.jsonl.gz") {
        if row["method"] != "/pocket.session.Query/GetSession" || row["code"] != "OK" {
            continue;
        }
        let bytes = hex::decode(row["response_hex"].as_str().unwrap()).unwrap();
        let answer = session::QueryGetSessionResponse::decode(bytes.as_slice()).unwrap();
        let header = answer.session.unwrap().header.unwrap();
        let params = shared::Params {
            num_blocks_per_session: 10,
            ..Default::default()
        };
        for height in header.session_start_block_height..=header.session_end_block_height {
            assert_eq!(
                session_start(&params, height).unwrap(),
                header.session_start_block_height
            );
        }
        checked += 1;
    }
    assert!(checked > 0);
    let moved = shared::Params {
        num_blocks_per_session: 5,
        session_grid_anchor_height: 113,
        ..Default::default()
    };
    assert_eq!(session_start(&moved, 113).unwrap(), 113);
    assert_eq!(session_start(&moved, 119).unwrap(), 118);
    assert_eq!(session_start(&moved, 112).unwrap(), 111);
    assert_eq!(session_start(&moved, 0).unwrap(), 0);
    assert!(session_start(&shared::Params::default(), 5).is_err());
}

#[test]
fn recorded_accounts_of_every_kind_are_read() {
    let (mut plain, mut module, mut keyed) = (0, 0, 0);
    for row in testing::golden("chain-a/queries.jsonl.gz") {
        if row["method"] != "/cosmos.auth.v1beta1.Query/Account" || row["grpc_code"] != 0 {
            continue;
        }
        let bytes = hex::decode(row["response_hex"].as_str().unwrap()).unwrap();
        let any = auth::QueryAccountResponse::decode(bytes.as_slice())
            .unwrap()
            .account
            .unwrap();
        let base = base_account(&any).unwrap();
        assert!(base.address.starts_with("pokt1"));
        if any.type_url.ends_with("ModuleAccount") {
            module += 1;
        } else {
            plain += 1;
        }
        if let Some(key) = base
            .pub_key
            .as_ref()
            .and_then(|any| public_key(any).unwrap())
        {
            assert_eq!(key.address().to_bech32(), base.address);
            keyed += 1;
        }
    }
    assert!(
        plain > 0 && module > 0 && keyed > 0,
        "{plain} {module} {keyed}"
    );
}

#[test]
fn half_a_session_is_no_session() {
    let request = session::QueryGetSessionRequest {
        application_address: "pokt1app".to_owned(),
        service_id: "svc".to_owned(),
        block_height: 11,
    };
    let whole = session::Session {
        header: Some(session::SessionHeader {
            application_address: "pokt1app".to_owned(),
            service_id: "svc".to_owned(),
            session_id: "id".to_owned(),
            session_start_block_height: 11,
            session_end_block_height: 20,
        }),
        application: Some(application::Application::default()),
        ..Default::default()
    };
    assert!(checked_session(Some(whole.clone()), &request).is_ok());
    let broken: [fn(&mut session::Session); 4] = [
        |session| session.header = None,
        |session| session.application = None,
        |session| session.header.as_mut().unwrap().service_id.clear(),
        |session| session.header.as_mut().unwrap().session_start_block_height = 12,
    ];
    for break_it in broken {
        let mut session = whole.clone();
        break_it(&mut session);
        assert!(matches!(
            checked_session(Some(session), &request),
            Err(Error::Malformed { .. })
        ));
    }
    assert!(checked_session(None, &request).is_err());
}
