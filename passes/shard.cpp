#include <algorithm>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "passes/passes.h"
#include "passes/plan_copy.h"
#include "passes/shard_plan.h"
#include "support/text.h"

// Steps over large files in parts (docs/tables.md): what the parts are follows from the content of
// the file, and a part's key from its own range alone, so the cache makes incremental runs of it.
namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

class Sharder {
 public:
  Sharder(Module& module, Context& context)
      : module_(module), context_(context), body_(module.at(module.entry).body) {}

  bool run() {
    for (const NodeId id : module_.at(body_).nodes) {
      if (const NameId name = module_.at(id).name; name.valid()) names_.emplace(module_.at(name));
    }
    bool changed = false;
    const std::size_t regions = module_.regions.size();
    for (std::size_t r = 0; r < regions; ++r) {
      const bool inner = RegionId{r} != body_;
      for (const NodeId id : std::vector<NodeId>(module_.regions[r].nodes)) {
        const Step* step = module_.payload<Step>(id);
        if (step == nullptr || module_.at(step->task).run != RunKind::Table) continue;
        changed = shard(id, step->task, inner) || changed;
      }
    }
    return changed;
  }

 private:
  /// Whether a node is a file that is cut without being asked for.
  [[nodiscard]] bool isLarge(NodeId id) const {
    const Param* param = module_.payload<Param>(id);
    return param != nullptr && module_.at(id).region == body_ && context_.largeInputs[param->index];
  }

  [[nodiscard]] bool readsLarge(NodeId step) const {
    const auto files = std::as_const(module_).operands(module_.at(step));
    return std::any_of(files.begin(), files.end(), [this](NodeId file) { return isLarge(file); });
  }

  bool shard(NodeId id, TaskId task, bool inner) {
    const bool asked = context_.largeInputs.empty();
    if (!asked && !readsLarge(id)) return false;
    const auto [known, added] = splits_.try_emplace(task);
    if (added) known->second.split = splitPlan(module_, task, known->second.why);
    const std::string name = nameOf(id);
    const Span span = module_.at(id).span;
    if (inner || !known->second.split) {
      const std::string why = known->second.split
                                  ? "it is not at the top of the workflow, but runs once an item, "
                                    "under a condition or in a call"
                                  : known->second.why;
      if (!why.empty()) context_.diags.take(diagnose<Diag::NotSharded>(span, name, why));
      return false;
    }
    const Split split = *known->second.split;
    const NodeId file = std::as_const(module_).operands(module_.at(id))[split.file];
    if (!asked && !(split.addsUp && isLarge(file))) return false;
    context_.diags.take(diagnose<Diag::Sharded>(
        span, name, humanBytes(*context_.shardSize), module_.at(task).params[split.file].name,
        split.eachDoes, split.restDoes));
    const NodeId part = replace(id, task, split);
    if (context_.decisions != nullptr) {
      context_.decisions->push_back({Decision::Kind::InParts, name, 0, nameOf(part)});
    }
    return true;
  }

  [[nodiscard]] std::string nameOf(NodeId id) const {
    const Node& node = module_.at(id);
    return std::string(node.name.valid() ? module_.at(node.name)
                                         : module_.at(std::get<Step>(node.payload).task).name);
  }

  NameId newName(const std::string& base) {
    std::string name = base;
    for (int n = 2; !names_.insert(name).second; ++n) name = fmt::format("{}-{}", base, n);
    return module_.intern(name);
  }

