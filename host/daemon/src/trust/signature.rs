//! Minisign signatures of component files.

use minisign_verify::{PublicKey, Signature};
use watchkeeper_config::config::MinisignKey;

/// The largest signature file that is read, in bytes. Comments make them long;
/// those of `minisign` have some 300.
pub(crate) const MAX_BYTES: u64 = 8 << 10;

/// The key of `keys` that signed `bytes`, or why the component file called `file`
/// counts as unsigned.
pub(crate) fn demand(
    keys: &[MinisignKey],
    file: &str,
    bytes: &[u8],
    signature: Option<&str>,
) -> Result<MinisignKey, String> {
    let Some(text) = signature else {
        return Err(format!(
            "is not signed: `[plugins] trusted_keys` demand a signature in {file}.minisig (made \
             with `minisign -Sm {file}`)"
        ));
    };
    let signature = Signature::decode(text)
        .map_err(|problem| format!("{file}.minisig is no minisign signature: {problem}"))?;
    let mut why = None;
    for key in keys {
        let public = PublicKey::from_base64(key.as_str())
            .map_err(|problem| format!("`[plugins] trusted_keys`: {key} is no key: {problem}"))?;
        // The older form signs the bytes instead of their hash; nothing is wrong with it.
        match public.verify(bytes, &signature, true) {
            Ok(()) => return Ok(key.clone()),
            Err(minisign_verify::Error::UnexpectedKeyId) => {}
            Err(problem) => why = Some(problem),
        }
    }
    Err(match why {
        Some(problem) => format!("{file}.minisig does not fit the file: {problem}"),
        None => {
            format!("{file}.minisig was made with a key that is not among `[plugins] trusted_keys`")
        }
    })
}
