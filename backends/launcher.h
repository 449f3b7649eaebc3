#pragma once

#include <string>
#include <string_view>

#include "ir/module.h"

/// How a task's process runs in a container, whatever engine starts it.
namespace couler::backends {

/// Where things lie in a container.
inline constexpr std::string_view kInputFolder = "/couler/in";
inline constexpr std::string_view kOutputFolder = "/tmp/couler/out";

/// Where an output is found when the launcher has ended.
[[nodiscard]] inline std::string outputPath(const ir::OutputDef& output) {
  const std::string folder = std::string(kOutputFolder) + "/" + output.name;
  if (output.from == ir::OutputFrom::Path) {
    return folder + "/" + (output.path.empty() ? output.name : output.path);
  }
  // `.line`: the launcher drops one final newline, as of what a program prints.
  return output.from == ir::OutputFrom::Stdout ? folder + ".line" : folder;
}

/// What every container runs first. Values come as base64 in the environment, so that neither an
/// engine nor Kubernetes nor this shell sees anything in them but letters. Results that a later
/// template is to carry go out as base64 where they are any text, and without `{{` where they are
/// JSON. The program then runs in an empty folder.
///   COULER_MKDIR    folders to make for outputs
///   COULER_DECODE   names of variables: NAME is set to what NAME_B64 spells
///   COULER_MAYBE    pairs `NAME:folder`: NAME is JSON null where nothing lies in the folder
///   COULER_ARGV     the words to run, each `w` and its base64, or `v` and the name of a variable;
///                   not set: this shell's arguments
///   COULER_STDOUT   where to keep a copy of standard output
///   COULER_FILES    pairs of files `from:to` to copy when done (scalars read from files)
///   COULER_ENCODE   files to leave as base64, too, at PATH.b64
///   COULER_METRICS  pairs `name:file` of numbers to report when done, `name=number` a line, in
///                   COULER_METRICS_FILE
///   COULER_GUARD    files of JSON in which `{{` becomes `{\\u007b`, which means the same
inline constexpr std::string_view kLauncher = R"sh(set -eu
for couler_v in ${COULER_DECODE-}; do
  eval "couler_t=\$${couler_v}_B64"
  couler_t=$(printf %s "$couler_t" | base64 -d; printf x)
  export "$couler_v=${couler_t%x}"
  unset "${couler_v}_B64"
done
for couler_v in ${COULER_MAYBE-}; do
  (set -- "${couler_v#*:}"*; [ -e "$1" ]) || export "${couler_v%%:*}=null"
done
if [ -n "${COULER_ARGV+x}" ]; then
  set --
  for couler_w in $COULER_ARGV; do
    case $couler_w in
      v*) eval "couler_t=\${${couler_w#v}}x" ;;
      *) couler_t=$(printf %s "${couler_w#w}" | base64 -d; printf x) ;;
    esac
    set -- "$@" "${couler_t%x}"
  done
fi
mkdir -p /tmp/couler/work /tmp/couler/out
for couler_d in ${COULER_MKDIR-}; do mkdir -p "/tmp/couler/out/$couler_d"; done
cd /tmp/couler/work
couler_encode=${COULER_ENCODE-} couler_guard=${COULER_GUARD-}
couler_stdout=${COULER_STDOUT-} couler_files=${COULER_FILES-}
couler_metrics=${COULER_METRICS-} couler_report=${COULER_METRICS_FILE-}
if [ -n "$couler_report" ]; then : >"$couler_report"; fi
unset COULER_DECODE COULER_MAYBE COULER_ARGV COULER_MKDIR COULER_ENCODE COULER_GUARD COULER_STDOUT COULER_FILES \
  COULER_METRICS COULER_METRICS_FILE
couler_e=0
if [ -n "$couler_stdout" ]; then
  "$@" >"$couler_stdout" || couler_e=$?
  cat "$couler_stdout"
else
  "$@" || couler_e=$?
fi
[ "$couler_e" = 0 ] || exit "$couler_e"
for couler_f in $couler_files; do cp "${couler_f%%:*}" "${couler_f#*:}"; done
for couler_f in $couler_metrics; do
  couler_t=$(cat "${couler_f#*:}")
  printf '%s=%s\n' "${couler_f%%:*}" "$couler_t" >>"$couler_report"
done
for couler_f in $couler_encode; do
  couler_t=$(cat "$couler_f"; printf x)
  case $couler_f in *.line) couler_t=${couler_t%x}; couler_t=${couler_t%"
"}x ;; esac
  printf %s "${couler_t%x}" | base64 | tr -d '\n' >"$couler_f.b64"
done
for couler_f in $couler_guard; do
  LC_ALL=C sed 's/{\{2\}/{\\u007b/g' "$couler_f" >"$couler_f.json"
  mv "$couler_f.json" "$couler_f"
done
)sh";

}  // namespace couler::backends
