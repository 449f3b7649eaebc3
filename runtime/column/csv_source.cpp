#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "runtime/column/bad_rows.h"
#include "runtime/column/builder.h"
#include "runtime/column/cells.h"
#include "runtime/column/chunks.h"
#include "runtime/column/csv.h"
#include "runtime/column/csv_scan.h"
#include "runtime/column/header_check.h"
#include "support/text.h"

namespace couler::column {

namespace {

constexpr std::size_t kSlice = std::size_t{32} << 10;  // text that is scanned, then parsed
constexpr std::size_t kMaxRow = std::size_t{1} << 31;  // positions are of 32 bits

class CsvSource final : public Source {
 public:
  CsvSource(std::string path, std::unique_ptr<ByteSource> bytes, const Schema& schema,
            const ReadOptions& options, AnomalyLog& log)
      : path_(std::move(path)),
        schema_(schema),
        maxCell_(static_cast<std::size_t>(std::max<std::int64_t>(options.maxCell, 1))),
        chunks_(path_, std::move(bytes)),
        bad_(path_, schema_, options.onBad, log),
        batch_(schema_, options.wanted) {
    if (!options.range) return;
    rowId_ = options.range->row;
    linesBefore_ = options.range->line;
  }

  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override;
  bool readHeader();
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  struct Span {
    const char* data;
    std::size_t size;
    [[nodiscard]] std::string_view view() const { return {data, size}; }
  };

  bool more();
  bool checkOpenRow();
  void takeRows();
  void takeCells(std::int64_t first);
  template <class Plain, class Slow>
  void eachCell(std::size_t field, std::int64_t first, Plain plain, Slow slow);
  template <class T, class Plain, class Read>
  void column(std::size_t field, std::int64_t first, Plain plain, Read read);
  void texts(std::size_t field, std::int64_t first);
  void cases(std::size_t field, std::int64_t first);
  void values(std::size_t field, std::int64_t first);
  [[nodiscard]] Span cell(std::size_t index, bool last) const;
  [[nodiscard]] std::string_view unquoted(std::string_view text);
  [[nodiscard]] std::int64_t lineAt(std::size_t offset) const;
  template <class... Args>
  bool fail(fmt::format_string<Args...> format, Args&&... args);
  void badCell(AnomalyKind kind, std::size_t field, std::int64_t at, std::string_view text);

