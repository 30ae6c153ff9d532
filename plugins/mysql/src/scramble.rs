//! Proving that a password is known without saying it.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// `mysql_native_password`: `SHA1(password) XOR SHA1(nonce SHA1(SHA1(password)))`;
/// nothing for an empty password.
pub(crate) fn native(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha1::digest(password);
    let twice = Sha1::digest(once);
    let mask = Sha1::new()
        .chain_update(nonce)
        .chain_update(twice)
        .finalize();
    xor(&once, &mask)
}

/// `caching_sha2_password`: `SHA256(password) XOR SHA256(SHA256(SHA256(password))
/// nonce)`; nothing for an empty password.
pub(crate) fn caching_sha2(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha256::digest(password);
    let twice = Sha256::digest(once);
    let mask = Sha256::new()
        .chain_update(twice)
        .chain_update(nonce)
        .finalize();
    xor(&once, &mask)
}

fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    let pairs = left.iter().zip(right);
    pairs.map(|(left, right)| left ^ right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    /// Made with the hash functions of Python's standard library from the formulas
    /// of MySQL's documentation.
    #[test]
    fn both_ways_are_as_documented() {
        let nonce = b"abcdefghijklmnopqrst";
        assert_eq!(
            hex(&native(b"secret", nonce)),
            "8817c50fa779daef010ee7577825b0847df9842e"
        );
        assert_eq!(
            hex(&caching_sha2(b"secret", nonce)),
            "c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809"
        );
        assert!(native(b"", nonce).is_empty() && caching_sha2(b"", nonce).is_empty());
    }
}
