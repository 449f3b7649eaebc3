#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/module.h"

/// How a script task becomes a process, the same on every engine. No value ever becomes program
/// text: the words below are constant for a task; values travel in environment variables and files.
///
/// Protocol, for a task with `run sh` or `run python`:
///   argv               fixed words: the interpreter and this file's constant shim text
///   COULER_SCRIPT      the task's script, as written
///   COULER_IN_<name>   each input, as canonical JSON (ir/value.h toJson); files are absolute paths
///   COULER_OUT_<name>  for each output the path to write: of the file or folder itself (Path), or of
///                      the scalar's JSON text (Variable)
/// The shim sets variables of the script's own language from these, runs the script, and afterwards
/// writes each Variable output. sh sees text (lists: one item a line; true/false; none is empty),
/// Python sees bool, int, float, str, list, dict, SimpleNamespace, datetime, timedelta, None.
/// It exits 64 with one line on standard error when a Variable output was not set or has the wrong
/// type, or when an item of a list has a newline in it (sh).
namespace couler::ir {

struct ProcessSpec {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;  ///< COULER_SCRIPT and the like; no values
};

/// The constant part of a script task's process: argv and the script. Pre: run is Sh or Python.
[[nodiscard]] ProcessSpec scriptProcess(const Module& module, const TaskDef& task);

/// COULER_IN_<name> / COULER_OUT_<name>.
[[nodiscard]] std::string inputVariable(std::string_view name);
[[nodiscard]] std::string outputVariable(std::string_view name);

}  // namespace couler::ir
