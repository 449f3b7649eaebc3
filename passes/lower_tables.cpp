#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/print.h"
#include "passes/passes.h"
#include "support/packed_text.h"
#include "support/text.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

class Lowerer {
 public:
  Lowerer(Module& module, const SourceManager* sources) : module_(module), sources_(sources) {}

  void run() {
    // The bodies of fns and tests, which engines never see, keep their tables.
    std::vector<bool> kept(module_.regions.size(), false);
    for (const FuncDef& func : module_.funcs) {
      if (func.kind == FuncKind::Fn) keep(func.body, kept);
    }
    for (const TestDef& test : module_.tests) keep(test.body, kept);
    for (std::size_t t = 0; t < module_.tasks.size(); ++t) {
      if (module_.tasks[t].run == RunKind::Table) lowerTask(TaskId{t});
    }
    for (Node& node : module_.nodes) {
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      if (node.region.index() < kept.size() && kept[node.region.index()]) continue;
      node.type = lowered(node.type);
    }
    for (TaskDef& task : module_.tasks) {
      for (ParamDef& param : task.params) param.type = lowered(param.type);
      for (OutputDef& output : task.outputs) output.type = lowered(output.type);
      task.result = lowered(task.result);
    }
    for (FuncDef& func : module_.funcs) {
      if (func.kind == FuncKind::Fn) continue;
      for (ParamDef& param : func.params) param.type = lowered(param.type);
      func.result = lowered(func.result);
    }
  }

 private:
  void keep(RegionId root, std::vector<bool>& kept) {
    std::vector<RegionId> left{root};
    while (!left.empty()) {
      const RegionId id = left.back();
      left.pop_back();
      kept[id.index()] = true;
      for (const NodeId node : module_.at(id).nodes) {
        for (const RegionId inner : module_.regionsOf(module_.at(node))) left.push_back(inner);
      }
    }
  }

  /// `couler exec --plan TEXT [--places JSON] [--threads N] [--memory SIZE] [--values JSON]
  /// [--range JSON] FILE… OUTPUT…`; places, threads and memory change nothing about what comes out,
  /// and are in no key.
  void lowerTask(TaskId id) {
    std::vector<NodeId> numbered;
    const std::string plan = printTask(module_, id, &numbered);
    const std::string places = placesOf(numbered);
    const std::size_t holders = holdersIn(numbered);
    const TaskDef task = module_.at(id);
    const RegionId old = task.exprs;
    const RegionId exprs = module_.addRegion();
    std::vector<NodeId> words;
    const auto word = [&](std::string text) {
      words.push_back(module_.addConst(exprs, std::move(text), TypeTable::kString, task.span));
    };
    struct File {
      NodeId node;
      bool isList, unkeyed;
    };
    std::vector<File> files;
    Scalars scalars;
    Scalars ranges;  // no part of the key
    for (const ParamDef& param : task.params) {
      const NodeId node = module_.addParam(exprs, param.type, param.name, param.span, Phase::Run);
      if (module_.types.holds(param.type, TypeKind::File) ||
          module_.types.holds(param.type, TypeKind::Table)) {
        const bool isList = module_.types.kind(param.type) == TypeKind::List;
        files.push_back({node, isList, param.unkeyed});
      } else {
        (param.unkeyed ? ranges : scalars).add(node, param);
      }
    }
    std::vector<NodeId> outputs;
    for (const OutputDef& output : task.outputs) {
      if (output.from == OutputFrom::File) {  // in the step's own folder
        outputs.push_back(
            module_.addConst(exprs, output.path, TypeTable::kString, output.span));
        continue;
      }
      outputs.push_back(module_.addParam(exprs, TypeTable::kString, output.name, output.span,
                                         Phase::Run));
    }
    word("couler");
    word("exec");
    word("--plan");
    word(packedText(plan));
    std::vector<bool> unkeyed(words.size(), false);
    if (!places.empty()) {
      word("--places");
      word(packedText(places));
      unkeyed.insert(unkeyed.end(), {false, true});
    }
    const auto limit = [&](std::string option, std::string value) {
      word(std::move(option));
      word(std::move(value));
      unkeyed.insert(unkeyed.end(), {true, true});
    };
    if (const std::int64_t threads = threadsOf(task); threads > 1) {
      limit("--threads", fmt::format("{}", threads));
    }
    if (task.memory > 0) limit("--memory", fmt::format("{} B", shareOf(task.memory, holders)));
    const auto record = [&](std::string option, Scalars& values, bool outsideKey) {
      if (values.nodes.empty()) return;
      word(std::move(option));
      words.push_back(module_.add(exprs, Op{Builtin::MakeRecord},
                                  module_.types.record(std::move(values.fields)), values.nodes, {},
                                  task.span));
      unkeyed.insert(unkeyed.end(), {false, outsideKey});
    };
    record("--values", scalars, false);
    record("--range", ranges, true);
    std::vector<bool> spread(words.size(), false);
    for (const File& file : files) {
      words.push_back(file.node);
      spread.push_back(file.isList);
      unkeyed.push_back(file.unkeyed);
    }
    words.insert(words.end(), outputs.begin(), outputs.end());
    spread.resize(words.size());
    unkeyed.resize(words.size());
    TaskDef& made = module_.at(id);
    made.run = RunKind::Argv;
    made.exprs = exprs;
    for (std::size_t i = 0; i < words.size(); ++i) {
      module_.at(exprs).results.push_back(words[i]);
      made.argv.push_back({static_cast<std::uint32_t>(i), spread[i], unkeyed[i]});
    }
    erase(old);
  }

