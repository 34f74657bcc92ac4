//! Clients that ask one question after the other, and the clocks around them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::task::JoinSet;

/// Before anything counts: connections are made, ring tables built.
const WARM_UP: Duration = Duration::from_secs(3);
/// For a fresh network's first session to open.
const READY: Duration = Duration::from_secs(60);

/// Who is asked for what.
#[derive(Clone)]
pub(crate) struct Target {
    /// Base URL.
    pub(crate) url: String,
    /// API key; empty where none is needed.
    pub(crate) key: String,
    /// Model.
    pub(crate) model: &'static str,
}

impl Target {
    fn request(&self, stream: bool) -> Result<Request<Full<Bytes>>> {
        let body = format!(
            r#"{{"model":"{}","temperature":0,"max_tokens":16,"stream":{stream},"messages":[{{"role":"user","content":"What is a relay?"}}]}}"#,
            self.model
        );
        let request = Request::post(format!("{}/chat/completions", self.url))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", self.key));
        Ok(request.body(Full::from(body))?)
    }

    /// Asks once; returns the wait for the first byte of the body.
    async fn ask(&self, client: &net::Client, stream: bool) -> Result<Duration> {
        let request = self.request(stream)?;
        let start = Instant::now();
        let response = client.request(request).await?;
        let status = response.status();
        let mut body = response.into_body();
        let mut first = None;
        let mut last = Bytes::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if !data.is_empty() {
                first.get_or_insert_with(|| start.elapsed());
                last = data;
            }
        }
        if status != StatusCode::OK {
            bail!(
                "{} answered {status}: {}",
                self.url,
                String::from_utf8_lossy(&last)
            );
        }
        if stream && !last.ends_with(b"data: [DONE]\n\n") {
            bail!("{}: a stream without its end", self.url);
        }
        first.context("an answer without a byte")
    }

    /// Waits until an answer comes.
    pub(crate) async fn ready(&self) -> Result<()> {
        let client = net::Client::with_policy(net::AddressPolicy::Any)?;
        let start = Instant::now();
        loop {
            match self.ask(&client, false).await {
                Ok(_) => return Ok(()),
                Err(error) if start.elapsed() > READY => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }
}

/// One load run.
pub(crate) struct Load {
    /// Clients at the same time.
    pub(crate) clients: usize,
    /// Time that counts.
    pub(crate) length: Duration,
    /// Whether they ask for streams.
    pub(crate) stream: bool,
}

#[derive(Default)]
struct Counters {
    answered: AtomicU32,
    refused: AtomicU32,
    counting: AtomicBool,
    ended: AtomicBool,
    waits: Mutex<Vec<Duration>>,
    complaint: Mutex<Option<String>>,
}

/// A run whose warm-up is over.
pub(crate) struct Running {
    counters: Arc<Counters>,
    clients: JoinSet<()>,
    start: Instant,
    length: Duration,
}

/// What a run brought.
pub(crate) struct Outcome {
    /// Whole answers.
    pub(crate) answered: u32,
    /// Everything else.
    pub(crate) refused: u32,
    /// Time that counted.
    pub(crate) lasted: Duration,
    /// Waits for whole answers.
    pub(crate) waits: Waits,
}

impl Load {
    /// Starts the clients and lets them warm up.
    pub(crate) async fn start(&self, target: &Target) -> Result<Running> {
        let client = net::Client::with_policy(net::AddressPolicy::Any)?;
        let counters = Arc::new(Counters::default());
        let mut clients = JoinSet::new();
        for _ in 0..self.clients {
            let (client, target, stream) = (client.clone(), target.clone(), self.stream);
            let counters = Arc::clone(&counters);
            clients.spawn(async move {
                while !counters.ended.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    let outcome = target.ask(&client, stream).await;
                    counters.note(outcome.map(|_| start.elapsed()));
                }
            });
        }
        tokio::time::sleep(WARM_UP).await;
        counters.counting.store(true, Ordering::Relaxed);
        Ok(Running {
            counters,
            clients,
            start: Instant::now(),
            length: self.length,
        })
    }
}

impl Counters {
    fn note(&self, outcome: Result<Duration>) {
        if !self.counting.load(Ordering::Relaxed) {
            return;
        }
        match outcome {
            Ok(wait) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                lock(&self.waits).push(wait);
            }
            Err(error) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                lock(&self.complaint).get_or_insert_with(|| error.to_string());
            }
        }
    }
}

impl Running {
    /// Waits for the end of the run. The clients are stopped before this returns.
    pub(crate) async fn finish(mut self) -> Result<Outcome> {
        tokio::time::sleep(self.length.saturating_sub(self.start.elapsed())).await;
        self.counters.counting.store(false, Ordering::Relaxed);
        let lasted = self.start.elapsed();
        self.counters.ended.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended?;
        }
        if let Some(complaint) = lock(&self.counters.complaint).take() {
            eprintln!("first refusal: {complaint}");
        }
        Ok(Outcome {
            answered: self.counters.answered.load(Ordering::Relaxed),
            refused: self.counters.refused.load(Ordering::Relaxed),
            lasted,
            waits: Waits::new(std::mem::take(&mut *lock(&self.counters.waits))),
        })
    }
}

/// First bytes of streams, both ways in turn, so that both meet the same machine.
pub(crate) async fn first_bytes(
    straight: &Target,
    hop: &Target,
    samples: usize,
) -> Result<(Waits, Waits)> {
    let client = net::Client::with_policy(net::AddressPolicy::Any)?;
    let warm_up = 20;
    let (mut ours, mut theirs) = (Vec::with_capacity(samples), Vec::with_capacity(samples));
    for turn in 0..samples + warm_up {
        let direct = straight.ask(&client, true).await?;
        let through = hop.ask(&client, true).await?;
        if turn >= warm_up {
            theirs.push(direct);
            ours.push(through);
        }
    }
    Ok((Waits::new(theirs), Waits::new(ours)))
}

/// Waits in rising order.
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    fn new(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        Self(waits)
    }

    /// The wait that half of them stayed below.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// The wait that this many of a hundred stayed below; 0 for none at all.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let index = self.0.len() * percent / 100;
        let index = index.min(self.0.len().saturating_sub(1));
        self.0.get(index).copied().unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_waits() {
        let waits = Waits::new((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!(waits.median(), Duration::from_millis(51));
        assert_eq!(waits.percentile(99), Duration::from_millis(100));
        assert_eq!(Waits::new(Vec::new()).median(), Duration::ZERO);
    }
}
