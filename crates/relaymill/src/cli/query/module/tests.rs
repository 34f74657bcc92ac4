use super::*;

/// What a command line asks for.
fn asked(arguments: &[&str]) -> Result<(String, Value), clap::Error> {
    let command = Call::augment_subcommands(Command::new("query"));
    let command = command.arg(Arg::new("height").long("height").global(true));
    let matches =
        command.try_get_matches_from(std::iter::once(&"query").chain(arguments.iter()))?;
    let call = Call::from_arg_matches(&matches)?;
    Ok((call.method.0.full_name().to_owned(), call.request))
}

#[test]
fn names_are_cut_into_words() {
    for (name, words) in [
        ("GetSession", "get-session"),
        ("ABCIQuery", "abci-query"),
        ("AccountAddressByID", "account-address-by-id"),
        ("Bech32Prefix", "bech32-prefix"),
    ] {
        assert_eq!(kebab(name), words);
    }
}

#[test]
fn fields_become_arguments_and_options() {
    let call = |arguments: &[&str]| asked(arguments).unwrap_or_else(|error| panic!("{error}"));
    let (method, request) = call(&["session", "get-session", "pokt1a", "svc"]);
    assert_eq!(method, "pocket.session.Query.GetSession");
    assert_eq!(
        request,
        serde_json::json!({ "application_address": "pokt1a", "service_id": "svc" })
    );
    let (method, request) = call(&[
        "proof",
        "all-claims",
        "--supplier-operator-address",
        "pokt1s",
        "--limit",
        "7",
        "--count-total",
    ]);
    assert_eq!(method, "pocket.proof.Query.AllClaims");
    assert_eq!(
        request,
        serde_json::json!({
            "pagination": { "limit": "7", "count_total": true },
            "supplier_operator_address": "pokt1s",
        })
    );
    // The same name as an option of all queries.
    let (method, request) = call(&["shared", "params-at-height", "30", "--height", "40"]);
    assert_eq!(method, "pocket.shared.Query.ParamsAtHeight");
    assert_eq!(request, serde_json::json!({ "height": "30" }));
    let (method, _) = call(&["supplier", "list-suppliers", "--dehydrated"]);
    assert_eq!(method, "pocket.supplier.Query.AllSuppliers");
    let (method, _) = call(&["application", "show-application", "pokt1a"]);
    assert_eq!(method, "pocket.application.Query.Application");
    let (method, _) = call(&["node", "config"]);
    assert_eq!(method, "cosmos.base.node.v1beta1.Service.Config");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (arguments, words) in [
        (&["session", "get-session", "pokt1a"][..], "SERVICE_ID"),
        (&["proof", "all-claims", "--limit", "many"], "--limit"),
        (&["session", "no-such-query"], "no-such-query"),
        (&["no-such-module", "params"], "no-such-module"),
    ] {
        let error = asked(arguments).unwrap_err().to_string();
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
    let error = service("no-such-module").unwrap_err().to_string();
    assert!(
        error.contains("no-such-module") && error.contains("tokenomics"),
        "{error}"
    );
}

/// Every request that a query takes can be written on a command line, and its JSON is read.
#[test]
fn every_query_can_be_asked() {
    let mut count = 0;
    for (module, service) in services() {
        for method in service.methods() {
            let mut arguments = vec![module.clone(), kebab(method.name())];
            for field in method.input().fields().filter(|field| !is_page(field)) {
                let argument = argument(&method, &field);
                if argument.is_required_set() {
                    arguments.push(match field.kind() {
                        Kind::Message(_) => "{}".to_owned(),
                        Kind::Bytes => "AAAA".to_owned(),
                        Kind::String => "text".to_owned(),
                        Kind::Enum(kind) => kind.default_value().name().to_owned(),
                        _ => "1".to_owned(),
                    });
                }
            }
            let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (name, request) =
                asked(&texts).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            assert_eq!(name, method.full_name());
            proto::json::json_to_bytes(method.input().full_name(), &request)
                .unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            count += 1;
        }
    }
    assert!(count > 90, "{count} queries");
}
