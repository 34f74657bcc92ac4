//! Questions on the terminal, where there is one.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};

use anyhow::{Result, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Longest answer, in bytes.
const ANSWER_MAX: usize = 4096;

/// Sets a terminal back to how it was.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    /// Takes keys one by one and shows none of them.
    fn new(terminal: &'a File) -> Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// The terminal of this process, whatever its input and output are.
fn terminal() -> Option<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()
}

/// Asks for a secret without showing it; `None` where there is no terminal.
pub(super) fn ask_secret(question: &str) -> Result<Option<Zeroizing<String>>> {
    let Some(mut terminal) = terminal() else {
        return Ok(None);
    };
    let answer = {
        // Before the question: what is typed from then on is neither shown nor thrown away.
        let quiet = Quiet::new(&terminal)?;
        let mut asking = quiet.terminal;
        asking.write_all(question.as_bytes())?;
        read_line(quiet.terminal)
    };
    terminal.write_all(b"\n")?;
    answer.map(Some)
}

/// Reads keys up to the end of the line.
fn read_line(mut terminal: &File) -> Result<Zeroizing<String>> {
    // Never reallocated, so that nothing is left behind.
    let mut line = Zeroizing::new(Vec::with_capacity(ANSWER_MAX));
    let mut key = Zeroizing::new([0]);
    while terminal.read(key.as_mut_slice())? == 1 {
        match key[0] {
            b'\n' | b'\r' | 4 => break,
            3 => bail!("interrupted"),
            8 | 127 => while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
            21 => line.clear(),
            _ if line.len() == ANSWER_MAX => bail!("more than {ANSWER_MAX} bytes"),
            other => line.push(other),
        }
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => bail!("what was typed is no text"),
    }
}

/// Asks whether to go on; `None` where there is no terminal.
pub(crate) fn confirm(question: &str) -> Result<Option<bool>> {
    let Some(mut terminal) = terminal() else {
        return Ok(None);
    };
    terminal.write_all(format!("{question} [y/N] ").as_bytes())?;
    let mut answer = String::new();
    let mut byte = [0];
    while answer.len() < ANSWER_MAX && terminal.read(&mut byte)? == 1 && byte[0] != b'\n' {
        answer.push(char::from(byte[0]));
    }
    let answer = answer.trim().to_ascii_lowercase();
    Ok(Some(matches!(answer.as_str(), "y" | "yes")))
}
