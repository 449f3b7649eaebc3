#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "passes/holders.h"
#include "passes/passes.h"
#include "support/text.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

/// Liveness from the results of the bodies that run, then a module of what is live.
class Dropper {
 public:
  explicit Dropper(Module& module)
      : module_(module),
        live_(module.nodes.size(), false),
        regions_(module.regions.size(), false),
        tasks_(module.tasks.size(), false),
        funcs_(module.funcs.size(), false),
        constants_(module.constantCount(), false) {}

  bool run(Context& context) {
    for (const TestDef& test : module_.tests) roots_.push_back(test.body);
    if (module_.entry.valid()) {
      markFunc(module_.entry);
    } else {
      // Nothing says what will run, so all of it may.
      for (std::size_t i = 0; i < funcs_.size(); ++i) markFunc(FuncId{i});
      for (std::size_t i = 0; i < tasks_.size(); ++i) markTask(TaskId{i});
    }
    while (!roots_.empty()) {
      const RegionId root = roots_.back();
      roots_.pop_back();
      sweep(root);
    }
    reportSteps(context);
    return rebuild(context);
  }

 private:
  // ---- marking
  void markFunc(FuncId id) {
    if (funcs_[id.index()]) return;
    funcs_[id.index()] = true;
    roots_.push_back(module_.at(id).body);
    if (module_.at(id).finally.valid()) roots_.push_back(module_.at(id).finally);
  }
  void markTask(TaskId id) {
    if (tasks_[id.index()]) return;
    tasks_[id.index()] = true;
    roots_.push_back(module_.at(id).exprs);
  }

  /// A step that is run for more than its value: a volatile one, one that writes, one that gives
  /// nothing at all.
  [[nodiscard]] bool isSink(const Node& node) const {
    if (node.effect >= Effect::WritesState) return true;
    const Step* step = std::get_if<Step>(&node.payload);
    return step != nullptr && module_.at(step->task).outputs.empty();
  }

  /// Nodes come after what they use, so one sweep backwards over a body sees all that use a node
  /// before the node, and goes through memory in order. The bodies of a node are swept between it
  /// and those before it.
  void sweep(RegionId root) {
    struct Cursor {
      RegionId region;
      std::size_t left;
    };
    std::vector<Cursor> stack;
    const auto open = [&](RegionId id) {
      const Region& region = module_.at(id);
      regions_[id.index()] = true;
      for (const NodeId param : region.params) live_[param.index()] = true;
      for (const NodeId result : region.results) live_[result.index()] = true;
      stack.push_back({id, region.nodes.size()});
    };
    open(root);
    while (!stack.empty()) {
      Cursor& top = stack.back();
      if (top.left == 0) {
        stack.pop_back();
        continue;
      }
      const NodeId id = module_.at(top.region).nodes[--top.left];
      const Node& node = module_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      if (!live_[id.index()] && !isSink(node) && !holdsSink(node)) {
        dead_.push_back(id);
        continue;
      }
      live_[id.index()] = true;
      for (const NodeId used : std::as_const(module_).operands(node)) live_[used.index()] = true;
      for (const NodeId before : std::as_const(module_).order(node)) live_[before.index()] = true;
      if (const Const* constant = std::get_if<Const>(&node.payload)) {
        constants_[constant->value.index()] = true;
      }
      if (const Step* step = std::get_if<Step>(&node.payload)) markTask(step->task);
      if (const Call* call = std::get_if<Call>(&node.payload)) markFunc(call->callee);
      for (const RegionId body : module_.regionsOf(node)) open(body);
    }
  }

  /// Whether a body of the node, or a workflow called in it, has a sink: a `for` or `if` with a
  /// sink somewhere inside is one itself.
  bool holdsSink(const Node& node) {
    const Call* call = std::get_if<Call>(&node.payload);
    const bool isCall = call != nullptr && module_.at(call->callee).kind == FuncKind::Workflow;
    const std::vector<RegionId> bodies = module_.regionsOf(node);
    if (bodies.empty() && !isCall) return false;
    if (!sinks_) sinks_ = findHolders(module_, [&](const Node& other) { return isSink(other); });
    if (isCall) return sinks_->funcs[call->callee.index()];
    return std::any_of(bodies.begin(), bodies.end(),
                       [&](RegionId body) { return sinks_->regions[body.index()]; });
  }

