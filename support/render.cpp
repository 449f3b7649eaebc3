#include "support/render.h"

#include <algorithm>
#include <bit>
#include <map>

#include <fmt/format.h>

#include "support/text.h"

namespace couler {
namespace {

constexpr std::size_t kMaxColumns = 200;

struct Style {
  bool on;
  [[nodiscard]] std::string operator()(const char* code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};
constexpr const char* kBold = "1";
constexpr const char* kBlue = "1;34";
constexpr const char* kGreen = "1;32";

const char* colourOf(Severity severity) {
  switch (severity) {
    case Severity::Error:
      return "1;31";
    case Severity::Warning:
      return "1;33";
    case Severity::Remark:
      return "1;36";
  }
  return kBold;
}

/// A piece of a source line as it is shown: tabs as one space, control characters as `\x07`; plus
/// how many columns the bytes before `mark` and up to `markEnd` take.
struct Shown {
  std::string text;
  std::size_t markColumn = 0;
  std::size_t markWidth = 0;
};
Shown show(std::string_view line, std::size_t mark, std::size_t markEnd) {
  std::size_t from = 0;
  std::size_t to = line.size();
  Shown shown;
  if (line.size() > kMaxColumns) {  // cut round the mark
    from = mark > kMaxColumns / 2 ? mark - kMaxColumns / 2 : 0;
    while (from > 0 && isUtf8Tail(line[from])) --from;
    to = std::min(line.size(), from + kMaxColumns);
    while (to < line.size() && isUtf8Tail(line[to])) ++to;
  }
  if (from > 0) shown.text = "…";
  std::size_t columns = from > 0 ? 1 : 0;
  std::size_t markEndColumn = columns;
  std::size_t soundUntil = from;  // the bytes before it are well-formed UTF-8
  shown.markColumn = columns;
  for (std::size_t i = from; i < to; ++i) {
    if (i == mark) shown.markColumn = columns;
    if (i == markEnd) markEndColumn = columns;
    const char c = line[i];
    if (i >= soundUntil && static_cast<unsigned char>(c) >= 0xC0) {
      const auto length = static_cast<std::size_t>(std::countl_one(static_cast<unsigned char>(c)));
      if (!findInvalidUtf8(line.substr(i, length))) soundUntil = i + length;
    }
    if (c == '\t') {
      shown.text += ' ';
      ++columns;
    } else if (isControl(c) || (i >= soundUntil && static_cast<unsigned char>(c) >= 0x80)) {
      shown.text += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      columns += 4;
    } else {
      shown.text += c;
      if (!isUtf8Tail(c)) ++columns;
    }
  }
  if (mark >= to) shown.markColumn = columns;
  if (markEnd >= to) markEndColumn = columns;
  if (to < line.size()) shown.text += "…";
  shown.markWidth =
      markEndColumn > shown.markColumn ? markEndColumn - shown.markColumn : std::size_t{1};
  return shown;
}

class HumanRenderer {
 public:
  HumanRenderer(const SourceManager& sources, bool colour) : sources_(sources), style_{colour} {}

  void add(const Diagnostic& d) {
    out_ += style_(colourOf(d.severity), fmt::format("{}[{}]", wordOf(d.severity), d.code()));
    out_ += style_(kBold, ": " + d.message) + "\n";
    const std::size_t gutter = gutterWidth(d);
    FileId shownFile;
    if (d.at.valid()) {
      place("-->", d.at, gutter);
      shownFile = d.at.file;
      excerpt(d.at, d.caret, '^', colourOf(d.severity), gutter);
    }
    for (const Label& label : d.labels) {
      if (!label.at.valid()) {
        out_ += fmt::format("{:{}} = {}\n", "", gutter, label.text);
        continue;
      }
      if (label.at.file != shownFile) {
        place(":::", label.at, gutter);
        shownFile = label.at.file;
      }
      excerpt(label.at, label.text, '-', kBlue, gutter);
    }
    for (const std::string& note : d.notes) line(gutter, style_(kBold, "note"), note);
    for (const Fix& fix : d.fixes) line(gutter, style_(kGreen, "fix"), fix.title);
    out_ += "\n";
    counts_[d.severity]++;
  }

  std::string finish() {
    if (out_.empty()) return out_;
    std::string summary;
    for (const auto& [severity, n] : counts_) {
      if (severity == Severity::Remark) continue;
      if (!summary.empty()) summary += ", ";
      summary += style_(colourOf(severity), countOf(n, wordOf(severity)));
    }
    if (!summary.empty()) out_ += summary + "\n";
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::size_t gutterWidth(const Diagnostic& d) const {
    std::uint32_t most = 1;
    const auto look = [&](Span at) {
      if (at.valid()) most = std::max(most, sources_.lineColumn(at.file, at.begin).line);
    };
    look(d.at);
    for (const Label& label : d.labels) look(label.at);
    return std::max<std::size_t>(2, fmt::formatted_size("{}", most)) + 1;
  }
  void line(std::size_t gutter, std::string_view what, std::string_view text) {
    out_ += fmt::format("{:{}} {} {}: ", "", gutter, style_(kBlue, "="), what);
    for (const char c : text) {
      out_ += c;
      if (c == '\n') out_.append(gutter + 3, ' ');
    }
    out_ += '\n';
  }
  void place(std::string_view arrow, Span at, std::size_t gutter) {
    const LineColumn where = sources_.lineColumn(at.file, at.begin);
    out_ += fmt::format("{:{}}{} {}:{}:{}\n", "", gutter - 1, style_(kBlue, arrow),
                        sources_.path(at.file), where.line, where.column);
  }
  void excerpt(Span at, std::string_view text, char mark, const char* colour, std::size_t gutter) {
    const std::uint32_t number = sources_.lineColumn(at.file, at.begin).line;
    const std::string_view source = sources_.line(at.file, number);
    const std::size_t begin = at.begin - sources_.lineStart(at.file, number);
    const Shown shown = show(source, begin, begin + at.size());
    out_ +=
        fmt::format("{} {}\n", style_(kBlue, fmt::format("{:>{}} |", number, gutter)), shown.text);
    std::string carets(shown.markWidth, mark);
    if (!text.empty()) carets += fmt::format(" {}", text);
    out_ += fmt::format("{} {:{}}{}\n", style_(kBlue, fmt::format("{:{}} |", "", gutter)), "",
                        shown.markColumn, style_(colour, carets));
  }

  const SourceManager& sources_;
  Style style_;
  std::string out_;
  std::map<Severity, std::size_t> counts_;
};

}  // namespace

std::string renderHuman(const std::vector<Diagnostic>& diagnostics, const SourceManager& sources,
                        bool colour) {
  HumanRenderer renderer(sources, colour);
  for (const Diagnostic& d : diagnostics) renderer.add(d);
  return renderer.finish();
}

}  // namespace couler
