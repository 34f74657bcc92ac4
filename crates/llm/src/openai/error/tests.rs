use super::*;

#[test]
fn an_error_has_the_four_members_clients_read() {
    let error = ApiError::model_not_found("ghost");
    let response = error.response();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/json");
    let json: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(json["error"]["type"], "invalid_request_error");
    assert_eq!(json["error"]["param"], "model");
    assert_eq!(json["error"]["code"], "model_not_found");
    assert!(
        json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`ghost`")
    );
}

#[test]
fn absent_members_are_null_not_missing() {
    let body = ApiError::invalid("no").body().to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["error"].as_object().unwrap().len(), 4);
    assert!(json["error"]["param"].is_null() && json["error"]["code"].is_null());
}

#[test]
fn our_own_errors_read_back() {
    let error = ApiError::wrong_value("temperature", 3, "between 0 and 2");
    assert_eq!(
        ErrorBody::parse(&error.body().to_bytes()),
        Some(error.body())
    );
}

#[test]
fn error_bodies_of_other_servers_are_read() {
    let numeric =
        ErrorBody::parse(br#"{"error":{"message":"m","type":"BadRequestError","code":400}}"#);
    assert_eq!(numeric.unwrap().error.code.as_deref(), Some("400"));
    let plain = ErrorBody::parse(br#"{"error":"model \"x\" not found"}"#).unwrap();
    assert_eq!(plain.error.message, "model \"x\" not found");
    let older =
        ErrorBody::parse(br#"{"object":"error","message":"m","type":"t","param":null,"code":7}"#);
    assert_eq!(older.unwrap().error.kind, "t");
}

#[test]
fn other_bodies_are_not_taken_for_errors() {
    for body in [
        &b"{}"[..],
        b"[]",
        b"",
        b"null",
        br#"{"error":null}"#,
        br#"{"error":{}}"#,
        b"\xff",
    ] {
        assert_eq!(ErrorBody::parse(body), None, "{body:?}");
    }
    assert_eq!(
        ErrorBody::parse(br#"{"object":"chat.completion","message":"m"}"#),
        None
    );
}

#[test]
fn a_clients_value_is_shortened_and_cleaned() {
    let error = ApiError::model_not_found(&format!("a\nb{}", "x".repeat(1000)));
    assert!(error.object.message.chars().count() < 200);
    assert!(!error.object.message.contains('\n'));
}
