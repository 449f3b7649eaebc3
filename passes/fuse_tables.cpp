#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "passes/passes.h"
#include "passes/plan_copy.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

template <class T>
void addMissing(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& one : from) {
    if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(one);
  }
}

/// A step that does the work of two takes the larger of what each may take; what makes either try
/// again makes it.
void joinSettings(TaskDef& task, const TaskDef& other) {
  task.cpu = std::max(task.cpu, other.cpu);
  task.memory = std::max(task.memory, other.memory);
  task.disk = std::max(task.disk, other.disk);
  task.timeout = std::max(task.timeout, other.timeout);
  const RetryPolicy& second = other.retry;
  if (second.limit <= 0) return;
  if (task.retry.limit <= 0) {
    task.retry = second;
    return;
  }
  RetryPolicy both = second.limit > task.retry.limit ? second : task.retry;
  both.on = task.retry.on;
  both.exitCodes = task.retry.exitCodes;
  const bool every = both.on.empty() || second.on.empty();
  const bool everyCode = both.exitCodes.empty() || second.exitCodes.empty();
  addMissing(both.on, second.on);
  addMissing(both.exitCodes, second.exitCodes);
  if (every) both.on.clear();
  if (everyCode) both.exitCodes.clear();
  task.retry = std::move(both);
}

class Fuser {
 public:
  Fuser(Module& module, Context& context) : module_(module), context_(context) {
    for (const TaskDef& task : module.tasks) taskNames_.insert(task.name);
  }

  bool run() {
    bool changed = false;
    countUses();
    for (std::size_t r = 0; r < module_.regions.size(); ++r) {
      // By index: fusing makes regions, which hold no steps.
      for (std::size_t n = 0; n < module_.regions[r].nodes.size(); ++n) {
        const NodeId id = module_.regions[r].nodes[n];
        while (fuseInto(id)) {
          changed = true;
          n -= 2;  // what was fused into it stood before it
        }
      }
    }
    return changed;
  }

 private:
  void countUses() {
    uses_.assign(module_.nodes.size(), 0);
    for (const NodeId id : module_.operandPool) {
      if (id.valid()) ++uses_[id.index()];
    }
    for (const Region& region : module_.regions) {
      for (const NodeId id : region.results) ++uses_[id.index()];
    }
  }

  /// The step over tables that makes `value`, if nothing but `value`'s one user sees it.
  [[nodiscard]] NodeId onlySource(NodeId value, const Node& user) const {
    const Field* field = module_.payload<Field>(value);
    if (field == nullptr || uses_[value.index()] != 1) return {};
    const NodeId source = module_.operands(module_.at(value))[0];
    const Step* step = module_.payload<Step>(source);
    if (step == nullptr || uses_[source.index()] != 1) return {};
    if (module_.at(source).region != user.region) return {};
    const TaskDef& task = module_.at(step->task);
    const bool plain = task.run == RunKind::Table && task.outputs.size() == 1 &&
                       module_.types.kind(task.outputs[0].type) == TypeKind::Table;
    return plain ? source : NodeId{};
  }

  bool fuseInto(NodeId id) {
    const Step* step = module_.payload<Step>(id);
    if (step == nullptr || module_.at(step->task).run != RunKind::Table) return false;
    const Node user = module_.at(id);
    for (std::uint32_t i = 0; i < user.operandCount; ++i) {
      const NodeId value = module_.operands(user)[i];
      const NodeId source = onlySource(value, user);
      if (!source.valid()) continue;
      context_.diags.take(diagnose<Diag::TablesFused>(
          user.span, module_.at(module_.at(source).name), module_.at(user.name)));
      fuse(id, i, value, source);
      return true;
    }
    return false;
  }

  void fuse(NodeId id, std::uint32_t operand, NodeId value, NodeId source) {
    const TaskId first = std::get<Step>(module_.at(source).payload).task;
    const TaskId second = std::get<Step>(module_.at(id).payload).task;
    const TaskId both = fusedTask(first, second, operand);
    const Node user = module_.at(id);
    const Node maker = module_.at(source);
    std::vector<NodeId> operands;
    std::vector<NodeId> order;
    for (const NodeId from : std::as_const(module_).operands(maker)) operands.push_back(from);
    for (std::uint32_t i = 0; i < user.operandCount; ++i) {
      if (i != operand) operands.push_back(std::as_const(module_).operands(user)[i]);
    }
    for (const Node* node : {&maker, &user}) {
      for (const NodeId before : std::as_const(module_).order(*node)) order.push_back(before);
    }
    std::sort(order.begin(), order.end());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    module_.at(id).payload = Step{both};
    module_.setEdges(id, operands, order);
    for (const NodeId gone : {value, source}) {
      module_.at(gone).payload = std::monostate{};
      uses_[gone.index()] = 0;
      std::erase(module_.at(user.region).nodes, gone);
    }
    uses_.resize(module_.nodes.size(), 1);
  }

  /// A task of the plans of both, whose parameters are those of the first, then the others of the
  /// second.
  TaskId fusedTask(TaskId first, TaskId second, std::uint32_t operand) {
    const std::uint64_t key = (std::uint64_t{first.index()} << 40U) |
                              (std::uint64_t{second.index()} << 8U) | operand;
    const auto [entry, added] = fused_.try_emplace(key);
    if (!added) return entry->second;
    TaskDef task = module_.at(second);
    const TaskDef& maker = module_.at(first);
    task.name = uniqueName(fmt::format("{}-{}", maker.name, task.name));
    joinSettings(task, maker);
    const std::vector<ParamDef> own = task.params;
    task.params = maker.params;
    const RegionId from = maker.exprs;
    const RegionId to = module_.addRegion();
    PlanCopier copier(module_);
    for (const NodeId param : std::vector<NodeId>(module_.at(from).params)) copier.param(param, to);
    copier.nodes(from, to);
    const NodeId rows = copier.of(module_.at(from).results[0]);
    const RegionId next = task.exprs;
    copier.set(module_.at(next).params[operand], rows);
    for (std::uint32_t i = 0; i < own.size(); ++i) {
      if (i == operand) continue;
      task.params.push_back(own[i]);
      copier.param(module_.at(next).params[i], to);
    }
    copier.nodes(next, to);
    for (const NodeId result : std::vector<NodeId>(module_.at(next).results)) {
      module_.at(to).results.push_back(copier.of(result));
    }
    tellApart(task.params);
    task.exprs = to;
    entry->second = TaskId{module_.tasks.size()};
    module_.tasks.push_back(std::move(task));
    return entry->second;
  }

  std::string uniqueName(std::string name) {
    const std::string base = name;
    for (int n = 2; !taskNames_.insert(name).second; ++n) name = fmt::format("{}-{}", base, n);
    return name;
  }

  Module& module_;
  Context& context_;
  std::vector<std::uint32_t> uses_;
  std::unordered_map<std::uint64_t, TaskId> fused_;
  std::unordered_set<std::string> taskNames_;
};

}  // namespace

bool fuseTables(Module& module, Context& context) {
  const bool plans = std::any_of(module.tasks.begin(), module.tasks.end(),
                                 [](const TaskDef& t) { return t.run == RunKind::Table; });
  return plans && Fuser(module, context).run();
}

}  // namespace couler::passes
