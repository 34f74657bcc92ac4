//! gRPC server reflection, v1 and v1alpha: what grpcurl and its like ask a server about its services.
//!
//! Both versions have the same messages. A stream is answered request by request; a file comes with the files it imports
//! that this stream has not been given yet. The descriptors are those of `proto`, so what is told here is what is
//! decoded there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use prost::Message;
use prost_reflect::{DescriptorPool, FileDescriptor};

use crate::status::{INVALID_ARGUMENT, NOT_FOUND};

/// The one method of each version.
pub const METHODS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// `ServerReflectionRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    /// Who is asked; repeated in the answer.
    #[prost(string, tag = "1")]
    pub host: String,
    /// What is asked.
    #[prost(oneof = "Question", tags = "3, 4, 5, 6, 7")]
    pub question: Option<Question>,
}

/// What a request asks.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Question {
    /// A file by its name.
    #[prost(string, tag = "3")]
    FileByFilename(String),
    /// The file that defines a service, method, message, field, enum or extension.
    #[prost(string, tag = "4")]
    FileContainingSymbol(String),
    /// The file that defines an extension.
    #[prost(message, tag = "5")]
    FileContainingExtension(ExtensionRequest),
    /// The numbers of all extensions of a message.
    #[prost(string, tag = "6")]
    AllExtensionNumbersOfType(String),
    /// All services; the text means nothing.
    #[prost(string, tag = "7")]
    ListServices(String),
}

/// Names an extension.
#[derive(Clone, PartialEq, Message)]
pub struct ExtensionRequest {
    /// Full name of the extended message.
    #[prost(string, tag = "1")]
    pub containing_type: String,
    /// Field number.
    #[prost(int32, tag = "2")]
    pub extension_number: i32,
}

/// `ServerReflectionResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Response {
    /// Host of the request.
    #[prost(string, tag = "1")]
    pub valid_host: String,
    /// The request.
    #[prost(message, optional, tag = "2")]
    pub original_request: Option<Request>,
    /// The answer.
    #[prost(oneof = "Answer", tags = "4, 5, 6, 7")]
    pub answer: Option<Answer>,
}

/// What is answered.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Answer {
    /// Encoded files, the one asked for first.
    #[prost(message, tag = "4")]
    Files(FileDescriptors),
    /// Extension numbers.
    #[prost(message, tag = "5")]
    Extensions(ExtensionNumbers),
    /// Services.
    #[prost(message, tag = "6")]
    Services(Services),
    /// Nothing of this name.
    #[prost(message, tag = "7")]
    Error(Failure),
}

/// Encoded `FileDescriptorProto`s.
#[derive(Clone, PartialEq, Message)]
pub struct FileDescriptors {
    /// One a file.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub file_descriptor_proto: Vec<bytes::Bytes>,
}

/// Extensions of a message.
#[derive(Clone, PartialEq, Message)]
pub struct ExtensionNumbers {
    /// The message.
    #[prost(string, tag = "1")]
    pub base_type_name: String,
    /// Their numbers.
    #[prost(int32, repeated, tag = "2")]
    pub extension_number: Vec<i32>,
}

/// Names of services.
#[derive(Clone, PartialEq, Message)]
pub struct Services {
    /// One a service.
    #[prost(message, repeated, tag = "1")]
    pub service: Vec<Service>,
}

