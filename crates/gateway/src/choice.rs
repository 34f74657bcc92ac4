//! Which supplier of a session gets the next request.
//!
//! Two candidates are drawn at random and the less busy one is taken, which keeps load even without a queue. A supplier
//! that failed rests, longer with each failure in a row; one success ends that. At least half of a session's suppliers
//! stay eligible whatever happens, so that a slow prompt, or a bad minute of everyone's, cannot shrink the pool until the
//! last one standing drowns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{REST, REST_MAX, SUPPLIERS_REMEMBERED};

/// How an attempt ended, as far as the choice cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A verified answer, whatever its status below 500.
    Answered,
    /// The supplier's fault.
    Failed,
    /// It asked to be left alone for this long.
    Busy(Duration),
    /// The client left, or the request was at fault.
    Neutral,
}

#[derive(Clone, Debug, Default)]
struct Standing {
    in_flight: u32,
    failures: u32,
    rests_until: Option<Instant>,
    touched: u64,
}

/// What is known of suppliers, by operator address.
#[derive(Debug, Default)]
pub struct Standings {
    known: BTreeMap<String, Standing>,
    clock: u64,
}

impl Standings {
    /// Picks one of `candidates` that is not in `tried`, and counts it as busy; `draw` gives random numbers.
    pub fn pick<'a>(
        &mut self,
        candidates: &'a [String],
        tried: &BTreeSet<String>,
        now: Instant,
        mut draw: impl FnMut() -> u64,
    ) -> Option<&'a str> {
        let fresh: Vec<&String> = candidates
            .iter()
            .filter(|name| !tried.contains(*name))
            .collect();
        let rest = |name: &str| {
            self.known
                .get(name)
                .and_then(|one| one.rests_until)
                .filter(|t| *t > now)
        };
        let mut awake: Vec<&String> = fresh
            .iter()
            .filter(|name| rest(name).is_none())
            .copied()
            .collect();
        let floor = candidates.len().div_ceil(2).min(fresh.len());
        if awake.len() < floor {
            let mut asleep: Vec<&String> = fresh
                .iter()
                .filter(|name| rest(name).is_some())
                .copied()
                .collect();
            asleep.sort_by_key(|name| rest(name));
            awake.extend(asleep.into_iter().take(floor - awake.len()));
        }
        let load = |name: &str| self.known.get(name).map_or(0, |one| one.in_flight);
        let mut one = || {
            let count = u64::try_from(awake.len()).ok().filter(|count| *count > 0)?;
            awake.get(usize::try_from(draw() % count).ok()?).copied()
        };
        let (first, second) = (one()?, one()?);
        let chosen = if load(second) < load(first) {
            second
        } else {
            first
        };
        self.clock += 1;
        let standing = self.known.entry(chosen.clone()).or_default();
        standing.in_flight += 1;
        standing.touched = self.clock;
        self.forget();
        Some(chosen)
    }

    /// Takes note of how an attempt ended.
    pub fn settle(&mut self, name: &str, outcome: Outcome, now: Instant) {
        let Some(standing) = self.known.get_mut(name) else {
            return;
        };
        standing.in_flight = standing.in_flight.saturating_sub(1);
        match outcome {
            Outcome::Answered => {
                standing.failures = 0;
                standing.rests_until = None;
            }
            Outcome::Failed => {
                let rest = REST
                    .saturating_mul(1 << standing.failures.min(16))
                    .min(REST_MAX);
                standing.failures = standing.failures.saturating_add(1);
                standing.rests_until = Some(now + rest);
            }
            Outcome::Busy(wait) => standing.rests_until = Some(now + wait.min(REST_MAX)),
            Outcome::Neutral => {}
        }
    }

    fn forget(&mut self) {
        if self.known.len() <= SUPPLIERS_REMEMBERED {
            return;
        }
        let idle = self.known.iter().filter(|(_, one)| one.in_flight == 0);
        if let Some(name) = idle
            .min_by_key(|(_, one)| one.touched)
            .map(|(name, _)| name.clone())
        {
            self.known.remove(&name);
        }
    }
}

