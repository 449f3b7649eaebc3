#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "support/source.h"

namespace couler {

enum class Severity : std::uint8_t { Error, Warning, Remark };
/// `error`, `warning`, `remark`.
[[nodiscard]] std::string_view wordOf(Severity severity);

/// One enumerator per row of support/diagnostics.def; its value is the public number.
enum class Diag : std::uint16_t {
#define DIAG(num, sev, name, text) name = 1##num - 10000,  // 1##num: 0203 alone would be octal
#include "support/diagnostics.def"
};

/// A second place that explains the first.
struct Label {
  Span at;
  std::string text;
};

struct Edit {
  Span at;  ///< replaced text; empty range inserts
  std::string text;
};

/// A change after which the program has this error no more. Only given where applying it compiles
/// (this error gone, none added).
struct Fix {
  std::string title;
  std::vector<Edit> edits;
};

/// One message about the program or the run. A value: stages make them, only the driver and the
/// server print them.
struct Diagnostic {
  Diag id{};
  Severity severity = Severity::Error;
  Span at;
  std::string message;        ///< lower case, no full stop, code in backticks
  std::string caret;          ///< text beside the carets; may be empty
  std::vector<Label> labels;  ///< other places
  std::vector<std::string> notes;
  std::vector<Fix> fixes;

  Diagnostic& label(Span where, std::string text) &;
  Diagnostic& note(std::string text) &;
  Diagnostic& fix(std::string title, Span where, std::string replacement) &;
  Diagnostic&& label(Span where, std::string text) &&;
  Diagnostic&& note(std::string text) &&;
  Diagnostic&& fix(std::string title, Span where, std::string replacement) &&;
  Diagnostic&& under(std::string caretText) &&;
  [[nodiscard]] std::string code() const;  ///< "CW0301"
};

/// Where diagnostics go. The command line, the server and the tests each implement this once.
class DiagnosticSink {
 public:
  virtual ~DiagnosticSink() = default;
  virtual void take(Diagnostic diagnostic) = 0;
};

/// Keeps them. `sorted()` orders by file, place and code and drops exact repeats, so that output
/// does not depend on the order of the stages.
class DiagnosticList final : public DiagnosticSink {
 public:
  void take(Diagnostic diagnostic) override;
  [[nodiscard]] bool hasErrors() const { return errors_ != 0; }
  [[nodiscard]] std::size_t errorCount() const { return errors_; }
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
  [[nodiscard]] std::vector<Diagnostic> sorted() const;
  void clear();

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

template <Diag>
struct DiagSpec;
#define DIAG(num, sev, name, text)                      \
  template <>                                           \
  struct DiagSpec<Diag::name> {                         \
    static constexpr Severity severity = Severity::sev; \
    static constexpr char format[] = text;              \
  };
#include "support/diagnostics.def"

/// Makes a diagnostic; the arguments are checked against the row's text at compile time.
template <Diag D, class... Args>
[[nodiscard]] Diagnostic diagnose(Span at, Args&&... args) {
  using Spec = DiagSpec<D>;
  Diagnostic result;
  result.id = D;
  result.severity = Spec::severity;
  result.at = at;
  result.message = fmt::format(Spec::format, std::forward<Args>(args)...);
  return result;
}

/// One row of the table, for `couler explain`, the documentation and the tests.
struct DiagInfo {
  Diag id;
  Severity severity;
  std::string_view code;  ///< "CW0301"
  std::string_view name;  ///< "TypeMismatch"
  std::string_view text;  ///< the format text
};
/// All rows, in order of their numbers.
[[nodiscard]] const std::vector<DiagInfo>& diagnosticTable();

}  // namespace couler
