// table_read FILE [--to FILE FORMAT] NAME:TYPE...: reads a table with typed columns, writes it if
// asked to, and prints its rows and the CPU seconds that took.
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/column/stream.h"

int main(int count, char** arguments) {
  using namespace couler;
  if (count < 3) {
    std::fprintf(stderr, "usage: table_read FILE [--to FILE FORMAT] NAME:TYPE...\n");
    return 2;
  }
  ir::TypeTable types;
  std::vector<ir::TypeField> fields;
  std::string to;
  std::string format;
  for (int i = 2; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--to" && i + 2 < count) {
      to = arguments[++i];
      format = arguments[++i];
      continue;
    }
    const std::size_t colon = argument.rfind(':');
    std::string_view type = argument.substr(colon + 1);
    const bool optional = type.ends_with('?');
    if (optional) type.remove_suffix(1);
    ir::TypeId id = ir::TypeTable::kString;
    if (type == "int") id = ir::TypeTable::kInt;
    if (type == "float") id = ir::TypeTable::kFloat;
    if (type == "bool") id = ir::TypeTable::kBool;
    if (type == "timestamp") id = ir::TypeTable::kTimestamp;
    if (type == "duration") id = ir::TypeTable::kDuration;
    if (type == "size") id = ir::TypeTable::kSize;
    if (type.find('|') != std::string_view::npos) {  // the cases of an enum
      ir::Type cases;
      cases.kind = ir::TypeKind::Enum;
      cases.name = argument.substr(0, colon);
      for (std::size_t at = 0; at != std::string_view::npos;) {
        at = type.find('|');
        cases.cases.emplace_back(type.substr(0, at));
        if (at != std::string_view::npos) type.remove_prefix(at + 1);
      }
      id = types.intern(std::move(cases));
    }
    fields.push_back({std::string(argument.substr(0, colon)), optional ? types.optional(id) : id});
  }
  const column::Schema schema = column::schemaOf(types, types.record(fields));
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  const double start = now();
  column::AnomalyLog log;
  column::StreamError error;
  const auto source = column::openSource(arguments[1], schema, {}, log, error);
  std::unique_ptr<column::Sink> sink;
  if (source && !to.empty()) sink = column::openSink(to, format, schema, error);
  std::int64_t rows = 0;
  while (source && error.message.empty()) {
    const std::optional<column::Batch> batch = source->next();
    if (!batch) break;
    rows += batch->rows;
    if (sink && !sink->write(*batch)) break;
  }
  if (source && source->error()) {
    error = *source->error();
  } else if (sink) {
    static_cast<void>(sink->finish());
  }
  if (sink && sink->error()) error = *sink->error();
  if (!error.message.empty()) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
  }
  std::printf("%lld rows %.4f\n", static_cast<long long>(rows), now() - start);
  return 0;
}
