//! Protobuf timestamps and durations as text: Go's RFC 3339 form trims nanoseconds digit by digit, protobuf's JSON form by
//! groups of three.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// `2024-01-02T03:04:05.678Z`; nanoseconds without trailing zeros. Outside years 0 to 9999 the text says so.
pub fn rfc3339(seconds: i64, nanos: i64) -> String {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    OffsetDateTime::from_unix_timestamp_nanos(total)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("out of range: {seconds}s"))
}

/// Seconds and nanoseconds since 1970 of an RFC 3339 text.
pub fn parse_rfc3339(text: &str) -> Option<(i64, i32)> {
    let moment = OffsetDateTime::parse(text, &Rfc3339)
        .ok()?
        .to_offset(UtcOffset::UTC);
    Some((
        moment.unix_timestamp(),
        i32::try_from(moment.nanosecond()).ok()?,
    ))
}

/// A timestamp in protobuf's JSON form: `2024-01-02T03:04:05.670Z`, with 0, 3, 6 or 9 digits of nanoseconds.
pub fn json_timestamp(seconds: i64, nanos: i64) -> String {
    let mut text = rfc3339(seconds, nanos);
    if let Some((_, fraction)) = text.split_once('.') {
        let digits = fraction.len() - 1;
        text.pop();
        text.extend(std::iter::repeat_n(
            '0',
            digits.next_multiple_of(3) - digits,
        ));
        text.push('Z');
    }
    text
}

/// A duration in protobuf's JSON form: `5s` or `0.000000001s`, with 0, 3, 6 or 9 digits of nanoseconds.
pub fn duration(seconds: i64, nanos: i64) -> String {
    if nanos == 0 {
        return format!("{seconds}s");
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let fraction = format!("{:09}", nanos.unsigned_abs());
    let trimmed = fraction.trim_end_matches("000");
    format!("{sign}{}.{trimmed}s", seconds.unsigned_abs())
}

/// Seconds and nanoseconds of a duration text.
pub fn parse_duration(text: &str) -> Option<(i64, i32)> {
    let number = text.strip_suffix('s')?;
    let negative = number.starts_with('-');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let seconds: i64 = whole.parse().ok()?;
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some((seconds, if negative { -nanos } else { nanos }))
}
