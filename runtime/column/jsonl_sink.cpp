#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "ir/value.h"
#include "runtime/column/jsonl.h"
#include "runtime/column/text_output.h"
#include "support/text.h"

namespace couler::column {

namespace {

void addText(std::string_view text, std::string& out) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f;
  });
  if (!plain) {
    out += jsonQuote(text);
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

class JsonlSink final : public Sink {
 public:
  explicit JsonlSink(Schema schema) : schema_(std::move(schema)) {
    for (const Field& field : schema_.fields) keys_.push_back(jsonQuote(field.name) + ":");
  }
  bool create(const std::string& path, StreamError& error) { return out_.create(path, error); }
  bool write(const Batch& batch) override {
    for (std::int64_t row = 0; row < batch.rows && !error_; ++row) {
      std::string& out = out_.text();
      out += '{';
      for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
        if (i > 0) out += ',';
        out += keys_[i];
        addCell(schema_.fields[i], batch.columns[i], row);
      }
      out += "}\n";
      if (!out_.spill(error_)) return false;
    }
    return !error_;
  }
  bool finish() override { return out_.finish(error_); }

 private:
  void addCell(const Field& field, const Column& column, std::int64_t row) {
    std::string& out = out_.text();
    if (isMissing(column, row)) {
      out += "null";
      return;
    }
    switch (field.kind) {
      case Kind::Bool:
        out += column.values->as<std::uint8_t>()[row] != 0 ? "true" : "false";
        break;
      case Kind::Int:
      case Kind::Duration:
      case Kind::Size:
        out_.add(column.values->as<std::int64_t>()[row]);
        break;
      case Kind::Float: {
        const double value = column.values->as<double>()[row];
        if (!std::isfinite(value)) out += '"';
        out_.add(value);
        if (!std::isfinite(value)) out += '"';
        break;
      }
      case Kind::String:
        addText(column.values->as<Text>()[row].view(), out);
        break;
      case Kind::Timestamp:
        addText(ir::timestampText({column.values->as<std::int64_t>()[row]}), out);
        break;
      case Kind::Enum:
        addText(field.cases[static_cast<std::size_t>(column.values->as<std::int32_t>()[row])], out);
        break;
      case Kind::Value:
        out += ir::toJson((*column.boxed)[static_cast<std::size_t>(row)]);
        break;
    }
  }

  Schema schema_;
  std::vector<std::string> keys_;
  TextOutput out_;
};

}  // namespace

std::unique_ptr<Sink> createJsonl(const std::string& path, const Schema& schema,
                                  StreamError& error) {
  auto sink = std::make_unique<JsonlSink>(schema);
  if (!sink->create(path, error)) return nullptr;
  return sink;
}

}  // namespace couler::column
