"""Checks that a package of the extension holds what it should and nothing else."""

import json
import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

package = zipfile.ZipFile(sys.argv[1])
assert package.testzip() is None
names = sorted(name for name in package.namelist() if name.startswith("extension/"))
assert names == [
    "extension/README.md",
    "extension/dist/couler.tmLanguage.json",
    "extension/dist/extension.js",
    "extension/language-configuration.json",
    "extension/package.json",
], names

manifest = json.loads(package.read("extension/package.json"))
project = re.search(r"project\(couler VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
assert manifest["version"] == project, (manifest["version"], project)
assert f'Version="{project}"' in package.read("extension.vsixmanifest").decode()
contributed = manifest["contributes"]
files = [manifest["main"]]
files += [language["configuration"] for language in contributed["languages"]]
files += [grammar["path"] for grammar in contributed["grammars"]]
for file in files:
    assert "extension/" + file.removeprefix("./") in names, file

json.loads(package.read("extension/language-configuration.json"))
grammar = package.read("extension/dist/couler.tmLanguage.json")
assert grammar == (ROOT / "editors/couler.tmLanguage.json").read_bytes()

# Every command of the manifest has its function, and those of the menus are in the manifest.
script = package.read("extension/dist/extension.js").decode()
commands = {command["command"] for command in contributed["commands"]}
for command in commands:
    assert f'"{command}"' in script, command
for entries in contributed["menus"].values():
    assert {entry["command"] for entry in entries} <= commands, entries
assert str(ROOT) not in script, "a path of this machine"
print(f"{len(names)} files, {Path(sys.argv[1]).stat().st_size >> 10} KiB")
