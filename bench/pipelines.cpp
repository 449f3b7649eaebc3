// pipelines make FOLDER ROWS: writes the tables that all run over (bench_rows.h).
// pipelines run SOURCE FOLDER THREADS REPEAT NAME...: compiles the workflows `w_NAME` of SOURCE and
// runs each over those tables, held in memory, REPEAT times. Prints a JSON object a pipeline: the
// least wall and CPU seconds, the rows read, the bytes of the cells read and made, and sums over each column of the result, which is kept
// in memory until it has been summed up. bench/table_peers.py does the same with others' libraries.
// pipelines copy: the bytes a second that memcpy reads and writes, added up.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "bench/bench_rows.h"
#include "frontend/session.h"
#include "ir/print.h"
#include "passes/pass.h"
#include "runtime/column/plan.h"
#include "runtime/jit/loader.h"
#include "support/render.h"

namespace {

using namespace couler;

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "pipelines: %s\n", why.c_str());
  std::exit(1);
}

/// The plan of a workflow's only step over tables, as `couler exec` gets it.
ir::Module planOf(const std::string& source, const std::string& workflow) {
  std::ifstream in(source);
  std::stringstream text;
  text << in.rdbuf();
  DiagnosticList problems;
  Session session([&](const std::string&) { return LoadedText{text.str(), ""}; }, problems);
  std::optional<ir::Module> module;
  if (session.load(source)) module = session.lower(workflow, true);
  passes::Context context{problems};
  if (!module || !passes::runPipeline(*module, context, {}).ok) {
    fail(renderHuman(problems.sorted(), session.sources(), false));
  }
  for (const ir::TaskDef& task : module->tasks) {
    for (const ir::NodeId id : module->at(task.exprs).nodes) {
      const ir::Value* value = module->constant(id);
      const std::string* plan = value != nullptr ? value->as<std::string>() : nullptr;
      if (plan == nullptr || !plan->starts_with("couler-ir ")) continue;
      SourceManager sources;
      auto parsed = ir::parseText(sources, sources.add("plan", *plan), problems);
      if (parsed) return std::move(*parsed);
    }
  }
  fail("workflow " + workflow + " has no step over tables");
}

/// Sums of a column that do not depend on the order of its rows: of what numbers are and of what
/// bytes texts are made; and how many cells have a value.
struct Sums {
  double sum = 0;
  std::int64_t count = 0;
};

void add(const column::Field& field, const column::Column& column, std::int64_t rows, Sums& sums) {
  const std::uint8_t* valid = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (valid != nullptr && valid[i] == 0) continue;
    ++sums.count;
    if (field.kind == column::Kind::Float) {
      sums.sum += column.values->as<double>()[i];
    } else if (field.kind == column::Kind::String) {
      for (const char c : column.values->as<column::Text>()[i].view()) {
        sums.sum += static_cast<unsigned char>(c);
      }
    } else {
      sums.sum += static_cast<double>(column.values->as<std::int64_t>()[i]);
    }
  }
}

/// Names of the columns that a plan looks at.
std::set<std::string> namesUsed(const ir::Module& module) {
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < module.nodes.size(); ++i) {
    const ir::Field* field = module.payload<ir::Field>(ir::NodeId(i));
    if (field != nullptr) names.insert(std::string(module.at(field->name)));
  }
  return names;
}

/// Bytes of a batch's cells, of the columns named alone.
std::int64_t bytesOf(const column::Schema& schema, const column::Batch& batch,
                     const std::set<std::string>* names) {
  std::int64_t bytes = 0;
  for (std::size_t c = 0; c < schema.fields.size(); ++c) {
    const column::Column& column = batch.columns[c];
    if (names != nullptr && !names->contains(schema.fields[c].name)) continue;
    bytes += batch.rows * static_cast<std::int64_t>(column::widthOf(schema.fields[c].kind) +
                                                    (column.valid ? 1 : 0));
    if (schema.fields[c].kind != column::Kind::String) continue;
    for (std::int64_t i = 0; i < batch.rows; ++i) bytes += column.values->as<column::Text>()[i].size;
  }
  return bytes;
}

class Runner {
 public:
  Runner(std::string source, std::string folder, std::size_t threads)
      : source_(std::move(source)), folder_(std::move(folder)), threads_(threads) {}

