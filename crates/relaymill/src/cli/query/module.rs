//! One command a module and one below it a query, made from the descriptors: what a module learns to answer can be asked
//! without a line here.
//!
//! A request's fields become arguments in their order, those that may be left out options. Pages have the options that
//! the SDK's tools have.

use anyhow::{Context as _, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, Subcommand};
use prost_reflect::{FieldDescriptor, Kind, MethodDescriptor, ServiceDescriptor};
use serde_json::{Map, Value};

use super::Method;

/// Services besides the modules' own `Query`, with the names of their commands.
const SERVICES: [(&str, &str); 2] = [
    ("node", "cosmos.base.node.v1beta1.Service"),
    ("comet", "cosmos.base.tendermint.v1beta1.Service"),
];

/// Fields that a request can do without, whatever its method.
const OPTIONAL: [&str; 11] = [
    "block_height",
    "status",
    "src_validator_addr",
    "dst_validator_addr",
    "msg_type_url",
    "starting_height",
    "ending_height",
    "last_height",
    "owner_address",
    "denoms",
    "module_name",
];

/// Requests whose fields are filters, so that none must be there.
const FILTERS: [&str; 4] = [
    "cosmos.gov.v1.QueryProposalsRequest",
    "pocket.supplier.QueryAllSuppliersRequest",
    "pocket.application.QueryAllApplicationsRequest",
    "cosmos.bank.v1beta1.QuerySendEnabledRequest",
];

const PAGE: &str = "cosmos.base.query.v1beta1.PageRequest";

/// A query that was asked for on the command line.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// In proto-JSON.
    pub(crate) request: Value,
}

