#include "backends/yaml_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "support/text.h"

namespace couler::backends {
namespace {

constexpr std::size_t kFlushAt = std::size_t{1} << 16;

/// What a byte may be in bare text.
enum ByteClass : std::uint8_t {
  kWord = 1,       ///< anywhere in bare text
  kWordStart = 2,  ///< first in it
  kAfterGap = 4    ///< in it after a colon or space
};
constexpr std::array<std::uint8_t, 256> kByteClass = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool digit = byte >= '0' && byte <= '9';
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    unsigned found = 0;
    if (letter || byte == '/') found |= kWordStart;
    if (letter || digit || byte == '/') found |= kWord | kAfterGap;
    if (byte == '_' || byte == '-' || byte == '.' || byte == '+') found |= kWord;
    table[byte] = static_cast<std::uint8_t>(found);
  }
  return table;
}();
unsigned classOf(char c) { return kByteClass[static_cast<unsigned char>(c)]; }

// Words that some reader takes for a truth value, nothing or a number.
bool isReserved(std::string_view text) {
  constexpr std::array<std::string_view, 12> kWords = {
      "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"};
  if (text.size() > 8) return false;
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const auto same = [&](char a, char b) { return lower(a) == b; };
  if (std::string_view("fnioty").find(lower(text.front())) == std::string_view::npos) return false;
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return word.size() == text.size() && std::equal(text.begin(), text.end(), word.begin(), same);
  });
}

// Bare text begins with a letter, so no number, date, tag, anchor or indicator can be meant.
bool isBare(std::string_view text) {
  if (text.empty() || (classOf(text.front()) & kWordStart) == 0) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((classOf(c) & kWord) != 0) [[likely]]
      continue;
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if ((c == ':' || c == ' ') && (classOf(next) & kAfterGap) != 0) continue;
    return false;
  }
  return !isReserved(text);
}

/// What text asks of the quotes round it.
struct Needs {
  bool nonAscii = false;
  bool escapes = false;  ///< a double quote or a backslash
  bool control = false;
};

/// Eight bytes at a time: most of a large manifest is expressions in quotes.
Needs needsOf(std::string_view text) {
  constexpr std::uint64_t kHigh = 0x8080808080808080ULL;
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  std::uint64_t high = 0, control = 0, escapes = 0;
  // Top bits: where a byte of `low`, which has none, is `c`.
  const auto where = [](std::uint64_t low, char c) {
    return ~((low ^ (kOnes * static_cast<unsigned char>(c))) + kOnes * 0x7f);
  };
  const auto look = [&](std::uint64_t word) {
    const std::uint64_t low = word & ~kHigh;
    high |= word;
    control |= ~(low + kOnes * 0x60) | (low + kOnes);  // below a space, or DEL
    escapes |= where(low, '"') | where(low, '\\');
  };
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    look(word);
  }
  if (i < text.size()) {
    std::uint64_t word = kOnes * 'a';
    std::memcpy(&word, text.data() + i, text.size() - i);
    look(word);
  }
  // Bytes of 0x80 and more may look like any of these: then one at a time.
  Needs needs{(high & kHigh) != 0, (escapes & kHigh) != 0, (control & kHigh) != 0};
  if (!needs.nonAscii) return needs;
  needs.escapes = needs.control = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    needs.escapes = needs.escapes || c == '"' || c == '\\';
    needs.control = needs.control || byte < 0x20 || byte == 0x7f;
  }
  return needs;
}

struct CodePoint {
  std::uint32_t value;
  std::size_t size;
};

// Pre: well-formed UTF-8.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xe0) return {((first & 0x1fU) << 6U) | (byte(1) & 0x3fU), 2};
  if (first < 0xf0) {
    return {((first & 0x0fU) << 12U) | ((byte(1) & 0x3fU) << 6U) | (byte(2) & 0x3fU), 3};
  }
  return {((first & 0x07U) << 18U) | ((byte(1) & 0x3fU) << 12U) | ((byte(2) & 0x3fU) << 6U) |
              (byte(3) & 0x3fU),
          4};
}

// Control characters, NEL, no-break space (hard to see), line and paragraph separators, the byte
// order mark and non-characters; readers fold, drop or refuse these when they are not escaped.
bool mustEscape(std::uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0xa0)) return true;
  return c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffeU) == 0xfffeU;
}

void appendDoubleQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = decode(text.substr(i));
    if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (mustEscape(c.value)) {
      if (c.value < 0x100) {
        out += fmt::format("\\x{:02x}", c.value);
      } else if (c.value < 0x10000) {
        out += fmt::format("\\u{:04x}", c.value);
      } else {
        out += fmt::format("\\U{:08x}", c.value);
      }
    } else {
      out += text.substr(i, c.size);
    }
    i += c.size;
  }
  out += '"';
}

std::string repaired(std::string_view text) {
  std::string out;
  while (const auto bad = findInvalidUtf8(text)) {
    out += text.substr(0, *bad);
    out += "\xef\xbf\xbd";
    text.remove_prefix(*bad + 1);
  }
  out += text;
  return out;
}

}  // namespace