  std::string path_;
  Schema schema_;
  std::size_t maxCell_;
  Chunks chunks_;
  CsvScanner scanner_;
  BadRowPolicy bad_;
  BatchBuilder batch_;
  std::size_t scanned_ = 0;  // offset in the chunk
  std::size_t nextRow_ = 0;  // of those that the scanner has found
  std::size_t columns_ = 0;  // of the header
  std::int64_t rowId_ = 0;
  std::int64_t linesBefore_ = 0;  // that are not read
  std::vector<std::string> names_;       // of the header
  std::vector<std::size_t> fileColumn_;  // by field
  std::vector<std::uint32_t> cells_;     // the first cell of each row that is parsed now
  std::vector<std::int64_t> ids_;        // their numbers
  std::vector<std::optional<CaseIndex>> caseIndexes_;  // by field
  std::string scratch_;
  bool checkUtf8_ = false;
};

template <class... Args>
bool CsvSource::fail(fmt::format_string<Args...> format, Args&&... args) {
  error_ = StreamError{path_ + fmt::format(format, std::forward<Args>(args)...)};
  return false;
}

std::int64_t CsvSource::lineAt(std::size_t offset) const {
  const char* data = chunks_.data();
  return linesBefore_ + scanner_.lines() + 1 - std::count(data + offset, data + scanned_, '\n');
}

/// Scans a further slice. False at the end of the file and after an error.
bool CsvSource::more() {
  nextRow_ = 0;
  const std::size_t open = scanner_.openRow();
  scanner_.consume(0);
  if (chunks_.size() - scanned_ < 64 && !chunks_.ended()) {
    if (!checkOpenRow()) return false;
    scanner_.consume(open);
    scanned_ -= open;
    if (!chunks_.advance(open)) {
      error_ = chunks_.error();
      return false;
    }
  }
  std::size_t size = std::min(chunks_.size() - scanned_, kSlice);
  if (!chunks_.ended()) size -= size % 64;
  if (size == 0) {
    if (scanner_.openRow() == scanned_) return false;  // a file that ends with a line feed
    if (scanner_.inQuotes()) {
      const std::int64_t line = lineAt(scanner_.openCell());
      return fail(
          ":{}: the quoted cell that begins here has no closing quote before the end of "
          "the file",
          line);
    }
    chunks_.append('\n');
    size = 1;
  }
  if (!scanner_.scan(chunks_.data(), scanned_, size)) return fail(": out of memory");
  scanned_ += size;
  return true;
}

/// Bounds what a row without end may take of the memory.
bool CsvSource::checkOpenRow() {
  const std::size_t cellBytes = scanned_ - std::min(scanned_, scanner_.openCell());
  if (cellBytes > maxCell_) {
    return fail(":{}: a cell is longer than {}{}", lineAt(scanner_.openCell()),
                humanBytes(maxCell_),
                scanner_.inQuotes() ? "; does it lack its closing quote?" : "");
  }
  if (scanned_ - std::min(scanned_, scanner_.openRow()) > std::min(kMaxRow, maxCell_ * 4)) {
    return fail(":{}: a row is longer than {}", lineAt(scanner_.openRow()),
                humanBytes(std::min(kMaxRow, maxCell_ * 4)));
  }
  return true;
}

CsvSource::Span CsvSource::cell(std::size_t index, bool last) const {
  const std::uint32_t* ends = scanner_.ends() + index;
  const char* data = chunks_.data() + static_cast<std::uint32_t>(ends[0] + 1);
  std::size_t size = ends[1] - static_cast<std::uint32_t>(ends[0] + 1);
  if (last && size > 0 && data[size - 1] == '\r') --size;
  return {data, size};
}

/// What a cell that begins with a quote holds. In `scratch_` if it has escaped quotes.
std::string_view CsvSource::unquoted(std::string_view text) {
  if (!text.starts_with('"')) return text;
  text.remove_prefix(1);
  std::size_t quote = text.find('"');
  if (quote + 1 == text.size()) return text.substr(0, quote);
  scratch_.clear();
  for (; quote != std::string_view::npos; quote = text.find('"')) {
    scratch_ += text.substr(0, quote);
    text.remove_prefix(quote + 1);
    if (!text.starts_with('"')) break;  // what follows the closing quote stays as it is
    scratch_ += '"';
    text.remove_prefix(1);
  }
  scratch_ += text;
  return scratch_;
}

bool CsvSource::readHeader() {
  if (!chunks_.advance(0)) {
    error_ = chunks_.error();
    return false;
  }
  const std::string_view text(chunks_.data(), chunks_.size());
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(": is UTF-16, not UTF-8; convert it, for instance with `iconv -f utf-16 -t utf-8`");
  }
  scanned_ = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  if (text.size() == scanned_) return fail(": is empty; its first line must name the columns");
  if (!scanner_.begin(scanned_, kSlice)) return fail(": out of memory");
  while (scanner_.rows() == 0) {
    if (!more()) {
      if (!error_) fail(": is empty; its first line must name the columns");
      return false;
    }
  }
  columns_ = scanner_.rowCells()[0];
  std::vector<std::string>& names = names_;
  for (std::size_t i = 0; i < columns_; ++i) {
    names.emplace_back(unquoted(cell(i, i + 1 == columns_).view()));
    if (names.back().find('\0') != std::string::npos) {
      return fail(":1: is not text: there are zero bytes in its header");
    }
    if (findInvalidUtf8(names.back())) return fail(":1: the header is not UTF-8");
    if (std::find(names.begin(), names.end() - 1, names.back()) != names.end() - 1) {
      return fail(":1: the header names column `{}` twice; does the file lack its header?",
                  names.back());
    }
  }
  nextRow_ = 1;
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    const std::string& name = schema_.fields[i].name;
    const auto it = std::find(names.begin(), names.end(), name);
    if (it != names.end()) {
      fileColumn_.push_back(static_cast<std::size_t>(it - names.begin()));
      const bool isEnum = schema_.fields[i].kind == Kind::Enum;
      caseIndexes_.push_back(isEnum ? std::optional(CaseIndex(schema_.fields[i].cases))
                                    : std::nullopt);
      continue;
    }
    if (names.size() == 1 && schema_.fields.size() > 1) {
      for (const char separator : {';', '\t', '|'}) {
        if (names[0].find(separator) == std::string::npos) continue;
        return fail(
            ":1: the columns are separated by {}, and only commas are read; convert the "
            "file first",
            separator == '\t' ? std::string("tabs") : fmt::format("`{}`", separator));
      }
    }
    return fail(":1: {}", absentColumn(name, names));
  }
  return true;
}

