#!/bin/sh
# The parts of the extension that need no editor, its grammar, and what its package holds.
set -eu
command -v node >/dev/null && [ -d editors/vscode/node_modules ] || {
  echo "skipped: needs node and the packages of editors/vscode/package-lock.json (make vscode)"
  exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd editors/vscode
npm test --silent
npm run package --silent -- "$folder/couler.vsix" >"$folder/log" 2>&1 || {
  cat "$folder/log"
  exit 1
}
cd ../..
python3 tests/editors/check_vsix.py "$folder/couler.vsix"
