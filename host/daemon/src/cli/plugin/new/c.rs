//! A project in C.

use std::path::Path;

use super::{NewArgs, Project, behaviour, filled, kind, made, sdk};

const MAKEFILE: &str = include_str!("../../../../templates/c/Makefile.in");
const IGNORED: &str = include_str!("../../../../templates/c/gitignore.in");
const README: &str = include_str!("../../../../templates/c/README.md.in");
const PROBE: &str = include_str!("../../../../templates/c/probe.c.in");
const NOTIFIER: &str = include_str!("../../../../templates/c/notifier.c.in");

/// The tools that the tests use.
const REQUIREMENTS: &str = include_str!("../../../../../../examples/plugins/c/requirements.txt");

pub(super) fn project(args: &NewArgs) -> Project {
    let component = format!("build/{}.wasm", args.name);
    let filled = |template: &str| filled(args, &component, template);
    let code = if args.notifier { NOTIFIER } else { PROBE };
    let mut files = vec![
        made("Makefile", filled(MAKEFILE)),
        made("requirements.txt", REQUIREMENTS),
        made(".gitignore", IGNORED),
        made("README.md", filled(README)),
        made(format!("{}.c", kind(args)), filled(code)),
        behaviour(args, &component),
    ];
    files.extend(sdk::wit());
    files.extend(sdk::c(Path::new("vendor/watchkeeper")));
    Project {
        files,
        build: vec![
            "python3 -m venv .venv".to_owned(),
            ".venv/bin/pip install --require-hashes -r requirements.txt".to_owned(),
            "make".to_owned(),
        ],
        component,
    }
}
