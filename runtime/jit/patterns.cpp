#include "runtime/jit/patterns.h"
#include "support/text.h"

#include <algorithm>
#include <cstdint>

namespace couler::jit {

namespace {

constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
bool isSpecial(char c) { return kSpecial.find(c) != std::string_view::npos; }

/// One character of plain text at the front of a pattern, taken off it; nothing where it is none.
std::optional<char> takePlain(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  if (rest[0] == '\\' && rest.size() > 1 && isSpecial(rest[1])) {
    const char c = rest[1];
    rest.remove_prefix(2);
    return c;
  }
  if (isSpecial(rest[0])) return std::nullopt;
  const char c = rest[0];
  rest.remove_prefix(1);
  return c;
}

}  // namespace

std::optional<std::vector<PlainPattern>> plainAlternatives(std::string_view pattern) {
  constexpr std::size_t kMost = 16;
  std::vector<PlainPattern> found;
  for (;;) {
    PlainPattern& form = found.emplace_back();
    if (pattern.starts_with('^')) {
      form.fromStart = true;
      pattern.remove_prefix(1);
    }
    while (const std::optional<char> c = takePlain(pattern)) form.text += *c;
    if (pattern.starts_with('$')) {
      form.toEnd = true;
      pattern.remove_prefix(1);
    }
    if (form.text.size() > kInlineText || found.size() > kMost) return std::nullopt;
    if (pattern.empty()) return found;
    if (pattern[0] != '|') return std::nullopt;
    pattern.remove_prefix(1);
  }
}

namespace {

/// What a pattern begins with, taken off it: a plain character, or something else that matches.
enum class Piece : std::uint8_t { Plain, Other, Unknown };

void skipClass(std::string_view& rest) {
  rest.remove_prefix(rest.starts_with("[^") ? 2 : 1);
  for (bool first = true; !rest.empty() && (first || rest[0] != ']'); first = false) {
    const bool named = rest.starts_with("[:");
    const std::size_t end = named ? rest.find(":]") : std::string_view::npos;
    std::size_t taken = rest[0] == '\\' ? 2 : 1;
    if (end != std::string_view::npos) taken = end + 2;
    rest.remove_prefix(std::min(taken, rest.size()));
  }
  if (!rest.empty()) rest.remove_prefix(1);
}

void skipGroup(std::string_view& rest) {
  for (int depth = 0; !rest.empty();) {
    if (rest[0] == '[') {
      skipClass(rest);
      continue;
    }
    if (rest[0] == '(') ++depth;
    if (rest[0] == ')') --depth;
    rest.remove_prefix(std::min<std::size_t>(rest[0] == '\\' ? 2 : 1, rest.size()));
    if (depth == 0) return;
  }
}

Piece takePiece(std::string_view& rest, std::string& plain) {
  constexpr std::string_view kClasses = "dDsSwWbBAz";
  plain.clear();
  if (const std::optional<char> c = takePlain(rest)) {
    plain += *c;
    while (!rest.empty() && isUtf8Tail(rest[0])) {
      plain += rest[0];
      rest.remove_prefix(1);
    }
    return Piece::Plain;
  }
  switch (rest[0]) {
    case '[':
      skipClass(rest);
      return Piece::Other;
    case '(':
      skipGroup(rest);
      return Piece::Other;
    case '.':
    case '^':
    case '$':
      rest.remove_prefix(1);
      return Piece::Other;
    case '\\':
      if (rest.size() < 2 || kClasses.find(rest[1]) == std::string_view::npos) {
        return Piece::Unknown;
      }
      rest.remove_prefix(2);
      return Piece::Other;
    default:
      return Piece::Unknown;  // an alternative, which may do without all the rest
  }
}

/// Takes off how often the piece before may be there; false where it says nothing of the kind.
bool takeRepetition(std::string_view& rest) {
  if (rest.empty()) return false;
  if (rest[0] == '{') {
    const std::size_t end = rest.find('}');
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  } else if (rest[0] == '*' || rest[0] == '?' || rest[0] == '+') {
    rest.remove_prefix(1);
  } else {
    return false;
  }
  if (rest.starts_with('?')) rest.remove_prefix(1);
  return true;
}

}  // namespace

std::string requiredText(std::string_view pattern) {
  if (pattern.find("(?") != std::string_view::npos) return {};  // flags change what a letter is
  std::string longest;
  std::string run;
  std::string plain;
  while (!pattern.empty()) {
    const Piece piece = takePiece(pattern, plain);
    if (piece == Piece::Unknown) return {};
    // What is repeated may be there no time at all.
    const bool repeated = takeRepetition(pattern);
    if (piece == Piece::Plain && !repeated && run.size() + plain.size() <= kInlineText) {
      run += plain;
      if (run.size() > longest.size()) longest = run;
    } else {
      run.clear();
    }
  }
  return longest.size() < 2 ? std::string() : longest;
}

}  // namespace couler::jit
