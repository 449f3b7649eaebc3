#include "runtime/column/cut.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/bytes.h"
#include "runtime/column/chunks.h"
#include "runtime/column/csv_scan.h"

namespace couler::column {

CutPoints::CutPoints(std::int64_t begin, std::int64_t least, std::int64_t most)
    : least_(least), most_(most), begin_(begin), last_(begin) {}

void CutPoints::add(RowEnd row, std::uint64_t hash, std::vector<RowEnd>& cuts) {
  const auto cut = [&](RowEnd at) {
    cuts.push_back(at);
    last_ = at.end;
  };
  if (candidate_ && row.end - candidate_->end >= least_) {
    cut(*candidate_);
    candidate_.reset();
  }
  if (candidate_ && hash > candidateHash_) candidate_.reset();
  while (first_ < window_.size() && row.end - window_[first_].end >= least_) ++first_;
  const bool greatest = first_ == window_.size() || hash > window_[first_].hash;
  if (greatest && !candidate_ && row.end - begin_ >= least_) {
    candidate_ = row;
    candidateHash_ = hash;
  }
  while (window_.size() > first_ && window_.back().hash <= hash) window_.pop_back();
  window_.push_back({row.end, hash});
  if (first_ > 1024 && first_ * 2 > window_.size()) {
    window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (row.end - last_ < most_) return;
  cut(candidate_ ? *candidate_ : row);
  candidate_.reset();
}

namespace {

using RowEnd = CutPoints::RowEnd;

constexpr std::size_t kSlice = std::size_t{32} << 10;
constexpr std::size_t kMaxRow = std::size_t{256} << 20;  // what follows a longer one is one range
constexpr std::size_t kHashed = std::size_t{4} << 10;    // of the end of a row

/// Quick, and the same on all machines of one byte order.
std::uint64_t hashRow(std::string_view row) {
  constexpr std::uint64_t kFactor = 0xD6E8FEB86659FD93U;
  if (row.size() > kHashed) row.remove_prefix(row.size() - kHashed);
  std::uint64_t even = 0x9E3779B97F4A7C15U ^ row.size();  // of every other word: two chains, which
  std::uint64_t odd = 0xC2B2AE3D27D4EB4FU;                // a processor goes along at a time
  const auto mix = [](std::uint64_t& hash, const char* bytes, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, size);
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 32U;
  };
  const char* at = row.data();
  std::size_t left = row.size();
  for (; left >= 16; left -= 16, at += 16) {
    mix(even, at, 8);
    mix(odd, at + 8, 8);
  }
  if (left >= 8) mix(even, at, 8);
  if (row.size() >= 8) {
    mix(odd, row.data() + row.size() - 8, 8);  // some of it a second time
  } else {
    mix(odd, at, left);
  }
  const std::uint64_t hash = (even ^ (odd * kFactor)) * kFactor;
  return hash ^ (hash >> 32U);
}

/// How many bytes are line feeds: eight at a time, counted in each of them up to 255 times.
std::int64_t countFeeds(const char* data, std::size_t size) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kLow = 0x7F7F7F7F7F7F7F7FU;
  constexpr std::uint64_t kEven = 0x00FF00FF00FF00FFU;
  std::int64_t count = 0;
  while (size >= 8) {
    const std::size_t words = std::min<std::size_t>(size / 8, 255);
    std::uint64_t each = 0;
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + 8 * i, 8);
      word ^= kOnes * '\n';  // a line feed is 0 now; the high bit says what is not
      each += (~(((word & kLow) + kLow) | word) >> 7U) & kOnes;
    }
    each = (each & kEven) + ((each >> 8U) & kEven);
    count += static_cast<std::int64_t>((each * 0x0001000100010001U) >> 48U);
    data += 8 * words;
    size -= 8 * words;
  }
  return count + std::count(data, data + size, '\n');
}