/// A service.
#[derive(Clone, PartialEq, Message)]
pub struct Service {
    /// Full name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Message)]
pub struct Failure {
    /// gRPC status code.
    #[prost(int32, tag = "1")]
    pub error_code: i32,
    /// Text.
    #[prost(string, tag = "2")]
    pub error_message: String,
}

/// One stream of questions.
#[derive(Debug, Default)]
pub struct Reflection {
    /// Files that were given.
    told: BTreeSet<String>,
}

impl Reflection {
    /// Answers one question.
    pub fn answer(&mut self, request: Request) -> Response {
        let pool = proto::descriptor_pool();
        let answer = match &request.question {
            Some(Question::FileByFilename(name)) => self.files(pool.get_file_by_name(name), name),
            Some(Question::FileContainingSymbol(name)) => {
                self.files(defines(pool, name.trim_start_matches('.')), name)
            }
            Some(Question::FileContainingExtension(wanted)) => {
                let found = extension(pool, wanted);
                self.files(found, &wanted.containing_type)
            }
            Some(Question::AllExtensionNumbersOfType(name)) => extensions(pool, name),
            Some(Question::ListServices(_)) => services(pool),
            None => failure(INVALID_ARGUMENT, "no question in the request"),
        };
        Response {
            valid_host: request.host.clone(),
            original_request: Some(request),
            answer: Some(answer),
        }
    }

    /// A file and what it imports, without what was given before; the file itself always.
    fn files(&mut self, found: Option<FileDescriptor>, name: &str) -> Answer {
        let Some(first) = found else {
            return failure(NOT_FOUND, format!("{name} is not known"));
        };
        self.told.remove(first.name());
        let mut files = FileDescriptors::default();
        let mut waiting = VecDeque::from([first]);
        while let Some(file) = waiting.pop_front() {
            if self.told.insert(file.name().to_owned()) {
                files
                    .file_descriptor_proto
                    .push(file.encode_to_vec().into());
                waiting.extend(file.dependencies());
            }
        }
        Answer::Files(files)
    }
}

fn failure(error_code: i32, text: impl Into<String>) -> Answer {
    Answer::Error(Failure {
        error_code,
        error_message: text.into(),
    })
}

/// The services that this node serves: queries, not the messages of transactions.
fn services(pool: &DescriptorPool) -> Answer {
    let mut names: Vec<String> = METHODS
        .iter()
        .filter_map(|path| path.trim_start_matches('/').split('/').next())
        .map(str::to_owned)
        .collect();
    let served = |name: &str| {
        (name.starts_with("pocket.") || name.starts_with("cosmos.")) && !name.ends_with(".Msg")
    };
    names.extend(
        pool.services()
            .map(|service| service.full_name().to_owned())
            .filter(|name| served(name)),
    );
    names.sort();
    let service = names.into_iter().map(|name| Service { name }).collect();
    Answer::Services(Services { service })
}

/// The file that defines a name: of a type, of a service, of a member of either.
fn defines(pool: &DescriptorPool, name: &str) -> Option<FileDescriptor> {
    static REFLECTION: [&str; 2] = ["grpc.reflection.v1.", "grpc.reflection.v1alpha."];
    if REFLECTION.iter().any(|package| name.starts_with(package)) {
        return None;
    }
    let of = |name: &str| {
        let message = pool
            .get_message_by_name(name)
            .map(|found| found.parent_file());
        let service = || {
            pool.get_service_by_name(name)
                .map(|found| found.parent_file())
        };
        let kind = || pool.get_enum_by_name(name).map(|found| found.parent_file());
        let extension = || {
            pool.get_extension_by_name(name)
                .map(|found| found.parent_file())
        };
        message.or_else(service).or_else(kind).or_else(extension)
    };
    of(name).or_else(|| {
        let (parent, member) = name.rsplit_once('.')?;
        let field = || {
            Some(
                pool.get_message_by_name(parent)?
                    .get_field_by_name(member)
                    .is_some(),
            )
        };
        let method = || {
            let service = pool.get_service_by_name(parent)?;
            Some(service.methods().any(|method| method.name() == member))
        };
        let value = || {
            Some(
                pool.get_enum_by_name(parent)?
                    .get_value_by_name(member)
                    .is_some(),
            )
        };
        let known = field().or_else(method).or_else(value).unwrap_or(false);
        of(parent).filter(|_| known)
    })
}

fn extension(pool: &DescriptorPool, wanted: &ExtensionRequest) -> Option<FileDescriptor> {
    let message = pool.get_message_by_name(&wanted.containing_type)?;
    let number = u32::try_from(wanted.extension_number).ok()?;
    message
        .get_extension(number)
        .map(|found| found.parent_file())
}

fn extensions(pool: &DescriptorPool, name: &str) -> Answer {
    let Some(message) = pool.get_message_by_name(name) else {
        return failure(NOT_FOUND, format!("{name} is not known"));
    };
    let numbers = message
        .extensions()
        .filter_map(|found| i32::try_from(found.number()).ok());
    let sorted: BTreeMap<i32, ()> = numbers.map(|number| (number, ())).collect();
    Answer::Extensions(ExtensionNumbers {
        base_type_name: name.to_owned(),
        extension_number: sorted.into_keys().collect(),
    })
}

#[cfg(test)]
mod tests {
    use prost_types::FileDescriptorProto;

