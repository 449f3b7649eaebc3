#include <map>
#include <memory>

#include <re2/re2.h>

#include "ir/eval_internal.h"
#include "support/text.h"

// Regular expressions, in RE2's syntax and its linear time
// (https://github.com/google/re2/wiki/Syntax).
namespace couler::ir::eval {

namespace {

using Pattern = std::shared_ptr<const re2::RE2>;

/// Compiled patterns, kept for the next item of a loop; one table a thread, so without locks.
Pattern compile(const std::string& pattern) {
  constexpr std::size_t kKept = 64;
  thread_local std::map<std::string, Pattern> known;
  if (const auto it = known.find(pattern); it != known.end()) return it->second;
  re2::RE2::Options options;
  options.set_log_errors(false);
  const Pattern compiled = std::make_shared<const re2::RE2>(pattern, options);
  if (known.size() >= kKept) known.clear();
  known.emplace(pattern, compiled);
  return compiled;
}

EvalResult findAll(const re2::RE2& pattern, const std::string& text) {
  ListItems items;
  std::size_t from = 0;
  re2::StringPiece match;
  while (from <= text.size() &&
         pattern.Match(text, from, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    if (items.size() == kMaxItems) return tooLong(items.size() + 1);
    items.emplace_back(std::string(match.data(), match.size()));
    from = static_cast<std::size_t>(match.data() - text.data()) + match.size();
    if (!match.empty()) continue;
    // After an empty match, on by one code point.
    do ++from;
    while (from < text.size() && isUtf8Tail(text[from]));
  }
  return Value::list(std::move(items));
}

EvalResult replaceAll(const re2::RE2& pattern, const std::string& text, const std::string& with) {
  std::string why;
  if (!pattern.CheckRewriteString(with, &why)) {
    return fail("`{}` cannot replace a match: {}", with, why);
  }
  // What the result is at most is known beforehand only roughly: a match a byte, each group the
  // text.
  if (!with.empty() && text.size() >= kMaxText / with.size()) return textTooLong();
  std::string out = text;
  re2::RE2::GlobalReplace(&out, pattern, with);
  return textResult(std::move(out));
}

}  // namespace

bool applyPatterns(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::Matches:
    case Builtin::Find:
    case Builtin::FindAll:
    case Builtin::Extract:
    case Builtin::ReplaceAll:
      break;
    default:
      return false;
  }
  const std::string& text = in.text(0);
  const Pattern pattern = compile(in.text(1));
  if (!pattern->ok()) {
    out = fail("malformed regular expression `{}`: {}", in.text(1), pattern->error());
    return true;
  }
  if (op == Builtin::FindAll) {
    out = findAll(*pattern, text);
    return true;
  }
  if (op == Builtin::ReplaceAll) {
    out = replaceAll(*pattern, text, in.text(2));
    return true;
  }
  if (op == Builtin::Extract && pattern->NumberOfCapturingGroups() == 0) {
    out = fail("`{}` has no group to extract; put `( )` around it", in.text(1));
    return true;
  }
  re2::StringPiece found[2];
  const int wanted = op == Builtin::Matches ? 0 : op == Builtin::Find ? 1 : 2;
  const bool matched = pattern->Match(text, 0, text.size(), re2::RE2::UNANCHORED, found, wanted);
  if (op == Builtin::Matches) {
    out = Value(matched);
    return true;
  }
  const re2::StringPiece& piece = found[wanted - 1];
  // A group that took no part in the match has no text, not even an empty one.
  const bool none = !matched || piece.data() == nullptr;
  out = none ? Value() : Value(std::string(piece.data(), piece.size()));
  return true;
}

}  // namespace couler::ir::eval
