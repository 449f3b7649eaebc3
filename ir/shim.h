#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/module.h"

/// How a script task becomes a process, the same on every engine. No value ever becomes program
/// text: the words below are constant for all tasks; values travel in environment variables and
/// files.
///
/// Protocol, for a task with `run sh` or `run python`. The engine sets these variables:
///   COULER_SCRIPT      the task's script, as written
///   COULER_TYPES       names and types of inputs and outputs (constant for the task)
///   COULER_TASK        the task's name, for messages
///   COULER_IN_<name>   each input but secrets. For Python, and for sh when COULER_JSON=1: its
///                      canonical JSON (ir/value.h toJson). For sh otherwise: its text
///                      (`encodeInput`). Files and folders are absolute paths.
///   COULER_OUT_<name>  for each output that is Path or Variable the absolute path to write: of the
///                      file or folder itself (Path), or of the value's text (Variable). Outputs
///                      that are Stdout or File have none: the engine reads those itself.
///   COULER_JSON=1      sh only: values are JSON text in both directions. It needs an `awk` in the
///                      image (POSIX; tested with mawk, gawk and BusyBox awk).
///                      Without it the shim uses nothing but the shell.
/// The shim takes these out of the environment, sets variables of the script's own language, runs
/// the script, and when that ended with status 0 (also by `exit 0`) writes each Variable output.
/// Any other status of the script is the status of the process, and nothing is written.
///
/// Variables in sh, of text: `true` and `false`, numbers, durations and sizes as in source; none is
/// empty; a list is one item a line (an item with a newline in it is refused), maps and records are
/// JSON. They are not exported. In Python: bool, int (also for a size), float, str (also for enums,
/// files and folders), list, dict, SimpleNamespace, aware datetime, timedelta, None.
/// Variable outputs of sh are read back by `decodeOutput`, or with COULER_JSON=1 checked and turned
/// into canonical JSON by the shim, which takes the same texts but for timestamps not in UTC (`Z`),
/// and durations and sizes beyond 2^53 microseconds or bytes; those of Python are checked and
/// turned into canonical JSON by the shim.
///
/// The process ends with status 64 and one line on standard error, `couler: …`, when a Variable
/// output was not set (one of type `T?` is none then) or has the wrong type, or when an input
/// cannot be given to the script. One limit of sh: a script that sets its own `trap … EXIT` and
/// ends by `exit 0` takes the shim's trap away, so its Variable outputs count as not set; ending by
/// running to the last line works with any trap.
namespace couler::ir {

using EnvList = std::vector<std::pair<std::string, std::string>>;

struct ProcessSpec {
  std::vector<std::string> argv;
  EnvList env;     ///< COULER_SCRIPT and COULER_TYPES; no values
  EnvList labels;  ///< COULER_TASK: to be set as well, but it changes no result: no part of a key
};

/// The constant part of a script task's process: argv and the script. Pre: run is Sh or Python.
[[nodiscard]] ProcessSpec scriptProcess(const Module& module, const TaskDef& task);

/// COULER_IN_<name> / COULER_OUT_<name>.
[[nodiscard]] std::string inputVariable(std::string_view name);
[[nodiscard]] std::string outputVariable(std::string_view name);

/// The text of COULER_IN_<name> where COULER_JSON is not set. Refused, with `error` saying why: a
/// value with a NUL in it, and for sh a list with an item that has a newline in it.
/// Pre: `kind` is Sh or Python; the value holds no secret.
[[nodiscard]] std::optional<std::string> encodeInput(RunKind kind, const Value& value,
                                                     std::string& error);

/// The value that a script left at COULER_OUT_<name>: JSON for Python. For sh, and for any scalar
/// that is read from standard output or a file: text, exactly for `string`; otherwise without white
/// space around it and as on a command line; a list is one item a line; nothing is none where the
/// type is `T?`. Text that is not UTF-8 is refused.
[[nodiscard]] std::optional<Value> decodeOutput(RunKind kind, std::string_view text, TypeId type,
                                                const TypeTable& types, std::string& error);

}  // namespace couler::ir