std::optional<Batch> CsvSource::next() {
  if (error_ || columns_ == 0) return std::nullopt;
  for (;;) {
    if (!batch_.start(rowId_)) {
      fail(": out of memory");
      return std::nullopt;
    }
    bool ended = false;
    while (!batch_.full() && !ended) {
      if (nextRow_ == scanner_.rows()) {
        ended = !more();
        if (error_) return std::nullopt;
      }
      takeRows();
      if (error_) return std::nullopt;
    }
    if (ended) columns_ = 0;  // nothing more to come
    if (bad_.failed()) {
      if (!ended) continue;  // the log is to know all of the file
      error_ = bad_.failure();
      return std::nullopt;
    }
    Batch batch = batch_.finish();
    if (batch.rows > 0) return batch;
    if (ended) return std::nullopt;
  }
}

/// Whole rows into the batch, until one of the two is used up.
void CsvSource::takeRows() {
  const std::uint32_t* rows = scanner_.rowCells();
  const std::size_t found = scanner_.rows();
  const std::int64_t first = batch_.rows();
  if (nextRow_ == found) return;
  cells_.clear();
  ids_.clear();
  std::uint32_t begin = nextRow_ == 0 ? 0 : rows[nextRow_ - 1];
  const std::size_t from = static_cast<std::uint32_t>(scanner_.ends()[begin] + 1);
  for (; nextRow_ < found && !batch_.full(); ++nextRow_) {
    const std::uint32_t end = rows[nextRow_];
    if (end - begin == columns_) [[likely]] {
      cells_.push_back(begin);
      ids_.push_back(rowId_);
      batch_.addRow(rowId_++);
    } else if (end - begin != 1 || cell(begin, true).size != 0) {  // an empty line is no row
      bad_.badRow(AnomalyKind::RaggedRow, rowId_++,
                  fmt::format("{}, the header {}", countOf(end - begin, "cell"), columns_),
                  [&] { return lineAt(static_cast<std::uint32_t>(scanner_.ends()[begin] + 1)); });
    }
    begin = end;
  }
  const std::size_t to = static_cast<std::uint32_t>(scanner_.ends()[begin] + 1);
  if (to - from > maxCell_) {
    for (const std::uint32_t row : cells_) {
      for (std::size_t i = 0; i < columns_; ++i) {
        const Span span = cell(row + i, false);
        if (span.size <= maxCell_) continue;
        fail(":{}: a cell is longer than {}",
             lineAt(static_cast<std::size_t>(span.data - chunks_.data())), humanBytes(maxCell_));
        return;
      }
    }
  }
  checkUtf8_ =
      scanner_.sawHighBytes() && !simdjson::validate_utf8(chunks_.data() + from, to - from);
  if (!cells_.empty()) takeCells(first);
}

