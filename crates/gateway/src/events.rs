//! Whether a stream is what it says it is: server-sent events in UTF-8, with lines of bearable length.
//!
//! A supplier signs whatever its backend sends, so a good signature says nothing about this. The check looks at bytes
//! once as they pass and keeps a few of them; no event is parsed.

use crate::limits::EVENT_LINE_BYTES;

/// Bytes of a line that are kept: the longest field name that is let pass, and all of the last line.
const KEPT: usize = 24;

/// Why a stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A byte that no text holds there.
    #[error("the stream is not UTF-8")]
    NotUtf8,
    /// A line that begins with no field name.
    #[error("the stream is not made of server-sent events")]
    NotEvents,
    /// More bytes than any event needs.
    #[error("the stream has a line of more than {EVENT_LINE_BYTES} bytes")]
    LongLine,
}

/// Watches one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventCheck {
    line: Vec<u8>,
    line_bytes: usize,
    /// A character whose rest has not come yet.
    character: Vec<u8>,
    done: bool,
}

impl EventCheck {
    /// Takes the next bytes.
    pub(crate) fn accept(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.text(bytes)?;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (content, ended) = match piece.strip_suffix(b"\n") {
                Some(content) => (content, true),
                None => (piece, false),
            };
            self.line_bytes = self.line_bytes.saturating_add(content.len());
            if self.line_bytes > EVENT_LINE_BYTES {
                return Err(Unreadable::LongLine);
            }
            let room = KEPT.saturating_sub(self.line.len()).min(content.len());
            self.line
                .extend_from_slice(content.get(..room).unwrap_or_default());
            if ended {
                self.end_of_line()?;
            } else if self.line.len() == KEPT && !is_field(&self.line, false) {
                return Err(Unreadable::NotEvents);
            }
        }
        Ok(())
    }

    /// Whether the line came that ends OpenAI streams; its own end may be missing.
    pub(crate) fn is_done(&self) -> bool {
        self.done || is_last(&self.line)
    }

    fn end_of_line(&mut self) -> Result<(), Unreadable> {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if !is_field(line, true) {
            return Err(Unreadable::NotEvents);
        }
        self.done |= is_last(line);
        self.line.clear();
        self.line_bytes = 0;
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let joined;
        let bytes = if self.character.is_empty() {
            bytes
        } else {
            let mut all = std::mem::take(&mut self.character);
            all.extend_from_slice(bytes);
            joined = all;
            &joined
        };
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(Unreadable::NotUtf8),
            Err(error) => {
                let rest = bytes.get(error.valid_up_to()..).unwrap_or_default();
                self.character = rest.to_vec();
                Ok(())
            }
        }
    }
}

fn is_last(line: &[u8]) -> bool {
    matches!(line, b"data: [DONE]" | b"data:[DONE]")
}

/// Empty, a comment, or a field: clients pass over fields they do not know, so any name will do.
fn is_field(line: &[u8], whole: bool) -> bool {
    let name = |bytes: &[u8]| {
        bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match line.iter().position(|byte| *byte == b':') {
        Some(colon) => name(line.get(..colon).unwrap_or_default()),
        None => whole && name(line),
    }
}

/// Whether a content type says server-sent events.
pub(crate) fn is_event_stream(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/event-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]]) -> Result<bool, Unreadable> {
        let mut check = EventCheck::default();
        for piece in pieces {
            check.accept(piece)?;
        }
        Ok(check.is_done())
    }

    const GOOD: &str =
        ": hello\r\nevent: x\nid\n\ndata: {\"text\":\"schön 磨\"}\n\ndata: [DONE]\n\n";

    #[test]
    fn a_good_stream_passes_however_it_is_cut() {
        let bytes = GOOD.as_bytes();
        for cut in 0..bytes.len() {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(check(&[a, b]), Ok(true), "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(check(&single), Ok(true));
        assert_eq!(check(&[b"data: {}\n\n"]), Ok(false));
        assert_eq!(check(&[b"data: {}\n\ndata: [DONE]"]), Ok(true));
    }

    #[test]
    fn what_is_no_stream_is_told_apart() {
        assert_eq!(check(&[b"data: \xc3", b"\x28\n"]), Err(Unreadable::NotUtf8));
        for text in [
            "<html>oops</html>\n",
            "Internal Server Error: sorry\n",
            "{\"error\":\"no\"}\n",
            "this goes on and on without an end of a line",
        ] {
            assert_eq!(
                check(&[text.as_bytes()]),
                Err(Unreadable::NotEvents),
                "{text}"
            );
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let mut line = b"data: ".to_vec();
        line.resize(EVENT_LINE_BYTES, b'x');
        assert_eq!(check(&[&line, b"\n"]), Ok(false));
        assert_eq!(check(&[&line, b"y"]), Err(Unreadable::LongLine));
    }
}
