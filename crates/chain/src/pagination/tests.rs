use super::*;
use crate::error::{ChainError, GrpcCode};
use crate::rules::Rules;
use crate::testing::TestChain;

/// A chain with 250 rows.
fn chain() -> TestChain {
    let mut chain = TestChain::new(Rules::reference());
    let result: Result<(), ChainError> = chain.run(|ctx| {
        for row in 0..250_u8 {
            ctx.set(vec![b'r', row], vec![row]);
        }
        Ok(())
    });
    result.unwrap();
    chain
}

type Answer = Result<(Vec<u8>, PageResponse), QueryError>;

/// Only even rows pass the filter.
fn even(_: &[u8], value: &[u8]) -> Result<Option<u8>, QueryError> {
    Ok(Some(value[0]).filter(|row| row % 2 == 0))
}

fn page(request: Option<PageRequest>) -> Answer {
    chain().read(|ctx| paginate(ctx, b"r", request.as_ref(), even))
}

fn collection(request: PageRequest) -> Answer {
    chain().read(|ctx| paginate_collection(ctx, b"r", Some(&request), even))
}

/// Only rows from 10 on pass the filter.
fn filtered(request: PageRequest) -> Answer {
    chain().read(|ctx| {
        paginate_filtered(ctx, b"r", Some(&request), |_, value| {
            Ok(Some(value[0]).filter(|row| *row >= 10))
        })
    })
}

#[test]
fn without_a_request_the_first_hundred_and_the_total() {
    let (rows, page) = page(None).unwrap();
    assert_eq!(rows, (0..100).step_by(2).collect::<Vec<_>>());
    assert_eq!((page.total, page.next_key.as_ref()), (250, &[100][..]));
}

#[test]
fn keys_lead_from_page_to_page_and_never_count() {
    let mut seen = Vec::new();
    let mut request = PageRequest {
        limit: 60,
        ..Default::default()
    };
    loop {
        let (rows, page) = page(Some(request.clone())).unwrap();
        assert_eq!(page.total, 0);
        seen.extend(rows);
        if page.next_key.is_empty() {
            break;
        }
        request.key = page.next_key;
        request.count_total = true;
    }
    assert_eq!(seen, (0..250).step_by(2).collect::<Vec<_>>());
}

#[test]
fn offsets_count_all_rows() {
    let request = PageRequest {
        offset: 240,
        limit: 5,
        count_total: true,
        ..Default::default()
    };
    let (rows, page) = page(Some(request)).unwrap();
    assert_eq!(rows, [240, 242, 244]);
    assert_eq!((page.total, page.next_key.as_ref()), (250, &[245][..]));
}

#[test]
fn an_offset_beyond_the_end_is_an_empty_page_with_the_total() {
    let (rows, page) = page(Some(PageRequest {
        offset: 999,
        ..Default::default()
    }))
    .unwrap();
    assert!(rows.is_empty() && page.next_key.is_empty());
    assert_eq!(page.total, 250);
}

#[test]
fn the_highest_limit_gives_everything_and_reverse_turns_it_around() {
    let request = PageRequest {
        limit: u64::MAX,
        reverse: true,
        ..Default::default()
    };
    let (rows, page) = page(Some(request)).unwrap();
    assert_eq!(rows.first(), Some(&248));
    assert_eq!(rows.len(), 125);
    assert!(page.next_key.is_empty());
    let request = PageRequest {
        limit: 2,
        reverse: true,
        ..Default::default()
    };
    let first = super::tests::page(Some(request.clone())).unwrap();
    let second = PageRequest {
        key: first.1.next_key,
        ..request
    };
    assert_eq!(super::tests::page(Some(second)).unwrap().0, [246]);
}

#[test]
fn key_and_offset_exclude_each_other() {
    let request = PageRequest {
        key: vec![1].into(),
        offset: 1,
        ..Default::default()
    };
    assert_eq!(page(Some(request)).unwrap_err().grpc, GrpcCode::Internal);
}

#[test]
fn the_highest_limit_behind_an_offset_is_what_the_references_sum_makes_of_it() {
    let request = PageRequest {
        limit: u64::MAX,
        offset: 1,
        count_total: true,
        ..Default::default()
    };
    let (rows, answer) = page(Some(request.clone())).unwrap();
    assert!(rows.is_empty() && answer.next_key.is_empty());
    assert_eq!(answer.total, 250);
    let (rows, answer) = collection(request).unwrap();
    assert_eq!((rows.len(), answer.total), (124, 250));
}

#[test]
fn an_offset_beyond_a_collection_has_no_total() {
    let request = |offset| PageRequest {
        offset,
        count_total: true,
        ..Default::default()
    };
    let (rows, answer) = collection(request(250)).unwrap();
    assert!(rows.is_empty());
    assert_eq!(answer.total, 250);
    assert_eq!(collection(request(251)).unwrap().1, PageResponse::default());
    let (rows, answer) = collection(PageRequest::default()).unwrap();
    assert_eq!((rows.len(), answer.total), (50, 250));
    assert_eq!(answer.next_key.as_ref(), [100]);
}

#[test]
fn filtered_pages_count_what_passes() {
    let request = PageRequest {
        offset: 3,
        limit: 2,
        ..Default::default()
    };
    let (rows, answer) = filtered(request.clone()).unwrap();
    assert_eq!(rows, [13, 14]);
    assert_eq!((answer.total, answer.next_key.as_ref()), (0, &[15][..]));
    let counted = filtered(PageRequest {
        count_total: true,
        ..request
    });
    assert_eq!(counted.unwrap().1.total, 240);
    let next = filtered(PageRequest {
        key: answer.next_key,
        limit: 2,
        ..Default::default()
    });
    assert_eq!(next.unwrap().0, [15, 16]);
    // The end of the highest limit, wrapped by one, is met before the first row that passes.
    let highest = filtered(PageRequest {
        limit: u64::MAX,
        ..Default::default()
    });
    let (rows, answer) = highest.unwrap();
    assert!(rows.is_empty());
    assert_eq!(answer.next_key.as_ref(), [0]);
}
