#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ir/value.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// A folder of its own for each test, and tables in it.
class TableTest : public ::testing::Test {
 protected:
  TableTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "couler-table-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) dir_ = pattern;
  }
  ~TableTest() override { std::filesystem::remove_all(dir_); }

  [[nodiscard]] std::string at(std::string_view name) const {
    return (std::filesystem::path(dir_) / name).string();
  }
  std::string put(std::string_view name, std::string_view text) const {
    std::ofstream(at(name), std::ios::binary) << text;
    return at(name);
  }
  [[nodiscard]] static std::string get(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// "id:int name:string? kind:A|B": enums by their cases.
  Schema schema(const std::string& text) {
    std::vector<ir::TypeField> fields;
    std::istringstream in(text);
    for (std::string word; in >> word;) {
      const std::size_t colon = word.find(':');
      std::string type = word.substr(colon + 1);
      const bool optional = type.ends_with('?');
      if (optional) type.pop_back();
      const ir::TypeId id = typeOf(type);
      fields.push_back({word.substr(0, colon), optional ? types_.optional(id) : id});
    }
    return schemaOf(types_, types_.record(std::move(fields)));
  }

  struct Read {
    std::vector<ir::Value> rows;
    std::vector<std::int64_t> ids;
    std::string error;
    AnomalyLog log;
  };
  static Read read(const std::string& path, const Schema& schema, const ReadOptions& options = {}) {
    Read result;
    StreamError error;
    const auto source = openSource(path, schema, options, result.log, error);
    if (!source) {
      EXPECT_FALSE(error.message.empty());
      result.error = error.message;
      return result;
    }
    while (const std::optional<Batch> batch = source->next()) {
      EXPECT_GT(batch->rows, 0);
      EXPECT_LE(batch->rows, kBatchRows);
      EXPECT_TRUE(batch->rowIds.empty() ||
                  batch->rowIds.size() == static_cast<std::size_t>(batch->rows));
      appendRows(schema, *batch, result.rows);
      for (std::int64_t i = 0; i < batch->rows; ++i) {
        result.ids.push_back(batch->rowIds.empty() ? batch->firstRow + i
                                                   : batch->rowIds[static_cast<std::size_t>(i)]);
      }
    }
    EXPECT_FALSE(source->next());
    if (source->error()) result.error = source->error()->message;
    return result;
  }
  /// A CSV file of that text, as rows in JSON, one a line; or the error, without the folder.
  std::string csv(std::string_view text, const std::string& columns, const ReadOptions& how = {}) {
    return shown(read(put("t.csv", text), schema(columns), how));
  }
  std::string jsonl(std::string_view text, const std::string& columns,
                    const ReadOptions& how = {}) {
    return shown(read(put("t.jsonl", text), schema(columns), how));
  }
  [[nodiscard]] std::string shown(const Read& result) const {
    if (!result.error.empty()) {
      EXPECT_TRUE(result.error.starts_with(dir_ + "/")) << result.error;
      return result.error.substr(std::min(dir_.size() + 1, result.error.size()));
    }
    std::string out;
    for (const ir::Value& row : result.rows) {
      for (const auto& [name, value] : row.named()) {
        if (&name != &row.named().front().first) out += ' ';
        out += ir::toJson(value);
      }
      out += '\n';
    }
    return out;
  }
  static std::string write(const std::string& path, std::string_view format, const Schema& schema,
                           const std::vector<Batch>& batches) {
    StreamError error;
    const auto sink = openSink(path, format, schema, error);
    if (!sink) return error.message;
    for (const Batch& batch : batches) {
      if (!sink->write(batch)) return sink->error()->message;
    }
    if (!sink->finish()) return sink->error()->message;
    return {};
  }

  ir::TypeTable types_;
  std::string dir_;

 private:
  ir::TypeId typeOf(const std::string& text) {
    using T = ir::TypeTable;
    if (text == "bool") return T::kBool;
    if (text == "int") return T::kInt;
    if (text == "float") return T::kFloat;
    if (text == "string") return T::kString;
    if (text == "timestamp") return T::kTimestamp;
    if (text == "duration") return T::kDuration;
    if (text == "size") return T::kSize;
    if (text == "ints") return types_.list(T::kInt);
    ir::Type type;
    type.kind = ir::TypeKind::Enum;
    type.name = "E";
    std::istringstream in(text);
    for (std::string name; std::getline(in, name, '|');) type.cases.push_back(name);
    return types_.intern(type);
  }
};

}  // namespace couler::column
