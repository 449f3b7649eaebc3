#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "backends/yaml_reader.h"
#include "support/text.h"

// The reader of the YAML that machines write: one pass over the lines, a frame for each container
// that is open, and no copy of text that stands in the source as it is. It refuses whatever it does
// not know to mean what libyaml takes it for, so there is no such thing as an error here.
namespace couler::backends {
namespace {

/// Keys longer than this libyaml may take for none.
constexpr std::size_t kMaxPlainKey = 512;

enum CharClass : std::uint8_t {
  kWord = 1,       ///< anywhere in a bare scalar
  kWordStart = 2,  ///< first in one
  kAfterGap = 4,   ///< after a space or colon within one
};
constexpr std::array<std::uint8_t, 256> kClass = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (digit || letter || c == '/') table[c] = kWord | kWordStart | kAfterGap;
    if (c == '_' || c == '-' || c == '.' || c == '+') table[c] = kWord;
  }
  return table;
}();
bool is(char c, CharClass what) { return (kClass[static_cast<unsigned char>(c)] & what) != 0; }

struct Survey {
  bool control = false;   ///< control characters other than line feeds
  bool nonAscii = false;  ///< bytes of 0x80 and more
};

/// Eight bytes at a time.
Survey survey(std::string_view text) {
  constexpr std::uint64_t kHigh = 0x8080808080808080ULL;
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  std::uint64_t high = 0;
  std::uint64_t control = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    const std::uint64_t low = word & ~kHigh;
    const std::uint64_t feeds = low ^ (kOnes * '\n');
    high |= word;
    // Top bits: below a space, or DEL; but not a line feed.
    control |= (~(low + kOnes * 0x60) | (low + kOnes)) & (feeds + kOnes * 0x7f);
  }
  for (; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    high |= byte;
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) control |= 0x80;
  }
  return {(control & kHigh) != 0, (high & kHigh) != 0};
}

}  // namespace

class PlainYamlReader {
 public:
  PlainYamlReader(YamlDocument& document, const YamlLimits& limits)
      : doc_(document), text_(document.text_), limits_(limits), survey_(survey(text_)) {}

  bool run() {
    if (text_.empty() || text_.back() != '\n') return false;
    // More than there will be, mostly: what is never written to takes no memory.
    doc_.slots_.reserve(text_.size() / 24 + 16);
    doc_.chars_.reserve(text_.size());
    while (at_ < text_.size()) {
      if (!line()) return false;
    }
    if (pendingKey_) return false;
    while (!open_.empty()) {
      if (!close()) return false;
    }
    return true;
  }

 private:
  using Slot = YamlDocument::Slot;
  struct Frame {
    std::uint32_t slot;
    std::uint32_t last;  ///< child
    std::size_t indent;
    bool isMap;
  };
  /// A scalar on one line.
  struct Scalar {
    std::uint32_t begin = 0, size = 0;
    bool bare = false, copied = false;
  };

  [[nodiscard]] char peek() const { return text_[at_]; }  // the text ends in a line feed
  [[nodiscard]] bool isItem() const { return peek() == '-' && text_[at_ + 1] == ' '; }

  // ---- structure
  bool line() {
    ++lineNumber_;
    const std::size_t begin = at_;
    while (peek() == ' ') ++at_;
    const std::size_t column = at_ - begin;
    const bool item = isItem();
    if (pendingKey_) {
      // What the key stands for: a map further in, or a list there or right below the key.
      if (column < open_.back().indent + (item ? 0 : 1)) return false;
      return item ? items(column) : entry(column, true);
    }
    while (!open_.empty() && (open_.back().indent > column ||
                              (open_.back().indent == column && !open_.back().isMap && !item))) {
      if (!close()) return false;
    }
    if (open_.empty()) {
      if (!doc_.roots_.empty() || column != 0) return false;
      return item ? items(column) : entry(column, true);
    }
    const Frame& frame = open_.back();
    if (frame.indent != column || frame.isMap == item) return false;
    return item ? nextItem(column) : entry(column, false);
  }

