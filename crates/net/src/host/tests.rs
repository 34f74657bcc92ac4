use proptest::prelude::*;

use super::*;

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn passes(check: &HostCheck, fields: &[(&'static str, &str)]) -> bool {
    check
        .check(&Uri::from_static("/"), &headers(fields))
        .is_ok()
}

#[test]
fn loopback_names_pass_on_any_port_and_in_any_case() {
    let check = HostCheck::default();
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]:443",
        "[::1]",
        "[0:0:0:0:0:0:0:1]:80",
    ] {
        assert!(passes(&check, &[("host", host)]), "{host}");
    }
}

#[test]
fn other_names_and_other_origins_are_refused() {
    let check = HostCheck::default();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "localhost@evil.example",
        "",
        "localhost evil",
        "localhost:port",
        "localhost:99999",
        "10.0.0.1",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(!passes(&check, &[("host", host)]), "{host}");
    }
    let with = |origin| passes(&check, &[("host", "localhost"), ("origin", origin)]);
    assert!(with("http://localhost:3000") && with("https://127.0.0.1"));
    for origin in [
        "null",
        "http://evil.example",
        "file://localhost",
        "localhost",
        "https://",
    ] {
        assert!(!with(origin), "{origin}");
    }
}

#[test]
fn a_request_names_exactly_one_host() {
    let check = HostCheck::default();
    let missing = check
        .check(&Uri::from_static("/"), &HeaderMap::new())
        .unwrap_err();
    assert!(matches!(missing, NetError::HostMissing));
    assert!(!passes(
        &check,
        &[("host", "localhost"), ("host", "localhost")]
    ));
    let target = Uri::from_static("http://localhost:1/x");
    assert!(check.check(&target, &HeaderMap::new()).is_ok());
    let both = check.check(&target, &headers(&[("host", "evil.example")]));
    assert!(both.is_err());
    let target = Uri::from_static("http://evil.example/x");
    assert!(
        check
            .check(&target, &headers(&[("host", "localhost")]))
            .is_err()
    );
}

#[test]
fn configured_names_replace_the_default() {
    let check = HostCheck::new(["api.example.com", "Other.Example:8443", "2001:db8::5"]).unwrap();
    assert!(passes(&check, &[("host", "API.example.com:99")]));
    assert!(passes(&check, &[("host", "other.example:8443")]));
    assert!(passes(&check, &[("host", "[2001:db8::5]:80")]));
    assert!(!passes(&check, &[("host", "other.example")]));
    assert!(!passes(&check, &[("host", "localhost")]));
    assert!(passes(
        &HostCheck::new(["*"]).unwrap(),
        &[("host", "whatever")]
    ));
    assert!(
        HostCheck::any()
            .check(&Uri::from_static("/"), &HeaderMap::new())
            .is_ok()
    );
    for bad in [
        "",
        "a b",
        "http://x",
        "x/y",
        "x:port",
        "x:",
        "u@x",
        "*.example.com",
    ] {
        assert!(
            matches!(HostCheck::new([bad]), Err(NetError::BadHostName { .. })),
            "{bad}"
        );
    }
}

#[test]
fn a_refusal_is_json_and_tells_the_name_safely() {
    let check = HostCheck::default();
    let host = "\"}<script>\u{7f}".to_owned() + &"x".repeat(300);
    let raw = HeaderMap::from_iter([(
        HOST,
        HeaderValue::from_bytes(host.replace('\u{7f}', "").as_bytes()).unwrap(),
    )]);
    let error = check.check(&Uri::from_static("/"), &raw).unwrap_err();
    let response = refusal(&error);
    assert_eq!(response.status(), http::StatusCode::FORBIDDEN);
    let text = error.to_string();
    assert!(
        text.contains("???script?xxx") && !text.contains('"'),
        "{text}"
    );
    assert!(text.len() < 300);
}

proptest! {
    #[test]
    fn no_host_value_panics_and_none_but_the_names_pass(host in "\\PC{0,40}") {
        if let Ok(value) = HeaderValue::from_bytes(host.as_bytes()) {
            let map = HeaderMap::from_iter([(HOST, value)]);
            if HostCheck::default().check(&Uri::from_static("/"), &map).is_ok() {
                let lower = host.to_ascii_lowercase();
                prop_assert!(
                    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| lower.starts_with(name))
                );
            }
        }
    }
}
