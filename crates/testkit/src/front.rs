//! A small client of the gateway: sends what a test wants sent, and shows all of what comes back.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use crate::patiently;

/// A client with the API key.
#[derive(Clone)]
pub struct Front {
    pub(crate) http: net::Client,
    pub(crate) addr: SocketAddr,
    pub(crate) api_key: String,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// A streamed answer whose head arrived.
pub struct StreamReply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    body: net::ResponseBody,
    /// What arrived so far.
    pub text: String,
}

impl Front {
    /// The key it uses.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// A chat request with one user message.
    ///
    /// # Errors
    /// Of the HTTP exchange.
    pub async fn chat(&self, model: &str, prompt: &str) -> Result<Reply> {
        self.post(chat_body(model, prompt, false)).await
    }

    /// The same, streamed; returns with the head of the answer.
    ///
    /// # Errors
    /// Of the HTTP exchange.
    pub async fn stream(&self, model: &str, prompt: &str) -> Result<StreamReply> {
        let request = self.request(
            Method::POST,
            "/v1/chat/completions",
            chat_body(model, prompt, true),
        )?;
        let response = patiently("the gateway's answer", self.http.request(request)).await??;
        let (head, body) = response.into_parts();
        Ok(StreamReply {
            status: head.status,
            headers: head.headers,
            body,
            text: String::new(),
        })
    }

    /// A body for the chat path, as it is.
    ///
    /// # Errors
    /// Of the HTTP exchange.
    pub async fn post(&self, body: impl Into<Bytes>) -> Result<Reply> {
        self.send(self.request(Method::POST, "/v1/chat/completions", body)?)
            .await
    }

    /// A request with the API key, for the test to change before it is [sent](Front::send).
    ///
    /// # Errors
    /// For a path that is none.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Request<Full<Bytes>>> {
        Ok(Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.addr))
            .header(AUTHORIZATION, format!("Bearer {}", self.api_key))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body.into()))?)
    }

    /// Sends it and reads the answer to its end.
    ///
    /// # Errors
    /// Of the HTTP exchange.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply> {
        reply(&self.http, request).await
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn reply(http: &net::Client, request: Request<Full<Bytes>>) -> Result<Reply> {
    let response = patiently("an answer", http.request(request)).await??;
    let (head, body) = response.into_parts();
    let body = patiently("the end of an answer", body.read_to_bytes()).await??;
    Ok(Reply {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// A chat request's body.
pub fn chat_body(model: &str, prompt: &str, stream: bool) -> String {
    json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": prompt}]})
        .to_string()
}

impl Reply {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Text of the first choice.
    pub fn text(&self) -> String {
        let text = self.json()["choices"][0]["message"]["content"].clone();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// `x-request-id`.
    pub fn request_id(&self) -> String {
        request_id(&self.headers)
    }
}

impl StreamReply {
    /// `x-request-id`.
    pub fn request_id(&self) -> String {
        request_id(&self.headers)
    }

    /// Reads until the text so far holds `what`.
    ///
    /// # Errors
    /// When the stream ends before.
    pub async fn until(&mut self, what: &str) -> Result<()> {
        while !self.text.contains(what) {
            let more = self.more().await?;
            anyhow::ensure!(more, "the stream ended before {what:?}: {:?}", self.text);
        }
        Ok(())
    }

    /// Reads to the end and returns everything.
    ///
    /// # Errors
    /// When the stream breaks on the level of HTTP.
    pub async fn rest(mut self) -> Result<String> {
        while self.more().await? {}
        Ok(self.text)
    }

    async fn more(&mut self) -> Result<bool> {
        match patiently("the next piece of a stream", self.body.frame()).await? {
            None => Ok(false),
            Some(frame) => {
                if let Ok(data) = frame.context("the stream broke")?.into_data() {
                    self.text.push_str(&String::from_utf8_lossy(&data));
                }
                Ok(true)
            }
        }
    }
}

/// The texts of a stream's chunks, joined.
pub fn streamed_text(stream: &str) -> String {
    let chunks = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let chunks = chunks.filter_map(|chunk| serde_json::from_str::<Value>(chunk).ok());
    chunks
        .filter_map(|chunk| {
            let text = chunk["choices"][0]["delta"]["content"].as_str()?;
            Some(text.to_owned())
        })
        .collect()
}

fn request_id(headers: &HeaderMap) -> String {
    let id = headers.get("x-request-id");
    id.and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
