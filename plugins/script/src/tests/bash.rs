//! Every snippet, here and in bash.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::fake::Fake;
use super::snippets;

#[test]
fn every_snippet_does_what_it_does_in_bash() {
    if Command::new("bash").arg("--version").output().is_err() {
        println!("SKIPPED: script: bash is missing");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (mut count, mut differing) = (0, Vec::new());
    for script in snippets::all() {
        count += 1;
        let expected = bash(folder.path(), script);
        let found = ours(script);
        if found != expected {
            differing.push(format!(
                "{script}\n--- bash\n{expected}\n--- here\n{found}\n"
            ));
        }
    }
    assert!(count >= 150, "{count}");
    assert!(
        differing.is_empty(),
        "{} of {count} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
}

/// Standard output and status of a script in a file, as Vigil ran them.
fn bash(folder: &Path, script: &str) -> String {
    fs::write(folder.join("script"), script).expect("it can be written to");
    let output = Command::new("bash")
        .args(["script", "one", "two words"])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    let status = output.status.code().unwrap_or(-1);
    format!("{}[{status}]", String::from_utf8_lossy(&output.stdout))
}

fn ours(script: &str) -> String {
    match Fake::default().run(script) {
        Ok(ended) => format!(
            "{}[{}]",
            String::from_utf8_lossy(ended.transcript.output()),
            ended.status
        ),
        Err(stop) => format!("{stop:?}"),
    }
}
