#include "frontend/parse/error_log.h"

#include <utility>

namespace couler::parse {

bool ErrorLog::report(Diagnostic diagnostic) {
  if (full()) return false;
  const std::uint32_t at = diagnostic.at.begin;
  if (lineBegin_ <= at && at <= lineEnd_) return false;
  const std::uint32_t line = sources_.lineColumn(file_, at).line;
  lineBegin_ = sources_.lineStart(file_, line);
  lineEnd_ = lineBegin_ + static_cast<std::uint32_t>(sources_.line(file_, line).size());
  if (!lines_.insert(line).second) return false;
  if (++count_ > limit_) {
    sink_.take(diagnose<Diag::TooManySyntaxErrors>(diagnostic.at, limit_));
    return false;
  }
  sink_.take(std::move(diagnostic));
  return true;
}

}  // namespace couler::parse