  /// Whole cores; a share of one more would only make its thread wait.
  static std::int64_t threadsOf(const TaskDef& task) {
    constexpr double kMost = 256;  // as `couler exec` takes
    return static_cast<std::int64_t>(std::clamp(task.cpu, 1.0, kMost));
  }

  /// How many operators keep rows or groups in memory.
  [[nodiscard]] std::size_t holdersIn(const std::vector<NodeId>& nodes) const {
    const auto holds = [&](NodeId id) {
      const Rows* rows = module_.payload<Rows>(id);
      return rows != nullptr && (rows->op == RowsOp::Group || rows->op == RowsOp::Sort ||
                                 rows->op == RowsOp::Distinct || rows->op == RowsOp::Join);
    };
    return static_cast<std::size_t>(std::count_if(nodes.begin(), nodes.end(), holds));
  }

  /// What each operator of a step may keep in memory before it uses files: a quarter of the step's
  /// memory is for all else.
  static std::int64_t shareOf(std::int64_t memory, std::size_t holders) {
    constexpr std::int64_t kLeast = std::int64_t{1} << 20;  // as `couler exec` takes
    const auto parts = static_cast<std::int64_t>(std::max<std::size_t>(holders, 1));
    return std::max(kLeast, (memory - memory / 4) / parts);
  }

  struct Scalars {
    std::vector<NodeId> nodes;
    std::vector<TypeField> fields;
    void add(NodeId node, const ParamDef& param) {
      nodes.push_back(node);
      fields.push_back({param.name, param.type});
    }
  };

  /// Where the nodes of a plan that may fail stand in the program: a JSON object, by file, of its
  /// node numbers, each with a line and a column. Beside the plan and no part of the step's key, so
  /// that a line more at the top of a program runs nothing again.
  [[nodiscard]] std::string placesOf(const std::vector<NodeId>& numbered) const {
    std::map<std::string, std::string> files;
    for (std::size_t i = 0; i < numbered.size(); ++i) {
      const Node& node = module_.at(numbered[i]);
      const bool mayFail = std::holds_alternative<Op>(node.payload);
      if (!mayFail || sources_ == nullptr || !node.span.valid()) continue;
      std::string& places = files[pathOf(node.span.file)];
      const LineColumn at = sources_->lineColumn(node.span.file, node.span.begin);
      places += fmt::format("{}[{},{},{}]", places.empty() ? "" : ",", i, at.line, at.column);
    }
    std::string json;
    for (const auto& [file, places] : files) {
      json += fmt::format("{}{}:[{}]", json.empty() ? "{" : ",", jsonQuote(file), places);
    }
    return json.empty() ? json : json + '}';
  }

  /// From the folder of the program's main file, where it is there: what is emitted need not say
  /// where somebody keeps the sources.
  [[nodiscard]] std::string pathOf(FileId file) const {
    std::string_view path = sources_->path(file);
    const Span main =
        module_.entry.valid() ? module_.at(module_.entry).span : Span{};
    if (!main.valid()) return std::string(path);
    const std::string_view of = sources_->path(main.file);
    const std::string_view folder = of.substr(0, of.rfind('/') + 1);
    if (path.starts_with(folder)) path.remove_prefix(folder.size());
    return std::string(path);
  }

  /// Nodes of the plan are no part of the graph any more.
  void erase(RegionId root) {
    std::vector<RegionId> left{root};
    while (!left.empty()) {
      const RegionId id = left.back();
      left.pop_back();
      Region& region = module_.at(id);
      for (const NodeId node : region.nodes) {
        for (const RegionId inner : module_.regionsOf(module_.at(node))) left.push_back(inner);
      }
      for (const auto* list : {&region.params, &region.nodes}) {
        for (const NodeId node : *list) module_.at(node).payload = std::monostate{};
      }
      region = Region();
    }
  }

  /// The type with `file<arrow>` for every table in it.
  TypeId lowered(TypeId id) {
    const auto known = types_.find(id);
    if (known != types_.end()) return known->second;
    Type type = module_.types[id];
    TypeId result = id;
    switch (type.kind) {
      case TypeKind::Table:
        result = module_.types.file("arrow");
        break;
      case TypeKind::List:
      case TypeKind::Map:
      case TypeKind::Optional:
        type.element = lowered(type.element);
        result = module_.types.intern(std::move(type));
        break;
      case TypeKind::Record:
        for (TypeField& field : type.fields) field.type = lowered(field.type);
        result = module_.types.intern(std::move(type));
        break;
      default:
        break;
    }
    types_.emplace(id, result);
    return result;
  }

  Module& module_;
  const SourceManager* sources_;
  std::unordered_map<TypeId, TypeId> types_;
};

}  // namespace

bool lowerTables(Module& module, Context& context) {
  const auto isPlan = [](const TaskDef& task) { return task.run == RunKind::Table; };
  const bool any = std::any_of(module.tasks.begin(), module.tasks.end(), isPlan);
  if (any) Lowerer(module, context.sources).run();
  return any;
}

}  // namespace couler::passes
