//! Plugins in other languages than Rust: what `plugin new` makes, and the examples,
//! built with the SDK that the program carries and run against servers.
//!
//! Making components takes these languages' tools half a minute of processor time:
//! what was built from the same files is taken again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::rig::said;

/// A language, and how its plugins are built.
#[derive(Clone, Copy)]
struct Language {
    /// As `plugin new --lang` knows it, and the folder of its examples.
    name: &'static str,
    /// How the names of its files end.
    ending: &'static str,
    /// A program that builds need besides.
    program: &'static str,
    /// What is there when `cargo xtask test` brought its tools, below their folder.
    tool: &'static str,
    /// What has to be installed for that.
    needs: &'static str,
    /// Builds a source in a project into a component.
    build: fn(&Project, &Path, &Path) -> Command,
}

const JAVASCRIPT: Language = Language {
    name: "js",
    ending: "js",
    program: "node",
    tool: "node_modules/@bytecodealliance/componentize-js/src/componentize.js",
    needs: "npm (Debian's npm)",
    build: |project, source, component| {
        let mut command = Command::new("node");
        command
            .current_dir(tools("js"))
            .arg(project.folder().join("vendor/watchkeeper-sdk/build.mjs"))
            .arg(source)
            .arg("-o")
            .arg(component)
            .arg("--wit")
            .arg(project.folder().join("wit"));
        command
    },
};

const PYTHON: Language = Language {
    name: "python",
    ending: "py",
    program: "python3",
    tool: "bin/componentize-py",
    needs: "python3 with venv (Debian's python3-venv)",
    build: |project, source, component| {
        let mut command = Command::new(tools("python").join("bin/python"));
        command
            .current_dir(project.folder())
            .arg("vendor/build.py")
            .arg(source)
            .arg("-o")
            .arg(component);
        command
    },
};

const C: Language = Language {
    name: "c",
    ending: "c",
    program: "make",
    tool: "bin/wasm-tools",
    needs: "make or python3 with venv (Debian's make and python3-venv)",
    build: |project, source, component| {
        let is_notifier = project.source("notifier").exists();
        let assign = |name: &str, value: &dyn std::fmt::Display| format!("{name}={value}");
        let mut command = Command::new("make");
        command
            .current_dir(project.folder())
            .arg("--silent")
            .arg(assign("PYTHON", &tools("c").join("bin/python").display()))
            .arg(assign(
                "WASM_TOOLS",
                &tools("c").join("bin/wasm-tools").display(),
            ))
            .arg(assign(
                "KIND",
                if is_notifier { &"notifier" } else { &"probe" },
            ))
            .arg(assign("PLUGIN", &source.display()))
            .arg(assign("COMPONENT", &component.display()));
        command
    },
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Where the tools, and what they made, are kept from one run to the next.
fn kept() -> PathBuf {
    root().join("target/languages")
}

fn tools(language: &str) -> PathBuf {
    kept().join(language)
}

fn watchkeeper(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_watchkeeper"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("WATCHKEEPER_CONFIG")
        .env_remove("WATCHKEEPER_LOG")
        // Compiling these takes seconds as well.
        .env("XDG_CACHE_HOME", kept().join("cache"))
        .output()
        .unwrap()
}

/// A project that `plugin new` made.
struct Project {
    language: Language,
    name: &'static str,
    parent: TempDir,
}

impl Project {
    /// None where the language's tools are missing.
    fn new(language: Language, name: &'static str, more: &[&str]) -> Option<Self> {
        let starts = Command::new(language.program).arg("--version").output();
        if starts.is_err() || !tools(language.name).join(language.tool).exists() {
            println!(
                "SKIPPED: plugins in {}: {} or what it brings is missing; `cargo xtask test` says why",
                language.name, language.needs
            );
            return None;
        }
        let parent = tempfile::tempdir().unwrap();
        let arguments = [&["plugin", "new", "--lang", language.name, name], more].concat();
        let made = watchkeeper(parent.path(), &arguments);
        assert_eq!(made.status.code(), Some(0), "{}", said(&made));
        Some(Self {
            language,
            name,
            parent,
        })
    }

    fn folder(&self) -> PathBuf {
        self.parent.path().join(self.name)
    }

    fn source(&self, kind: &str) -> PathBuf {
        self.folder()
            .join(kind)
            .with_extension(self.language.ending)
    }

    /// The component of a source, built with what the project carries.
    fn build(&self, source: &Path) -> PathBuf {
        let stem = source.file_stem().unwrap().to_str().unwrap();
        let stem = format!("{}-{}-{stem}", self.language.name, self.name);
        let folder = kept().join("built");
        fs::create_dir_all(&folder).unwrap();
        let component = folder.join(format!("{stem}-{}.wasm", self.digest(source)));
        if component.exists() {
            return component;
        }
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with(&format!("{stem}-")) {
                fs::remove_file(path).unwrap();
            }
        }
        let partial = self.parent.path().join("built.wasm");
        let mut command = (self.language.build)(self, source, &partial);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", said(&output));
        fs::copy(&partial, component.with_extension("tmp")).unwrap();
        fs::rename(component.with_extension("tmp"), &component).unwrap();
        component
    }

    /// Of everything that goes into the component.
    fn digest(&self, source: &Path) -> String {
        let mut files = vec![source.to_owned()];
        for place in ["vendor", "wit"] {
            files.extend(below(&self.folder().join(place)));
        }
        for lock in ["package-lock.json", "requirements.txt"] {
            files.extend(Some(self.folder().join(lock)).filter(|path| path.exists()));
        }
        files.sort();
        let mut digest = Sha256::new();
        for path in files {
            digest.update(path.file_name().unwrap().as_encoded_bytes());
            digest.update(fs::read(path).unwrap());
        }
        let start: [u8; 8] = digest.finalize()[..8].try_into().unwrap();
        format!("{:016x}", u64::from_be_bytes(start))
    }

    /// All tests of the table pass.
    fn passes(&self, component: &Path, tests: &Path, count: usize) {
        let [component, tests] = [component, tests].map(|path| path.to_str().unwrap());
        let arguments = ["plugin", "test", component, "--tests", tests];
        let output = watchkeeper(&self.folder(), &arguments);
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(0), "{printed}");
        assert!(
            printed.contains(&format!("{count} passed, 0 failed")),
            "{printed}"
        );
    }

    /// What the project does itself.
    fn passes_its_own(&self, kind: &str, count: usize) {
        let component = self.build(&self.source(kind));
        self.passes(&component, &self.folder().join("tests"), count);
    }

    /// What an example does, built with this project's SDK.
    fn example_passes(&self, source: &str, tests: &str, count: usize) {
        let folder = root().join("examples/plugins").join(self.language.name);
        let component = self.build(&folder.join(source));
        self.passes(&component, &folder.join("tests").join(tests), count);
    }

    /// The example is what `plugin new` makes.
    fn is_the_example(&self, source: &str) {
        let folder = root().join("examples/plugins").join(self.language.name);
        for (made, example) in [
            (self.source("probe"), folder.join(source)),
            (
                self.folder().join("tests/behaviour.toml"),
                folder.join("tests/queue-depth.toml"),
            ),
        ] {
            let [made, example] = [&made, &example].map(|path| fs::read_to_string(path).unwrap());
            assert_eq!(made, example);
        }
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// Every call that the SDKs have, and the same in each; `broken` is what a plugin says
/// that breaks down.
fn does_everything(language: Language, broken: &str) {
    let Some(project) = Project::new(language, "every", &[]) else {
        return;
    };
    let folder = root().join("testing/languages");
    let source = folder.join("every").with_extension(language.ending);
    let component = project.build(&source);
    project.passes(&component, &folder.join("every.toml"), 14);
    let component = component.to_str().unwrap();
    let arguments = [
        "plugin", "run", component, "--target", "x:y", "--set", "do=break",
    ];
    let output = watchkeeper(&project.folder(), &arguments);
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(3), "{printed}");
    assert!(printed.contains(broken), "{printed}");
}

