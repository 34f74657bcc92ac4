//! Times of blocks.

use std::time::{SystemTime, UNIX_EPOCH};

use tendermint_proto::google::protobuf::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or(0),
    }
}

/// The time of a block: now, but at least a millisecond after the block before.
pub fn after(previous: Timestamp, now: Timestamp) -> Timestamp {
    let earliest = next_millisecond(previous);
    if (now.seconds, now.nanos) < (earliest.seconds, earliest.nanos) {
        earliest
    } else {
        now
    }
}

/// A millisecond later.
pub fn next_millisecond(time: Timestamp) -> Timestamp {
    let nanos = time.nanos.saturating_add(1_000_000);
    if nanos < 1_000_000_000 {
        Timestamp { nanos, ..time }
    } else {
        Timestamp {
            seconds: time.seconds.saturating_add(1),
            nanos: nanos - 1_000_000_000,
        }
    }
}

/// As CometBFT prints it.
pub fn text(time: Timestamp) -> String {
    proto::time::rfc3339(time.seconds, i64::from(time.nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_stands_still() {
        let previous = Timestamp {
            seconds: 10,
            nanos: 999_500_000,
        };
        let late = Timestamp {
            seconds: 11,
            nanos: 500_001,
        };
        assert_eq!(
            after(
                previous,
                Timestamp {
                    seconds: 5,
                    nanos: 0
                }
            ),
            next_millisecond(previous)
        );
        assert_eq!(
            next_millisecond(previous),
            Timestamp {
                seconds: 11,
                nanos: 500_000
            }
        );
        assert_eq!(after(previous, late), late);
        assert_eq!(
            text(Timestamp {
                seconds: 0,
                nanos: 120_000_000
            }),
            "1970-01-01T00:00:00.12Z"
        );
    }
}
