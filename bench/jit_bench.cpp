// Compiled pipelines over batches in memory: rows a second, beside the copy bandwidth of the
// machine, and what it takes until the first batch is there. COULER_JIT_CACHE decides whether from
// cold.
#include <cstring>
#include <functional>
#include <random>

#include <benchmark/benchmark.h>

#include "ir/module.h"
#include "runtime/column/kernel.h"
#include "runtime/jit/loader.h"

namespace {

using couler::column::Batch;
using couler::column::RowPlan;
using couler::ir::Builtin;
using couler::ir::NodeId;
using couler::ir::RegionId;
using couler::ir::TypeId;
using couler::ir::TypeTable;
using couler::ir::Value;
namespace ir = couler::ir;
namespace column = couler::column;

/// A table of taxi-like rows and a pipeline over it.
class Pipeline {
 public:
  Pipeline() {
    TypeTable& t = module.types;
    rowType = t.record({{"zone", TypeTable::kString},
                        {"note", t.optional(TypeTable::kString)},
                        {"miles", TypeTable::kFloat},
                        {"fare", t.optional(TypeTable::kFloat)},
                        {"tip", t.optional(TypeTable::kFloat)},
                        {"riders", TypeTable::kInt},
                        {"seconds", TypeTable::kInt},
                        {"at", TypeTable::kTimestamp}});
    outside = module.addRegion();
  }
  NodeId field(const std::string& name) {
    const auto& fields = module.types[rowType].fields;
    const auto index = *module.types.fieldIndex(rowType, name);
    return module.add(body, ir::Field{module.intern(name)}, fields[index].type,
                      std::vector<NodeId>{row});
  }
  NodeId op(Builtin what, TypeId type, std::vector<NodeId> in) {
    bool lifted = false;
    for (const NodeId id : in) {
      lifted = lifted || module.types.kind(module.at(id).type) == ir::TypeKind::Optional;
    }
    const bool wraps = lifted && what != Builtin::Coalesce && what != Builtin::MakeRecord;
    return module.add(body, ir::Op{what, wraps}, wraps ? module.types.optional(type) : type, in);
  }
  NodeId real(double x) { return module.addConst(body, Value(x), TypeTable::kFloat); }
  NodeId whole(std::int64_t x) { return module.addConst(body, Value(x), TypeTable::kInt); }
  NodeId text(std::string x) {
    return module.addConst(body, Value(std::move(x)), TypeTable::kString);
  }
  template <class F, class G>
  NodeId choose(NodeId condition, TypeId type, F&& yes, G&& no) {
    ir::If payload;
    payload.then = module.addRegion();
    payload.otherwise = module.addRegion();
    const RegionId around = body;
    body = payload.then;
    module.at(body).results = {yes()};
    body = payload.otherwise;
    module.at(body).results = {no()};
    body = around;
    return module.add(body, payload, type, std::vector<NodeId>{condition});
  }
  template <class F>
  void stage(ir::RowsOp op, F&& make) {
    ir::Rows rows;
    rows.op = op;
    rows.body = body = module.addRegion();
    row = module.addParam(body, rowType, "row", {}, ir::Phase::Run);
    const NodeId result = make();
    module.at(rows.body).results = {result};
    if (op == ir::RowsOp::Map) outType = module.at(result).type;
    stages.push_back(module.add(outside, rows, module.types.table(rowType), {}));
  }
  NodeId record(const std::vector<NodeId>& values) {
    std::vector<ir::TypeField> fields;
    for (std::size_t i = 0; i < values.size(); ++i) {
      fields.push_back({"c" + std::to_string(i), module.at(values[i]).type});
    }
    return op(Builtin::MakeRecord, module.types.record(fields), values);
  }
  RowPlan plan() {
    RowPlan plan;
    plan.module = &module;
    plan.input = column::schemaOf(module.types, rowType);
    plan.output = column::schemaOf(module.types, outType.valid() ? outType : rowType);
    plan.stages = stages;
    return plan;
  }
  /// The same for all, whose row types are equal.
  const std::vector<Batch>& batches(std::size_t count) {
    static std::vector<Batch> made;
    if (made.size() >= count) return made;
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> unit(0, 1);
    const char* const zones[] = {"us-east-1", "us-west-2", "eu-central-1", "ap-south-1", "us-"};
    while (made.size() < count) {
      std::vector<Value> rows;
      for (std::int64_t i = 0; i < column::kBatchRows; ++i) {
        ir::NamedItems items;
        items.emplace_back("zone", std::string(zones[random() % 5]));
        items.emplace_back("note",
                           random() % 4 == 0
                               ? Value()
                               : Value("trip " + std::to_string(random() % 100000) +
                                       (random() % 3 == 0 ? " Delayed by rain" : " on time")));
        items.emplace_back("miles", unit(random) * 30);
        items.emplace_back("fare", random() % 10 == 0 ? Value() : Value(unit(random) * 80));
        items.emplace_back("tip", random() % 4 == 0 ? Value() : Value(unit(random) * 10));
        items.emplace_back("riders", static_cast<std::int64_t>(random() % 6));
        items.emplace_back("seconds", static_cast<std::int64_t>(random() % 7200));
        items.emplace_back(
            "at", ir::Timestamp{1'700'000'000'000'000 +
                                static_cast<std::int64_t>(random() % 31536000) * 1'000'000});
        rows.push_back(Value::record(std::move(items)));
      }
      made.push_back(column::batchOf(column::schemaOf(module.types, rowType), rows));
    }
    return made;
  }

