//! Servers written in Python, with Debian's packages.

use std::path::Path;
use std::process::Command;

use plugin_tests::{Program, Workplace, authority, skip};
use target_server::TlsKind;

/// Debian's own: packages of Debian are for no other.
const PYTHON: &str = "/usr/bin/python3";

/// The script of that name with a free port, and with a certificate of that kind
/// where one is given. None where `module` of Debian's `package` is missing.
pub(crate) async fn python(
    script: &str,
    module: &str,
    package: &str,
    kind: Option<TlsKind>,
) -> Option<Program> {
    let imported = Command::new(PYTHON)
        .args(["-c", &format!("import {module}")])
        .output();
    if !imported.is_ok_and(|output| output.status.success()) {
        skip(&format!(
            "{script}: {PYTHON} with {module} (Debian's {package}) is missing"
        ));
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/servers");
    let text = std::fs::read_to_string(folder.join(script)).expect("the script is there");
    let command = |port: u16, place: &Workplace| {
        let mut command = Command::new(PYTHON);
        // Copied: whom it runs as may not see the source.
        command
            .arg(place.write(script, &text))
            .arg(port.to_string());
        if let Some(kind) = kind {
            let issued = authority()
                .identity(kind)
                .expect("a certificate can be made");
            command
                .arg(place.write("chain.pem", &issued.chain_pem))
                .arg(place.write("key.pem", &issued.key_pem));
        }
        command
    };
    Some(Program::start(command, Program::takes_connections).await)
}
