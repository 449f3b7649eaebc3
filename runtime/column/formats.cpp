#include "runtime/column/formats.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/arrow.h"
#include "runtime/column/arrow_library.h"
#include "runtime/column/bytes.h"
#include "runtime/column/csv.h"
#include "runtime/column/jsonl.h"
#include "runtime/column/stream.h"

namespace couler::column {

namespace {

constexpr std::string_view kFormats = "csv, jsonl, arrow and parquet";

}  // namespace

std::string formatOfName(std::string_view path) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (path.ends_with(packed)) path.remove_suffix(packed.size());
  }
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string_view::npos || path[dot] == '/') return {};
  const std::string extension(path.substr(dot + 1));
  if (extension == "ndjson") return "jsonl";
  if (extension == "arrows" || extension == "ipc" || extension == "feather") return "arrow";
  if (extension == "pq") return "parquet";
  return extension;
}

std::string formatOfContent(const std::string& path) {
  StreamError error;
  const std::unique_ptr<ByteSource> bytes = openBytes(path, error);
  if (!bytes) return "csv";
  std::array<char, 512> first{};
  std::size_t size = 0;
  while (size < first.size()) {
    const std::size_t got = bytes->read(first.data() + size, first.size() - size);
    if (got == 0) break;
    size += got;
  }
  const std::string_view text(first.data(), size);
  if (text.starts_with("ARROW1") || text.starts_with("\xFF\xFF\xFF\xFF")) return "arrow";
  if (text.starts_with("PAR1")) return "parquet";
  const std::size_t at = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return at != std::string_view::npos && (text[at] == '{' || text[at] == '[') ? "jsonl" : "csv";
}

namespace {

/// A file whose columns have other names than those of the rows made of it.
class Renamed final : public Source {
 public:
  Renamed(std::unique_ptr<Source> file, Schema schema)
      : file_(std::move(file)), schema_(std::move(schema)) {}
  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override {
    std::optional<Batch> batch = file_->next();
    if (!batch) error_ = file_->error();
    return batch;
  }
  [[nodiscard]] bool defers() const override { return file_->defers(); }
  bool fill(Batch& batch) override {
    if (file_->fill(batch)) return true;
    error_ = file_->error();
    return false;
  }

 private:
  std::unique_ptr<Source> file_;
  Schema schema_;
};

}  // namespace

std::unique_ptr<Source> openSource(const std::string& path, const Schema& schema,
                                   const ReadOptions& options, AnomalyLog& log,
                                   StreamError& error) {
  if (!options.names.empty()) {
    Schema inFile = schema;
    for (std::size_t i = 0; i < inFile.fields.size(); ++i) {
      inFile.fields[i].name = options.names[i];
    }
    ReadOptions same = options;
    same.names.clear();
    std::unique_ptr<Source> source = openSource(path, inFile, same, log, error);
    if (!source) return nullptr;
    return std::make_unique<Renamed>(std::move(source), schema);
  }
  const std::string format = options.format.empty() ? formatOfName(path) : options.format;
  if (format == "csv") return openCsv(path, schema, options, log, error);
  if (format == "jsonl") return openJsonl(path, schema, options, log, error);
  if (format == "arrow") {
    std::unique_ptr<Source> source = openArrow(path, schema, options, log, error);
    if (source || !error.message.empty()) return source;
  }
  if (format == "arrow" || format == "parquet") {
    return openWithArrow(path, format, schema, options, log, error);
  }
  error = {format.empty()
               ? fmt::format("{}: its name does not say its format; tables are read from {}", path,
                             kFormats)
               : fmt::format("{}: tables are read from {}, not from `{}`", path, kFormats, format)};
  return nullptr;
}

std::unique_ptr<Sink> openSink(const std::string& path, std::string_view format,
                               const Schema& schema, StreamError& error) {
  if (format == "csv") return createCsv(path, schema, error);
  if (format == "jsonl") return createJsonl(path, schema, error);
  if (format == "arrow") return createArrow(path, schema, error);
  if (format == "parquet") return createParquet(path, schema, error);
  error = {fmt::format("{}: tables are written as {}, not as `{}`", path, kFormats, format)};
  return nullptr;
}

}  // namespace couler::column
