#include "frontend/format/format.h"

#include <algorithm>

#include "frontend/parse/parse.h"
#include "lsp/features/features.h"

namespace couler::lsp {
namespace {

std::optional<std::string> formatted(std::string_view text) {
  SourceManager sources;
  DiagnosticList problems;
  const FileId file = sources.add("document", std::string(text));
  const auto tree = parseFile(sources, file, problems);
  if (problems.hasErrors()) return std::nullopt;
  return formatTree(sources, *tree);
}

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

/// Lines `from` up to `to` of the old text become `text`.
struct Change {
  std::size_t from, to;
  std::string text;
};

/// What differs, by runs of lines: a greedy walk that looks for the next equal line nearby. Exact
/// (the changes make one of the other), not always the least.
std::vector<Change> changes(const std::vector<std::string_view>& a,
                            const std::vector<std::string_view>& b) {
  constexpr std::size_t kLook = 400;
  std::vector<Change> result;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i;
      ++j;
      continue;
    }
    std::size_t di = a.size() - i;
    std::size_t dj = b.size() - j;
    for (std::size_t sum = 1; sum < kLook && sum < (a.size() - i) + (b.size() - j); ++sum) {
      bool found = false;
      for (std::size_t x = 0; x <= sum && !found; ++x) {
        if (i + x >= a.size() || j + (sum - x) >= b.size()) continue;
        if (a[i + x] != b[j + (sum - x)]) continue;
        di = x;
        dj = sum - x;
        found = true;
      }
      if (found) break;
    }
    Change change{i, i + di, {}};
    for (std::size_t k = 0; k < dj; ++k) change.text += b[j + k];
    result.push_back(std::move(change));
    i += di;
    j += dj;
  }
  return result;
}

Json edits(std::string_view text, Encoding encoding, std::size_t first, std::size_t last) {
  const auto made = formatted(text);
  if (!made) return nullptr;
  const auto before = linesOf(text);
  const Lines lines(text);
  Json result = Json::array();
  std::vector<std::uint32_t> starts{0};
  for (const std::string_view line : before) {
    starts.push_back(starts.back() + static_cast<std::uint32_t>(line.size()));
  }
  for (const Change& change : changes(before, linesOf(*made))) {
    if (change.to < first || change.from > last) continue;
    const Range range{lines.position(text, starts[change.from], encoding),
                      lines.position(text, starts[change.to], encoding)};
    result.push_back({{"range", toJson(range)}, {"newText", change.text}});
  }
  return result;
}

}  // namespace

Json formatting(std::string_view text, Encoding encoding, const Json& /*params*/) {
  return edits(text, encoding, 0, static_cast<std::size_t>(-1));
}

Json rangeFormatting(std::string_view text, Encoding encoding, const Json& params) {
  const Json range = params.value("range", Json::object());
  return edits(text, encoding, positionIn(range.value("start", Json())).line,
               positionIn(range.value("end", Json())).line);
}

}  // namespace couler::lsp