  ir::Module module;
  TypeId rowType;
  TypeId outType;
  RegionId outside;
  RegionId body;
  NodeId row;
  std::vector<NodeId> stages;
};

constexpr TypeId kInt = TypeTable::kInt, kFloat = TypeTable::kFloat, kBool = TypeTable::kBool,
                 kString = TypeTable::kString;

/// (fare + tip) * 1.08 - miles / 2, sqrt, and ints: what is none stays none.
void arithmetic(Pipeline& p) {
  p.stage(ir::RowsOp::Map, [&] {
    const NodeId total = p.op(Builtin::AddFloat, kFloat, {p.field("fare"), p.field("tip")});
    const NodeId taxed = p.op(Builtin::MulFloat, kFloat, {total, p.real(1.08)});
    const NodeId rate = p.op(Builtin::DivFloat, kFloat, {taxed, p.field("miles")});
    const NodeId root = p.op(Builtin::Sqrt, kFloat, {rate});
    const NodeId seats = p.op(Builtin::MulInt, kInt, {p.field("riders"), p.field("seconds")});
    const NodeId more = p.op(Builtin::AddInt, kInt, {seats, p.whole(60)});
    return p.record({taxed, root, more});
  });
}

/// Classes by nested conditions.
void bucketise(Pipeline& p) {
  p.stage(ir::RowsOp::Map, [&] {
    const auto less = [&](double bound) {
      return p.op(Builtin::Less, kBool, {p.field("miles"), p.real(bound)});
    };
    std::function<NodeId(int)> bucket = [&](int n) {
      if (n == 8) return p.whole(8);
      return p.choose(
          less(3.5 * (n + 1)), kInt, [&] { return p.whole(n); }, [&] { return bucket(n + 1); });
    };
    const NodeId busy = p.op(Builtin::Greater, kBool, {p.field("riders"), p.whole(2)});
    const NodeId weight = p.choose(
        busy, kFloat,
        [&] { return p.op(Builtin::MulFloat, kFloat, {p.field("miles"), p.real(1.5)}); },
        [&] { return p.op(Builtin::AddFloat, kFloat, {p.field("miles"), p.real(2)}); });
    return p.record({bucket(0), weight});
  });
}

void prefix(Pipeline& p) {
  p.stage(ir::RowsOp::Filter,
          [&] { return p.op(Builtin::StartsWith, kBool, {p.field("zone"), p.text("us-")}); });
  p.stage(ir::RowsOp::Map, [&] { return p.record({p.field("miles")}); });
}

void clean(Pipeline& p) {
  p.stage(ir::RowsOp::Filter,
          [&] { return p.op(Builtin::Matches, kBool, {p.field("note"), p.text("[0-9]{4} Del")}); });
  p.stage(ir::RowsOp::Map, [&] {
    const NodeId trimmed = p.op(Builtin::Trim, kString, {p.field("note")});
    return p.record({p.op(Builtin::Lower, kString, {trimmed})});
  });
}

/// Features of texts and numbers, of the rows with a certain text.
void features(Pipeline& p) {
  p.stage(ir::RowsOp::Filter, [&] {
    const NodeId has = p.op(Builtin::Contains, kBool, {p.field("note"), p.text("Delayed")});
    const NodeId far = p.op(Builtin::Greater, kBool, {p.field("miles"), p.real(5)});
    return p.op(Builtin::And, kBool, {far, has});
  });
  p.stage(ir::RowsOp::Map, [&] {
    const NodeId length = p.op(Builtin::LengthString, kInt, {p.field("note")});
    const NodeId us = p.op(Builtin::StartsWith, kBool, {p.field("zone"), p.text("us-")});
    const NodeId scale =
        p.choose(us, kFloat, [&] { return p.real(1.0); }, [&] { return p.real(0.5); });
    const NodeId weighted = p.op(Builtin::MulFloat, kFloat, {p.field("miles"), scale});
    const NodeId hour = p.op(Builtin::Hour, kInt, {p.field("at")});
    return p.record({length, weighted, hour});
  });
}

/// One operation on texts of every row.
template <Builtin kOp>
void texts(Pipeline& p) {
  p.stage(ir::RowsOp::Map, [&] {
    const NodeId zone = p.field("zone");
    switch (kOp) {
      case Builtin::StringToInt: {
        const NodeId number = p.op(Builtin::ToString, kString, {p.field("seconds")});
        return p.record({p.op(kOp, kInt, {number})});
      }
      case Builtin::Replace:
        return p.record({p.op(kOp, kString, {zone, p.text("-"), p.text("_")})});
      case Builtin::ReplaceAll:
        return p.record({p.op(kOp, kString, {zone, p.text("[^a-z]+"), p.text("_")})});
      case Builtin::Extract:
        return p.record({p.module.add(p.body, ir::Op{kOp}, p.module.types.optional(kString),
                                      std::vector<NodeId>{zone, p.text("-([a-z]+)-")})});
      case Builtin::Matches:
        return p.record({p.op(kOp, kBool, {zone, p.text("^[a-z]+-(east|west|central)-[0-9]+$")})});
      case Builtin::AddString:
        return p.record({p.op(kOp, kString, {zone, p.text("/x")})});
      case Builtin::Substring:
        return p.record({p.op(kOp, kString, {zone, p.whole(1), p.whole(5)})});
      case Builtin::Equal:
        return p.record({p.op(kOp, kBool, {zone, p.text("us-east-1")})});
      default:
        return p.record({p.op(kOp, kString, {zone})});
    }
  });
}

using Builder = void (*)(Pipeline&);

void run(benchmark::State& state, Builder build) {
  constexpr std::size_t kBatches = 64;
  Pipeline p;
  build(p);
  const std::vector<Batch>& batches = p.batches(kBatches);
  std::string why;
  const auto kernel = couler::jit::jitKernel(p.plan(), why);
  if (!kernel) return state.SkipWithError(why.c_str());
  column::RowError error;
  std::int64_t kept = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatches; ++i) {
      const Batch& batch = batches[i];
      Batch out;
      if (!kernel->run(batch, out, error)) return state.SkipWithError(error.message.c_str());
      kept += out.rows;
    }
  }
  benchmark::DoNotOptimize(kept);
  state.SetItemsProcessed(state.iterations() * kBatches * column::kBatchRows);
}

