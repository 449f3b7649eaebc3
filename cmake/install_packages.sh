#!/bin/sh
# Installs the Debian packages that are missing; says nothing and changes nothing when none is.
set -eu

packages='
  g++ cmake ninja-build ccache mold pkg-config python3 python3-pip
  antlr4 libantlr4-runtime-dev uuid-dev
  llvm-19-dev
  nlohmann-json3-dev libboost-dev libboost-program-options-dev libfmt-dev libcurl4-openssl-dev
  libre2-dev libsqlite3-dev libyaml-dev
  zlib1g-dev libzstd-dev libsimdjson-dev libflatbuffers-dev
  libgtest-dev libbenchmark-dev
'
case "${1:-}" in
  fuzz) packages="$packages clang-19 libclang-rt-19-dev" ;;
  node) # any node and npm will do, also those that are not Debian's
    if command -v node >/dev/null && command -v npm >/dev/null; then exit 0; fi
    packages='nodejs npm'
    ;;
esac

missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "couler: needs these packages (Debian's names):$missing" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
  as_root=sudo
  command -v sudo >/dev/null || {
    echo "couler: run as root or install sudo; missing packages:$missing" >&2
    exit 1
  }
fi
echo "couler: installing$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086  # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
