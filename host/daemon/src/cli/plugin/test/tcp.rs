//! A TCP server that goes through the steps of a table on each connection.

use std::sync::{Arc, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stage::Record;
use super::table::{TcpStep, span};

/// The most that is kept of what arrives, in bytes, on all connections together.
const MOST_KEPT: usize = 1 << 20;

/// Goes through the steps, then reads until the other side closes: a server that
/// has nothing more to say is silent.
pub(super) async fn serve(mut stream: TcpStream, steps: Arc<[TcpStep]>, record: Record) {
    // A connection that breaks off has ended, whatever was left to do.
    _ = go_through(&mut stream, &steps, &record).await;
}

async fn go_through(
    stream: &mut TcpStream,
    steps: &[TcpStep],
    record: &Record,
) -> std::io::Result<()> {
    let mut pending = String::new();
    for step in steps {
        if let Some(expected) = &step.expect {
            while !take_line(&mut pending, expected) {
                if receive(stream, &mut pending, record).await? == 0 {
                    return Ok(());
                }
            }
        }
        // Checked when the table was read.
        if let Some(delay) = step.delay.as_deref().and_then(|delay| span(delay).ok()) {
            tokio::time::sleep(delay).await;
        }
        if let Some(text) = &step.send {
            stream.write_all(text.as_bytes()).await?;
        }
        if step.close {
            return stream.shutdown().await;
        }
    }
    while receive(stream, &mut pending, record).await? > 0 {
        pending.clear();
    }
    Ok(())
}

/// Takes what came up to the line that contains `expected`, if it is there.
fn take_line(pending: &mut String, expected: &str) -> bool {
    let mut end = 0;
    for line in pending.split_inclusive('\n') {
        end += line.len();
        if line.ends_with('\n') && line.contains(expected) {
            pending.drain(..end);
            return true;
        }
    }
    false
}

async fn receive(
    stream: &mut TcpStream,
    pending: &mut String,
    record: &Record,
) -> std::io::Result<usize> {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).await?;
    let text = String::from_utf8_lossy(buffer.get(..count).unwrap_or_default());
    let mut seen = record.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.received.len() + text.len() <= MOST_KEPT {
        seen.received.push_str(&text);
        pending.push_str(&text);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_when_they_are_whole() {
        let mut pending = "EHLO a\r\nMAIL".to_owned();
        assert!(!take_line(&mut pending, "MAIL"));
        assert!(take_line(&mut pending, "EHLO"));
        assert_eq!(pending, "MAIL");
    }
}
