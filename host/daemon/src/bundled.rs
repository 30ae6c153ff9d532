//! The first-party plugins inside the binary.
//!
//! They are ordinary components built from `plugins/`; being bundled saves the
//! operator a download and gives them nothing else.

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The largest bundled plugin after decompression. A bound for the decoder, not
/// a limit on plugins: the build packs what is far smaller.
const MAX_PLUGIN_BYTES: usize = 16 << 20;

/// The bundled plugins: file name without ending, and the component.
pub(crate) fn plugins() -> impl Iterator<Item = (&'static str, anyhow::Result<Vec<u8>>)> {
    PLUGINS.iter().map(|(name, packed)| {
        (
            *name,
            zstd::bulk::decompress(packed, MAX_PLUGIN_BYTES).map_err(Into::into),
        )
    })
}

/// Their file names without ending.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().map(|(name, _)| *name)
}