  /// A new list, with its first item; the present place is that item's dash.
  bool items(std::size_t column) { return begin(YamlKind::List, column) && nextItem(column); }

  bool nextItem(std::size_t column) {
    at_ += 2;
    column += 2;
    if (isItem()) return items(column);
    return entryOrValue(column);
  }

  /// An item's content: a map that begins here, or a value.
  bool entryOrValue(std::size_t column) {
    const char c = peek();
    if (c == '|' || c == '[' || c == '{') return value();
    Scalar scalar;
    if (!this->scalar(scalar, true)) return false;
    if (peek() == '\n') return put(scalar) && endLine();
    return begin(YamlKind::Map, column) && keyed(scalar);
  }

  bool entry(std::size_t column, bool opens) {
    Scalar key;
    if (!scalar(key, true) || peek() != ':') return false;
    if (opens && !begin(YamlKind::Map, column)) return false;
    return keyed(key);
  }

  /// After a key: its colon, and what follows on the line.
  bool keyed(const Scalar& key) {
    if (peek() != ':' || key.size > kMaxPlainKey) return false;
    key_ = key;
    pendingKey_ = true;
    ++at_;
    if (peek() == '\n') return endLine();
    if (peek() != ' ') return false;
    ++at_;
    return value();
  }

  bool value() {
    switch (peek()) {
      case '|':
        return literal();
      case '[':
        return flow();
      case '{':
        if (text_.substr(at_, 3) != "{}\n") return false;
        at_ += 2;
        return begin(YamlKind::Map, kFlow) && close() && endLine();
      default: {
        Scalar scalar;
        return this->scalar(scalar, false) && put(scalar) && endLine();
      }
    }
  }

  bool endLine() {
    if (peek() != '\n') return false;
    ++at_;
    return true;
  }

