"""python3 build.py PLUGIN.py -o PLUGIN.wasm [--wit FOLDER]

Makes a component of a plugin and what it imports. It assigns `Probe` or `Notifier`,
which says as which. Needs componentize-py in the environment of this Python.
"""

import argparse
import ast
import os
import pathlib
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plugin", type=pathlib.Path)
    parser.add_argument("-o", "--out", type=pathlib.Path, required=True)
    parser.add_argument("--wit", type=pathlib.Path, default="wit")
    arguments = parser.parse_args()
    kind = kind_of(arguments.plugin)
    tool = pathlib.Path(sys.executable).with_name("componentize-py")
    if not tool.is_file():
        sys.exit(f"{tool} is missing: run `pip install --require-hashes -r requirements.txt`")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    command = [tool, "--quiet", "-d", arguments.wit, "-w", f"watchkeeper-{kind}", "componentize"]
    for folder in (arguments.plugin.resolve().parent, pathlib.Path(__file__).resolve().parent):
        command += ["-p", folder]
    command += [arguments.plugin.stem, "-o", arguments.out]
    # An environment of another project is not searched for modules.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        sys.exit(f"{arguments.plugin} is no {kind}")
    print(f"{arguments.out}: a {kind}, {arguments.out.stat().st_size} bytes")


def kind_of(plugin):
    """`probe` or `notifier`: which of the names the module assigns."""
    tree = ast.parse(plugin.read_text(encoding="utf-8"), plugin)
    for statement in tree.body:
        for target in getattr(statement, "targets", []):
            if isinstance(target, ast.Name) and target.id in ("Probe", "Notifier"):
                return target.id.lower()
    sys.exit(f"{plugin} assigns neither Probe nor Notifier")


if __name__ == "__main__":
    main()
