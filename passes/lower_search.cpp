#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/search.h"
#include "passes/passes.h"
#include "passes/plan_copy.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

/// Of each line a list of scores as JSON: `l` lines, `n[i]` scores, the losses `v[i, k]` of those
/// that are numbers (`ok[i, k]`). As ir::search has it: less is better, and what failed or is NaN
/// has none.
constexpr std::string_view kRead = R"awk(
{
  gsub(/[][" ]/, "")
  l++
  n[l] = split(tolower($0), item, ",")
  for (k = 1; k <= n[l]; k++) {
    ok[l, k] = item[k] ~ /^(-?inf|-?[0-9].*)$/
    score = item[k] ~ /inf/ ? (item[k] ~ /^-/ ? -1 : 1) * 1e308 * 10 : item[k] + 0
    v[l, k] = maximize == "true" ? -score : score
  }
})awk";

/// Which trials go on: those among the best of the ones that started on the same rung.
constexpr std::string_view kPromote = R"awk(
END {
  gsub(/[][ ]/, "", starts)
  cycle = split(starts, start, ",")
  for (i = 1; i <= n[1]; i++) {
    own[i] = start[(i - 1) % cycle + 1]
    places[own[i]]++
  }
  for (s in places)
    for (r = s + 0; r <= rung && places[s] > 1; r++)
      places[s] = int((places[s] + reduction - 1) / reduction)
  for (i = 1; i <= n[1]; i++) {
    better = 0
    for (k = 1; k <= n[1]; k++)
      better += k != i && own[k] == own[i] && ok[1, k] && (v[1, k] < v[1, i] || (v[1, k] == v[1, i] && k < i))
    print ok[1, i] && better < places[own[i]] ? "true" : "false"
  }
})awk";

/// The best of the first list that has one.
constexpr std::string_view kBest = R"awk(
END {
  for (i = 1; i <= l; i++) {
    best = 0
    for (k = 1; k <= n[i]; k++) if (ok[i, k] && (!best || v[i, k] < v[i, best])) best = k
    if (best) { print best - 1; exit }
  }
  print "no trial has a score: all of them failed, or there was none" | "cat 1>&2"
  close("cat 1>&2")
  exit 1
})awk";

class SearchLowerer {
 public:
  explicit SearchLowerer(Module& module) : module_(module) {}

  bool run() {
    for (std::size_t i = 0; i < module_.funcs.size(); ++i) {
      if (module_.funcs[i].kind != FuncKind::Workflow) continue;
      body(module_.funcs[i].body);
      if (module_.funcs[i].finally.valid()) body(module_.funcs[i].finally);
    }
    return changed_;
  }

 private:
  /// A body, then those in it. A fan-out decides for each item alone, and its list is that of
  /// trials whose number is not known: nothing to make steps of.
  void body(RegionId root) {
    std::vector<RegionId> left{root};
    while (!left.empty()) {
      const RegionId region = left.back();
      left.pop_back();
      decisions(region);
      for (const NodeId id : module_.at(region).nodes) {
        if (module_.payload<For>(id) != nullptr || module_.payload<Loop>(id) != nullptr) continue;
        for (const RegionId inner : module_.regionsOf(module_.at(id))) left.push_back(inner);
      }
    }
  }

  void decisions(RegionId region) {
    const std::vector<NodeId> before = module_.at(region).nodes;
    const bool any = std::any_of(before.begin(), before.end(), [&](NodeId id) {
      const Op* op = module_.payload<Op>(id);
      return op != nullptr && (op->op == Builtin::TunePromoted || op->op == Builtin::TuneBest);
    });
    if (!any) return;
    changed_ = true;
    known_.clear();
    names_.clear();
    for (const NodeId id : before) {
      const Node& node = module_.at(id);
      const bool isValue = std::holds_alternative<Op>(node.payload) ||
                           std::holds_alternative<Field>(node.payload) ||
                           std::holds_alternative<Const>(node.payload);
      if (!isValue && node.name.valid()) names_.emplace(module_.at(node.name));
    }
    // Each decision stands where it was, after the step that it now takes its value from.
    std::vector<NodeId> after;
    for (const NodeId id : before) {
      const std::size_t first = module_.at(region).nodes.size();
      const Op* op = module_.payload<Op>(id);
      if (op != nullptr && op->op == Builtin::TunePromoted) promoted(id);
      if (op != nullptr && op->op == Builtin::TuneBest) best(id);
      const std::vector<NodeId>& nodes = module_.at(region).nodes;
      after.insert(after.end(), nodes.begin() + static_cast<std::ptrdiff_t>(first), nodes.end());
      after.push_back(id);
    }
    module_.at(region).nodes = std::move(after);
  }

