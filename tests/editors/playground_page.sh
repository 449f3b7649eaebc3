#!/bin/sh
# The page of the playground: its parts, and all of it in a browser.
set -eu
command -v node >/dev/null && [ -d editors/playground/node_modules ] || {
  echo "skipped: needs node and the packages of editors/playground/package-lock.json (make playground)"
  exit 77
}
cd editors/playground
exec npm test --silent
