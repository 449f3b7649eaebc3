#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/strong_id.h"

namespace couler {

using FileId = StrongId<struct FileTag>;

/// A half-open range of bytes `[begin, end)` in one file. `file` is invalid for what has no place
/// in any source (a value from the command line, say).
struct Span {
  FileId file;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] bool valid() const { return file.valid(); }
  [[nodiscard]] std::uint32_t size() const { return end - begin; }
  friend constexpr auto operator<=>(const Span&, const Span&) = default;
};

/// The smallest span that covers both; they must lie in one file (an invalid one is ignored).
[[nodiscard]] Span cover(Span a, Span b);

/// A place as people count: both from 1; `column` counts code points, a tab as one.
struct LineColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

/// Owns the text of every file of a compilation. Texts never move once added, so a
/// `std::string_view` into one stays good as long as the manager lives.
class SourceManager {
 public:
  SourceManager() = default;
  SourceManager(const SourceManager&) = delete;
  SourceManager& operator=(const SourceManager&) = delete;

  /// `path` is what diagnostics print; `text` is UTF-8 (checked by the parser, not here).
  FileId add(std::string path, std::string text);

  [[nodiscard]] std::size_t count() const { return files_.size(); }
  [[nodiscard]] std::string_view path(FileId id) const;
  [[nodiscard]] std::string_view text(FileId id) const;
  [[nodiscard]] std::string_view text(Span span) const;
  /// O(log lines); the first call for a file is O(bytes).
  [[nodiscard]] LineColumn lineColumn(FileId id, std::uint32_t offset) const;
  /// Line `line` (from 1) without its newline; empty past the end.
  [[nodiscard]] std::string_view line(FileId id, std::uint32_t line) const;
  /// Byte offset at which line `line` (from 1) begins.
  [[nodiscard]] std::uint32_t lineStart(FileId id, std::uint32_t line) const;

 private:
  struct File {
    std::string path;
    std::string text;
    mutable std::vector<std::uint32_t> lineStarts;
  };
  const std::vector<std::uint32_t>& lineStarts(const File& file) const;
  std::deque<File> files_;
};

}  // namespace couler
