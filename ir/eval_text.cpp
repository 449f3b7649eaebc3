#include <algorithm>
#include <limits>

#include "ir/eval_internal.h"
#include "support/text.h"

namespace couler::ir::eval {

namespace {

/// The code point at `at`, which moves past it. Values are UTF-8; should one not be, its bytes
/// count as they are.
char32_t decode(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  char32_t code = more == 0 ? first : first & (0x3fU >> more);
  for (; more > 0 && at < text.size() && isUtf8Tail(text[at]); --more) {
    code = (code << 6) | (static_cast<unsigned char>(text[at++]) & 0x3f);
  }
  return code;
}

template <class F>
std::string mapCodePoints(std::string_view text, F&& change) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) appendUtf8(out, change(decode(text, at)));
  return out;
}

/// White_Space of Unicode.
bool isSpace(char32_t c) {
  return c == ' ' || (c >= 0x9 && c <= 0xd) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!isSpace(decode(text, at))) continue;
    if (here > start) result.push_back(text.substr(start, here - start));
    if (result.size() > kMaxItems) break;
    start = at;
  }
  if (start < text.size()) result.push_back(text.substr(start));
  return result;
}

}  // namespace

std::string_view trim(std::string_view text) {
  std::size_t from = text.size();
  std::size_t to = text.size();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (isSpace(decode(text, at))) continue;
    from = std::min(from, here);
    to = at;
  }
  return text.substr(from, to - from);
}

namespace {

EvalResult textList(const std::vector<std::string_view>& parts) {
  if (parts.size() > kMaxItems) return tooLong(parts.size());  // readers stop at one more
  ListItems items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.emplace_back(std::string(part));
  return Value::list(std::move(items));
}

EvalResult split(std::string_view text, std::string_view by) {
  if (by.empty()) return fail("`split` by an empty text");
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos || parts.size() > kMaxItems) return textList(parts);
    text.remove_prefix(end + by.size());
  }
}

EvalResult lines(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty() && parts.size() <= kMaxItems) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    parts.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return textList(parts);
}

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

EvalResult replace(std::string_view text, std::string_view part, std::string_view with) {
  if (part.empty()) return fail("`replace` of an empty text");
  const std::size_t count = occurrences(text, part);
  if (with.size() > part.size() && count > kMaxText / with.size()) return textTooLong();
  std::string out;
  out.reserve(text.size() - count * part.size() + count * with.size());
  for (;;) {
    const std::size_t end = text.find(part);
    out += text.substr(0, end);
    if (end == std::string_view::npos) return textResult(std::move(out));
    out += with;
    text.remove_prefix(end + part.size());
  }
}

EvalResult repeat(std::string_view text, std::int64_t n) {
  if (n < 0) return fail("`repeat` of {} times", n);
  if (text.empty()) return Value(std::string());
  if (static_cast<std::uint64_t>(n) > kMaxText / text.size()) return textTooLong();
  std::string out;
  out.reserve(text.size() * static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) out += text;
  return Value(std::move(out));
}

EvalResult substring(const std::string& text, std::int64_t from, std::int64_t to) {
  if (from < 0 || to < 0)
    return fail("`substring` from {} to {}: neither may be negative", from, to);
  const std::size_t first = codePointOffset(text, static_cast<std::uint64_t>(from));
  if (to <= from) return Value(std::string());
  const std::string_view rest = std::string_view(text).substr(first);
  const std::size_t size = codePointOffset(rest, static_cast<std::uint64_t>(to - from));
  return Value(std::string(rest.substr(0, size)));
}

EvalResult pad(const std::string& text, std::int64_t width, std::string_view with, bool left) {
  if (countCodePoints(with) != 1) {
    return fail("`{}` with `{}`, which is not one code point", left ? "pad_left" : "pad_right", with);
  }
  const std::size_t have = countCodePoints(text);
  if (width <= static_cast<std::int64_t>(have)) return Value(text);
  EvalResult fill = repeat(with, width - static_cast<std::int64_t>(have));
  if (std::holds_alternative<EvalError>(fill)) return fill;
  const std::string& padding = *std::get<Value>(fill).as<std::string>();
  return textResult(left ? padding + text : text + padding);
}

std::string reversed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t end = text.size(); end > 0;) {
    std::size_t start = end - 1;
    while (start > 0 && isUtf8Tail(text[start])) --start;
    out += text.substr(start, end - start);
    end = start;
  }
  return out;
}

template <class F>
EvalResult concat(std::size_t count, F&& part) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    total += part(i).size();
    if (total > kMaxText) return textTooLong();
  }
  std::string out;
  out.reserve(total);
  for (std::size_t i = 0; i < count; ++i) out += part(i);
  return Value(std::move(out));
}