/// The rows of a file, one after the other, without what is in them.
class RowEnds {
 public:
  RowEnds(std::string path, std::unique_ptr<ByteSource> bytes)
      : chunks_(std::move(path), std::move(bytes)) {}
  virtual ~RowEnds() = default;
  /// Reads what stands before the rows: its size. Nothing where there is none to be read.
  virtual std::optional<std::int64_t> head() = 0;
  /// The next whole row. False at the end, where a row begins that is too long, or after an error.
  virtual bool next(RowEnd& row, std::uint64_t& hash) = 0;
  [[nodiscard]] const std::optional<StreamError>& error() const { return chunks_.error(); }

 protected:
  [[nodiscard]] std::int64_t at(std::size_t offset) const {
    return base_ + static_cast<std::int64_t>(offset);
  }
  bool advance(std::size_t from) {
    base_ += static_cast<std::int64_t>(from);
    return chunks_.advance(from);
  }
  Chunks chunks_;
  std::int64_t rows_ = 0;

 private:
  std::int64_t base_ = 0;  // of the chunk in the file
};

/// As CsvSource finds and counts them.
class CsvRowEnds final : public RowEnds {
 public:
  using RowEnds::RowEnds;

  std::optional<std::int64_t> head() override {
    if (!advance(0)) return std::nullopt;
    const std::string_view text(chunks_.data(), chunks_.size());
    scanned_ = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return std::nullopt;
    if (!scanner_.begin(scanned_, kSlice)) return std::nullopt;
    while (scanner_.rows() == 0) {
      if (!more()) return std::nullopt;
    }
    columns_ = scanner_.rowCells()[0];
    next_ = 1;
    return at(endOf(0));
  }

  bool next(RowEnd& row, std::uint64_t& hash) override {
    while (next_ == scanner_.rows()) {
      if (!more()) return false;
    }
    const std::uint32_t* cells = scanner_.rowCells();
    const std::uint32_t first = next_ == 0 ? 0 : cells[next_ - 1];
    const std::size_t from = static_cast<std::uint32_t>(scanner_.ends()[first] + 1);
    const std::size_t to = endOf(next_);
    const std::string_view text(chunks_.data() + from, to - from);
    const bool empty = cells[next_] - first == 1 && (text == "\n" || text == "\r\n");
    if (!empty || columns_ == 1) ++rows_;  // an empty line is no row
    ++next_;
    row = {at(to), rows_};
    hash = hashRow(text);
    return true;
  }

 private:
  /// The offset after the line feed of a row.
  [[nodiscard]] std::size_t endOf(std::size_t row) const {
    return std::size_t{scanner_.ends()[scanner_.rowCells()[row]]} + 1;
  }
  bool more() {
    next_ = 0;
    const std::size_t open = scanner_.openRow();
    scanner_.consume(0);
    if (chunks_.size() - scanned_ < 64 && !chunks_.ended()) {
      if (scanned_ - std::min(scanned_, open) > kMaxRow) return false;
      scanner_.consume(open);
      scanned_ -= open;
      if (!advance(open)) return false;
    }
    std::size_t size = std::min(chunks_.size() - scanned_, kSlice);
    if (!chunks_.ended()) size -= size % 64;
    if (size == 0 || !scanner_.scan(chunks_.data(), scanned_, size)) return false;
    scanned_ += size;
    return true;
  }

  CsvScanner scanner_;
  std::size_t scanned_ = 0;
  std::size_t next_ = 0;
  std::size_t columns_ = 0;
};

class LineEnds final : public RowEnds {
 public:
  using RowEnds::RowEnds;

  std::optional<std::int64_t> head() override {
    if (!advance(0)) return std::nullopt;
    return 0;
  }

  bool next(RowEnd& row, std::uint64_t& hash) override {
    for (;;) {
      const char* begin = chunks_.data() + from_;
      const std::size_t left = chunks_.size() - from_;
      if (const void* feed = std::memchr(begin, '\n', left)) {
        const std::string_view line(
            begin, static_cast<std::size_t>(static_cast<const char*>(feed) - begin) + 1);
        if (line.find_first_not_of(" \t\r\n") != std::string_view::npos) ++rows_;
        from_ += line.size();
        row = {at(from_), rows_};
        hash = hashRow(line);
        return true;
      }
      if (chunks_.ended() || left > kMaxRow || !advance(from_)) return false;
      from_ = 0;
    }
  }

 private:
  std::size_t from_ = 0;
};

