//! The check of `Host` and `Origin`: which names a listener answers to.
//!
//! A web page can make its visitor's browser call a server on the visitor's own machine, under a
//! name that the page's owner points there (DNS rebinding). Such a call carries that name as
//! `Host`, and the page as `Origin`; a listener that answers only to its own names is out of
//! reach. [`serve`](crate::serve()) applies the check in [`ServeLimits`](crate::ServeLimits) to
//! every request; by default only loopback names pass.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{Either as Or, MapOk, Ready, TryFutureExt, ready};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{Either, Full};
use tower_service::Service;

use crate::error::NetError;

/// The names a listener answers to. Cheap to clone; also a [`tower::Layer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCheck {
    /// `None`: any.
    names: Option<Arc<BTreeSet<Name>>>,
}

/// A lower-case host without brackets or final dot, and a port if only one will do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    host: String,
    port: Option<u16>,
}

/// Characters of a refused name that are told back.
const SHOWN_NAME: usize = 100;

impl Default for HostCheck {
    fn default() -> Self {
        Self::loopback()
    }
}

impl HostCheck {
    /// `localhost`, `127.0.0.1` and `[::1]`, on any port.
    pub fn loopback() -> Self {
        let name = |host: &str| Name {
            host: host.to_owned(),
            port: None,
        };
        let names = ["localhost", "127.0.0.1", "::1"].map(name);
        Self {
            names: Some(Arc::new(names.into())),
        }
    }

    /// The given names: host names or IP addresses, each with a port if only that one may be used.
    /// `*` alone among them switches the check off, for listeners behind a proxy that checks.
    ///
    /// # Errors
    /// [`NetError::BadHostName`] with the entry that is none.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, NetError> {
        let mut set = BTreeSet::new();
        let mut any = false;
        for name in names {
            let name = name.as_ref();
            if name == "*" {
                any = true;
                continue;
            }
            let parsed = parse_configured(name).ok_or_else(|| NetError::BadHostName {
                name: name.to_owned(),
            })?;
            set.insert(parsed);
        }
        Ok(Self {
            names: if any { None } else { Some(Arc::new(set)) },
        })
    }

    /// No check at all.
    pub fn any() -> Self {
        Self { names: None }
    }

    /// Whether a request with this target and these headers may be answered.
    ///
    /// # Errors
    /// [`NetError::HostMissing`] or [`NetError::HostRefused`]; both are 403.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), NetError> {
        let Some(names) = &self.names else {
            return Ok(());
        };
        let mut hosts = headers.get_all(HOST).iter();
        let (host, second) = (hosts.next(), hosts.next());
        if second.is_some() || (host.is_none() && uri.authority().is_none()) {
            return Err(NetError::HostMissing);
        }
        // HTTP/2 carries `:authority`, HTTP/1 may carry an absolute target: both must pass where
        // both are there, since a handler may look at either.
        if let Some(host) = host {
            let name = host
                .to_str()
                .ok()
                .and_then(|text| text.parse::<Authority>().ok());
            permit(names, "Host", name.as_ref(), host.as_bytes())?;
        }
        if let Some(authority) = uri.authority() {
            permit(
                names,
                "Host",
                Some(authority),
                authority.as_str().as_bytes(),
            )?;
        }
        for origin in headers.get_all(ORIGIN) {
            let name = origin
                .to_str()
                .ok()
                .and_then(|text| text.parse::<Uri>().ok())
                .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
            let authority = name.as_ref().and_then(Uri::authority);
            permit(names, "Origin", authority, origin.as_bytes())?;
        }
        Ok(())
    }
}

/// Checks one authority; `raw` is what the peer wrote, for the message.
fn permit(
    names: &BTreeSet<Name>,
    field: &'static str,
    authority: Option<&Authority>,
    raw: &[u8],
) -> Result<(), NetError> {
    let allowed = authority.and_then(split).is_some_and(|(host, port)| {
        let on_any_port = Name { host, port: None };
        names.contains(&on_any_port)
            || (port.is_some()
                && names.contains(&Name {
                    port,
                    ..on_any_port
                }))
    });
    if allowed {
        Ok(())
    } else {
        Err(NetError::HostRefused {
            field,
            name: shown(raw),
        })
    }
}

/// Host and port, if that is all there is: no user, no port that is no number.
fn split(authority: &Authority) -> Option<(String, Option<u16>)> {
    let port = match authority.as_str().strip_prefix(authority.host())? {
        "" => None,
        _ => Some(authority.port_u16()?),
    };
    Some((normal_host(authority.host()), port))
}

fn normal_host(host: &str) -> String {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse::<Ipv6Addr>() {
        Ok(addr) => addr.to_string(),
        Err(_) => bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase(),
    }
}

fn parse_configured(name: &str) -> Option<Name> {
    if let Ok(addr) = name.parse::<Ipv6Addr>() {
        return Some(Name {
            host: addr.to_string(),
            port: None,
        });
    }
    let (host, port) = split(&name.parse().ok()?)?;
    let plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c));
    (plain && !host.is_empty()).then_some(Name { host, port })
}

/// What a stranger wrote, fit for a message: name characters only, cut.
fn shown(raw: &[u8]) -> String {
    let mut text: String = raw
        .iter()
        .take(SHOWN_NAME)
        .map(|byte| match char::from(*byte) {
            c if c.is_ascii_alphanumeric() || "-._:/[]".contains(c) => c,
            _ => '?',
        })
        .collect();
    if raw.len() > SHOWN_NAME {
        // Writing to a String cannot fail.
        let _ = write!(text, "… ({} bytes)", raw.len());
    }
    text
}

/// The answer to a request the check refuses.
pub(crate) fn refusal(error: &NetError) -> Response<Full<Bytes>> {
    // The message holds name characters only (`shown`), so it needs no escaping.
    let body = format!(
        r#"{{"error":{{"message":"{error}","type":"forbidden","param":null,"code":"host_not_allowed"}}}}"#
    );
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = error.status();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl<S> tower::Layer<S> for HostCheck {
    type Service = HostChecked<S>;

    fn layer(&self, inner: S) -> HostChecked<S> {
        HostChecked {
            inner,
            check: self.clone(),
        }
    }
}

/// A service behind a [`HostCheck`]: what it refuses is answered 403 with a JSON error and does
/// not reach `S`.
#[derive(Clone, Debug)]
pub struct HostChecked<S> {
    inner: S,
    check: HostCheck,
}

/// The body of a checked service: its own, or that of the refusal.
pub type CheckedBody<B> = Either<B, Full<Bytes>>;

impl<S, Q, B> Service<Request<Q>> for HostChecked<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
{
    type Response = Response<CheckedBody<B>>;
    type Error = S::Error;
    type Future = Or<
        MapOk<S::Future, fn(Response<B>) -> Response<CheckedBody<B>>>,
        Ready<Result<Response<CheckedBody<B>>, S::Error>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        match self.check.check(request.uri(), request.headers()) {
            Ok(()) => {
                let wrap: fn(Response<B>) -> _ = |response| response.map(Either::Left);
                Or::Left(self.inner.call(request).map_ok(wrap))
            }
            Err(error) => Or::Right(ready(Ok(refusal(&error).map(Either::Right)))),
        }
    }
}

#[cfg(test)]
mod tests;
