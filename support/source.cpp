#include "support/source.h"
#include "support/text.h"

#include <algorithm>

namespace couler {

Span cover(Span a, Span b) {
  if (!a.valid()) return b;
  if (!b.valid()) return a;
  return {a.file, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

FileId SourceManager::add(std::string path, std::string text) {
  files_.push_back({std::move(path), std::move(text), {}});
  return FileId(files_.size() - 1);
}

std::string_view SourceManager::path(FileId id) const { return files_[id.index()].path; }
std::string_view SourceManager::text(FileId id) const { return files_[id.index()].text; }

std::string_view SourceManager::text(Span span) const {
  return text(span.file).substr(span.begin, span.size());
}

const std::vector<std::uint32_t>& SourceManager::lineStarts(const File& file) const {
  if (file.lineStarts.empty()) {
    file.lineStarts.push_back(0);
    for (std::size_t at = 0; (at = file.text.find('\n', at)) != std::string::npos;) {
      file.lineStarts.push_back(static_cast<std::uint32_t>(++at));
    }
  }
  return file.lineStarts;
}

LineColumn SourceManager::lineColumn(FileId id, std::uint32_t offset) const {
  const File& file = files_[id.index()];
  const auto& starts = lineStarts(file);
  const auto next = std::upper_bound(starts.begin(), starts.end(), offset);
  const auto line = static_cast<std::uint32_t>(next - starts.begin());
  const std::uint32_t start = starts[line - 1];
  const std::string_view before = std::string_view(file.text).substr(
      start, std::min<std::size_t>(offset, file.text.size()) - start);
  return {line, static_cast<std::uint32_t>(countCodePoints(before)) + 1};
}

std::uint32_t SourceManager::lineStart(FileId id, std::uint32_t line) const {
  const auto& starts = lineStarts(files_[id.index()]);
  return line <= starts.size() ? starts[line - 1]
                               : static_cast<std::uint32_t>(files_[id.index()].text.size());
}

std::string_view SourceManager::line(FileId id, std::uint32_t line) const {
  const std::uint32_t begin = lineStart(id, line);
  std::string_view rest = text(id).substr(begin);
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return rest;
}

}  // namespace couler
