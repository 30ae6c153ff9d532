//! Packs the first-party plugins and the SDKs into the binary.
//!
//! They are built by `cargo xtask plugins`, which puts them into `target/plugins`
//! of the workspace. A build without them is whole but for that: it knows only the
//! plugins of its folder, and says so while it is built.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let workspace = manifest
        .ancestors()
        .nth(2)
        .ok_or("the crate lies in host/daemon")?;
    let folder = workspace.join("target").join("plugins");

    // A folder that is missing would count as changed at every build.
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    println!("cargo:rerun-if-changed={}", folder.display());
    println!("cargo:rerun-if-changed=build.rs");

    let plugins = components(&folder).map_err(at(&folder))?;
    if plugins.is_empty() {
        println!(
            "cargo:warning=no plugins in {}: none are bundled (`cargo xtask plugins` builds them)",
            folder.display()
        );
    }
    // The best level costs seconds a plugin where zstd itself is built without optimisation.
    let release = env::var_os("PROFILE").as_deref() == Some(OsStr::new("release"));
    let level = if release { 19 } else { 3 };

    let mut code = String::from(
        "/// Name and zstd-compressed component of each bundled plugin.\n\
         pub(crate) static PLUGINS: &[(&str, &[u8])] = &[\n",
    );
    for (name, path) in plugins {
        println!("cargo:rerun-if-changed={}", path.display());
        let component = fs::read(&path).map_err(at(&path))?;
        let packed = zstd::bulk::compress(&component, level).map_err(at(&path))?;
        let place = out.join(format!("{name}.wasm.zst"));
        fs::write(&place, packed).map_err(at(&place))?;
        let place = place
            .to_str()
            .ok_or("the build folder has a name that is no text")?;
        writeln!(code, "    ({name:?}, include_bytes!({place:?})),")?;
    }
    code.push_str("];\n");
    let place = out.join("bundled.rs");
    fs::write(&place, code).map_err(at(&place))?;
    carry_sdks(workspace, &out)?;
    carry_bindings(workspace, &out)
}

/// What `plugin new` puts into projects: the name of a list, the folder below `sdk`
/// that it holds, and how the names of its files end. Tools leave others behind.
const SDKS: [(&str, &str, &[&str]); 5] = [
    ("C", "c", &["c", "h"]),
    ("RUST", "rust/src", &["rs"]),
    ("JAVASCRIPT", "js", &["js", "json", "mjs", "ts"]),
    ("PYTHON", "python", &["py"]),
    ("WIT", "wit", &["wit"]),
];

/// Lists the files of the SDKs.
fn carry_sdks(workspace: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut code = String::new();
    for (list, folder, endings) in SDKS {
        let folder = workspace.join("sdk").join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        sources(&folder, &mut files).map_err(at(&folder))?;
        files.sort();
        writeln!(
            code,
            "/// Path and content of each file.\nstatic {list}: &[(&str, &[u8])] = &["
        )?;
        for file in files {
            let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
            if !endings.contains(&ending) {
                continue;
            }
            let name = file.strip_prefix(&folder)?;
            let (name, file) = name
                .to_str()
                .zip(file.to_str())
                .ok_or("a file of an SDK has a name that is no text")?;
            writeln!(code, "    ({name:?}, include_bytes!({file:?})),")?;
        }
        code.push_str("];\n");
    }
    let place = out.join("sdk.rs");
    Ok(fs::write(&place, code).map_err(at(&place))?)
}

/// Makes C of the contract's worlds, so that authors need no generator.
fn carry_bindings(workspace: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let contract = workspace.join("wit").join("plugin.wit");
    println!("cargo:rerun-if-changed={}", contract.display());
    let worlds = workspace.join("sdk").join("wit");
    let whole = out.join("wit");
    let deps = whole.join("deps");
    fs::create_dir_all(&deps).map_err(at(&deps))?;
    for (from, to) in [
        (contract, deps.join("plugin.wit")),
        (worlds.join("worlds.wit"), whole.join("worlds.wit")),
        (worlds.join("deps/http.wit"), deps.join("http.wit")),
        (worlds.join("deps/io.wit"), deps.join("io.wit")),
    ] {
        fs::copy(&from, to).map_err(at(&from))?;
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&whole)?;
    let mut code = String::from(
        "/// Name and content of each file of the C bindings.\n\
         static BINDINGS: &[(&str, &[u8])] = &[\n",
    );
    let folder = out.join("bindings");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    for world in ["watchkeeper-probe", "watchkeeper-notifier"] {
        let world = resolve.select_world(&[package], Some(world))?;
        let mut files = Files::default();
        let mut generator = wit_bindgen_c::Opts::default().build();
        generator.generate(&mut resolve, world, &mut files)?;
        for (name, content) in files.iter() {
            let place = folder.join(name);
            fs::write(&place, content).map_err(at(&place))?;
            let place = place
                .to_str()
                .ok_or("the build folder has a name that is no text")?;
            writeln!(code, "    ({name:?}, include_bytes!({place:?})),")?;
        }
    }
    code.push_str("];\n");
    let place = out.join("bindings.rs");
    Ok(fs::write(&place, code).map_err(at(&place))?)
}

/// All files below `folder`.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The components in `folder`, by name.
fn components(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut components = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("wasm"))
            && let Some(name) = path.file_stem().and_then(OsStr::to_str)
        {
            components.push((name.to_owned(), path));
        }
    }
    components.sort();
    Ok(components)
}

/// An error with the path it is about.
fn at(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
