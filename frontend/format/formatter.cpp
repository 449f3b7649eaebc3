#include "frontend/format/formatter.h"
#include "support/text.h"

#include <algorithm>
#include <utility>

namespace couler::format {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 4;

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimRight(std::string_view text) {
  while (!text.empty() && (isBlank(text.back()) || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

/// Where the edition line stands: after white space, a byte order mark and comments.
std::uint32_t editionStart(std::string_view text) {
  std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (at < text.size()) {
    if (isBlank(text[at]) || text[at] == '\n') {
      ++at;
    } else if (text.substr(at).starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
    } else {
      break;
    }
  }
  return static_cast<std::uint32_t>(at);
}

}  // namespace

void Formatter::Flat::put(std::string_view piece) {
  if (!ok) return;
  const std::size_t columns = countCodePoints(piece);
  if (columns > room || piece.find('\n') != std::string_view::npos) {
    ok = false;
    return;
  }
  room -= columns;
  text += piece;
}

Formatter::Formatter(const SourceManager& sources, const syntax::Tree& tree)
    : sources_(sources), tree_(tree), text_(sources.text(tree.file)) {}

std::string Formatter::run() {
  const std::uint32_t edition = editionStart(text_);
  bool first = true;
  commentsBefore(edition, first);
  if (!first) {
    newline();
    if (blankBefore(edition)) blankLine();
  }
  put("couler 1");
  std::uint32_t end = std::min(static_cast<std::uint32_t>(text_.find('\n', edition)),
                               static_cast<std::uint32_t>(text_.size()));
  while (nextComment_ < tree_.comments.size() && tree_.comments[nextComment_].span.begin < end) {
    comment(tree_.comments[nextComment_++], false);
  }
  const syntax::Decl* before = nullptr;
  bool beforeOnOneLine = false;
  for (const syntax::Decl* d : tree_.decls) {
    const std::uint32_t start = docStart(d->span.begin);
    newline();
    const std::size_t page = out_.size();
    const std::uint32_t top =
        nextComment_ < tree_.comments.size() && tree_.comments[nextComment_].span.begin < start
            ? tree_.comments[nextComment_].span.begin
            : start;
    bool none = true;
    commentsBefore(start, none);
    if (!none) {
      newline();
      if (blankBefore(start)) blankLine();
    }
    const std::size_t place = out_.size();
    decl(*d);
    trailing(d->span.end);
    // Imports and other one-liners of a kind may stand together; all else stands apart.
    const bool onOneLine = out_.find('\n', place) == std::string::npos;
    const bool together = before != nullptr && before->kind == d->kind && onOneLine &&
                          beforeOnOneLine && !blankBefore(top);
    if (!together) out_.insert(page, 1, '\n');
    before = d;
    beforeOnOneLine = onOneLine;
  }
  if (nextComment_ < tree_.comments.size()) {
    newline();
    if (tree_.decls.empty() || blankBefore(tree_.comments[nextComment_].span.begin)) blankLine();
    bool none = true;
    commentsBefore(static_cast<std::uint32_t>(text_.size()), none);
  }
  return std::string(trimRight(out_)) + "\n";
}

void Formatter::put(std::string_view text) {
  if (text.empty()) return;
  if (out_.empty() || out_.back() == '\n') out_.append(indent_ * kIndent, ' ');
  out_ += text;
}

void Formatter::newline() {
  while (!out_.empty() && out_.back() == ' ') out_.pop_back();
  if (!out_.empty() && out_.back() != '\n') out_ += '\n';
}

void Formatter::blankLine() {
  newline();
  if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
}

std::size_t Formatter::column() const {
  if (out_.empty() || out_.back() == '\n') return indent_ * kIndent;
  const std::size_t line = out_.rfind('\n');
  return countCodePoints(std::string_view(out_).substr(line == std::string::npos ? 0 : line + 1));
}

std::size_t Formatter::room(std::size_t reserve) const {
  const std::size_t used = column() + reserve;
  return used >= kWidth ? 0 : kWidth - used;
}

std::string_view Formatter::source(Span span) const {
  return text_.substr(span.begin, span.end - span.begin);
}

/// Whether a blank line stands before the line that `at` is in.
bool Formatter::blankBefore(std::uint32_t at) const {
  int newlines = 0;
  while (at > 0 && (isBlank(text_[at - 1]) || text_[at - 1] == '\n')) {
    if (text_[at - 1] == '\n') ++newlines;
    --at;
  }
  return newlines > 1;
}

/// Where the doc comment of what begins at `at` begins.
std::uint32_t Formatter::docStart(std::uint32_t at) const {
  for (;;) {
    std::size_t end = at;  // back to the end of the line before
    while (end > 0 && isBlank(text_[end - 1])) --end;
    if (end == 0 || text_[end - 1] != '\n') return at;
    std::size_t line = end - 1;
    while (line > 0 && text_[line - 1] != '\n') --line;
    while (line < end && isBlank(text_[line])) ++line;
    const std::string_view rest = text_.substr(line, end - line);
    if (!rest.starts_with("///") || rest.starts_with("////")) return at;
    at = static_cast<std::uint32_t>(line);
  }
}

bool Formatter::hasComment(std::uint32_t begin, std::uint32_t end) const {
  const auto found = std::lower_bound(
      tree_.comments.begin() + static_cast<std::ptrdiff_t>(nextComment_), tree_.comments.end(),
      begin, [](const syntax::Comment& c, std::uint32_t at) { return c.span.begin < at; });
  return found != tree_.comments.end() && found->span.begin < end;
}

void Formatter::comment(const syntax::Comment& c, bool ownLine, bool elsewhere) {
  std::string text(trimRight(source(c.span)));
  // A `///` beside code is a plain comment, and must stay one on a line of its own.
  if (ownLine && (elsewhere || !c.ownLine) && text.starts_with("///") && !text.starts_with("////"))
    text.erase(0, 1);
  if (ownLine) {
    newline();
  } else {
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    out_ += "  ";
  }
  put(text);
}

/// Writes the comments that stand before `at`, each on a line of its own.
void Formatter::commentsBefore(std::uint32_t at, bool& first) {
  while (nextComment_ < tree_.comments.size() && tree_.comments[nextComment_].span.begin < at) {
    const syntax::Comment& c = tree_.comments[nextComment_++];
    newline();
    const bool elsewhere = c.span.begin < written_;
    moved_ = moved_ || elsewhere || !c.ownLine;
    if (!first && !elsewhere && c.ownLine && blankBefore(c.span.begin)) blankLine();
    comment(c, true, elsewhere);
    first = false;
  }
}

/// Writes the comment beside what ended at `from`, if one stands there.
void Formatter::trailing(std::uint32_t from) {
  written_ = std::max(written_, from);
  if (nextComment_ >= tree_.comments.size()) return;
  const syntax::Comment& c = tree_.comments[nextComment_];
  if (c.ownLine || c.span.begin < from) return;
  for (std::uint32_t at = from; at < c.span.begin; ++at) {
    const char between = text_[at];
    if (!isBlank(between) && between != ',' && between != ';') return;
  }
  ++nextComment_;
  comment(c, false);
}

void Formatter::doc(std::string_view text) {
  if (text.empty()) return;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    newline();
    put("///");
    if (!line.empty()) {
      put(" ");
      put(line);
    }
    at = end + 1;
  }
  newline();
}

/// Items one a line, with their comments and blank lines. The opening bracket has been written.
void Formatter::items(std::vector<Item> list, std::string_view separator, std::uint32_t bodyBegin,
                      std::uint32_t bodyEnd) {
  trailing(bodyBegin);
  ++indent_;
  bool first = true;
  for (const Item& item : list) {
    const std::uint32_t start = item.documented ? docStart(item.begin) : item.begin;
    commentsBefore(start, first);
    newline();
    if (!first && blankBefore(start)) blankLine();
    item.write();
    put(separator);
    trailing(item.end);
    first = false;
  }
  commentsBefore(bodyEnd, first);
  newline();
  --indent_;
}

void Formatter::braced(std::vector<Item> list, std::string_view separator, Span braces) {
  put("{");
  body(std::move(list), separator, braces);
}

/// What stands in braces, after the opening one. One item written on one line stays there.
void Formatter::body(std::vector<Item> list, std::string_view separator, Span braces) {
  const bool comments = hasComment(braces.begin, braces.end);
  if (list.empty() && !comments) {
    put("}");
    return;
  }
  if (list.size() == 1 && !comments && source(braces).find('\n') == std::string_view::npos) {
    const std::size_t mark = out_.size();
    const std::size_t comment = nextComment_;
    put(" ");
    list[0].write();
    put(" }");
    if (out_.find('\n', mark) == std::string::npos && column() <= kWidth) return;
    out_.resize(mark);
    nextComment_ = comment;
  }
  items(std::move(list), separator, braces.begin + 1, braces.end - 1);
  put("}");
}

}  // namespace couler::format
