#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "frontend/parse/parse.h"
#include "support/diagnostic.h"

namespace couler::parse {

/// The way out for everything the parser finds wrong. One error a line (what follows a mistake on
/// its line is mostly its echo), and no more than the limit a file.
class ErrorLog {
 public:
  ErrorLog(const SourceManager& sources, FileId file, DiagnosticSink& sink, std::uint32_t limit)
      : sources_(sources), file_(file), sink_(sink), limit_(limit) {}

  /// False when the diagnostic was dropped.
  bool report(Diagnostic diagnostic);
  /// Whether nothing more will be shown.
  [[nodiscard]] bool full() const { return count_ > limit_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }

  [[nodiscard]] Span span(std::uint32_t begin, std::uint32_t end) const {
    return {file_, begin, end};
  }
  [[nodiscard]] std::string_view text() const { return sources_.text(file_); }
  [[nodiscard]] const SourceManager& sources() const { return sources_; }
  [[nodiscard]] FileId file() const { return file_; }

 private:
  const SourceManager& sources_;
  FileId file_;
  DiagnosticSink& sink_;
  std::uint32_t limit_;
  std::uint32_t count_ = 0;
  std::set<std::uint32_t> lines_;
  std::uint32_t lineBegin_ = 1;  ///< the line of the last report, as bytes; first none
  std::uint32_t lineEnd_ = 0;
};

}  // namespace couler::parse
