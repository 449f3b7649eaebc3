#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/command.h"
#include "driver/console.h"
#include "frontend/session.h"
#include "ir/module.h"
#include "passes/pass.h"

namespace couler::driver {

/// One program being compiled for one command: its session, its messages, the files it read.
class Program {
 public:
  explicit Program(const Invocation& invocation);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads, parses and checks; `-` is standard input.
  bool check(const std::string& path);
  /// After `check`: the graph of `workflow` (empty: the one that no other calls).
  std::optional<ir::Module> lower(std::string_view workflow, bool needEntry);

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] SourceManager& sources() { return session_.sources(); }
  [[nodiscard]] DiagnosticList& problems() { return problems_; }
  [[nodiscard]] DiagnosticStyle& style() { return style_; }
  /// Paths read from the disk, sorted.
  [[nodiscard]] const std::set<std::string>& filesRead() const { return filesRead_; }

  /// Prints the messages so far and forgets them; remarks only if asked for.
  void report(bool remarks = false);
  /// Prints the messages and gives `code`, or kOk when none is an error.
  int finish(int code = kFailed);

 private:
  LoadedText load(const std::string& path);

  DiagnosticList problems_;
  DiagnosticStyle style_;
  std::set<std::string> filesRead_;
  Session session_;
  bool loaded_ = false;
};

/// What diagnostics call standard input.
inline constexpr std::string_view kStandardInput = "<stdin>";

/// The words after FILE: a workflow's name, then `name=value`.
struct WorkflowWords {
  std::string workflow;
  std::vector<std::pair<std::string, std::string>> arguments;
};
/// Nothing on a word that is neither; it is in `diags`.
[[nodiscard]] std::optional<WorkflowWords> workflowWords(const Invocation& invocation,
                                                         DiagnosticSink& diags);

using Inputs = std::vector<std::pair<std::string, ir::Value>>;
/// Typed inputs of the entry workflow from `--input` and the words; all problems go to `diags`.
/// `needAll`: each parameter without a default must be given, and files must exist.
[[nodiscard]] std::optional<Inputs> workflowInputs(const Invocation& invocation,
                                                   const ir::Module& module,
                                                   const WorkflowWords& words, bool needAll,
                                                   DiagnosticSink& diags);

/// `--disable-pass` (and `--print-after`) names, checked. Nothing when one does not exist.
[[nodiscard]] std::optional<std::vector<std::string>> passNames(const Invocation& invocation,
                                                                std::string_view option,
                                                                DiagnosticSink& diags);

/// `--time-passes`: what each took, on standard error; without it nothing.
void printTimings(const Invocation& invocation, const passes::PipelineResult& result);

/// A declared target by name; null and a message when there is none.
[[nodiscard]] const ir::TargetDef* targetNamed(const ir::Module& module, const std::string& name,
                                               const std::vector<std::string_view>& alsoKnown,
                                               DiagnosticSink& diags);

/// A whole number of an option; nothing and a message when it is none or out of range.
[[nodiscard]] std::optional<std::int64_t> numberOption(const Invocation& invocation,
                                                       std::string_view option, std::int64_t least,
                                                       std::int64_t most, std::int64_t fallback,
                                                       DiagnosticSink& diags);

}  // namespace couler::driver
