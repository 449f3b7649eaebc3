#include <string>
#include <string_view>
#include <utility>

#include "ir/value.h"
#include "runtime/column/csv.h"
#include "runtime/column/text_output.h"

namespace couler::column {

namespace {

bool needsQuotes(std::string_view text) {
  bool special = text.empty() || text.starts_with("\xEF\xBB\xBF");
  for (const char c : text) special |= (c == '"') | (c == ',') | (c == '\n') | (c == '\r');
  return special;
}

void addText(std::string_view text, std::string& out) {
  if (!needsQuotes(text)) {
    out += text;
    return;
  }
  out += '"';
  for (std::size_t quote = text.find('"'); quote != std::string_view::npos;
       quote = text.find('"')) {
    out += text.substr(0, quote + 1);
    out += '"';
    text.remove_prefix(quote + 1);
  }
  out += text;
  out += '"';
}

class CsvSink final : public Sink {
 public:
  explicit CsvSink(Schema schema) : schema_(std::move(schema)) {}

  bool create(const std::string& path, StreamError& error) {
    if (!out_.create(path, error)) return false;
    for (const Field& field : schema_.fields) {
      if (&field != schema_.fields.data()) out_.text() += ',';
      addText(field.name, out_.text());
    }
    out_.text() += '\n';
    return true;
  }
  bool write(const Batch& batch) override {
    for (std::int64_t row = 0; row < batch.rows && !error_; ++row) {
      for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
        if (i > 0) out_.text() += ',';
        addCell(schema_.fields[i], batch.columns[i], row);
      }
      out_.text() += '\n';
      if (!out_.spill(error_)) return false;
    }
    return !error_;
  }
  bool finish() override { return out_.finish(error_); }

 private:
  void addCell(const Field& field, const Column& column, std::int64_t row) {
    std::string& out = out_.text();
    if (isMissing(column, row)) return;
    switch (field.kind) {
      case Kind::Bool:
        out += column.values->as<std::uint8_t>()[row] != 0 ? "true" : "false";
        break;
      case Kind::Int:
        out_.add(column.values->as<std::int64_t>()[row]);
        break;
      case Kind::Float:
        out_.add(column.values->as<double>()[row]);
        break;
      case Kind::String:
        addText(column.values->as<Text>()[row].view(), out);
        break;
      case Kind::Timestamp:
        out += ir::timestampText({column.values->as<std::int64_t>()[row]});
        break;
      case Kind::Duration:
        out += ir::durationText({column.values->as<std::int64_t>()[row]});
        break;
      case Kind::Size:
        out += ir::sizeText({column.values->as<std::int64_t>()[row]});
        break;
      case Kind::Enum:
        addText(field.cases[static_cast<std::size_t>(column.values->as<std::int32_t>()[row])], out);
        break;
      case Kind::Value: {
        const ir::Value& value = (*column.boxed)[static_cast<std::size_t>(row)];
        if (!value.isNone()) addText(ir::toText(value), out);
        break;
      }
    }
  }

  Schema schema_;
  TextOutput out_;
};

}  // namespace

std::unique_ptr<Sink> createCsv(const std::string& path, const Schema& schema, StreamError& error) {
  auto sink = std::make_unique<CsvSink>(schema);
  if (!sink->create(path, error)) return nullptr;
  return sink;
}

}  // namespace couler::column
