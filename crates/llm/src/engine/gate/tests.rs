use proptest::prelude::*;

use super::*;

fn gate(stops: &[&str]) -> Gate {
    Gate::new(stops.iter().map(|stop| (*stop).to_owned()).collect())
}

#[test]
fn text_passes_at_once_without_stops() {
    let mut gate = gate(&[]);
    assert_eq!(gate.push(b"hel"), "hel");
    assert_eq!(gate.push(b"lo"), "lo");
    assert_eq!((gate.flush().as_str(), gate.released()), ("", 5));
}

#[test]
fn a_stop_over_three_pieces_is_never_shown() {
    let mut gate = gate(&["END"]);
    assert_eq!(gate.push(b"a E"), "a ");
    assert_eq!(gate.push(b"N"), "");
    assert_eq!(gate.push(b"D and more"), "");
    assert!(gate.is_stopped());
    assert_eq!(
        (
            gate.push(b"x").as_str(),
            gate.flush().as_str(),
            gate.released()
        ),
        ("", "", 2)
    );
}

#[test]
fn what_only_began_like_a_stop_is_released() {
    let mut gate = gate(&["END"]);
    assert_eq!(gate.push(b"EN"), "");
    assert_eq!(gate.push(b"E"), "EN");
    assert_eq!(gate.push(b"NE"), "EN");
    assert_eq!(gate.flush(), "E");
}

#[test]
fn the_stop_complete_first_counts() {
    let mut first = gate(&["abcd", "c"]);
    assert_eq!(first.push(b"xabcd"), "xab");
    let mut longest = gate(&["d", "cd", "abcd"]);
    assert_eq!(longest.push(b"xabcd"), "x");
}

#[test]
fn characters_wait_until_they_are_whole() {
    let mut gate = gate(&[]);
    assert_eq!(gate.push(&[0xf0, 0x9f]), "");
    assert_eq!(gate.push(&[0x98]), "");
    assert_eq!(gate.push(&[0x80, b'!', 0xc3]), "😀!");
    assert_eq!(gate.flush(), "\u{fffd}");
    assert_eq!(gate.push(&[0xff, b'a']), "\u{fffd}a");
}

#[test]
fn a_stop_may_begin_inside_a_character() {
    let mut gate = gate(&["ü"]);
    assert_eq!(gate.push(&[b'a', 0xc3]), "a");
    assert_eq!(gate.push(&[0xbc]), "");
    assert!(gate.is_stopped());
}

/// The definition: cut where a stop is first complete, then read as text.
fn plainly(bytes: &[u8], stops: &[String]) -> String {
    for end in 1..=bytes.len() {
        let longest = stops
            .iter()
            .filter(|stop| bytes[..end].ends_with(stop.as_bytes()));
        if let Some(stop) = longest.max_by_key(|stop| stop.len()) {
            return String::from_utf8_lossy(&bytes[..end - stop.len()]).into_owned();
        }
    }
    String::from_utf8_lossy(bytes).into_owned()
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        text in "[abü😀]{0,30}",
        stops in proptest::collection::vec("[abü]{1,4}", 0..4),
        sizes in proptest::collection::vec(1_usize..5, 1..10),
    ) {
        let mut gate = Gate::new(stops.clone());
        let mut out = String::new();
        let mut rest = text.as_bytes();
        for size in sizes.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            out.push_str(&gate.push(now));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        out.push_str(&gate.flush());
        prop_assert_eq!(out, plainly(text.as_bytes(), &stops));
    }

    #[test]
    fn any_bytes_read_as_when_whole(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..10)
    ) {
        let mut gate = Gate::new(Vec::new());
        let mut out: String = pieces.iter().map(|piece| gate.push(piece)).collect();
        out.push_str(&gate.flush());
        prop_assert_eq!(out, String::from_utf8_lossy(&pieces.concat()).into_owned());
    }
}