  // ---- scalars
  /// `mayBeKey`: it may end at a colon, which stays.
  bool scalar(Scalar& out, bool mayBeKey) {
    if (peek() == '"') return doubleQuoted(out);
    if (peek() == '\'') return singleQuoted(out);
    const std::size_t begin = at_;
    if (peek() == '-' && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9') ++at_;
    if (!is(peek(), kWordStart)) return false;
    while (true) {
      while (is(peek(), kWord)) ++at_;
      const char c = peek();
      if (c == '\n') break;
      if (c != ' ' && c != ':') return false;
      const char next = text_[at_ + 1];
      if (is(next, kAfterGap)) {
        ++at_;
      } else if (c == ':' && mayBeKey && (next == ' ' || next == '\n')) {
        break;
      } else {
        return false;
      }
    }
    out = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_ - begin), true, false};
    return true;
  }

  bool singleQuoted(Scalar& out) {
    ++at_;
    const std::size_t begin = at_;
    std::size_t end = text_.find('\'', begin);
    if (end == std::string_view::npos) return false;
    if (text_[end + 1] != '\'') {
      at_ = end + 1;
      return quoted(out, text_.substr(begin, end - begin));
    }
    const std::size_t start = doc_.chars_.size();
    for (std::size_t from = begin;; from = end + 2, end = text_.find('\'', from)) {
      if (end == std::string_view::npos) return false;
      doc_.chars_ += text_.substr(from, end - from);
      at_ = end + 1;
      if (peek() != '\'') break;
      doc_.chars_ += '\'';
    }
    return copied(out, start) && oneLine(view(out));
  }

  bool doubleQuoted(Scalar& out) {
    ++at_;
    const std::size_t begin = at_;
    std::size_t end = quoteOrEscape(begin);
    if (end == std::string_view::npos) return false;
    if (text_[end] == '"') {
      at_ = end + 1;
      return quoted(out, text_.substr(begin, end - begin));
    }
    const std::size_t start = doc_.chars_.size();
    for (std::size_t from = begin;; end = quoteOrEscape(from)) {
      if (end == std::string_view::npos) return false;
      const std::string_view part = text_.substr(from, end - from);
      if (!oneLine(part)) return false;
      doc_.chars_ += part;
      at_ = end + 1;
      if (text_[end] == '"') return copied(out, start);
      if (!escape()) return false;
      from = at_;
    }
  }

  /// The first double quote or backslash.
  [[nodiscard]] std::size_t quoteOrEscape(std::size_t from) const {
    const std::size_t quote = text_.find('"', from);
    if (quote == std::string_view::npos) return quote;
    const std::size_t escape = text_.substr(0, quote).find('\\', from);
    return std::min(quote, escape);
  }

  /// After a backslash.
  bool escape() {
    std::size_t digits = 0;
    const char c = peek();
    ++at_;
    switch (c) {
      case 'n':
        doc_.chars_ += '\n';
        return true;
      case 't':
        doc_.chars_ += '\t';
        return true;
      case 'r':
        doc_.chars_ += '\r';
        return true;
      case '"':
      case '\\':
        doc_.chars_ += c;
        return true;
      case 'x':
        digits = 2;
        break;
      case 'u':
        digits = 4;
        break;
      case 'U':
        digits = 8;
        break;
      default:
        return false;
    }
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const char d = peek();
      const bool lower = d >= 'a' && d <= 'f';
      if (!lower && (d < '0' || d > '9')) return false;
      code = (code << 4U) | static_cast<std::uint32_t>(lower ? d - 'a' + 10 : d - '0');
    }
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return false;
    appendUtf8(doc_.chars_, code);
    return true;
  }

  bool quoted(Scalar& out, std::string_view inside) {
    out = {static_cast<std::uint32_t>(inside.data() - text_.data()),
           static_cast<std::uint32_t>(inside.size()), false, false};
    return oneLine(inside);
  }
  bool copied(Scalar& out, std::size_t start) {
    if (doc_.chars_.size() > YamlDocument::kMaxBytes) return false;
    out = {static_cast<std::uint32_t>(start),
           static_cast<std::uint32_t>(doc_.chars_.size() - start), false, true};
    return true;
  }
  [[nodiscard]] std::string_view view(const Scalar& scalar) const {
    return doc_.chars(scalar.copied, scalar.begin, scalar.size);
  }

  [[nodiscard]] bool oneLine(std::string_view part) const {
    return std::memchr(part.data(), '\n', part.size()) == nullptr && sound(part, false);
  }

  /// Whether libyaml takes these characters for nothing but themselves.
  [[nodiscard]] bool sound(std::string_view part, bool tabs) const {
    if (survey_.control) {
      for (const char c : part) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n' && !(tabs && c == '\t')) || byte == 0x7f) return false;
      }
    }
    if (!survey_.nonAscii) return true;
    if (findInvalidUtf8(part)) return false;
    for (std::size_t i = 0; i + 1 < part.size(); ++i) {
      const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(part[i + k]); };
      if (byte(0) == 0xc2 && byte(1) < 0xa0) return false;  // controls, NEL
      if (i + 2 >= part.size()) continue;
      // Line and paragraph separators, the byte order mark, U+FFFE and U+FFFF.
      if (byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9)) return false;
      if (byte(0) == 0xef && byte(1) == 0xbb && byte(2) == 0xbf) return false;
      if (byte(0) == 0xef && byte(1) == 0xbf && byte(2) >= 0xbe) return false;
    }
    return true;
  }

  /// `|` or `|-`, and the lines below it that stand further in than what holds it.
  bool literal() {
    const std::uint32_t first = lineNumber_;
    ++at_;
    const bool strip = peek() == '-';
    if (strip) ++at_;
    if (!endLine()) return false;
    const std::size_t outer = open_.back().indent;
    const std::size_t start = doc_.chars_.size();
    std::size_t indent = 0;
    bool blank = true;  // no line yet, or an empty one: none may be first or last
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      while (peek() == ' ' && (indent == 0 || at_ - begin < indent)) ++at_;
      const std::size_t spaces = at_ - begin;
      if (peek() == '\n' && (spaces != 0 || indent == 0)) return false;
      if (indent == 0) {
        if (spaces <= outer || peek() == '\t') return false;
        indent = spaces;
      } else if (peek() != '\n' && spaces < indent) {
        at_ = begin;
        break;
      }
      blank = peek() == '\n';
      const std::size_t end = text_.find('\n', at_) + 1;
      doc_.chars_ += text_.substr(at_, end - at_);
      at_ = end;
      ++lineNumber_;
    }
    if (blank) return false;
    if (strip) doc_.chars_.pop_back();
    Scalar scalar;
    return copied(scalar, start) && sound(view(scalar), true) && put(scalar, first);
  }

  /// `[a, "b"]` of scalars.
  bool flow() {
    ++at_;
    if (!begin(YamlKind::List, kFlow)) return false;
    if (peek() != ']') {
      while (true) {
        Scalar item;
        if (peek() == '"'    ? !doubleQuoted(item)
            : peek() == '\'' ? !singleQuoted(item)
                             : !flowWord(item)) {
          return false;
        }
        if (!put(item)) return false;
        if (peek() != ',') break;
        ++at_;
        if (peek() != ' ') return false;
        ++at_;
      }
      if (peek() != ']') return false;
    }
    ++at_;
    return close() && endLine();
  }

  bool flowWord(Scalar& out) {
    const std::size_t begin = at_;
    if (!is(peek(), kWordStart)) return false;
    while (is(peek(), kWord)) ++at_;
    out = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_ - begin), true, false};
    return true;
  }

  // ---- nodes
  /// A new node, hung where it belongs.
  Slot* place(std::uint32_t line) {
    if (doc_.slots_.size() > limits_.nodes) return nullptr;
    const auto index = static_cast<std::uint32_t>(doc_.slots_.size());
    Slot& slot = doc_.slots_.emplace_back();
    slot.line = line;
    if (open_.empty()) {
      doc_.roots_.push_back(index);
      return &slot;
    }
    Frame& parent = open_.back();
    if (parent.isMap) {
      slot.keyBegin = key_.begin;
      slot.keySize = static_cast<std::uint16_t>(key_.size);
      if (key_.copied) slot.marks |= YamlDocument::kKeyCopied;
      pendingKey_ = false;
    }
    if (parent.last != YamlDocument::kNone) doc_.slots_[parent.last].next = index;
    parent.last = index;
    ++doc_.slots_[parent.slot].size;
    return &slot;
  }
  bool put(const Scalar& scalar) { return put(scalar, lineNumber_); }
  bool put(const Scalar& scalar, std::uint32_t line) {
    Slot* slot = place(line);
    if (slot == nullptr) return false;
    slot->begin = scalar.begin;
    slot->size = scalar.size;
    if (scalar.bare) slot->marks |= YamlDocument::kBare;
    if (scalar.copied) slot->marks |= YamlDocument::kCopied;
    return true;
  }
  bool begin(YamlKind kind, std::size_t indent) {
    if (open_.size() >= limits_.depth) return false;
    Slot* slot = place(lineNumber_);
    if (slot == nullptr) return false;
    slot->kind = kind;
    open_.push_back({static_cast<std::uint32_t>(doc_.slots_.size() - 1), YamlDocument::kNone,
                     indent, kind == YamlKind::Map});
    return true;
  }
  /// Ends the innermost container.
  bool close() {
    const Frame frame = open_.back();
    open_.pop_back();
    return !frame.isMap || !doc_.twice(frame.slot);
  }

  static constexpr std::size_t kFlow = 0;  ///< indent of what begins and ends on one line

  YamlDocument& doc_;
  std::string_view text_;
  const YamlLimits& limits_;
  Survey survey_;
  std::size_t at_ = 0;
  std::uint32_t lineNumber_ = 0;
  std::vector<Frame> open_;
  Scalar key_;
  bool pendingKey_ = false;  ///< the innermost map has a key without its value
};

bool YamlDocument::readPlain(std::string_view text, const YamlLimits& limits) {
  clear();
  if (text.size() > std::min(limits.bytes, kMaxBytes)) return false;
  text_ = text;
  if (PlainYamlReader(*this, limits).run()) return true;
  clear();
  return false;
}

}  // namespace couler::backends