/// The standings, shared by requests. The lock is held for microseconds and never across an await.
#[derive(Clone, Debug, Default)]
pub struct Choice(Arc<Mutex<Standings>>);

impl Choice {
    /// Picks a supplier; the returned guard counts as one request in flight until it is settled or dropped.
    pub fn pick(&self, candidates: &[String], tried: &BTreeSet<String>) -> Option<Attempt> {
        let name = self
            .lock()
            .pick(candidates, tried, Instant::now(), random)?
            .to_owned();
        Some(Attempt {
            choice: self.clone(),
            name,
            settled: false,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Standings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request in flight at one supplier.
#[derive(Debug)]
pub struct Attempt {
    choice: Choice,
    name: String,
    settled: bool,
}

impl Attempt {
    /// The supplier's operator address.
    pub fn supplier(&self) -> &str {
        &self.name
    }

    /// Ends the attempt.
    pub fn settle(mut self, outcome: Outcome) {
        self.settled = true;
        self.choice
            .lock()
            .settle(&self.name, outcome, Instant::now());
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.settled {
            self.choice
                .lock()
                .settle(&self.name, Outcome::Neutral, Instant::now());
        }
    }
}

/// Randomness for spreading load; where the system gives none, the first candidates are as good as any.
fn random() -> u64 {
    getrandom::u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("s{index}")).collect()
    }

    fn counter() -> impl FnMut() -> u64 {
        let mut next = 0;
        move || {
            next += 1;
            next
        }
    }

    #[test]
    fn a_failed_supplier_rests_and_comes_back() {
        let (mut standings, now, names) = (Standings::default(), Instant::now(), names(4));
        let tried = BTreeSet::new();
        let mut draw = counter();
        while standings.pick(&names, &tried, now, &mut draw) != Some("s1") {}
        standings.settle("s1", Outcome::Failed, now);
        for _ in 0..40 {
            let picked = standings
                .pick(&names, &tried, now, &mut draw)
                .unwrap()
                .to_owned();
            assert_ne!(picked, "s1");
            standings.settle(&picked, Outcome::Answered, now);
        }
        let later = now + REST;
        let seen: BTreeSet<String> = (0..40)
            .map(|_| {
                standings
                    .pick(&names, &tried, later, &mut draw)
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert!(seen.contains("s1"));
    }

    #[test]
    fn half_of_the_pool_stays_eligible_when_all_fail() {
        let (mut standings, now, names) = (Standings::default(), Instant::now(), names(4));
        let mut draw = counter();
        for name in &names {
            standings.known.entry(name.clone()).or_default();
            standings.settle(name, Outcome::Failed, now);
        }
        let seen: BTreeSet<String> = (0..40)
            .map(|_| {
                standings
                    .pick(&names, &BTreeSet::new(), now, &mut draw)
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn nobody_is_tried_twice_for_one_request() {
        let (mut standings, now, names) = (Standings::default(), Instant::now(), names(2));
        let tried: BTreeSet<String> = names.iter().cloned().collect();
        assert_eq!(standings.pick(&names, &tried, now, counter()), None);
    }

    #[test]
    fn the_less_busy_of_two_is_taken() {
        let (mut standings, now, names) = (Standings::default(), Instant::now(), names(2));
        standings
            .known
            .entry("s0".to_owned())
            .or_default()
            .in_flight = 5;
        let mut draws = [0, 1].into_iter().cycle();
        let picked = standings.pick(&names, &BTreeSet::new(), now, || draws.next().unwrap());
        assert_eq!(picked, Some("s1"));
    }

    #[test]
    fn a_dropped_attempt_frees_its_place() {
        let choice = Choice::default();
        let attempt = choice.pick(&names(1), &BTreeSet::new()).unwrap();
        assert_eq!(choice.lock().known["s0"].in_flight, 1);
        drop(attempt);
        assert_eq!(choice.lock().known["s0"].in_flight, 0);
    }
}
