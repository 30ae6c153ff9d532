//! A project in Python.

use std::path::Path;

use super::{NewArgs, Project, behaviour, filled, kind, made, sdk};

const IGNORED: &str = include_str!("../../../../templates/python/gitignore.in");
const README: &str = include_str!("../../../../templates/python/README.md.in");
const PROBE: &str = include_str!("../../../../templates/python/probe.py.in");
const NOTIFIER: &str = include_str!("../../../../templates/python/notifier.py.in");

/// The tools that the tests use.
const REQUIREMENTS: &str =
    include_str!("../../../../../../examples/plugins/python/requirements.txt");

pub(super) fn project(args: &NewArgs) -> Project {
    let component = format!("build/{}.wasm", args.name);
    let filled = |template: &str| filled(args, &component, template);
    let code = if args.notifier { NOTIFIER } else { PROBE };
    let file = format!("{}.py", kind(args));
    let mut files = vec![
        made("requirements.txt", REQUIREMENTS),
        made(".gitignore", IGNORED),
        made("README.md", filled(README)),
        made(&file, filled(code)),
        behaviour(args, &component),
    ];
    files.extend(sdk::wit());
    files.extend(sdk::python(Path::new("vendor")));
    Project {
        files,
        build: vec![
            "python3 -m venv .venv".to_owned(),
            ".venv/bin/pip install --require-hashes -r requirements.txt".to_owned(),
            format!(".venv/bin/python vendor/build.py {file} -o {component}"),
        ],
        component,
    }
}
