//! Configurations of other systems, moved by the program and read by it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::rig::{Rig, said};

/// The configurations that the importer's own tests move.
const SAMPLES: &[(&str, &str)] = &[
    ("vigil", "vigil/config.cfg"),
    ("overvakt", "overvakt/overvakt.toml"),
    ("gatus", "gatus/config.yaml"),
    ("gatus", "gatus/alerting.yaml"),
    ("gatus", "gatus/folder"),
    ("uptime-kuma", "uptime-kuma/backup.json"),
    ("uptime-kuma", "uptime-kuma/notifications.json"),
    ("checkup", "checkup/checkup.json"),
    ("status-incident", "status-incident/export.json"),
    ("inxidents", "inxidents/config.yaml"),
];

/// What the samples take out of the old system's environment.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("VIGIL_REPORTER_TOKEN", "token-of-the-reporters"),
    ("PAGERDUTY_KEY", "0123456789abcdef0123456789abcdef"),
    ("BACKEND_HOST", "backend.harbour.example"),
    (
        "SLACK_WEBHOOK_URL",
        "https://hooks.slack.com/services/a/b/c",
    ),
];

fn sample(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/fixtures");
    folder.join(path).display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moved_is_a_configuration_for_the_plugins_too() {
    let rig = Rig::new("");
    for (at, (kind, path)) in SAMPLES.iter().enumerate() {
        let out = format!("moved-{at}.toml");
        let secrets = format!("secrets-{at}.env");
        let sample = sample(path);
        let output = rig.run(&[
            "config",
            "import",
            kind,
            &sample,
            "--out",
            &out,
            "--secrets",
            &secrets,
        ]);
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(0), "{path}: {printed}");
        assert!(!printed.contains("secret-0"), "{path}: {printed}");
        let moved = std::fs::read_to_string(rig.folder().join(&out)).unwrap();
        assert!(!moved.contains("secret-0"), "{path}: {moved}");

        // The values as an operator would use them: a shell reads the file.
        let script =
            format!("set -a; . ./{secrets}; set +a; exec \"$0\" --config {out} config check");
        let checked = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_watchkeeper")])
            .current_dir(rig.folder())
            .env_remove("WATCHKEEPER_CONFIG")
            .env_remove("WATCHKEEPER_LOG")
            .env("HOME", rig.folder())
            .envs(ENVIRONMENT.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = said(&checked);
        assert_eq!(checked.status.code(), Some(0), "{path}: {printed}\n{moved}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_writes_everything_or_nothing() {
    let rig = Rig::new("");
    let vigil = sample("vigil/config.cfg");
    let here = |name: &str| rig.folder().join(name);
    let import = |file: &str, more: &[&str]| {
        let mut arguments = vec!["config", "import", "vigil", file];
        arguments.extend(more);
        let output = rig.run(&arguments);
        (output.status.code(), said(&output))
    };
    let before = std::fs::read_dir(rig.folder()).unwrap().count();
    let left = || std::fs::read_dir(rig.folder()).unwrap().count();

    // To standard output, and no value of a secret anywhere.
    let (code, printed) = import(&vigil, &[]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("hook_url = { env = \"SLACK_HOOK_URL\" }"),
        "{printed}"
    );
    assert!(printed.contains("SLACK_HOOK_URL="), "{printed}");
    assert!(!printed.contains("secret-0"), "{printed}");
    assert_eq!(left(), before);

    // A file of another system, a file that is there already, a folder that is not.
    let (code, printed) = import(
        &sample("gatus/config.yaml"),
        &["--out", "a.toml", "--secrets", "a.env"],
    );
    assert_eq!(code, Some(78), "{printed}");
    assert_eq!(left(), before);
    let kept = std::fs::read_to_string(rig.config()).unwrap();
    let (code, printed) = import(&vigil, &["--out", "watchkeeper.toml", "--secrets", "a.env"]);
    assert_eq!(code, Some(64), "{printed}");
    assert!(
        printed.contains("watchkeeper.toml: it already exists"),
        "{printed}"
    );
    assert_eq!(std::fs::read_to_string(rig.config()).unwrap(), kept);
    assert_eq!(left(), before);
    let (code, printed) = import(&vigil, &["--out", "a.toml", "--secrets", "none/a.env"]);
    assert_eq!(code, Some(64), "{printed}");
    assert_eq!(left(), before);

    // All of it; the values are for their owner alone.
    let (code, printed) = import(&vigil, &["--out", "a.toml", "--secrets", "a.env"]);
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(left(), before + 2);
    let mode = here("a.env").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let values = std::fs::read_to_string(here("a.env")).unwrap();
    assert!(
        values.contains(
            "\nSLACK_HOOK_URL=https://hooks.slack.com/services/T0/B0/slack-secret-0005\n"
        ),
        "{values}"
    );
    assert!(values.contains("# VIGIL_REPORTER_TOKEN="), "{values}");
}
