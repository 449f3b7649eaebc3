#include "runtime/jit/regex.h"

#include <algorithm>

#include "support/text.h"

namespace couler::jit {

namespace {

using Range = Regex::Range;
using Ranges = std::vector<Range>;

constexpr char32_t kLast = 0x10ffff;
constexpr int kMostRepeats = 100;
constexpr int kMostNested = 50;

/// Thrown within this file alone: RE2 knows, or says what is wrong.
struct NotKnown {};

Ranges united(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges made;
  for (const Range& range : ranges) {
    if (!made.empty() && range.first <= made.back().second + 1) {
      made.back().second = std::max(made.back().second, range.second);
    } else {
      made.push_back(range);
    }
  }
  return made;
}

Ranges complement(const Ranges& ranges) {
  Ranges made;
  char32_t next = 0;
  for (const Range& range : united(ranges)) {
    if (range.first > next) made.emplace_back(next, range.first - 1);
    next = range.second + 1;
  }
  if (next <= kLast) made.emplace_back(next, kLast);
  return made;
}

bool isLetter(char32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool isWord(char32_t c) { return isLetter(c) || (c >= '0' && c <= '9') || c == '_'; }

/// The other cases of the letters of ASCII, two of which have one beyond it.
void fold(Ranges& ranges) {
  const Ranges given = ranges;
  for (const Range& range : given) {
    if (range.second > 0x7f) throw NotKnown{};
    for (char32_t c = range.first; c <= range.second; ++c) {
      if (!isLetter(c)) continue;
      ranges.emplace_back(c ^ 0x20, c ^ 0x20);
      if ((c | 0x20) == 'k') ranges.emplace_back(0x212a, 0x212a);  // the sign for kelvin
      if ((c | 0x20) == 's') ranges.emplace_back(0x17f, 0x17f);    // the long s
    }
  }
}

std::optional<Ranges> perlClass(char letter) {
  switch (letter) {
    case 'd':
      return Ranges{{'0', '9'}};
    case 's':
      return Ranges{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
    case 'w':
      return Ranges{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    default:
      return std::nullopt;
  }
}

std::optional<Ranges> posixClass(std::string_view name) {
  const std::pair<std::string_view, Ranges> known[] = {
      {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
      {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
      {"ascii", {{0, 0x7f}}},
      {"blank", {{'\t', '\t'}, {' ', ' '}}},
      {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
      {"digit", {{'0', '9'}}},
      {"graph", {{'!', '~'}}},
      {"lower", {{'a', 'z'}}},
      {"print", {{' ', '~'}}},
      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
      {"space", {{'\t', '\r'}, {' ', ' '}}},
      {"upper", {{'A', 'Z'}}},
      {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
      {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
  for (const auto& [known_name, ranges] : known) {
    if (known_name == name) return ranges;
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view pattern) : rest_(pattern) {}

  Regex run() {
    Regex made = choice();
    if (!rest_.empty()) throw NotKnown{};
    return made;
  }

 private:
  struct Flags {
    bool fold = false;
    bool dotLine = false;
    bool lines = false;
    bool swapped = false;  // what is greedy is not, and the other way round
  };

  bool take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  char next() {
    if (rest_.empty()) throw NotKnown{};
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  /// Of well-formed UTF-8.
  char32_t codePoint() {
    const auto first = static_cast<unsigned char>(next());
    const int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    char32_t c = more == 0 ? first : first & (0x3fU >> more);
    for (int i = 0; i < more; ++i) c = (c << 6) | (static_cast<unsigned char>(next()) & 0x3fU);
    return c;
  }

  /// Flags that are set within last to the end of the group.
  Regex choice() {
    if (++nested_ > kMostNested) throw NotKnown{};
    const Flags before = flags_;
    Regex made{.form = Regex::Form::Choice};
    do {
      made.parts.push_back(sequence());
    } while (take("|"));
    flags_ = before;
    --nested_;
    return made.parts.size() == 1 ? std::move(made.parts[0]) : made;
  }

  Regex sequence() {
    Regex made;
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      if (flags()) continue;
      made.parts.push_back(repeated(piece()));
    }
    return made;
  }

  /// `(?i)`
  bool flags() {
    if (!rest_.starts_with("(?")) return false;
    const std::size_t end = rest_.find_first_not_of("imsU-", 2);
    if (end == 2 || end == std::string_view::npos || rest_[end] != ')') return false;
    set(rest_.substr(2, end - 2));
    rest_.remove_prefix(end + 1);
    return true;
  }
  void set(std::string_view letters) {
    bool on = true;
    if (letters.back() == '-') throw NotKnown{};
    for (const char c : letters) {
      if (c == '-') {
        if (!on) throw NotKnown{};
        on = false;
      }
      if (c == 'i') flags_.fold = on;
      if (c == 'm') flags_.lines = on;
      if (c == 's') flags_.dotLine = on;
      if (c == 'U') flags_.swapped = on;
    }
  }

  static Regex place(Regex::Place where) { return {.form = Regex::Form::Assert, .place = where}; }
  Regex oneOf(Ranges ranges) const {
    if (flags_.fold) fold(ranges);
    return {.form = Regex::Form::Class, .ranges = united(std::move(ranges))};
  }

  Regex piece() {
    const bool lines = flags_.lines;
    switch (rest_[0]) {
      case '(':
        return group();
      case '[':
        return bracket();
      case '.':
        next();
        return {.form = Regex::Form::Class,
                .ranges = flags_.dotLine ? Ranges{{0, kLast}} : complement({{'\n', '\n'}})};
      case '^':
        next();
        return place(lines ? Regex::Place::LineStart : Regex::Place::TextStart);
      case '$':
        next();
        return place(lines ? Regex::Place::LineEnd : Regex::Place::TextEnd);
      case '\\':
        return escaped();
      case '*':
      case '+':
      case '?':
      case '{':
      case ']':
      case '}':
        throw NotKnown{};
      default: {
        const char32_t c = codePoint();
        return oneOf({{c, c}});
      }
    }
  }

  Regex group() {
    next();
    const Flags before = flags_;
    if (take("?")) {
      if (take("P<")) {
        while (!take(">")) {
          if (!isWord(static_cast<unsigned char>(next()))) throw NotKnown{};
        }
      } else {
        const std::size_t end = rest_.find(':');
        if (end == std::string_view::npos ||
            rest_.substr(0, end).find_first_not_of("imsU-") != std::string_view::npos) {
          throw NotKnown{};
        }
        if (end > 0) set(rest_.substr(0, end));
        rest_.remove_prefix(end + 1);
      }
    }
    Regex made = choice();
    if (!take(")")) throw NotKnown{};
    flags_ = before;
    return made;
  }

  Regex escaped() {
    const char letter = rest_.size() > 1 ? rest_[1] : '\0';
    const std::pair<char, Regex::Place> places[] = {{'A', Regex::Place::TextStart},
                                                    {'z', Regex::Place::TextEnd},
                                                    {'b', Regex::Place::WordEdge},
                                                    {'B', Regex::Place::NoWordEdge}};
    for (const auto& [known, where] : places) {
      if (letter != known) continue;
      rest_.remove_prefix(2);
      return place(where);
    }
    if (const auto ranges = takePerlClass()) {
      return {.form = Regex::Form::Class, .ranges = united(*ranges)};
    }
    const char32_t c = character();
    return oneOf({{c, c}});
  }

  /// `\d`, `\D`, …, with the other cases of what is in it.
  std::optional<Ranges> takePerlClass() {
    if (rest_.size() < 2 || rest_[0] != '\\') return std::nullopt;
    const char letter = rest_[1];
    std::optional<Ranges> ranges = perlClass(static_cast<char>(letter | 0x20));
    if (!ranges || !isLetter(static_cast<unsigned char>(letter))) return std::nullopt;
    rest_.remove_prefix(2);
    if (flags_.fold) fold(*ranges);
    return (letter & 0x20) == 0 ? complement(*ranges) : *ranges;
  }

  /// A character as it is or by an escape.
  char32_t character() {
    if (!take("\\")) return codePoint();
    const char c = next();
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'v':
        return '\v';
      case 'a':
        return '\a';
      default:
        break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || isWord(byte)) throw NotKnown{};
    return byte;
  }

  Regex bracket() {
    next();
    const bool negated = take("^");
    Ranges ranges;
    for (bool first = true; first || !rest_.starts_with("]"); first = false) {
      if (rest_.starts_with("[:")) {
        const std::size_t end = rest_.find(":]");
        if (end == std::string_view::npos) throw NotKnown{};
        std::string_view name = rest_.substr(2, end - 2);
        const bool without = name.starts_with("^");
        if (without) name.remove_prefix(1);
        std::optional<Ranges> known = posixClass(name);
        if (!known) throw NotKnown{};
        rest_.remove_prefix(end + 2);
        if (flags_.fold) fold(*known);
        const Ranges more = without ? complement(*known) : *known;
        ranges.insert(ranges.end(), more.begin(), more.end());
      } else if (const auto perl = takePerlClass()) {
        ranges.insert(ranges.end(), perl->begin(), perl->end());
      } else {
        Ranges one = {{character(), 0}};
        one[0].second = one[0].first;
        if (rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
          next();
          one[0].second = character();
          if (one[0].second < one[0].first) throw NotKnown{};
        }
        if (flags_.fold) fold(one);
        ranges.insert(ranges.end(), one.begin(), one.end());
      }
    }
    next();
    return {.form = Regex::Form::Class,
            .ranges = negated ? complement(ranges) : united(std::move(ranges))};
  }

  Regex repeated(Regex piece) {
    int least = 0;
    int most = -1;
    if (take("+")) {
      least = 1;
    } else if (take("?")) {
      most = 1;
    } else if (take("{")) {
      least = number();
      most = !take(",") ? least : rest_.starts_with("}") ? -1 : number();
      if (!take("}") || (most >= 0 && most < least)) throw NotKnown{};
    } else if (!take("*")) {
      return piece;
    }
    const bool lazy = take("?") || flags_.swapped;
    const bool again =
        !rest_.empty() && std::string_view("*+?{").find(rest_[0]) != std::string_view::npos;
    if (again || piece.form == Regex::Form::Assert) throw NotKnown{};
    Regex made{.form = Regex::Form::Repeat, .least = least, .most = most, .lazy = lazy};
    made.parts.push_back(std::move(piece));
    return made;
  }

  int number() {
    int n = 0;
    const std::size_t before = rest_.size();
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' && n <= kMostRepeats) {
      n = 10 * n + (next() - '0');
    }
    if (rest_.size() == before || n > kMostRepeats) throw NotKnown{};
    return n;
  }

  std::string_view rest_;
  Flags flags_;
  int nested_ = 0;
};

}  // namespace

std::optional<Regex> parseRegex(std::string_view pattern) {
  if (findInvalidUtf8(pattern)) return std::nullopt;
  try {
    return Parser(pattern).run();
  } catch (const NotKnown&) {
    return std::nullopt;
  }
}

}  // namespace couler::jit
