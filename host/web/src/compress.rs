//! A body in the encodings that browsers take, made once and sent many times.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::negotiate::Encoding;

/// How much work goes into making a body small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// The page, which is made again whenever something changed.
    Often,
    /// Files that are made once a start.
    Once,
}

/// One body in each encoding.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    identity: Bytes,
    gzip: Bytes,
    brotli: Bytes,
}

impl Encoded {
    /// Compresses `body`, which takes some milliseconds a megabyte with
    /// [`Effort::Often`].
    pub(crate) fn new(body: Vec<u8>, effort: Effort) -> Self {
        let gzip = gzip(&body, effort).into();
        let brotli = brotli(&body, effort).into();
        Self {
            identity: body.into(),
            gzip,
            brotli,
        }
    }

    /// The body in one encoding; cloning it copies nothing.
    pub(crate) const fn body(&self, encoding: Encoding) -> &Bytes {
        match encoding {
            Encoding::Identity => &self.identity,
            Encoding::Gzip => &self.gzip,
            Encoding::Brotli => &self.brotli,
        }
    }
}

fn gzip(body: &[u8], effort: Effort) -> Vec<u8> {
    let level = match effort {
        Effort::Often => Compression::default(),
        Effort::Once => Compression::best(),
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), level);
    encoder
        .write_all(body)
        .and_then(|()| encoder.finish())
        .expect("a Vec takes all that is written to it")
}

fn brotli(body: &[u8], effort: Effort) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: match effort {
            Effort::Often => 5,
            Effort::Once => 9,
        },
        lgwin: 22,
        size_hint: body.len(),
        ..Default::default()
    };
    let mut compressed = Vec::with_capacity(body.len() / 4);
    let mut body = body;
    brotli::BrotliCompress(&mut body, &mut compressed, &params)
        .expect("a Vec takes all that is written to it");
    compressed
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn every_encoding_says_the_same() {
        let body = "<div class=\"node\">healthy</div>"
            .repeat(1000)
            .into_bytes();
        for effort in [Effort::Often, Effort::Once] {
            let encoded = Encoded::new(body.clone(), effort);
            let mut unzipped = Vec::new();
            flate2::read::GzDecoder::new(&encoded.body(Encoding::Gzip)[..])
                .read_to_end(&mut unzipped)
                .unwrap();
            let mut unpacked = Vec::new();
            brotli::Decompressor::new(&encoded.body(Encoding::Brotli)[..], 4096)
                .read_to_end(&mut unpacked)
                .unwrap();
            assert!(unzipped == body && unpacked == body);
            assert!(encoded.body(Encoding::Gzip).len() < body.len() / 20);
            assert_eq!(encoded.body(Encoding::Identity), &body);
        }
    }
}