EvalResult join(const Operands& in) {
  const ListItems& parts = in.list(0);
  const std::string& by = in.text(1);
  if (parts.empty()) return Value(std::string());
  // Every second piece is the separator.
  return concat(parts.size() * 2 - 1, [&](std::size_t i) -> const std::string& {
    return i % 2 == 0 ? in.item<std::string>(parts[i / 2]) : by;
  });
}

std::string_view pathOf(const Operands& in) {
  if (const FileRef* file = in[0].as<FileRef>()) return file->path;
  return in.text(0);
}

struct PathParts {
  std::string_view parent, base;
};
PathParts parts(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (path == "/") return {path, {}};
  if (slash == std::string_view::npos) return {{}, path};
  std::string_view parent = path.substr(0, slash);
  while (parent.size() > 1 && parent.back() == '/') parent.remove_suffix(1);
  return {parent.empty() ? path.substr(0, 1) : parent, path.substr(slash + 1)};
}

/// Where the extension begins: its dot. A name that begins with its only dot has none, nor have `.`
/// and `..`.
std::size_t extensionAt(std::string_view base) {
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || base == "..") return base.size();
  return dot;
}

bool applyPaths(Builtin op, const Operands& in, EvalResult& out) {
  const auto give = [&](std::string_view text) {
    out = Value(std::string(text));
    return true;
  };
  switch (op) {
    case Builtin::MakeFile:
    case Builtin::MakeDir:
      if (in.text(0).empty() || in.text(0).find('\0') != std::string::npos) {
        out = fail("`{}` is not a path", in.text(0));
      } else {
        out = Value(FileRef{in.text(0), {}, op == Builtin::MakeDir});
      }
      return true;
    case Builtin::Basename:
      return give(parts(pathOf(in)).base);
    case Builtin::Parent:
      return give(parts(pathOf(in)).parent);
    case Builtin::Stem: {
      const std::string_view base = parts(pathOf(in)).base;
      return give(base.substr(0, extensionAt(base)));
    }
    case Builtin::Extension: {
      const std::string_view base = parts(pathOf(in)).base;
      return give(base.substr(extensionAt(base)));
    }
    default:
      return false;
  }
}

}  // namespace

bool applyText(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::AddString:
    case Builtin::Concat:
      out = concat(in.count(), [&](std::size_t i) -> const std::string& { return in.text(i); });
      return true;
    case Builtin::LengthString:
      out = Value(static_cast<std::int64_t>(countCodePoints(in.text(0))));
      return true;
    case Builtin::Lower:
      out = textResult(mapCodePoints(in.text(0), toLower));
      return true;
    case Builtin::Upper:
      out = textResult(mapCodePoints(in.text(0), toUpper));
      return true;
    case Builtin::Trim:
      out = Value(std::string(trim(in.text(0))));
      return true;
    case Builtin::Split:
      out = split(in.text(0), in.text(1));
      return true;
    case Builtin::SplitSpace:
      out = textList(words(in.text(0)));
      return true;
    case Builtin::Lines:
      out = lines(in.text(0));
      return true;
    case Builtin::Join:
      out = join(in);
      return true;
    case Builtin::Replace:
      out = replace(in.text(0), in.text(1), in.text(2));
      return true;
    case Builtin::InString:
      out = Value(in.text(1).find(in.text(0)) != std::string::npos);
      return true;
    case Builtin::Contains:
      out = Value(in.text(0).find(in.text(1)) != std::string::npos);
      return true;
    case Builtin::StartsWith:
      out = Value(in.text(0).starts_with(in.text(1)));
      return true;
    case Builtin::EndsWith:
      out = Value(in.text(0).ends_with(in.text(1)));
      return true;
    case Builtin::CountText:
      if (in.text(1).empty()) {
        out = fail("`count` of an empty text");
      } else {
        out = Value(static_cast<std::int64_t>(occurrences(in.text(0), in.text(1))));
      }
      return true;
    case Builtin::Substring:
      out = substring(in.text(0), in.integer(1), in.integer(2));
      return true;
    case Builtin::SubstringFrom:
      out = substring(in.text(0), in.integer(1), std::numeric_limits<std::int64_t>::max());
      return true;
    case Builtin::Repeat:
      out = repeat(in.text(0), in.integer(1));
      return true;
    case Builtin::PadLeft:
      out = pad(in.text(0), in.integer(1), " ", true);
      return true;
    case Builtin::PadLeftWith:
      out = pad(in.text(0), in.integer(1), in.text(2), true);
      return true;
    case Builtin::PadRight:
      out = pad(in.text(0), in.integer(1), " ", false);
      return true;
    case Builtin::ReverseString:
      out = Value(reversed(in.text(0)));
      return true;
    default:
      return applyPaths(op, in, out);
  }
}

}  // namespace couler::ir::eval
