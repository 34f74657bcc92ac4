//! Time and memory of this process, as Linux counts them.

use std::fs;
use std::time::{Duration, Instant};

/// What something cost.
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Of all threads, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// Highest resident memory meanwhile above that at the start, in MiB.
    pub(crate) memory_mib: u64,
}

/// Runs something and says what it cost.
pub(crate) fn cost<T>(f: impl FnOnce() -> T) -> (T, Cost) {
    // Resets the high-water mark.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let before = status("VmRSS:");
    let (cpu, start) = (cpu(), Instant::now());
    let result = f();
    let wall = start.elapsed();
    let cost = Cost {
        wall,
        cpu: self::cpu().saturating_sub(cpu),
        memory_mib: status("VmHWM:").saturating_sub(before) / 1_024,
    };
    (result, cost)
}

/// User and system time of all threads.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// CPU time of this thread, in steps of the scheduler.
pub(crate) fn thread_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn status(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The load of the machine, for the record.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().unwrap().to_owned()
}

/// Microseconds for each of `count`.
pub(crate) fn each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