/// Fills in what only the bytes of the ranges tell: digests and line feeds before each.
bool lookInto(const std::string& path, std::vector<FileRange>& ranges, StreamError& error) {
  FileHandle file;
  if (!file.open(path, error)) return false;
  std::vector<char> buffer(std::size_t{256} << 10);
  std::int64_t lines = 0;
  for (FileRange& range : ranges) {
    range.line = lines;
    Hasher hasher = rangeHasher(range);
    const auto feed = [&](std::int64_t from, std::int64_t to, bool counts) {
      while (from < to) {
        const auto size = static_cast<std::size_t>(
            std::min<std::int64_t>(to - from, static_cast<std::int64_t>(buffer.size())));
        if (!file.readAt(from, buffer.data(), size)) return false;
        hasher.update({buffer.data(), size});
        if (counts) lines += countFeeds(buffer.data(), size);
        from += static_cast<std::int64_t>(size);
      }
      return true;
    };
    if (!feed(0, range.head, false) || !feed(range.from, range.to, true)) {
      error = {fmt::format("{}: was changed while it was read", path)};
      return false;
    }
    range.digest = hasher.finish().hex();
  }
  return true;
}

}  // namespace

std::optional<std::vector<FileRange>> cutFile(const std::string& path, std::string_view format,
                                              std::int64_t size, StreamError& error) {
  FileHandle file;
  if (!file.open(path, error)) return std::nullopt;
  std::vector<FileRange> ranges{{0, 0, file.size(), 0, 0, {}}};
  bool packed = false;
  std::unique_ptr<ByteSource> bytes = openBytes(path, error, {}, &packed);
  if (!bytes) return std::nullopt;
  std::unique_ptr<RowEnds> ends;
  if (format == "csv") ends = std::make_unique<CsvRowEnds>(path, std::move(bytes));
  if (format == "jsonl") ends = std::make_unique<LineEnds>(path, std::move(bytes));
  if (ends && !packed) {
    if (const std::optional<std::int64_t> head = ends->head()) {
      ranges[0].head = ranges[0].from = *head;
      CutPoints points(*head, std::max<std::int64_t>(size / 2, 1), std::max<std::int64_t>(size, 1) * 4);
      RowEnd row;
      std::uint64_t hash = 0;
      std::vector<RowEnd> cuts;
      while (ends->next(row, hash)) points.add(row, hash, cuts);
      for (const RowEnd& cut : cuts) {
        if (cut.end >= file.size()) break;
        FileRange rest = ranges.back();
        ranges.back().to = rest.from = cut.end;
        rest.row = cut.rows;
        ranges.push_back(std::move(rest));
      }
    }
    if (ends->error()) {
      error = *ends->error();
      return std::nullopt;
    }
  }
  if (!lookInto(path, ranges, error)) return std::nullopt;
  return ranges;
}

std::string rangesText(const std::vector<FileRange>& ranges) {
  std::string text;
  for (const FileRange& range : ranges) {
    text += fmt::format(
        R"({{"at":{{"head":{},"from":{},"to":{},"row":{},"line":{}}},"digest":"{}"}})"
        "\n",
        range.head, range.from, range.to, range.row, range.line, range.digest);
  }
  return text;
}

std::optional<FileRange> rangeOf(const ir::Value& place, std::string digest) {
  FileRange range;
  range.digest = std::move(digest);
  const std::pair<std::string_view, std::int64_t*> fields[] = {{"head", &range.head},
                                                               {"from", &range.from},
                                                               {"to", &range.to},
                                                               {"row", &range.row},
                                                               {"line", &range.line}};
  if (place.as<ir::RecordValue>() == nullptr) return std::nullopt;
  std::size_t found = 0;
  for (const auto& [name, value] : place.named()) {
    for (const auto& [field, into] : fields) {
      const std::int64_t* number = value.as<std::int64_t>();
      if (field != name || number == nullptr || *number < 0) continue;
      *into = *number;
      ++found;
    }
  }
  const bool sound = found == std::size(fields) && range.head <= range.from && range.from <= range.to;
  return sound ? std::optional(std::move(range)) : std::nullopt;
}

}  // namespace couler::column
