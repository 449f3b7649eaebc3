#include <algorithm>
#include <map>
#include <utility>

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
        funcs_(module.funcs.size(), false) {}

  bool run(Context& context) {
    for (const TestDef& test : module_.tests) markRegion(test.body);
    if (module_.entry.valid()) {
      markFunc(module_.entry);
    } else {
      // Nothing says what will run, so all of it may.
      for (std::size_t i = 0; i < funcs_.size(); ++i) markFunc(FuncId{i});
      for (std::size_t i = 0; i < tasks_.size(); ++i) markTask(TaskId{i});
    }
    flow();
    reportSteps(context);
    return rebuild(context);
  }

 private:
  // ---- marking
  void markFunc(FuncId id) {
    if (funcs_[id.index()]) return;
    funcs_[id.index()] = true;
    markRegion(module_.at(id).body);
    if (module_.at(id).finally.valid()) markRegion(module_.at(id).finally);
  }
  void markTask(TaskId id) {
    if (tasks_[id.index()]) return;
    tasks_[id.index()] = true;
    markRegion(module_.at(id).exprs);
  }
  void markRegion(RegionId id) {
    if (regions_[id.index()]) return;
    regions_[id.index()] = true;
    pendingRegions_.push_back(id);
  }
  void markNode(NodeId id) {
    if (live_[id.index()]) return;
    live_[id.index()] = true;
    pendingNodes_.push_back(id);
  }

  /// A step that is run for more than its value: a volatile one, one that writes, one that gives
  /// nothing at all.
  [[nodiscard]] bool isSink(const Node& node) const {
    if (node.effect >= Effect::WritesState) return true;
    const Step* step = std::get_if<Step>(&node.payload);
    return step != nullptr && module_.at(step->task).outputs.empty();
  }

  void flow() {
    while (!pendingRegions_.empty() || !pendingNodes_.empty()) {
      if (!pendingNodes_.empty()) {
        const NodeId id = pendingNodes_.back();
        pendingNodes_.pop_back();
        flowNode(id);
        continue;
      }
      const RegionId id = pendingRegions_.back();
      pendingRegions_.pop_back();
      for (const NodeId param : module_.at(id).params) markNode(param);
      for (const NodeId result : module_.at(id).results) markNode(result);
      collectSinks(id);
    }
  }

  void flowNode(NodeId id) {
    const Node& node = module_.at(id);
    for (const NodeId used : std::as_const(module_).operands(node)) markNode(used);
    for (const NodeId before : std::as_const(module_).order(node)) markNode(before);
    if (const Step* step = std::get_if<Step>(&node.payload)) markTask(step->task);
    if (const Call* call = std::get_if<Call>(&node.payload)) markFunc(call->callee);
    if (!ownsBodies(node)) return;
    for (const RegionId body : module_.regionsOf(node)) markRegion(body);
  }

  static bool ownsBodies(const Node& node) {
    return std::holds_alternative<For>(node.payload) || std::holds_alternative<If>(node.payload) ||
           std::holds_alternative<Loop>(node.payload) || std::holds_alternative<Try>(node.payload) ||
           std::holds_alternative<Rows>(node.payload);
  }

  /// Marks the sinks of a live body. A `for` or `if` with a sink somewhere inside is one itself.
  void collectSinks(RegionId id) {
    for (const NodeId node : module_.at(id).nodes) {
      if (isSink(module_.at(node)) || holdsSink(node)) markNode(node);
    }
  }

  /// Whether a body of the node, or a function called in it, has a sink. Each node is asked once:
  /// the answer of an outer one is found from the bodies, which are walked without recursion.
  bool holdsSink(NodeId id) {
    const Node& node = module_.at(id);
    const Call* call = std::get_if<Call>(&node.payload);
    const bool isCall = call != nullptr && module_.at(call->callee).kind == FuncKind::Workflow;
    if (!ownsBodies(node) && !isCall) return false;
    if (sinkful_.empty()) findSinkful();
    if (isCall) return sinkfulFuncs_[call->callee.index()];
    const std::vector<RegionId> bodies = module_.regionsOf(node);
    return std::any_of(bodies.begin(), bodies.end(),
                       [&](RegionId body) { return sinkful_[body.index()]; });
  }

  /// Marks every body with a sink inside, from the sinks outwards, and then the calls of functions
  /// that have one, until nothing is new.
  void findSinkful() {
    sinkful_.assign(module_.regions.size(), false);
    sinkfulFuncs_.assign(module_.funcs.size(), false);
    std::vector<std::vector<NodeId>> callers(module_.funcs.size());
    std::vector<FuncId> funcOf(module_.regions.size());
    for (std::size_t i = 0; i < module_.funcs.size(); ++i) {
      const FuncDef& func = module_.funcs[i];
      funcOf[func.body.index()] = FuncId{i};
      if (func.finally.valid()) funcOf[func.finally.index()] = FuncId{i};
    }
    std::vector<RegionId> pending;
    const auto mark = [&](RegionId region) {
      if (region.index() >= sinkful_.size() || sinkful_[region.index()]) return;
      sinkful_[region.index()] = true;
      pending.push_back(region);
    };
    for (std::size_t i = 0; i < module_.nodes.size(); ++i) {
      const Node& node = module_.nodes[i];
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      if (isSink(node)) mark(node.region);
      if (const Call* call = std::get_if<Call>(&node.payload)) {
        callers[call->callee.index()].emplace_back(i);
      }
    }
    while (!pending.empty()) {
      const RegionId region = pending.back();
      pending.pop_back();
      const NodeId owner = module_.at(region).owner;
      if (owner.valid()) {
        mark(module_.at(owner).region);
        continue;
      }
      const FuncId func = funcOf[region.index()];
      if (!func.valid() || sinkfulFuncs_[func.index()]) continue;
      sinkfulFuncs_[func.index()] = true;
      for (const NodeId caller : callers[func.index()]) mark(module_.at(caller).region);
    }
  }

  // ---- telling
  /// Steps that go from the bodies that run, in order; not those of functions that go whole.
  void reportSteps(Context& context) {
    std::vector<bool> runs(module_.regions.size(), false);
    std::vector<RegionId> pending;
    for (std::size_t i = 0; i < funcs_.size(); ++i) {
      if (!funcs_[i]) continue;
      pending.push_back(module_.funcs[i].body);
      if (module_.funcs[i].finally.valid()) pending.push_back(module_.funcs[i].finally);
    }
    std::vector<NodeId> dead;
    while (!pending.empty()) {
      const RegionId region = pending.back();
      pending.pop_back();
      for (const NodeId id : module_.at(region).nodes) {
        const Node& node = module_.at(id);
        if (ownsBodies(node)) {
          for (const RegionId body : module_.regionsOf(node)) pending.push_back(body);
        }
        const Call* call = std::get_if<Call>(&node.payload);
        const bool isStep =
            std::holds_alternative<Step>(node.payload) ||
            (call != nullptr && module_.at(call->callee).kind == FuncKind::Workflow);
        if (isStep && !live_[id.index()]) dead.push_back(id);
      }
    }
    std::sort(dead.begin(), dead.end());
    for (const NodeId id : dead) {
      const Node& node = module_.at(id);
      context.diags.take(diagnose<Diag::StepDropped>(
          node.span, node.name.valid() ? module_.at(node.name) : std::string_view("?")));
    }
  }

  // ---- rebuilding
  bool rebuild(Context& context) {
    const auto count = [](const std::vector<bool>& marks) {
      return static_cast<std::size_t>(std::count(marks.begin(), marks.end(), true));
    };
    std::size_t there = 0;
    for (const Node& node : module_.nodes) {
      if (!std::holds_alternative<std::monostate>(node.payload)) ++there;
    }
    const std::size_t nodes = count(live_);
    const std::size_t goneTasks = tasks_.size() - count(tasks_);
    const std::size_t goneFuncs = funcs_.size() - count(funcs_);
    compactConstants();
    moveNodes(nodes);
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
    std::vector<bool> used(module_.constantCount(), false);
    const auto use = [&](ConstId id) {
      if (id.valid()) used[id.index()] = true;
    };
    for (std::size_t i = 0; i < live_.size(); ++i) {
      const Const* constant = live_[i] ? module_.payload<Const>(NodeId{i}) : nullptr;
      if (constant != nullptr) use(constant->value);
    }
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
    consts_ = module_.keepConstants(used);
  }
  [[nodiscard]] ConstId moveConst(ConstId id) const {
    return id.valid() ? consts_[id.index()] : ConstId{};
  }

  void moveNodes(std::size_t count) {
    nodeMap_.resize(module_.nodes.size());
    std::uint32_t next = 0;
    std::size_t edges = 0;
    for (std::size_t i = 0; i < live_.size(); ++i) {
      if (!live_[i]) continue;
      nodeMap_[i] = NodeId{next++};
      edges += module_.nodes[i].operandCount + module_.nodes[i].orderCount;
    }
    regionNumbers_ = number(regions_);
    taskNumbers_ = number(tasks_);
    funcNumbers_ = number(funcs_);
    // In place: a live node never moves up, nor do its edges once they are copied to a new pool.
    std::vector<NodeId> pool;
    pool.reserve(edges);
    for (std::size_t i = 0; i < live_.size(); ++i) {
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
  std::vector<bool> live_, regions_, tasks_, funcs_;
  std::vector<NodeId> pendingNodes_;
  std::vector<RegionId> pendingRegions_;
  std::vector<bool> sinkful_, sinkfulFuncs_;
  std::vector<NodeId> nodeMap_;
  std::vector<ConstId> consts_;
  std::vector<std::uint32_t> regionNumbers_, taskNumbers_, funcNumbers_;
};

}  // namespace

bool dropDead(Module& module, Context& context) { return Dropper(module).run(context); }

}  // namespace couler::passes