  // ---- telling
  /// Steps that go from the bodies that run, in order; not those of functions that go whole.
  void reportSteps(Context& context) {
    std::vector<NodeId> steps;
    for (std::size_t i = 0; i < dead_.size(); ++i) {  // grows by what is inside
      const Node& node = module_.at(dead_[i]);
      const Call* call = std::get_if<Call>(&node.payload);
      if (std::holds_alternative<Step>(node.payload) ||
          (call != nullptr && module_.at(call->callee).kind == FuncKind::Workflow)) {
        steps.push_back(dead_[i]);
      }
      for (const RegionId body : module_.regionsOf(node)) {
        const std::vector<NodeId>& inner = module_.at(body).nodes;
        dead_.insert(dead_.end(), inner.begin(), inner.end());
      }
    }
    std::sort(steps.begin(), steps.end());
    for (const NodeId id : steps) {
      const Node& node = module_.at(id);
      const std::string_view name = node.name.valid() ? module_.at(node.name) : "?";
      context.diags.take(diagnose<Diag::StepDropped>(node.span, name));
      if (context.decisions != nullptr) {
        context.decisions->push_back({Decision::Kind::Dropped, std::string(name)});
      }
    }
  }

  // ---- rebuilding
  bool rebuild(Context& context) {
    const auto count = [](const std::vector<bool>& marks) {
      return static_cast<std::size_t>(std::count(marks.begin(), marks.end(), true));
    };
    const std::size_t nodes = count(live_);
    const std::size_t goneTasks = tasks_.size() - count(tasks_);
    const std::size_t goneFuncs = funcs_.size() - count(funcs_);
    compactConstants();
    const std::size_t there = moveNodes(nodes);
    moveRegions();
    moveDefinitions();
    std::map<NodeId, Cost> costs;
    for (const auto& [id, cost] : module_.costs) {
      if (live_[id.index()]) costs.emplace_hint(costs.end(), nodeMap_[id.index()], cost);
    }
    module_.costs = std::move(costs);
    Span at;
    if (module_.entry.valid()) at = module_.at(module_.entry).span;
    if (there == nodes && goneTasks == 0 && goneFuncs == 0) return false;
    context.diags.take(diagnose<Diag::Dropped>(at, countOf(there - nodes, "node"),
                                               countOf(goneTasks, "task"),
                                               countOf(goneFuncs, "function")));
    return true;
  }

