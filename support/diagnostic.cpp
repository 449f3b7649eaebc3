#include "support/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace couler {
namespace {

std::string codeOf(Diag id) { return fmt::format("CW{:04}", static_cast<unsigned>(id)); }

auto order(const Diagnostic& d) {
  return std::tuple(d.at.file, d.at.begin, d.at.end, static_cast<unsigned>(d.id));
}

}  // namespace

std::string_view wordOf(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return "error";
    case Severity::Warning:
      return "warning";
    case Severity::Remark:
      break;
  }
  return "remark";
}

Diagnostic& Diagnostic::label(Span where, std::string text) & {
  labels.push_back({where, std::move(text)});
  return *this;
}
Diagnostic& Diagnostic::note(std::string text) & {
  notes.push_back(std::move(text));
  return *this;
}
Diagnostic& Diagnostic::fix(std::string title, Span where, std::string replacement) & {
  fixes.push_back({std::move(title), {{where, std::move(replacement)}}});
  return *this;
}
Diagnostic&& Diagnostic::label(Span where, std::string text) && {
  return std::move(label(where, std::move(text)));
}
Diagnostic&& Diagnostic::note(std::string text) && { return std::move(note(std::move(text))); }
Diagnostic&& Diagnostic::fix(std::string title, Span where, std::string replacement) && {
  return std::move(fix(std::move(title), where, std::move(replacement)));
}
Diagnostic&& Diagnostic::under(std::string caretText) && {
  caret = std::move(caretText);
  return std::move(*this);
}
std::string Diagnostic::code() const { return codeOf(id); }

void DiagnosticList::take(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::Error) ++errors_;
  all_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> DiagnosticList::sorted() const {
  std::vector<Diagnostic> result = all_;
  std::stable_sort(result.begin(), result.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return order(a) < order(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return order(a) == order(b) && a.message == b.message;
  };
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  return result;
}

void DiagnosticList::clear() {
  all_.clear();
  errors_ = 0;
}

const std::vector<DiagInfo>& diagnosticTable() {
  static const std::vector<DiagInfo> table = {
#define DIAG(num, sev, name, text) {Diag::name, Severity::sev, "CW" #num, #name, text},
#include "support/diagnostics.def"
  };
  return table;
}

}  // namespace couler