  /// cut, a part for each range, and the step itself over what they make. Gives the step of a part.
  NodeId replace(NodeId id, TaskId task, const Split& split) {
    const Node step = module_.at(id);
    const auto edges = std::as_const(module_).operands(step);
    const std::vector<NodeId> operands(edges.begin(), edges.end());
    const auto before = std::as_const(module_).order(step);
    const std::vector<NodeId> order(before.begin(), before.end());
    const std::string name = nameOf(id);
    const std::size_t first = module_.at(body_).nodes.size();

    const NodeId ranges = rangesOf(operands[split.file], task, split, order, step.span, name);
    const TypeId item = rangeItemType(module_.types);
    const TypeId table = module_.at(split.part).outputs[0].type;
    const NodeId parts = module_.add(body_, For{}, module_.types.list(table), {{ranges}}, {},
                                     step.span, newName(name + "-parts"));
    const RegionId each = module_.addRegion(parts);
    const NodeId range = module_.addParam(each, item, "range", step.span, Phase::Run);
    std::vector<NodeId> given;
    for (const std::size_t i : split.inPart) given.push_back(operands[i]);
    for (const TypeField& field : std::vector<TypeField>(module_.types[item].fields)) {
      given.push_back(module_.add(each, Field{module_.intern(field.name)}, field.type, {{range}}, {},
                                  step.span));
    }
    const NodeId part = module_.add(each, Step{split.part}, module_.at(split.part).result, given, {},
                                    step.span, newName(name + "-part"));
    const NodeId rows =
        module_.add(each, Field{module_.intern("rows")}, table, {{part}}, {}, step.span);
    module_.at(each).results = {rows};
    module_.at(parts).payload = For{each};
    module_.updateAttributes(parts);

    given.assign({parts});
    for (const std::size_t i : split.inCombine) given.push_back(operands[i]);
    module_.at(id).payload = Step{split.combine};
    module_.setEdges(id, given, order);
    // What was added stands at the end, and belongs before the step.
    std::vector<NodeId>& nodes = module_.at(body_).nodes;
    const auto at = std::find(nodes.begin(), nodes.end(), id);
    std::rotate(at, nodes.begin() + static_cast<std::ptrdiff_t>(first), nodes.end());
    return part;
  }

  /// The list of the ranges of a file, which steps that read the same file share.
  NodeId rangesOf(NodeId file, TaskId task, const Split& split, const std::vector<NodeId>& order,
                  Span span, const std::string& name) {
    const TaskId cut = cutTask(task, module_.at(task).params[split.file]);
    const auto [known, added] = ranges_.try_emplace({file, cut});
    if (!added && order.empty()) return known->second;
    const NodeId step = module_.add(body_, Step{cut}, module_.at(cut).result, {{file}}, order, span,
                                    newName(name + "-cut"));
    const NodeId ranges = module_.add(body_, Field{module_.intern("ranges")},
                                      module_.at(cut).outputs[0].type, {{step}}, {}, span);
    if (added) known->second = ranges;
    return ranges;
  }

  /// `couler exec --cut SIZE --format FORMAT FILE ranges`
  TaskId cutTask(TaskId of, const ParamDef& file) {
    const std::string format = module_.types[file.type].name;
    const std::string image = module_.at(of).image;
    const auto [known, added] = cuts_.try_emplace({format, image});
    if (!added) return known->second;
    TaskDef task;
    task.name = uniqueTaskName(module_, "cut-" + format);
    task.image = image;
    task.retry = module_.at(of).retry;
    task.span = module_.at(of).span;
    task.params.emplace_back();
    task.params[0].name = "file";
    task.params[0].type = module_.types.file(format);
    task.params[0].span = task.span;
    const TypeId list = module_.types.list(rangeItemType(module_.types));
    task.outputs = {{"ranges", list, OutputFrom::File, "ranges", {}, task.span}};
    task.result = module_.types.record({{"ranges", list}});
    task.exprs = module_.addRegion();
    const NodeId param =
        module_.addParam(task.exprs, task.params[0].type, "file", task.span, Phase::Run);
    std::vector<NodeId> words;
    for (const std::string& word :
         {std::string("couler"), std::string("exec"), std::string("--cut"),
          fmt::format("{} B", *context_.shardSize), std::string("--format"), format}) {
      words.push_back(module_.addConst(task.exprs, word, TypeTable::kString, task.span));
    }
    words.push_back(param);
    words.push_back(
        module_.addConst(task.exprs, std::string("ranges"), TypeTable::kString, task.span));
    for (std::uint32_t i = 0; i < words.size(); ++i) task.argv.push_back({i, false});
    module_.at(task.exprs).results = std::move(words);
    known->second = TaskId{module_.tasks.size()};
    module_.tasks.push_back(std::move(task));
    return known->second;
  }

  struct Known {
    std::optional<Split> split;
    std::string why;
  };
  Module& module_;
  Context& context_;
  RegionId body_;
  std::unordered_set<std::string> names_;
  std::map<TaskId, Known> splits_;
  std::map<std::pair<NodeId, TaskId>, NodeId> ranges_;
  std::map<std::pair<std::string, std::string>, TaskId> cuts_;  // by format and image
};

}  // namespace

bool shard(Module& module, Context& context) {
  if (!context.shardSize || !module.entry.valid()) return false;
  return Sharder(module, context).run();
}

}  // namespace couler::passes
