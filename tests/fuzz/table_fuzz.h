#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "ir/value.h"
#include "runtime/column/arrow.h"
#include "runtime/column/stream.h"

namespace couler::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// Reads bytes as a table of fixed columns, writes the rows in the same format and reads those.
class TableFuzz {
 public:
  explicit TableFuzz(const std::string& columns) {
    std::vector<ir::TypeField> fields;
    std::istringstream in(columns);
    for (std::string word; in >> word;) {
      const std::size_t colon = word.find(':');
      fields.push_back({word.substr(0, colon), types_.optional(typeOf(word.substr(colon + 1)))});
    }
    schema_ = column::schemaOf(types_, types_.record(std::move(fields)));
    folder_ =
        std::filesystem::temp_directory_path() / ("couler-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~TableFuzz() { std::filesystem::remove_all(folder_); }
  TableFuzz(const TableFuzz&) = delete;
  TableFuzz& operator=(const TableFuzz&) = delete;

  void run(const std::string& bytes, const char* format) {
    const std::string in = folder_ / "in";
    const std::string out = folder_ / "out";
    std::ofstream(in, std::ios::binary) << bytes;
    const Rows first = read(in, format);
    if (first.batches.empty()) return;
    std::filesystem::remove(out);
    column::StreamError error;
    const auto sink = column::openSink(out, format, schema_, error);
    require(sink != nullptr, "cannot write");
    for (const column::Batch& batch : first.batches) require(sink->write(batch), "cannot write");
    require(sink->finish(), "cannot finish");
    const Rows second = read(out, format);
    require(second.log.total() == 0, "anomalies in what was written");
    require(first.rows.size() == second.rows.size(), "rows lost");
    for (std::size_t i = 0; i < first.rows.size(); ++i) {
      require(first.rows[i] == second.rows[i], "a row changed");
    }
  }

 private:
  struct Rows {
    std::vector<ir::Value> rows;
    std::vector<column::Batch> batches;
    column::AnomalyLog log;
  };
  Rows read(const std::string& path, const std::string& format) {
    Rows result;
    column::ReadOptions options;
    options.format = format;
    options.onBad = ir::BadRows::Keep;
    options.maxCell = 1 << 16;
    column::StreamError error;
    // Not what others' libraries make of it.
    const auto source = format == "arrow"
                            ? column::openArrow(path, schema_, options, result.log, error)
                            : column::openSource(path, schema_, options, result.log, error);
    if (!source) return result;
    while (std::optional<column::Batch> batch = source->next()) {
      column::appendRows(schema_, *batch, result.rows);
      result.batches.push_back(std::move(*batch));
    }
    require(result.log.text("f").empty() == (result.log.total() == 0), "anomalies without a text");
    if (source->error()) require(!source->error()->message.empty(), "an error without a text");
    return result;
  }
  ir::TypeId typeOf(const std::string& name) {
    using T = ir::TypeTable;
    if (name == "bool") return T::kBool;
    if (name == "int") return T::kInt;
    if (name == "float") return T::kFloat;
    if (name == "timestamp") return T::kTimestamp;
    if (name == "duration") return T::kDuration;
    if (name == "size") return T::kSize;
    if (name == "string") return T::kString;
    ir::Type type;
    type.kind = ir::TypeKind::Enum;
    type.name = "E";
    type.cases = {"Red", "Green", "Blue"};
    return types_.intern(std::move(type));
  }

  ir::TypeTable types_;
  column::Schema schema_;
  std::filesystem::path folder_;
};

}  // namespace couler::fuzz