void appendYamlScalar(std::string& out, std::string_view text) {
  if (isBare(text)) {
    out += text;
    return;
  }
  const Needs needs = needsOf(text);
  bool control = needs.control;
  std::string fixed;
  if (needs.nonAscii) {
    if (findInvalidUtf8(text)) {
      fixed = repaired(text);
      text = fixed;
    }
    for (std::size_t i = 0; i < text.size() && !control;) {
      const CodePoint c = decode(text.substr(i));
      control = mustEscape(c.value);
      i += c.size;
    }
  }
  if (!needs.escapes && !control) {
    out += '"';
    out += text;
    out += '"';
  } else if (!control) {
    out += '\'';
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\'', at), text.size() - 1) + 1;
      out += text.substr(at, end - at);
      if (out.back() == '\'') out += '\'';
      at = end;
    }
    out += '\'';
  } else {
    appendDoubleQuoted(out, text);
  }
}

bool fitsBlockLiteral(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || findInvalidUtf8(text)) return false;
  // A first line that begins with white space would need an indentation indicator; more than one
  // final newline the `+` mark, which depends on what follows.
  if (text.front() == ' ' || text.front() == '\n' || text.front() == '\t') return false;
  if (text.ends_with("\n\n")) return false;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = decode(text.substr(i));
    if (c.value != '\n' && c.value != '\t' && mustEscape(c.value)) return false;
    i += c.size;
  }
  // Final white space of a line is kept by readers but lost by editors; a last line of white space
  // alone would be taken for indentation.
  for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) {
    if (text[i - 1] == ' ' || text[i - 1] == '\t') return false;
  }
  return text.back() != ' ' && text.back() != '\t';
}

YamlWriter::YamlWriter(TextSink sink, std::size_t depth)
    : sink_(std::move(sink)), base_(depth * 2) {
  buffer_.reserve(kFlushAt + 4096);
}

void YamlWriter::flush() {
  if (!buffer_.empty()) sink_(buffer_);
  given_ += buffer_.size();
  buffer_.clear();
}

void YamlWriter::newLine(std::size_t indent) {
  if (buffer_.size() >= kFlushAt) flush();
  buffer_.append(indent, ' ');
}

void YamlWriter::startItem() {
  Frame& list = frames_.back();
  if (before_ == Before::Key) buffer_ += '\n';
  if (before_ != Before::Dash) newLine(list.indent);
  buffer_ += "- ";
  list.empty = false;
}

void YamlWriter::beforeValue() {
  if (!frames_.empty() && frames_.back().kind == Kind::List) {
    startItem();
  } else if (before_ == Before::Key) {
    buffer_ += ' ';
  }
  before_ = Before::Nothing;
}

void YamlWriter::open(Kind kind) {
  std::size_t indent = base_;
  if (!frames_.empty()) {
    const Frame parent = frames_.back();
    if (parent.kind == Kind::List) {
      startItem();
      before_ = Before::Dash;
    }
    // A list stands under its key, its items' content two further.
    indent = parent.indent + (parent.kind == Kind::Map && kind == Kind::List ? 0 : 2);
  }
  frames_.push_back({kind, true, indent});
}

void YamlWriter::close(std::string_view whenEmpty) {
  if (frames_.back().empty) {
    if (before_ == Before::Key) buffer_ += ' ';
    buffer_ += whenEmpty;
    buffer_ += '\n';
  }
  frames_.pop_back();
  before_ = Before::Nothing;
}

void YamlWriter::beginMap() { open(Kind::Map); }
void YamlWriter::endMap() { close("{}"); }
void YamlWriter::beginList() { open(Kind::List); }
void YamlWriter::endList() { close("[]"); }

void YamlWriter::key(std::string_view name) {
  Frame& frame = frames_.back();
  if (before_ == Before::Key && frame.empty) buffer_ += '\n';
  if (before_ != Before::Dash) newLine(frame.indent);
  frame.empty = false;
  appendYamlScalar(buffer_, name);
  buffer_ += ':';
  before_ = Before::Key;
}

void YamlWriter::string(std::string_view text) {
  beforeValue();
  if (fitsBlockLiteral(text)) {
    const std::size_t indent = frames_.back().indent + 2;
    buffer_ += text.back() == '\n' ? "|\n" : "|-\n";
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end != 0) buffer_.append(indent, ' ');
      buffer_ += text.substr(0, end);
      buffer_ += '\n';
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return;
  }
  appendYamlScalar(buffer_, text);
  buffer_ += '\n';
}

void YamlWriter::number(std::int64_t value) {
  beforeValue();
  buffer_ += fmt::format_int(value).c_str();
  buffer_ += '\n';
}

void YamlWriter::boolean(bool value) {
  beforeValue();
  buffer_ += value ? "true\n" : "false\n";
}

void YamlWriter::flow(std::span<const std::string_view> items) {
  beforeValue();
  buffer_ += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) buffer_ += ", ";
    // A block literal has no place here, and a comma would end a bare item: bare text has none.
    appendYamlScalar(buffer_, items[i]);
  }
  buffer_ += "]\n";
}

void YamlWriter::raw(std::string_view lines) {
  if (!frames_.empty()) {
    if (before_ == Before::Key) buffer_ += '\n';
    frames_.back().empty = false;
  }
  before_ = Before::Nothing;
  if (lines.size() >= kFlushAt) {
    flush();
    sink_(lines);
    given_ += lines.size();
  } else {
    buffer_ += lines;
  }
}

}  // namespace couler::backends
