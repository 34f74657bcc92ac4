//! Bytes that were protobuf once: fields bent at any depth, or the whole cut and twisted.

use crate::rng::Rng;

/// Changes bytes somewhere. The result may decode, or not, or be the same by luck.
pub(super) fn mutate(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    match fields(bytes) {
        Some(fields) if !fields.is_empty() && rng.percent(75) => bend(rng, fields, 0),
        _ => twist(rng, bytes),
    }
}

/// A field: number, wire type, and what follows the tag without the length.
type Field = (u64, u8, Vec<u8>);

/// Splits a message into its fields; nothing when it is none.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let (number, kind) = (tag >> 3, u8::try_from(tag & 7).ok()?);
        let payload = match kind {
            0 => {
                let before = bytes;
                varint(&mut bytes)?;
                before[..before.len() - bytes.len()].to_vec()
            }
            1 => take(&mut bytes, 8)?,
            2 => {
                let length = varint(&mut bytes)?;
                take(&mut bytes, usize::try_from(length).ok()?)?
            }
            5 => take(&mut bytes, 4)?,
            _ => return None,
        };
        if number == 0 {
            return None;
        }
        out.push((number, kind, payload));
    }
    Some(out)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take(bytes: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head.to_vec())
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}

fn put(out: &mut Vec<u8>, (number, kind, payload): &Field) {
    put_varint(out, number << 3 | u64::from(*kind));
    if *kind == 2 {
        put_varint(out, payload.len() as u64);
    }
    out.extend_from_slice(payload);
}

fn join(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        put(&mut out, field);
    }
    out
}

/// Changes one field, mostly as deep as there are fields inside fields.
fn bend(rng: &mut Rng, mut list: Vec<Field>, depth: u32) -> Vec<u8> {
    let index = rng.index(list.len());
    let (_, kind, payload) = &list[index];
    if *kind == 2
        && depth < 12
        && rng.percent(70)
        && let Some(inner) = fields(payload)
        && !inner.is_empty()
    {
        list[index].2 = bend(rng, inner, depth + 1);
        return join(&list);
    }
    match rng.below(14) {
        0 => {
            list.remove(index);
        }
        1 => list.push(list[index].clone()),
        2 => list[index].0 = 1 + rng.below(20),
        3 => list[index].0 = 1_000 + rng.below(2_000),
        4 => {
            let other = rng.index(list.len());
            list.swap(index, other);
        }
        5 => {
            let other = rng.index(list.len());
            let payload = list[other].2.clone();
            list[index].2 = payload;
        }
        6 => {
            list[index] = (
                list[index].0,
                0,
                vec![0xff; 9].into_iter().chain([1]).collect(),
            )
        }
        7 => list[index] = (list[index].0, 2, vec![0xc3, 0x28, 0xff, 0x00]),
        8 => list[index] = (list[index].0, 2, nested(rng)),
        9 => list[index] = (list[index].0, 1, rng.next().to_be_bytes().to_vec()),
        10 => list[index].2 = twist(rng, &list[index].2.clone()),
        11 => {
            let many = list[index].clone();
            list.extend(std::iter::repeat_n(many, rng.index(60)));
        }
        12 => {
            // Now and then something large.
            let size = if rng.percent(2) { 300_000 } else { 500 };
            list[index] = (list[index].0, 2, vec![b'x'; rng.index(size)]);
        }
        _ => return wrong_length(rng, &list, index),
    }
    join(&list)
}

/// A message inside a message, more often than any reader follows.
fn nested(rng: &mut Rng) -> Vec<u8> {
    let mut payload = Vec::new();
    let number = 1 + rng.below(5);
    for _ in 0..rng.below(400) {
        payload = join(&[(number, 2, payload)]);
    }
    payload
}

/// The same fields, the length of one of them a lie.
fn wrong_length(rng: &mut Rng, list: &[Field], index: usize) -> Vec<u8> {
    let mut out = join(&list[..index]);
    let (number, _, payload) = &list[index];
    put_varint(&mut out, number << 3 | 2);
    let lengths = [
        payload.len() as u64 + 1,
        (payload.len() as u64).saturating_sub(1),
        u64::MAX,
        u64::from(u32::MAX),
        1 << 31,
    ];
    put_varint(&mut out, *rng.pick(&lengths));
    out.extend_from_slice(payload);
    out.extend(join(&list[index + 1..]));
    out
}

/// Changes bytes without knowing what they mean.
fn twist(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if out.is_empty() {
        return vec![u8::try_from(rng.below(256)).unwrap(); rng.index(20)];
    }
    for _ in 0..=rng.below(3) {
        let at = rng.index(out.len());
        match rng.below(6) {
            0 => out[at] ^= 1 << rng.below(8),
            1 => out[at] = u8::try_from(rng.below(256)).unwrap(),
            2 => out.truncate(at.max(1)),
            3 => out.insert(at, u8::try_from(rng.below(256)).unwrap()),
            4 => {
                let part = out[at..].to_vec();
                out.extend(part);
            }
            _ => {
                out.remove(at);
            }
        }
        if out.is_empty() {
            break;
        }
    }
    out
}
