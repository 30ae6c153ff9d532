//! A project in JavaScript.

use std::path::Path;

use super::{NewArgs, Project, behaviour, filled, kind, made, sdk};

const MANIFEST: &str = include_str!("../../../../templates/js/package.json.in");
const EDITOR: &str = include_str!("../../../../templates/js/jsconfig.json.in");
const IGNORED: &str = include_str!("../../../../templates/js/gitignore.in");
const README: &str = include_str!("../../../../templates/js/README.md.in");
const PROBE: &str = include_str!("../../../../templates/js/probe.js.in");
const NOTIFIER: &str = include_str!("../../../../templates/js/notifier.js.in");

/// The tools that the tests use, whose manifest differs in nothing but the name.
const LOCK: &str = include_str!("../../../../../../examples/plugins/js/package-lock.json");

/// The name that the lock has twice.
const NAME_IN_LOCK: &str = "\"name\": \"watchkeeper-plugin\"";

pub(super) fn project(args: &NewArgs) -> Project {
    let component = format!("build/{}.wasm", args.name);
    let filled = |template: &str| filled(args, &component, template);
    let name = format!("\"name\": \"{}\"", args.name);
    let code = if args.notifier { NOTIFIER } else { PROBE };
    let mut files = vec![
        made("package.json", filled(MANIFEST)),
        made("package-lock.json", LOCK.replace(NAME_IN_LOCK, &name)),
        made("jsconfig.json", EDITOR),
        made(".gitignore", IGNORED),
        made("README.md", filled(README)),
        made(format!("{}.js", kind(args)), filled(code)),
        behaviour(args, &component),
    ];
    files.extend(sdk::wit());
    files.extend(sdk::javascript(Path::new("vendor/watchkeeper-sdk")));
    Project {
        files,
        build: vec!["npm install".to_owned(), "npm run build".to_owned()],
        component,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_lock_is_that_of_the_manifest() {
        let lock: Value = serde_json::from_str(LOCK).unwrap();
        let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
        let locked = &lock["packages"][""];
        assert_eq!(locked["devDependencies"], manifest["devDependencies"]);
        assert_eq!(locked["version"], manifest["version"]);
        assert_eq!(LOCK.matches(NAME_IN_LOCK).count(), 2);
    }
}