  void promoted(NodeId id) {
    namespace at = search::promoted;
    const std::vector<NodeId> operands = operandsOf(id);
    std::vector<NodeId> ofAll = operands;  // of a rung: scores, starts, rung, reduction, maximize
    ofAll.erase(ofAll.begin() + at::kTrial);
    const auto [known, added] = known_.try_emplace(ofAll);
    if (added) {
      const Node node = module_.at(id);
      const TypeId list = module_.types.list(TypeTable::kBool);
      // A script gets the items of a list, each a line: a list of a list is one, as JSON.
      const auto line = [&](NodeId value) {
        const TypeId type = module_.types.list(module_.at(value).type);
        return module_.add(node.region, Op{Builtin::MakeList}, type, {{value}}, {}, node.span);
      };
      ofAll[0] = line(operands[at::kScores]);
      ofAll[1] = line(operands[at::kStarts]);
      const NodeId made = step(id, "promote", ofAll,
                               {{"scores", module_.at(ofAll[0]).type},
                                {"starts", module_.at(ofAll[1]).type},
                                {"rung", TypeTable::kInt},
                                {"reduction", TypeTable::kInt},
                                {"maximize", TypeTable::kBool}},
                               {"goes", list}, kPromote);
      known->second =
          module_.add(node.region, Field{module_.intern("goes")}, list, {{made}}, {}, node.span);
    }
    module_.at(id).payload = Op{Builtin::Index};
    const NodeId edges[] = {known->second, operands[at::kTrial]};
    module_.setEdges(id, edges, {});
    module_.updateAttributes(id);
  }

  void best(NodeId id) {
    namespace at = search::best;
    const std::vector<NodeId> operands = operandsOf(id);
    const Node node = module_.at(id);
    const std::span<const NodeId> given(operands.begin() + at::kScores, operands.end());
    const TypeId lists = module_.types.list(module_.at(operands[at::kScores]).type);
    const NodeId scores =
        module_.add(node.region, Op{Builtin::MakeList}, lists, given, {}, node.span);
    const NodeId made = step(id, "best", {scores, operands[at::kMaximize]},
                             {{"scores", lists}, {"maximize", TypeTable::kBool}},
                             {"trial", TypeTable::kInt}, kBest);
    module_.at(id).payload = Field{module_.intern("trial")};
    module_.setEdges(id, {{made}}, {});
    module_.updateAttributes(id);
  }

  [[nodiscard]] std::vector<NodeId> operandsOf(NodeId id) const {
    const auto edges = std::as_const(module_).operands(module_.at(id));
    return {edges.begin(), edges.end()};
  }

  /// A step of a task that makes the decision and has one output.
  NodeId step(NodeId of, std::string_view name, const std::vector<NodeId>& operands,
              const std::vector<TypeField>& inputs, const TypeField& output,
              std::string_view decide) {
    const Node at = module_.at(of);
    const TaskId task = taskFor(name, imageOf(of), inputs, output, decide, at.span);
    return module_.add(at.region, Step{task}, module_.at(task).result, operands, {}, at.span,
                       newName(std::string(name)));
  }

  TaskId taskFor(std::string_view name, const std::string& image,
                 const std::vector<TypeField>& inputs, const TypeField& output,
                 std::string_view decide, Span span) {
    const auto [known, added] =
        tasks_.try_emplace({std::string(name), image, inputs[0].type.index()});
    if (!added) return known->second;
    TaskDef task;
    task.name = uniqueTaskName(module_, std::string(name));
    task.doc = "Decides about the trials of a search.";
    task.image = image;
    task.cpu = 0.1;
    task.retry.limit = 2;
    task.retry.on = {FailureClass::Transient};
    task.span = span;
    task.exprs = module_.addRegion();
    std::string given;
    for (const TypeField& input : inputs) {
      task.params.emplace_back();
      task.params.back().name = input.name;
      task.params.back().type = input.type;
      module_.addParam(task.exprs, input.type, input.name, span, Phase::Run);
      if (input.name != "scores") given += fmt::format(" -v {0}=\"${0}\"", input.name);
    }
    task.outputs = {{output.name, output.type, OutputFrom::Variable, {}, {}, span}};
    task.result = module_.types.record({output});
    task.run = RunKind::Sh;
    task.script = fmt::format("{}=$(printf '%s\\n' \"$scores\" | LC_ALL=C awk{} '{}{}')\n",
                              output.name, given, kRead, decide);
    known->second = TaskId{module_.tasks.size()};
    module_.tasks.push_back(std::move(task));
    return known->second;
  }

  /// The image of the first task that a value comes from: it is pulled there anyway.
  [[nodiscard]] std::string imageOf(NodeId id) const {
    std::vector<NodeId> left{id};
    std::unordered_set<NodeId> seen;
    while (!left.empty()) {
      const NodeId at = left.back();
      left.pop_back();
      if (!seen.insert(at).second) continue;
      if (const Step* made = module_.payload<Step>(at)) return module_.at(made->task).image;
      const auto operands = std::as_const(module_).operands(module_.at(at));
      left.insert(left.end(), operands.rbegin(), operands.rend());
      for (const RegionId inner : module_.regionsOf(module_.at(at))) {
        const std::vector<NodeId>& results = module_.at(inner).results;
        left.insert(left.end(), results.begin(), results.end());
      }
    }
    return {};
  }

  NameId newName(const std::string& base) {
    std::string name = base;
    for (int n = 2; !names_.insert(name).second; ++n) name = fmt::format("{}-{}", base, n);
    return module_.intern(name);
  }

  Module& module_;
  bool changed_ = false;
  std::map<std::vector<NodeId>, NodeId>
      known_;  ///< of a body: what `promote` gives, by its operands
  std::unordered_set<std::string> names_;
  std::map<std::tuple<std::string, std::string, std::size_t>, TaskId> tasks_;
};

}  // namespace

bool lowerSearch(Module& module, Context& context) {
  return context.searches == Searches::Steps && SearchLowerer(module).run();
}

}  // namespace couler::passes