void CsvSource::takeCells(std::int64_t first) {
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    if (!batch_.wants(i)) continue;
    switch (schema_.fields[i].kind) {
      case Kind::Bool:
        column<std::uint8_t>(
            i, first, [](const char*, std::size_t, std::uint8_t&) { return false; }, readBool);
        break;
      case Kind::Int:
        column<std::int64_t>(i, first, plainInt, readInt);
        break;
      case Kind::Float:
        column<double>(i, first, plainFloat, readFloat);
        break;
      case Kind::Timestamp:
        column<std::int64_t>(i, first, plainTimestamp, readTimestamp);
        break;
      case Kind::Duration:
        column<std::int64_t>(
            i, first, [](const char*, std::size_t, std::int64_t&) { return false; }, readDuration);
        break;
      case Kind::Size:
        column<std::int64_t>(
            i, first, [](const char*, std::size_t, std::int64_t&) { return false; }, readSize);
        break;
      case Kind::String:
        texts(i, first);
        break;
      case Kind::Enum:
        cases(i, first);
        break;
      case Kind::Value:
        values(i, first);
        break;
    }
  }
}

/// `plain(data, size, at)` for each cell of a column; where it says false, `slow` of the same.
template <class Plain, class Slow>
void CsvSource::eachCell(std::size_t field, std::int64_t first, Plain plain, Slow slow) {
  const std::size_t column = fileColumn_[field];
  const std::uint32_t* ends = scanner_.ends() + column;
  const char* data = chunks_.data();
  const bool last = column + 1 == columns_;
  const std::size_t count = cells_.size();
  const std::uint32_t* rows = cells_.data();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t* end = ends + rows[i];
    const std::uint32_t from = end[0] + 1;
    const char* text = data + from;
    std::size_t size = end[1] - from;
    if (last && size > 0 && text[size - 1] == '\r') --size;
    const std::int64_t at = first + static_cast<std::int64_t>(i);
    if (!plain(text, size, at)) [[unlikely]]
      slow(std::string_view(text, size), at);
  }
}

void CsvSource::badCell(AnomalyKind kind, std::size_t field, std::int64_t at,
                        std::string_view text) {
  const std::size_t row = cells_.size() - static_cast<std::size_t>(batch_.rows() - at);
  bad_.badCell(kind, field, ids_[row], at, text, batch_, [&] {
    return lineAt(static_cast<std::uint32_t>(scanner_.ends()[cells_[row]] + 1));
  });
}

template <class T, class Plain, class Read>
void CsvSource::column(std::size_t field, std::int64_t first, Plain plain, Read read) {
  const bool optional = schema_.fields[field].optional;
  T* out = batch_.column(field).values->as<T>();
  eachCell(
      field, first,
      [&](const char* text, std::size_t size, std::int64_t at) {
        return plain(text, size, out[at]);
      },
      [&](std::string_view text, std::int64_t at) {
        const std::string_view spelled = unquoted(text);
        const CellStatus status = read(spelled, out[at]);
        if (status == CellStatus::Ok) return;
        if (meansMissing(spelled)) {
          if (optional) {
            batch_.setMissing(field, at);
          } else {
            badCell(AnomalyKind::Missing, field, at, text);
          }
        } else {
          badCell(checkUtf8_ && findInvalidUtf8(spelled) ? AnomalyKind::NotUtf8
                  : status == CellStatus::OutOfRange     ? AnomalyKind::OutOfRange
                                                         : AnomalyKind::NotOfType,
                  field, at, spelled);
        }
      });
}

