//! Passwords: what may be one, and how they are kept.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

/// The fewest characters.
const SHORTEST: usize = 10;

/// The most bytes: more than anybody types, and few enough that hashing them costs
/// no more than hashing one.
const LONGEST: usize = 1_024;

/// How many random bytes are hashed with each, as RFC 9106 recommends.
const SALT: usize = 16;

/// What OWASP's cheat sheet on password storage asks of argon2id: 19 MiB, two passes,
/// one lane.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Whether `password` may be one; the error says why not.
pub(super) fn judge(password: &str) -> Result<(), &'static str> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err("A password has 10 to 256 characters.");
    }
    Ok(())
}

/// `password` as it is kept. Takes some hundredths of a second.
pub(super) fn hash(password: &str) -> Result<String, Error> {
    let mut salt = [0_u8; SALT];
    getrandom::fill(&mut salt).map_err(|_| Error::Crypto)?;
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|_| Error::ParamsInvalid)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password_with_salt(password.as_bytes(), &salt)?;
    Ok(hash.to_string())
}

/// Whether `kept` was made of `password`. Takes as long as [`hash`].
pub(super) fn is(password: &str, kept: &str) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    // What it was hashed with stands in what is kept.
    PasswordHash::new(kept).is_ok_and(|kept| {
        Argon2::default()
            .verify_password(password.as_bytes(), &kept)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_known_by_their_hashes() {
        let kept = hash("correct horse").unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert_ne!(kept, hash("correct horse").unwrap());
        assert!(is("correct horse", &kept));
        assert!(!is("correct horsf", &kept) && !is("", &kept));
        assert!(!is("correct horse", "") && !is("correct horse", "correct horse"));
    }

    #[test]
    fn not_everything_may_be_a_password() {
        assert!(judge("123456789").is_err() && judge("1234567890").is_ok());
        assert!(judge(&"x".repeat(LONGEST + 1)).is_err());
        assert!(judge("ääääääääää").is_ok());
    }
}