  static std::vector<std::uint32_t> number(const std::vector<bool>& marks) {
    std::vector<std::uint32_t> numbers(marks.size(), 0xffffffffU);
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (marks[i]) numbers[i] = next++;
    }
    return numbers;
  }
  template <class Id>
  static Id moved(const std::vector<std::uint32_t>& numbers, Id id) {
    return id.valid() ? Id{numbers[id.index()]} : Id{};
  }

  /// Constants that live nodes, defaults and settings hold. Names stay: they cost next to nothing.
  void compactConstants() {
    const auto use = [&](ConstId id) {
      if (id.valid()) constants_[id.index()] = true;
    };
    const auto useFallbacks = [&](const auto& defs, const std::vector<bool>& kept) {
      for (std::size_t i = 0; i < defs.size(); ++i) {
        if (!kept[i]) continue;
        for (const ParamDef& param : defs[i].params) use(param.fallback);
      }
    };
    useFallbacks(module_.tasks, tasks_);
    useFallbacks(module_.funcs, funcs_);
    for (const TargetDef& target : module_.targets) {
      for (const auto& setting : target.settings) use(setting.second);
    }
    consts_ = module_.keepConstants(constants_);
  }
  [[nodiscard]] ConstId moveConst(ConstId id) const {
    return id.valid() ? consts_[id.index()] : ConstId{};
  }

  /// Gives the number of nodes that there were.
  std::size_t moveNodes(std::size_t count) {
    nodeMap_.resize(module_.nodes.size());
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < live_.size(); ++i) {
      if (live_[i]) nodeMap_[i] = NodeId{next++};
    }
    regionNumbers_ = number(regions_);
    taskNumbers_ = number(tasks_);
    funcNumbers_ = number(funcs_);
    // In place: a live node never moves up, nor do its edges once they are copied to a new pool.
    std::size_t there = 0;
    std::vector<NodeId> pool;
    pool.reserve(module_.operandPool.size());
    for (std::size_t i = 0; i < live_.size(); ++i) {
      if (!std::holds_alternative<std::monostate>(module_.nodes[i].payload)) ++there;
      if (!live_[i]) continue;
      Node& node = module_.at(nodeMap_[i]);
      node = module_.nodes[i];
      node.region = moved(regionNumbers_, node.region);
      const std::uint32_t first = node.firstOperand;
      node.firstOperand = static_cast<std::uint32_t>(pool.size());
      for (std::uint32_t e = 0; e < node.operandCount + node.orderCount; ++e) {
        pool.push_back(nodeMap_[module_.operandPool[first + e].index()]);
      }
      std::visit(Overloaded{[](std::monostate) {}, [](Param&) {}, [](Op&) {}, [](Field&) {},
                            [&](Const& c) { c.value = moveConst(c.value); },
                            [&](Step& s) { s.task = moved(taskNumbers_, s.task); },
                            [&](Call& c) { c.callee = moved(funcNumbers_, c.callee); },
                            [&](For& x) { x.body = moved(regionNumbers_, x.body); },
                            [&](If& x) {
                              x.then = moved(regionNumbers_, x.then);
                              x.otherwise = moved(regionNumbers_, x.otherwise);
                            },
                            [&](Loop& x) { x.body = moved(regionNumbers_, x.body); },
                            [&](Try& x) { x.body = moved(regionNumbers_, x.body); },
                            [&](Rows& x) {
                              if (x.body.valid()) x.body = moved(regionNumbers_, x.body);
                            }},
                 node.payload);
    }
    module_.nodes.resize(count);
    module_.operandPool = std::move(pool);
    return there;
  }

  void moveRegions() {
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      if (!regions_[i]) continue;
      Region region = std::move(module_.regions[i]);
      for (std::vector<NodeId>* list : {&region.params, &region.nodes, &region.results}) {
        std::erase_if(*list, [&](NodeId id) { return !live_[id.index()]; });
        for (NodeId& id : *list) id = nodeMap_[id.index()];
      }
      if (region.owner.valid()) region.owner = nodeMap_[region.owner.index()];
      module_.regions[regionNumbers_[i]] = std::move(region);
    }
    module_.regions.resize(
        static_cast<std::size_t>(std::count(regions_.begin(), regions_.end(), true)));
  }

  template <class Def>
  static void keep(std::vector<Def>& defs, const std::vector<bool>& kept) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < defs.size(); ++i) {
      if (!kept[i]) continue;
      if (next != i) defs[next] = std::move(defs[i]);
      ++next;
    }
    defs.erase(defs.begin() + static_cast<std::ptrdiff_t>(next), defs.end());
  }

  void moveDefinitions() {
    keep(module_.tasks, tasks_);
    keep(module_.funcs, funcs_);
    const auto moveFallbacks = [&](std::vector<ParamDef>& params) {
      for (ParamDef& param : params) param.fallback = moveConst(param.fallback);
    };
    for (TaskDef& task : module_.tasks) {
      task.exprs = moved(regionNumbers_, task.exprs);
      moveFallbacks(task.params);
    }
    for (FuncDef& func : module_.funcs) {
      func.body = moved(regionNumbers_, func.body);
      func.finally = moved(regionNumbers_, func.finally);
      moveFallbacks(func.params);
    }
    for (TargetDef& target : module_.targets) {
      for (auto& [key, value] : target.settings) value = moveConst(value);
    }
    for (TestDef& test : module_.tests) test.body = moved(regionNumbers_, test.body);
    module_.entry = moved(funcNumbers_, module_.entry);
  }

  Module& module_;
  std::vector<bool> live_, regions_, tasks_, funcs_, constants_;
  std::vector<RegionId> roots_;   ///< live bodies that no node owns, still to be swept
  std::vector<NodeId> dead_;      ///< of live bodies
  std::optional<Holders> sinks_;  ///< once asked for
  std::vector<NodeId> nodeMap_;
  std::vector<ConstId> consts_;
  std::vector<std::uint32_t> regionNumbers_, taskNumbers_, funcNumbers_;
};

}  // namespace

bool dropDead(Module& module, Context& context) { return Dropper(module).run(context); }

}  // namespace couler::passes
