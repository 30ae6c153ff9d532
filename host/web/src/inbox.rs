//! Bodies that come in, each bounded in size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much more than is wanted is read and thrown away: most clients look for an
/// answer only once they have sent everything. Who sends more finds the connection
/// closed.
const SPILT: usize = 16 << 20;

/// Why a body did not come in whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is larger than it may be.
    TooLarge,
    /// It broke off, or took too long.
    Cut,
}

/// The whole body, of at most `most` bytes.
pub(crate) async fn whole(body: Body, most: usize) -> Result<Bytes, Broken> {
    let mut all = BytesMut::new();
    let reading = each(body, |chunk| {
        all.extend_from_slice(chunk);
        all.len() <= most
    });
    match reading.await {
        End::Whole => Ok(all.freeze()),
        End::Enough => Err(Broken::TooLarge),
        End::Cut => Err(Broken::Cut),
    }
}

/// The last `keep` bytes of the first `most` of a body, as far as it came.
pub(crate) async fn tail(body: Body, keep: usize, most: usize) -> Vec<u8> {
    let mut tail = Vec::new();
    let mut seen = 0_usize;
    each(body, |chunk| {
        seen = seen.saturating_add(chunk.len());
        tail.extend_from_slice(chunk);
        tail.drain(..tail.len().saturating_sub(keep));
        seen < most
    })
    .await;
    tail
}

enum End {
    Whole,
    Enough,
    Cut,
}

/// Hands over each part until `more` has enough, and throws away what follows.
async fn each(mut body: Body, mut more: impl FnMut(&[u8]) -> bool) -> End {
    let (mut has_enough, mut spilt) = (false, 0_usize);
    let reading = async {
        loop {
            let frame = match body.frame().await {
                None => return End::Whole,
                Some(Err(_)) => return End::Cut,
                Some(Ok(frame)) => frame,
            };
            let Some(chunk) = frame.data_ref() else {
                continue;
            };
            if !has_enough {
                has_enough = !more(chunk);
                continue;
            }
            spilt = spilt.saturating_add(chunk.len());
            if spilt > SPILT {
                return End::Cut;
            }
        }
    };
    let end = timeout(PATIENCE, reading).await.unwrap_or(End::Cut);
    if has_enough { End::Enough } else { end }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn body(parts: &[&'static str]) -> Body {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok::<_, std::io::Error>(*part))
            .collect();
        Body::from_stream(stream::iter(parts))
    }

    #[tokio::test]
    async fn bodies_are_bounded() {
        assert_eq!(whole(body(&["ab", "c"]), 3).await.unwrap(), "abc");
        assert_eq!(whole(body(&["ab", "cd"]), 3).await, Err(Broken::TooLarge));
        assert_eq!(tail(body(&["abc", "", "defg", "h"]), 3, 100).await, b"fgh");
        assert_eq!(tail(body(&["abc", "defg", "h"]), 3, 6).await, b"efg");
        // However much follows, and that it never ends, changes nothing.
        let chunk = || Ok::<_, std::io::Error>(vec![0_u8; 1 << 20]);
        let endless = Body::from_stream(stream::repeat_with(chunk));
        assert_eq!(whole(endless, 3).await, Err(Broken::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_ends_is_not_waited_for() {
        let silent =
            || Body::from_stream(stream::pending::<Result<&'static str, std::io::Error>>());
        assert_eq!(whole(silent(), 3).await, Err(Broken::Cut));
        assert_eq!(tail(silent(), 3, 6).await, b"");
    }
}