/// Commands and services, by name of the command.
fn services() -> Vec<(String, ServiceDescriptor)> {
    let mut all: Vec<(String, ServiceDescriptor)> = Vec::new();
    for service in proto::descriptor_pool().services() {
        let named = SERVICES
            .iter()
            .find(|(_, full)| *full == service.full_name())
            .map(|(name, _)| *name);
        let package = service.full_name().strip_suffix(".Query");
        let Some(name) = named.or_else(|| package.and_then(module_of)) else {
            continue;
        };
        // Of two versions of a module the later counts: v1 after v1beta1.
        match all.iter_mut().find(|(other, _)| other == name) {
            Some((_, other)) if version(other) < version(&service) => *other = service,
            Some(_) => {}
            None => all.push((name.to_owned(), service)),
        }
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// `bank` of `cosmos.bank.v1beta1`, `shared` of `pocket.shared`.
fn module_of(package: &str) -> Option<&str> {
    let is_version =
        |part: &&str| part.starts_with('v') && part[1..].starts_with(|c: char| c.is_ascii_digit());
    package.split('.').rev().find(|part| !is_version(part))
}

/// Orders versions of a package: a release after its betas.
fn version(service: &ServiceDescriptor) -> (bool, String) {
    let package = service.parent_file().package_name().to_owned();
    (!package.contains("beta"), package)
}

/// The full name of a module's query service.
pub(super) fn service(module: &str) -> Result<String> {
    let all = services();
    let found = all.iter().find(|(name, _)| name == module);
    let found = found.with_context(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        format!(
            "there is no module `{module}`; there are: {}",
            names.join(", ")
        )
    })?;
    Ok(found.1.full_name().to_owned())
}

impl Subcommand for Call {
    fn augment_subcommands(command: Command) -> Command {
        services()
            .into_iter()
            .fold(command, |command, (name, service)| {
                let about = format!("Queries of {}", service.parent_file().package_name());
                // The methods are made when they are asked for.
                let module = Command::new(name).about(about).defer(with_methods);
                command.subcommand(
                    module
                        .subcommand_required(true)
                        .arg_required_else_help(true),
                )
            })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        services().iter().any(|(module, _)| module == name)
    }
}

impl FromArgMatches for Call {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let wrong =
            |text: String| clap::Error::raw(clap::error::ErrorKind::InvalidSubcommand, text);
        let chosen = matches
            .subcommand()
            .and_then(|(module, inner)| Some((module, inner.subcommand()?)));
        let Some((module, (method, arguments))) = chosen else {
            return Err(wrong("a query is missing\n".to_owned()));
        };
        let all = services();
        let found = all
            .iter()
            .find(|(name, _)| name == module)
            .and_then(|(_, service)| {
                service
                    .methods()
                    .find(|found| kebab(found.name()) == method)
            });
        let Some(found) = found else {
            return Err(wrong(format!("there is no query {module} {method}\n")));
        };
        let request = request(&found, arguments).map_err(wrong)?;
        Ok(Self {
            method: Method(found),
            request,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Adds the queries of the module that the command is named after.
fn with_methods(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let Some((_, service)) = services().into_iter().find(|(module, _)| *module == name) else {
        return command;
    };
    service.methods().fold(command, |command, method| {
        let answer = method.output().name().to_owned();
        let made = Command::new(kebab(method.name()))
            .about(format!("Asks for {answer}"))
            .visible_aliases(aliases(&service, &method));
        let made = method.input().fields().fold(made, |made, field| {
            if is_page(&field) {
                made.args(page_args())
            } else {
                made.arg(argument(&method, &field))
            }
        });
        command.subcommand(made)
    })
}

/// The names that POKT's own command line has for the same.
fn aliases(service: &ServiceDescriptor, method: &MethodDescriptor) -> Vec<String> {
    let name = kebab(method.name());
    if name == "all-balances" {
        return vec!["balances".to_owned()];
    }
    if let Some(of) = name.strip_prefix("all-") {
        return vec![format!("list-{of}")];
    }
    let listed = format!("All{}s", method.name());
    let has_list = service.methods().any(|other| other.name() == listed);
    if has_list && name != "balance" {
        vec![format!("show-{name}")]
    } else {
        Vec::new()
    }
}

fn is_page(field: &FieldDescriptor) -> bool {
    field
        .kind()
        .as_message()
        .is_some_and(|message| message.full_name() == PAGE)
}

fn page_args() -> Vec<Arg> {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    vec![
        option(
            "limit",
            "N",
            "Entries of one page; the default is the node's, 100",
        ),
        option("offset", "N", "Entries to leave out before the page"),
        option(
            "page-key",
            "BASE64",
            "Where the page begins: `next_key` of the page before",
        ),
        Arg::new("count-total")
            .long("count-total")
            .action(ArgAction::SetTrue)
            .help("Counts all entries"),
        Arg::new("reverse")
            .long("reverse")
            .action(ArgAction::SetTrue)
            .help("Last entries first"),
    ]
}

/// Options of all queries have names too, so those of fields are set apart.
fn id(field: &FieldDescriptor) -> String {
    format!("field {}", field.name())
}

/// An argument for a field of a request.
fn argument(method: &MethodDescriptor, field: &FieldDescriptor) -> Arg {
    let name = field.name().to_owned();
    let flag = name.replace('_', "-");
    let argument = Arg::new(id(field));
    if matches!(field.kind(), Kind::Bool) {
        return argument
            .long(flag)
            .action(ArgAction::SetTrue)
            .help(about(field));
    }
    let optional = field.containing_oneof().is_some()
        || OPTIONAL.contains(&name.as_str())
        || FILTERS.contains(&method.input().full_name());
    let argument = match optional {
        true => argument.long(flag),
        false => argument.required(true),
    };
    let argument = match field.is_list() {
        true => argument.action(ArgAction::Append),
        false => argument,
    };
    argument.value_name(name.to_uppercase()).help(about(field))
}

fn about(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Bool => format!("Sets {}", field.name()),
        Kind::Message(message) => format!("{} in proto-JSON", message.name()),
        Kind::Bytes => "Bytes in base64".to_owned(),
        Kind::String => "Text".to_owned(),
        Kind::Enum(kind) => {
            let names: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
            format!("One of {}", names.join(", "))
        }
        _ => "Number".to_owned(),
    }
}

/// The request that the arguments make, in proto-JSON.
fn request(method: &MethodDescriptor, arguments: &ArgMatches) -> Result<Value, String> {
    let mut request = Map::new();
    for field in method.input().fields() {
        let (name, id) = (field.name(), id(&field));
        if is_page(&field) {
            request.insert(name.to_owned(), page(arguments)?);
        } else if matches!(field.kind(), Kind::Bool) {
            request.insert(name.to_owned(), Value::Bool(arguments.get_flag(&id)));
        } else if field.is_list() {
            let texts = arguments.get_many::<String>(&id).into_iter().flatten();
            let values: Result<Vec<Value>, String> =
                texts.map(|text| value(&field, text)).collect();
            request.insert(name.to_owned(), Value::Array(values?));
        } else if let Some(text) = arguments.get_one::<String>(&id) {
            request.insert(name.to_owned(), value(&field, text)?);
        }
    }
    Ok(Value::Object(request))
}

/// Numbers may be quoted in proto-JSON, so only messages are parsed here.
fn value(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    match field.kind() {
        Kind::Message(_) => serde_json::from_str(text)
            .map_err(|error| format!("{}: `{text}` is no JSON: {error}\n", field.name())),
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn page(arguments: &ArgMatches) -> Result<Value, String> {
    let mut page = Map::new();
    let number = |name: &str| match arguments.get_one::<String>(name) {
        None => Ok(None),
        Some(text) if text.parse::<u64>().is_ok() => Ok(Some(Value::String(text.clone()))),
        Some(text) => Err(format!("--{name} `{text}`: expected a number\n")),
    };
    for name in ["limit", "offset"] {
        if let Some(value) = number(name)? {
            page.insert(name.to_owned(), value);
        }
    }
    if let Some(key) = arguments.get_one::<String>("page-key") {
        page.insert("key".to_owned(), Value::String(key.clone()));
    }
    for (flag, field) in [("count-total", "count_total"), ("reverse", "reverse")] {
        if arguments.get_flag(flag) {
            page.insert(field.to_owned(), Value::Bool(true));
        }
    }
    Ok(Value::Object(page))
}

/// `relay-mining-difficulty` of `RelayMiningDifficulty`, `abci-query` of `ABCIQuery`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let upper = |at: Option<&char>| at.is_some_and(char::is_ascii_uppercase);
        let before = index.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(index + 1);
        let begins = upper(Some(letter))
            && (!upper(before) || after.is_some_and(|c| c.is_ascii_lowercase()));
        if begins && index > 0 {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests;