void CsvSource::texts(std::size_t field, std::int64_t first) {
  const bool optional = schema_.fields[field].optional;
  ColumnBuilder& column = batch_.column(field);
  if (column.heaps.empty() || column.heaps.back() != chunks_.buffer()) {
    column.heaps.push_back(chunks_.buffer());
  }
  Text* out = column.values->as<Text>();
  const bool checked = checkUtf8_;
  eachCell(
      field, first,
      [&](const char* text, std::size_t size, std::int64_t at) {
        if (checked || size == 0 || *text == '"') return false;
        out[at] = {text, static_cast<std::int64_t>(size)};
        return true;
      },
      [&](std::string_view text, std::int64_t at) {
        if (text.empty() && optional) {
          batch_.setMissing(field, at);
          return;
        }
        const std::string_view spelled = unquoted(text);
        if (checked && findInvalidUtf8(spelled)) {
          badCell(AnomalyKind::NotUtf8, field, at, spelled);
        } else if (spelled.data() == scratch_.data()) {
          out[at] = column.heap.add(spelled);
        } else {
          out[at] = {spelled.data(), static_cast<std::int64_t>(spelled.size())};
        }
      });
}

void CsvSource::cases(std::size_t field, std::int64_t first) {
  const CaseIndex& index = *caseIndexes_[field];
  std::int32_t* out = batch_.column(field).values->as<std::int32_t>();
  eachCell(
      field, first,
      [&](const char* text, std::size_t size, std::int64_t at) {
        out[at] = index.find({text, size});
        return out[at] >= 0;
      },
      [&](std::string_view text, std::int64_t at) {
        std::string spelled(unquoted(text));
        spelled.append(8, '\0');  // `find` reads 8 bytes
        const std::string_view name = std::string_view(spelled).substr(0, spelled.size() - 8);
        out[at] = index.find(name);
        if (out[at] >= 0) return;
        if (!meansMissing(name)) {
          badCell(
              checkUtf8_ && findInvalidUtf8(name) ? AnomalyKind::NotUtf8 : AnomalyKind::NotACase,
              field, at, name);
        } else if (schema_.fields[field].optional) {
          batch_.setMissing(field, at);
        } else {
          badCell(AnomalyKind::Missing, field, at, text);
        }
      });
}

void CsvSource::values(std::size_t field, std::int64_t first) {
  const Field& about = schema_.fields[field];
  const ir::TypeId type = about.optional ? (*schema_.types)[about.type].element : about.type;
  eachCell(
      field, first, [](const char*, std::size_t, std::int64_t) { return false; },
      [&](std::string_view text, std::int64_t at) {
        const std::string_view spelled = unquoted(text);
        std::string error;
        if (auto value = ir::fromText(spelled, type, *schema_.types, error)) {
          (*batch_.column(field).boxed)[static_cast<std::size_t>(at)] = std::move(*value);
        } else if (!meansMissing(spelled)) {
          badCell(AnomalyKind::NotOfType, field, at, spelled);
        } else if (about.optional) {
          batch_.setMissing(field, at);
        } else {
          badCell(AnomalyKind::Missing, field, at, text);
        }
      });
}

}  // namespace

std::unique_ptr<Source> openCsv(const std::string& path, const Schema& schema,
                                const ReadOptions& options, AnomalyLog& log, StreamError& error) {
  std::unique_ptr<ByteSource> bytes = openBytes(path, error, options.range);
  if (!bytes) return nullptr;
  auto source = std::make_unique<CsvSource>(path, std::move(bytes), schema, options, log);
  if (!source->readHeader()) {
    error = *source->error();
    return nullptr;
  }
  return source;
}

std::optional<std::vector<std::string>> csvColumns(const std::string& path, StreamError& error) {
  std::unique_ptr<ByteSource> bytes = openBytes(path, error);
  if (!bytes) return std::nullopt;
  AnomalyLog log;
  CsvSource source(path, std::move(bytes), {}, {}, log);
  if (source.readHeader()) return source.names();
  error = *source.error();
  return std::nullopt;
}

}  // namespace couler::column
