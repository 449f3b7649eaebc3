#!/bin/sh
# run.sh BUILD SECONDS: each fuzz target for SECONDS, on a copy of its corpus. Fails at a finding,
# whose input is then left in BUILD/findings.
set -eu
build=$1 seconds=$2
here=$(dirname "$0")
mkdir -p "$build/findings"
for corpus in "$here"/corpus/*; do
  name=$(basename "$corpus")
  mkdir -p "$build/corpus/$name"
  case $name in  # more to start from
    parse_fuzz | lsp_fuzz) seeds="$here/../golden $here/../../stdlib" ;;
    ir_text_fuzz) seeds="$here/../golden/lower $here/../golden/passes" ;;
    yaml_fuzz) seeds=$here/../golden/argo ;;
    *) seeds= ;;
  esac
  echo "== $name, $seconds s"
  # Each input may leave states in ANTLR's caches, hence the bound on memory and a length.
  "$build/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=4096 \
    -artifact_prefix="$build/findings/$name-" -verbosity=0 -print_final_stats=1 \
    "$build/corpus/$name" "$corpus" $seeds
done
