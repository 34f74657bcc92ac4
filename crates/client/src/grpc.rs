//! gRPC calls: one deadline an attempt, bounded retries of what may pass, and NOT_FOUND told apart
//! from failure.
//!
//! The methods are a table of path, request and answer; a test holds it against the descriptors.

use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use prost::Message;
#[cfg(test)]
use prost::Name;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::{Error, Result, limits};

/// A gRPC method: where it is, what it takes and what it answers.
pub(crate) struct Method<Q, A> {
    pub(crate) path: &'static str,
    types: PhantomData<fn(Q) -> A>,
}

impl<Q, A> Method<Q, A> {
    pub(crate) const fn new(path: &'static str) -> Self {
        Self {
            path,
            types: PhantomData,
        }
    }
}

/// A gRPC server. Clones share its connection.
#[derive(Clone)]
pub(crate) struct Grpc {
    http: net::Client,
    origin: Uri,
    node: String,
}

impl Grpc {
    pub(crate) fn new(dialer: net::Dialer, url: &url::Url) -> Result<Self> {
        let origin = url.as_str().parse::<Uri>().map_err(|error| Error::Config {
            setting: "grpc_url",
            value: url.to_string(),
            reason: error.to_string(),
        })?;
        let options = net::ClientOptions {
            version: net::Version::Http2,
            deadlines: net::Deadlines {
                response_bytes: limits::GRPC_ANSWER_BYTES as u64,
                ..net::Deadlines::default()
            },
            ..net::ClientOptions::default()
        };
        let node = url.to_string();
        Ok(Self {
            http: net::Client::new(dialer, options),
            origin,
            node,
        })
    }

    /// Asks, and asks again while the failure may pass.
    pub(crate) async fn call<Q, A>(
        &self,
        method: &Method<Q, A>,
        request: Q,
        deadline: Duration,
    ) -> Result<A>
    where
        Q: Message + Clone + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        retry(|| self.call_once(method, request.clone(), None, deadline)).await
    }

    /// As [`Grpc::call`], where the chain's NOT_FOUND is an answer.
    pub(crate) async fn find<Q, A>(
        &self,
        method: &Method<Q, A>,
        request: Q,
        deadline: Duration,
    ) -> Result<Option<A>>
    where
        Q: Message + Clone + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        match self.call(method, request, deadline).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Refused {
                code: Code::NotFound,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One attempt; `height` asks for an old state.
    pub(crate) async fn call_once<Q, A>(
        &self,
        method: &Method<Q, A>,
        request: Q,
        height: Option<i64>,
        deadline: Duration,
    ) -> Result<A>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut request = Request::new(request);
        if let Some(height) = height {
            let value = MetadataValue::from(height);
            request
                .metadata_mut()
                .insert("x-cosmos-block-height", value);
        }
        let mut client = tonic::client::Grpc::with_origin(self.http.clone(), self.origin.clone())
            .max_decoding_message_size(limits::GRPC_ANSWER_BYTES);
        let call = async {
            // The pooled client is always ready; tonic wants to be asked.
            client
                .ready()
                .await
                .map_err(|error| Status::from_error(error.into()))?;
            let path = PathAndQuery::from_static(method.path);
            client
                .unary(request, path, ProstCodec::<Q, A>::default())
                .await
        };
        match tokio::time::timeout(deadline, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(self.explain(method.path, &status)),
            Err(_) => Err(Error::Timeout {
                node: self.node.clone(),
                what: method.path.to_owned(),
                after_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }

    /// A status with a source was made here, by the transport: the node said nothing.
    fn explain(&self, path: &str, status: &Status) -> Error {
        let Some(source) = std::error::Error::source(status) else {
            return Error::Refused {
                method: path.to_owned(),
                code: status.code(),
                message: status.message().to_owned(),
            };
        };
        let mut deepest: &(dyn std::error::Error + 'static) = source;
        while let Some(inner) = deepest.source() {
            deepest = inner;
        }
        Error::Unreachable {
            node: self.node.clone(),
            what: path.to_owned(),
            reason: deepest.to_string(),
        }
    }
}

/// Runs `attempt` until it succeeds, fails for good, or [`limits::QUERY_ATTEMPTS`] are used up.
pub(crate) async fn retry<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut wait = limits::QUERY_BACKOFF;
    for _ in 1..limits::QUERY_ATTEMPTS {
        match attempt().await {
            Err(error) if error.is_transient() => tracing::debug!(%error, "asking again"),
            result => return result,
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    attempt().await
}

/// A method in use, for the test that holds the table against the descriptors.
#[cfg(test)]
pub(crate) struct Row {
    pub(crate) path: &'static str,
    pub(crate) request: String,
    pub(crate) answer: String,
}

#[cfg(test)]
impl<Q: Name, A: Name> From<&Method<Q, A>> for Row {
    fn from(method: &Method<Q, A>) -> Self {
        Self {
            path: method.path,
            request: Q::full_name(),
            answer: A::full_name(),
        }
    }
}