    use super::*;

    fn ask(reflection: &mut Reflection, question: Question) -> Answer {
        let request = Request {
            host: "h".to_owned(),
            question: Some(question),
        };
        let response = reflection.answer(request.clone());
        assert_eq!(
            (response.valid_host.as_str(), response.original_request),
            ("h", Some(request))
        );
        response.answer.unwrap()
    }

    fn names(answer: Answer) -> Vec<String> {
        let Answer::Files(files) = answer else {
            panic!("{answer:?}");
        };
        let name = |bytes: &bytes::Bytes| {
            FileDescriptorProto::decode(bytes.clone())
                .unwrap()
                .name()
                .to_owned()
        };
        files.file_descriptor_proto.iter().map(name).collect()
    }

    #[test]
    fn a_symbol_brings_its_file_first_and_each_import_once_a_stream() {
        let mut reflection = Reflection::default();
        let symbol = |name: &str| Question::FileContainingSymbol(name.to_owned());
        let first = names(ask(&mut reflection, symbol("pocket.session.Query")));
        assert_eq!(first[0], "pocket/session/query.proto");
        assert!(first.contains(&"pocket/session/types.proto".to_owned()));
        let again = names(ask(
            &mut reflection,
            symbol("pocket.session.Query.GetSession"),
        ));
        assert_eq!(again, ["pocket/session/query.proto"]);
        for name in [
            "pocket.session.Session.header",
            "pocket.shared.RPCType",
            "gogoproto.nullable",
        ] {
            assert!(
                !names(ask(&mut reflection, symbol(name))).is_empty(),
                "{name}"
            );
        }
        let file = Question::FileByFilename("cosmos/base/v1beta1/coin.proto".to_owned());
        assert_eq!(
            names(ask(&mut reflection, file))[0],
            "cosmos/base/v1beta1/coin.proto"
        );
        for name in [
            "pocket.session.Nothing",
            "pocket.session.Session.nothing",
            "",
        ] {
            let Answer::Error(failure) = ask(&mut reflection, symbol(name)) else {
                panic!("{name}");
            };
            assert_eq!(failure.error_code, NOT_FOUND);
        }
    }

    #[test]
    fn services_and_extensions_are_listed() {
        let mut reflection = Reflection::default();
        let Answer::Services(services) =
            ask(&mut reflection, Question::ListServices("*".to_owned()))
        else {
            panic!();
        };
        let listed: Vec<&str> = services
            .service
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        for name in [
            "cosmos.tx.v1beta1.Service",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "pocket.session.Query",
        ] {
            assert!(listed.contains(&name), "{name}");
        }
        assert!(
            !listed
                .iter()
                .any(|name| name.ends_with(".Msg") || name.contains("abci"))
        );
        let options = "google.protobuf.FieldOptions".to_owned();
        let asked = Question::AllExtensionNumbersOfType(options.clone());
        let Answer::Extensions(found) = ask(&mut reflection, asked) else {
            panic!();
        };
        assert_eq!(found.extension_number[0], 65_001);
        let wanted = ExtensionRequest {
            containing_type: options,
            extension_number: 65_001,
        };
        let file = names(ask(
            &mut reflection,
            Question::FileContainingExtension(wanted),
        ));
        assert_eq!(file[0], "gogoproto/gogo.proto");
    }
}
