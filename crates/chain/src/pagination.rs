//! Pages of query answers, with the SDK's rules (chain specification 5.2, 10).
//!
//! Without a limit: the first 100, with the total. `key` continues after an earlier page and never counts; `offset`
//! counts when asked to. Limit, offset and total count every row of the prefix, also those that a filter leaves out.

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
    mut select: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
) -> Result<(Vec<T>, PageResponse), QueryError> {
    let default = PageRequest::default();
    let request = request.unwrap_or(&default);
    if request.offset > 0 && !request.key.is_empty() {
        return Err(QueryError::internal(
            "invalid request, either offset or key is expected, got both",
        ));
    }
    let by_key = !request.key.is_empty();
    let count_total = !by_key && (request.count_total || request.limit == 0);
    let limit = if request.limit == 0 {
        PAGE_DEFAULT
    } else {
        request.limit
    };
    let end = request.offset.saturating_add(limit);

    let mut start = by_key.then(|| Bound::Included([prefix, &request.key].concat()));
    let mut rows = Vec::new();
    let mut page = PageResponse::default();
    let mut count = 0_u64;
    'walk: loop {
        let from = start
            .as_ref()
            .map_or(Bound::Unbounded, |bound| bound.as_ref().map(Vec::as_slice));
        let chunk = ctx.scan(prefix, from, request.reverse, SCAN_CHUNK)?;
        for (key, value) in &chunk {
            let key = key.get(prefix.len()..).unwrap_or_default();
            if count >= end && page.next_key.is_empty() {
                page.next_key = key.to_vec().into();
                if !count_total {
                    break 'walk;
                }
            } else if count >= request.offset && count < end {
                rows.extend(select(key, value)?);
            }
            count = count.saturating_add(1);
        }
        match chunk.last() {
            Some((key, _)) if chunk.len() == SCAN_CHUNK => {
                start = Some(Bound::Excluded(key.clone()));
            }
            _ => break,
        }
    }
    if count_total {
        page.total = count;
    }
    Ok((rows, page))
}

#[cfg(test)]
mod tests;
