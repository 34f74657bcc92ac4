//! Pages of query answers, with the SDK's rules (chain specification 5.2, 10).
//!
//! Without a limit: the first 100, with the total. `key` continues after an earlier page and never counts; `offset`
//! counts when asked to. Limit, offset and total count every row of the prefix, also those that a filter leaves out. What
//! a request beyond all bounds gives differs with the reference's way of keeping the rows, so there are three walks.

use std::ops::Bound;

use proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};

use crate::context::Context;
use crate::error::QueryError;
use crate::limits::{PAGE_DEFAULT, SCAN_CHUNK};

/// Walks the page of a prefix. `select` gets each row's key (without the prefix) and value and gives what belongs into
/// the answer, or `None` for a row that its filter leaves out.
///
/// # Errors
/// Internal for a request with both key and offset; those of `select`.
pub fn paginate<T>(
    ctx: &Context,
    prefix: &[u8],
    request: Option<&PageRequest>,
    select: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
) -> Result<(Vec<T>, PageResponse), QueryError> {
    let request = Page::new(request)?;
    rows_of(ctx, prefix, &request, select)
}

/// The same over what the SDK keeps in a collection: an offset beyond the end is an empty page without a total.
///
/// # Errors
/// As [`paginate`].
pub fn paginate_collection<T>(
    ctx: &Context,
    prefix: &[u8],
    request: Option<&PageRequest>,
    select: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
) -> Result<(Vec<T>, PageResponse), QueryError> {
    let mut request = Page::new(request)?;
    request.end = request.offset.saturating_add(request.limit);
    let (rows, mut page) = rows_of(ctx, prefix, &request, select)?;
    if request.offset > page.total {
        page.total = 0;
    }
    Ok((rows, page))
}

fn rows_of<T>(
    ctx: &Context,
    prefix: &[u8],
    request: &Page,
    mut select: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
) -> Result<(Vec<T>, PageResponse), QueryError> {
    let mut rows = Vec::new();
    let mut page = PageResponse::default();
    let mut count = 0_u64;
    walk(ctx, prefix, request, |key, value| {
        if count >= request.offset {
            if count < request.end {
                rows.extend(select(key, value)?);
            } else if count == request.end {
                page.next_key = key.to_vec().into();
                if !request.count_total {
                    return Ok(Step::Stop);
                }
            }
        }
        count = count.saturating_add(1);
        Ok(Step::On)
    })?;
    if request.count_total {
        page.total = count;
    }
    Ok((rows, page))
}

/// Walks the page of a prefix where limit, offset and total count the rows that `select` keeps only, as the SDK's filtered
/// pages do. The key of the next page is then that of the first row kept beyond this one.
///
/// # Errors
/// Internal for a request with both key and offset; those of `select`.
pub fn paginate_filtered<T>(
    ctx: &Context,
    prefix: &[u8],
    request: Option<&PageRequest>,
    mut select: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
) -> Result<(Vec<T>, PageResponse), QueryError> {
    let request = Page::new(request)?;
    let mut rows = Vec::new();
    let mut page = PageResponse::default();
    let mut hits = 0_u64;
    walk(ctx, prefix, &request, |key, value| {
        // Continued by key, the next page starts at the very next row, kept or not.
        if request.by_key && hits == request.limit {
            page.next_key = key.to_vec().into();
            return Ok(Step::Stop);
        }
        if let Some(row) = select(key, value)? {
            if hits >= request.offset && hits < request.end {
                rows.push(row);
            }
            hits = hits.saturating_add(1);
        }
        if request.by_key || hits != request.end.wrapping_add(1) {
            return Ok(Step::On);
        }
        if page.next_key.is_empty() {
            page.next_key = key.to_vec().into();
        }
        Ok(if request.count_total {
            Step::On
        } else {
            Step::Stop
        })
    })?;
    if request.count_total {
        page.total = hits;
    }
    Ok((rows, page))
}

/// A page request that makes no sense, as the modules of the SDK report it that add no status of their own.
pub fn plain(error: QueryError) -> QueryError {
    if error.message == BOTH {
        return QueryError::unknown(error.message);
    }
    error
}

/// Key and offset in one request.
const BOTH: &str = "invalid request, either offset or key is expected, got both";

/// A page request with its defaults.
struct Page<'r> {
    key: &'r [u8],
    by_key: bool,
    offset: u64,
    limit: u64,
    end: u64,
    count_total: bool,
    reverse: bool,
}

impl<'r> Page<'r> {
    fn new(request: Option<&'r PageRequest>) -> Result<Self, QueryError> {
        let Some(request) = request else {
            return Ok(Self {
                key: &[],
                by_key: false,
                offset: 0,
                limit: PAGE_DEFAULT,
                end: PAGE_DEFAULT,
                count_total: true,
                reverse: false,
            });
        };
        if request.offset > 0 && !request.key.is_empty() {
            return Err(QueryError::internal(BOTH));
        }
        let by_key = !request.key.is_empty();
        let limit = match request.limit {
            0 => PAGE_DEFAULT,
            limit => limit,
        };
        Ok(Self {
            key: &request.key,
            by_key,
            offset: request.offset,
            limit,
            // The reference's sum wraps, so the highest limit behind an offset is an empty page.
            end: request.offset.wrapping_add(limit),
            count_total: !by_key && (request.count_total || request.limit == 0),
            reverse: request.reverse,
        })
    }
}

/// Whether a walk goes on.
#[derive(PartialEq, Eq)]
enum Step {
    On,
    Stop,
}

/// Gives each row of a prefix, from the request's key on, to `visit`: key without the prefix, and value.
fn walk(
    ctx: &Context,
    prefix: &[u8],
    request: &Page,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<Step, QueryError>,
) -> Result<(), QueryError> {
    let mut start = request
        .by_key
        .then(|| Bound::Included([prefix, request.key].concat()));
    loop {
        let from = start
            .as_ref()
            .map_or(Bound::Unbounded, |bound| bound.as_ref().map(Vec::as_slice));
        let chunk = ctx.scan(prefix, from, request.reverse, SCAN_CHUNK)?;
        for (key, value) in &chunk {
            let key = key.get(prefix.len()..).unwrap_or_default();
            if visit(key, value)? == Step::Stop {
                return Ok(());
            }
        }
        match chunk.last() {
            Some((key, _)) if chunk.len() == SCAN_CHUNK => {
                start = Some(Bound::Excluded(key.clone()));
            }
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