void firstBatch(benchmark::State& state, Builder build) {
  Pipeline p;
  build(p);
  for (auto _ : state) {
    std::string why;
    const auto kernel = couler::jit::jitKernel(p.plan(), why);
    if (!kernel) return state.SkipWithError(why.c_str());
  }
}

void evaluated(benchmark::State& state, Builder build) {
  Pipeline p;
  build(p);
  const std::vector<Batch>& batches = p.batches(1);
  const auto kernel = column::evaluatorKernel(p.plan());
  column::RowError error;
  for (auto _ : state) {
    Batch out;
    kernel->run(batches[0], out, error);
  }
  state.SetItemsProcessed(state.iterations() * column::kBatchRows);
}

void copy(benchmark::State& state) {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  std::vector<char> from(kBytes, 1);
  std::vector<char> to(kBytes, 2);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), kBytes);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(2 * kBytes));
}

BENCHMARK(copy);
#define PIPELINE(name)                       \
  BENCHMARK_CAPTURE(firstBatch, name, name); \
  BENCHMARK_CAPTURE(run, name, name);        \
  BENCHMARK_CAPTURE(evaluated, name, name)
PIPELINE(arithmetic);
PIPELINE(bucketise);
PIPELINE(prefix);
PIPELINE(clean);
PIPELINE(features);
#define TEXTS(name) BENCHMARK_CAPTURE(run, name, texts<Builtin::name>)
TEXTS(Equal);
TEXTS(Matches);
TEXTS(Upper);
TEXTS(Trim);
TEXTS(Replace);
TEXTS(ReplaceAll);
TEXTS(Extract);
TEXTS(AddString);
TEXTS(Substring);
TEXTS(StringToInt);
TEXTS(Hash);

}  // namespace

BENCHMARK_MAIN();