  void run(const std::string& name, int repeat) {
    const ir::Module module = planOf(source_, "w_" + name);
    const ir::Region& plan = module.at(module.tasks.at(0).exprs);
    std::map<ir::NodeId, const bench::Table*> tables;
    std::int64_t rowsRead = 0;
    std::int64_t bytes = 0;
    const std::set<std::string> names = namesUsed(module);
    for (const ir::NodeId id : plan.nodes) {
      const ir::Rows* rows = module.payload<ir::Rows>(id);
      if (rows == nullptr || rows->op != ir::RowsOp::Read) continue;
      const bench::Table& table = tableOf(module, module.types[module.at(id).type].element);
      tables[module.operands(module.at(id))[0]] = &table;
      rowsRead = std::max(rowsRead, table.rows);
      for (const column::Batch& batch : table.batches) bytes += bytesOf(table.schema, batch, &names);
    }
    double wall = 1e9;
    double cpu = 1e9;
    std::vector<column::Batch> made;
    column::Schema schema;
    for (int i = 0; i < repeat; ++i) {
      made.clear();
      const double wallStart = seconds(CLOCK_MONOTONIC);
      const double cpuStart = seconds(CLOCK_PROCESS_CPUTIME_ID);
      schema = runOnce(module, plan.results[0], tables, made);
      wall = std::min(wall, seconds(CLOCK_MONOTONIC) - wallStart);
      cpu = std::min(cpu, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpuStart);
    }
    std::vector<Sums> sums(schema.fields.size());
    std::int64_t rows = 0;
    for (const column::Batch& batch : made) {
      rows += batch.rows;
      bytes += bytesOf(schema, batch, nullptr);
      for (std::size_t c = 0; c < sums.size(); ++c) {
        add(schema.fields[c], batch.columns[c], batch.rows, sums[c]);
      }
    }
    std::string columns;
    for (const Sums& sum : sums) {
      columns += fmt::format("{}[{:.17g}, {}]", columns.empty() ? "" : ", ", sum.sum, sum.count);
    }
    fmt::print("{{\"name\": \"{}\", \"wall\": {:.6f}, \"cpu\": {:.6f}, \"rows\": {}, \"made\": {}, "
               "\"bytes\": {}, \"sums\": [{}]}}\n",
               name, wall, cpu, rowsRead, rows, bytes, columns);
    std::fflush(stdout);
  }

 private:
  const bench::Table& tableOf(const ir::Module& module, ir::TypeId row) {
    static const std::map<std::string, std::string> kFiles = {
        {"Trip", "trips"}, {"Text", "texts"}, {"Place", "places"}};
    const std::string& file = kFiles.at(module.types[row].name);
    bench::Table& table = tables_[file];
    std::string error;
    if (table.rows == 0 && !bench::readTable(fmt::format("{}/{}.arrow", folder_, file),
                                             column::schemaOf(module.types, row), table, error)) {
      fail(error);
    }
    return table;
  }

  column::Schema runOnce(const ir::Module& module, ir::NodeId result,
                         const std::map<ir::NodeId, const bench::Table*>& tables,
                         std::vector<column::Batch>& made) const {
    column::PlanOptions options;
    options.limits.folder = "/tmp";
    options.limits.memory = std::size_t{8} << 30;
    options.limits.threads = threads_;
    options.compileFrom = 0;
    options.compile = [](const column::RowPlan& plan, std::string& why) {
      return jit::jitKernel(plan, why);
    };
    options.trace = [](std::string_view how) {
      if (how != "compiled") fail(std::string(how));
    };
    column::AnomalyLog log;
    column::StreamError error;
    const auto source = column::openPlan(
        module, result,
        [&](ir::NodeId file) { return std::make_unique<bench::TableSource>(*tables.at(file)); }, {},
        options, log, error);
    if (!source) fail(error.message);
    while (auto batch = source->next()) made.push_back(std::move(*batch));
    if (source->error()) fail(source->error()->message);
    return source->schema();
  }

  std::string source_;
  std::string folder_;
  std::size_t threads_;
  std::map<std::string, bench::Table> tables_;
};

void copy() {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  std::vector<char> from(kBytes, 1);
  std::vector<char> to(kBytes, 2);
  double best = 1e9;
  for (int i = 0; i < 7; ++i) {
    const double start = seconds(CLOCK_MONOTONIC);
    std::memcpy(to.data(), from.data(), kBytes);
    asm volatile("" : : "r"(to.data()) : "memory");
    best = std::min(best, seconds(CLOCK_MONOTONIC) - start);
  }
  fmt::print("{:.0f}\n", 2 * static_cast<double>(kBytes) / best);
}

}  // namespace

int main(int count, char** arguments) {
  // As driver/main.cpp does. The peers' allocators, too, keep what they have freed.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 2047 << 20);
  const std::vector<std::string> words(arguments + 1, arguments + count);
  std::string error;
  if (words.size() == 3 && words[0] == "make") {
    if (!bench::makeTables(words[1], std::stoll(words[2]), error)) fail(error);
  } else if (words.size() == 1 && words[0] == "copy") {
    copy();
  } else if (words.size() > 5 && words[0] == "run") {
    Runner runner(words[1], words[2], std::stoul(words[3]));
    for (std::size_t i = 5; i < words.size(); ++i) runner.run(words[i], std::stoi(words[4]));
  } else {
    fail("usage: pipelines make FOLDER ROWS | copy | run SOURCE FOLDER THREADS REPEAT NAME...");
  }
  return 0;
}