#[test]
fn a_new_probe_in_javascript_is_the_example_and_passes_its_tests() {
    let Some(project) = Project::new(JAVASCRIPT, "queue-depth", &[]) else {
        return;
    };
    project.is_the_example("queue-depth.js");
    project.passes_its_own("probe", 6);
}

#[test]
fn a_new_notifier_in_javascript_passes_its_tests() {
    let Some(project) = Project::new(JAVASCRIPT, "post-it", &["--notifier"]) else {
        return;
    };
    project.passes_its_own("notifier", 4);
}

#[test]
fn the_discord_notifier_passes_its_tests() {
    let Some(project) = Project::new(JAVASCRIPT, "discord", &["--notifier"]) else {
        return;
    };
    project.example_passes("discord.js", "discord.toml", 7);
}

#[test]
fn a_new_probe_in_python_is_the_example_and_passes_its_tests() {
    let Some(project) = Project::new(PYTHON, "queue-depth", &[]) else {
        return;
    };
    project.is_the_example("queue_depth.py");
    project.passes_its_own("probe", 6);
}

#[test]
fn a_new_notifier_in_python_passes_its_tests() {
    let Some(project) = Project::new(PYTHON, "post-it", &["--notifier"]) else {
        return;
    };
    project.passes_its_own("notifier", 4);
}

#[test]
fn the_teams_notifier_passes_its_tests() {
    let Some(project) = Project::new(PYTHON, "teams", &["--notifier"]) else {
        return;
    };
    project.example_passes("teams.py", "teams.toml", 8);
}

#[test]
fn a_new_probe_in_c_is_the_example_and_passes_its_tests() {
    let Some(project) = Project::new(C, "queue-depth", &[]) else {
        return;
    };
    project.is_the_example("queue_depth.c");
    project.passes_its_own("probe", 6);
}

#[test]
fn a_new_notifier_in_c_passes_its_tests() {
    let Some(project) = Project::new(C, "post-it", &["--notifier"]) else {
        return;
    };
    project.passes_its_own("notifier", 4);
}

#[test]
fn the_notifier_in_c_passes_its_tests() {
    let Some(project) = Project::new(C, "webhook", &["--notifier"]) else {
        return;
    };
    project.example_passes("webhook.c", "webhook.toml", 8);
}

#[test]
fn javascript_does_everything() {
    does_everything(JAVASCRIPT, "broke down: TypeError: this does not work");
}

#[test]
fn python_does_everything() {
    does_everything(PYTHON, "broke down: TypeError: this does not work");
}

#[test]
fn c_does_everything() {
    does_everything(C, "broke down");
}
