#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "ir/eval_internal.h"

// Evaluation of bodies. A body with all bodies nested in it is numbered once: every node gets a
// slot, and every operand is a slot, so that going round a loop looks nothing up.
namespace couler::ir {

namespace {

constexpr std::size_t kMaxDepth = 256;
constexpr std::uint64_t kMaxOperations = 100'000'000;
constexpr std::uint64_t kCallCost = 15;  // of the frame, in operations; about what it measures

struct NodePlan {
  NodeId node;
  std::uint32_t slot = 0;
  std::uint32_t firstOperand = 0;  // into BodyPlan::operands
  std::uint32_t operandCount = 0;
  std::uint32_t regions[2] = {};  // indexes into BodyPlan::regions, by the payload
};
struct RegionPlan {
  RegionId region;
  std::uint32_t depth = 0;  // below the body
  std::vector<std::uint32_t> params;
  std::vector<NodePlan> nodes;
  std::vector<std::uint32_t> results;
};
/// The body of a function, or the region asked for, with all within it.
struct BodyPlan {
  std::vector<RegionPlan> regions;  // the body itself is the first
  std::vector<std::uint32_t> operands;
  std::vector<std::pair<std::uint32_t, NodeId>> outer;  // slots of nodes that lie outside
  std::uint32_t slotCount = 0;
  std::size_t depth = 0;
};

class Planner {
 public:
  explicit Planner(const Module& module) : module_(module) {}

  BodyPlan plan(RegionId body) {
    // First all nodes get slots, then the operands can be found, wherever they are.
    enter(body, 0);
    for (std::size_t i = 0; i < plan_.regions.size(); ++i) number(i);
    for (RegionPlan& region : plan_.regions) connect(region);
    plan_.slotCount = next_;
    return std::move(plan_);
  }

 private:
  std::uint32_t enter(RegionId id, std::uint32_t depth) {
    RegionPlan& region = plan_.regions.emplace_back();
    region.region = id;
    region.depth = depth;
    plan_.depth = std::max<std::size_t>(plan_.depth, depth);
    return static_cast<std::uint32_t>(plan_.regions.size() - 1);
  }

  void number(std::size_t index) {
    const RegionId id = plan_.regions[index].region;
    const std::uint32_t inner = plan_.regions[index].depth + 1;
    const Region& region = module_.at(id);
    std::vector<std::uint32_t> params;
    for (const NodeId param : region.params) params.push_back(slots_[param] = next_++);
    std::vector<NodePlan> nodes;
    nodes.reserve(region.nodes.size());
    for (const NodeId node : region.nodes) {
      NodePlan plan;
      plan.node = node;
      plan.slot = slots_[node] = next_++;
      std::size_t n = 0;
      for (const RegionId owned : module_.regionsOf(module_.at(node))) {
        plan.regions[n++] = enter(owned, inner);
      }
      nodes.push_back(plan);
    }
    plan_.regions[index].params = std::move(params);
    plan_.regions[index].nodes = std::move(nodes);
  }

  void connect(RegionPlan& region) {
    for (NodePlan& plan : region.nodes) {
      plan.firstOperand = static_cast<std::uint32_t>(plan_.operands.size());
      const auto operands = module_.operands(module_.at(plan.node));
      plan.operandCount = static_cast<std::uint32_t>(operands.size());
      for (const NodeId operand : operands) plan_.operands.push_back(slotOf(operand));
    }
    for (const NodeId node : module_.at(region.region).results) {
      region.results.push_back(slotOf(node));
    }
  }

  std::uint32_t slotOf(NodeId node) {
    const auto [it, added] = slots_.try_emplace(node, next_);
    if (added) plan_.outer.emplace_back(next_++, node);
    return it->second;
  }

  const Module& module_;
  BodyPlan plan_;
  std::unordered_map<NodeId, std::uint32_t> slots_;
  std::uint32_t next_ = 0;
};

constexpr std::string_view kExhausted = "the evaluation takes more than 100 million operations";

bool isError(const EvalResult& result) { return std::holds_alternative<EvalError>(result); }

/// How long a value is, in items; a text counts a sixteenth of its bytes.
std::size_t lengthOf(const EvalResult& result) {
  const Value* value = std::get_if<Value>(&result);
  if (value == nullptr) return 0;
  if (const std::string* text = value->as<std::string>()) return text->size() / 16;
  if (value->as<ListValue>() != nullptr) return value->items().size();
  if (value->as<MapValue>() != nullptr) return value->named().size();
  return 0;
}

/// What it takes to make a value: memory, which costs more than looking at it. Lists and maps that
/// are only handed on are shared; texts are copied.
std::uint64_t costOf(const EvalResult& result, bool shared) {
  const Value* value = std::get_if<Value>(&result);
  if (value == nullptr) return 0;
  if (value->as<std::string>() != nullptr) return lengthOf(result);
  return shared ? 0 : 4 * lengthOf(result);
}

/// Operations that only point at a part of a list or map, however long that is.
bool isConstantTime(Builtin op) {
  switch (op) {
    case Builtin::Index:
    case Builtin::IndexMap:
    case Builtin::InMap:
    case Builtin::Get:
    case Builtin::GetItem:
    case Builtin::Has:
    case Builtin::First:
    case Builtin::Last:
    case Builtin::LengthList:
    case Builtin::LengthMap:
    case Builtin::MakeRecord:
    case Builtin::Or:
    case Builtin::And:
    case Builtin::Coalesce:
    case Builtin::CoalesceOptional:
    case Builtin::Unwrap:
      return true;
    default:
      return false;
  }
}

class Evaluator {
 public:
  explicit Evaluator(const Module& module) : module_(module) {}

  using Outer = std::function<const EvalResult*(NodeId)>;
  void restart() { spent_ = 0; }

  std::vector<EvalResult> body(RegionId region, std::vector<EvalResult> params, const Outer& outer,
                               std::size_t depth) {
    const BodyPlan& plan = planOf(region);
    if (depth + plan.depth > kMaxDepth) {
      return failed(plan.regions.front(), "bodies and calls are nested more than 256 deep");
    }
    Frame frame{plan, std::vector<EvalResult>(plan.slotCount), depth};
    for (const auto& [slot, node] : plan.outer) {
      const EvalResult* known = outer ? outer(node) : nullptr;
      frame.slots[slot] = known != nullptr
                              ? *known
                              : EvalError{"the value is not known here", module_.at(node).span};
    }
    const std::vector<std::uint32_t>& slots = plan.regions.front().params;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      frame.slots[slots[i]] = i < params.size()
                                  ? std::move(params[i])
                                  : EvalError{fmt::format("parameter {} has no value", i), {}};
    }
    run(frame, 0);
    std::vector<EvalResult> results;
    for (const std::uint32_t slot : plan.regions.front().results) {
      results.push_back(frame.slots[slot]);
    }
    return results;
  }

 private:
  struct Frame {
    const BodyPlan& plan;
    std::vector<EvalResult> slots;
    std::size_t depth;
  };

  static std::vector<EvalResult> failed(const RegionPlan& plan, std::string_view why) {
    return std::vector<EvalResult>(plan.results.size(), EvalError{std::string(why), {}});
  }

  const BodyPlan& planOf(RegionId region) {
    std::unique_ptr<BodyPlan>& plan = plans_[region];
    if (!plan) plan = std::make_unique<BodyPlan>(Planner(module_).plan(region));
    return *plan;
  }

  /// Evaluates the nodes of one region of the frame, in their order.
  void run(Frame& frame, std::uint32_t region) {
    for (const NodePlan& plan : frame.plan.regions[region].nodes) {
      frame.slots[plan.slot] = evaluate(frame, plan);
    }
  }

  [[nodiscard]] const EvalResult& operand(const Frame& frame, const NodePlan& plan,
                                          std::uint32_t i) const {
    static const EvalResult kMissing = EvalError{"an operand is missing", {}};
    if (i >= plan.operandCount) return kMissing;
    return frame.slots[frame.plan.operands[plan.firstOperand + i]];
  }

  [[nodiscard]] static const EvalResult& result(const Frame& frame, std::uint32_t region,
                                                std::size_t i) {
    static const EvalResult kMissing = EvalError{"the body has no value", {}};
    const std::vector<std::uint32_t>& results = frame.plan.regions[region].results;
    return i < results.size() ? frame.slots[results[i]] : kMissing;
  }

  bool spend(std::uint64_t operations) {
    spent_ += operations;
    return spent_ <= kMaxOperations;
  }
  [[nodiscard]] bool exhausted() const { return spent_ > kMaxOperations; }

  EvalResult evaluate(Frame& frame, const NodePlan& plan) {
    const Node& node = module_.at(plan.node);
    if (!spend(1)) return EvalError{std::string(kExhausted), node.span};
    return std::visit(
        Overloaded{
            [](std::monostate) -> EvalResult { return Value(); },
            [&](const Const& x) -> EvalResult {
              EvalResult value = module_.at(x.value);
              spend(costOf(value, true));
              return value;
            },
            [&](const Param&) -> EvalResult { return frame.slots[plan.slot]; },
            [&](const Op& x) { return operation(frame, plan, node, x); },
            [&](const Field& x) { return field(frame, plan, node, x); },
            [&](const Step&) -> EvalResult {
              return EvalError{"a step has no value before it has run", node.span};
            },
            [&](const Call& x) { return call(frame, plan, node, x); },
            [&](const For& x) {
              return x.body.valid() ? forEach(frame, plan, node) : noBody(node);
            },
            [&](const If& x) {
              return x.then.valid() ? branch(frame, plan, node, x) : noBody(node);
            },
            [&](const Loop& x) { return x.body.valid() ? loop(frame, plan, node) : noBody(node); },
            [&](const Try& x) -> EvalResult {
              if (!x.body.valid()) return noBody(node);
              run(frame, plan.regions[0]);
              const EvalResult& value = result(frame, plan.regions[0], 0);
              // Out of operations is out of operations for all.
              return isError(value) && !exhausted() ? EvalResult(Value()) : value;
            },
            [&](const Rows&) { return rows(frame, plan, node); }},
        node.payload);
  }

  static EvalResult noBody(const Node& node) { return EvalError{"there is no body", node.span}; }

  EvalResult operation(Frame& frame, const NodePlan& plan, const Node& node, const Op& payload) {
    const Builtin op = payload.op;
    pointers_.clear();
    std::uint64_t length = 0;
    for (std::uint32_t i = 0; i < plan.operandCount; ++i) {
      pointers_.push_back(&operand(frame, plan, i));
      if (!isConstantTime(op)) length += lengthOf(*pointers_.back());
    }
    if (!spend(length)) {
      return EvalError{std::string(kExhausted), node.span};
    }
    // An aggregate is what a row adds to its group; putting that together is the group's.
    if (isAggregate(op)) return plan.operandCount == 0 ? Value(std::int64_t{1}) : *pointers_[0];
    EvalResult result = payload.lifted
                            ? eval::applyLifted(op, pointers_, node.span, node.type, &module_.types)
                            : eval::applyTo(op, pointers_, node.span, node.type, &module_.types);
    spend(costOf(result, isConstantTime(op)));
    return result;
  }

  EvalResult field(Frame& frame, const NodePlan& plan, const Node& node, const Field& payload) {
    const EvalResult& object = operand(frame, plan, 0);
    if (isError(object)) return object;
    if (payload.ofEach) spend(4 * lengthOf(object));
    EvalResult value = applyField(module_, payload, std::get<Value>(object));
    if (EvalError* error = std::get_if<EvalError>(&value)) error->at = node.span;
    return value;
  }

  EvalResult call(Frame& frame, const NodePlan& plan, const Node& node, const Call& payload) {
    const FuncDef& callee = module_.at(payload.callee);
    if (!callee.body.valid()) return EvalError{"the function has no body", node.span};
    spend(kCallCost);
    // Errors go in as they are: an argument that the body does not need does not matter.
    std::vector<EvalResult> arguments;
    arguments.reserve(plan.operandCount);
    for (std::uint32_t i = 0; i < plan.operandCount; ++i) {
      arguments.push_back(operand(frame, plan, i));
    }
    std::vector<EvalResult> results =
        body(callee.body, std::move(arguments), nullptr, frame.depth + frame.plan.depth + 1);
    if (results.empty()) return EvalError{"the function has no value", node.span};
    return std::move(results.front());
  }

  void setParam(Frame& frame, std::uint32_t region, EvalResult value) {
    const std::vector<std::uint32_t>& params = frame.plan.regions[region].params;
    if (!params.empty()) frame.slots[params.front()] = std::move(value);
  }

  EvalResult forEach(Frame& frame, const NodePlan& plan, const Node& node) {
    const EvalResult list = operand(frame, plan, 0);  // a copy of the handle, not of the items
    if (isError(list)) return list;
    if (std::get<Value>(list).as<ListValue>() == nullptr) {
      return EvalError{"there is no list to go through", node.span};
    }
    ListItems items;
    for (const Value& item : std::get<Value>(list).items()) {
      setParam(frame, plan.regions[0], item);
      run(frame, plan.regions[0]);
      const EvalResult& value = result(frame, plan.regions[0], 0);
      if (isError(value)) return value;
      if (items.size() == eval::kMaxItems || !spend(4 + costOf(value, true))) {
        return EvalError{std::string(kExhausted), node.span};
      }
      items.push_back(std::get<Value>(value));
    }
    return Value::list(std::move(items));
  }

  EvalResult branch(Frame& frame, const NodePlan& plan, const Node& node, const If& payload) {
    const EvalResult& condition = operand(frame, plan, 0);
    if (isError(condition)) return condition;
    const bool* truth = std::get<Value>(condition).as<bool>();
    if (truth == nullptr) return EvalError{"the condition is no bool", node.span};
    if (!*truth && !payload.otherwise.valid()) return Value();
    const std::uint32_t taken = plan.regions[*truth ? 0 : 1];
    run(frame, taken);
    return result(frame, taken, 0);
  }

  EvalResult loop(Frame& frame, const NodePlan& plan, const Node& node) {
    EvalResult state = operand(frame, plan, 0);
    const EvalResult& limit = operand(frame, plan, 1);
    if (isError(limit)) return limit;
    const std::int64_t* max = std::get<Value>(limit).as<std::int64_t>();
    if (max == nullptr) return EvalError{"the greatest number of rounds is no int", node.span};
    const std::uint32_t region = plan.regions[0];
    for (std::int64_t i = 0; i < *max && !exhausted(); ++i) {
      setParam(frame, region, std::move(state));
      run(frame, region);
      state = result(frame, region, 0);
      const EvalResult& stop = result(frame, region, 1);
      if (isError(stop)) return stop;
      const bool* truth = std::get<Value>(stop).as<bool>();
      if (truth == nullptr) return EvalError{"the condition is no bool", node.span};
      if (*truth) break;
    }
    if (exhausted()) {
      return EvalError{std::string(kExhausted), node.span};
    }
    return state;
  }

  EvalResult rows(Frame& frame, const NodePlan& plan, const Node& node) {
    std::vector<EvalResult> operands;
    for (std::uint32_t i = 0; i < plan.operandCount; ++i) {
      operands.push_back(operand(frame, plan, i));
      if (isError(operands.back())) return operands.back();
    }
    const auto body = [&](std::span<const Value> row, std::vector<EvalResult>& results) {
      const std::uint32_t region = plan.regions[0];
      const std::vector<std::uint32_t>& params = frame.plan.regions[region].params;
      for (std::size_t i = 0; i < params.size() && i < row.size(); ++i) {
        frame.slots[params[i]] = row[i];
      }
      run(frame, region);
      results.clear();
      for (const std::uint32_t slot : frame.plan.regions[region].results) {
        results.push_back(frame.slots[slot]);
      }
      return spend(4);
    };
    EvalResult result = eval::applyRows(module_, node, operands, body);
    if (exhausted()) return EvalError{std::string(kExhausted), node.span};
    if (EvalError* error = std::get_if<EvalError>(&result); error != nullptr && !error->at.valid()) {
      error->at = node.span;
    }
    return result;
  }

  const Module& module_;
  std::unordered_map<RegionId, std::unique_ptr<BodyPlan>> plans_;
  std::vector<const EvalResult*> pointers_;  // of the operation at hand
  std::uint64_t spent_ = 0;
};

}  // namespace

class BodyEvaluator::Impl : public Evaluator {
 public:
  using Evaluator::Evaluator;
};

BodyEvaluator::BodyEvaluator(const Module& module) : impl_(std::make_unique<Impl>(module)) {}
BodyEvaluator::~BodyEvaluator() = default;

std::vector<EvalResult> BodyEvaluator::evaluate(
    RegionId region, std::span<const Value> params,
    const std::function<const EvalResult*(NodeId)>& outer) {
  impl_->restart();
  return impl_->body(region, std::vector<EvalResult>(params.begin(), params.end()), outer, 0);
}

std::vector<EvalResult> evaluateRegion(const Module& module, RegionId region,
                                       std::span<const Value> params,
                                       const std::function<const EvalResult*(NodeId)>& outer) {
  return Evaluator(module).body(region, std::vector<EvalResult>(params.begin(), params.end()),
                                outer, 0);
}

bool isEvaluable(const Module& module, NodeId id) {
  std::vector<NodeId> left{id};
  std::unordered_set<FuncId> called;
  const auto enter = [&](RegionId region) {
    if (!region.valid()) return;
    const std::vector<NodeId>& nodes = module.at(region).nodes;
    left.insert(left.end(), nodes.begin(), nodes.end());
  };
  while (!left.empty()) {
    const Node& node = module.at(left.back());
    left.pop_back();
    if (std::holds_alternative<Step>(node.payload) || std::holds_alternative<Rows>(node.payload)) {
      return false;
    }
    if (const Op* op = std::get_if<Op>(&node.payload);
        op != nullptr && (op->op == Builtin::Glob || isAggregate(op->op))) {
      return false;
    }
    for (const RegionId region : module.regionsOf(node)) enter(region);
    if (const Call* call = std::get_if<Call>(&node.payload)) {
      const FuncDef& callee = module.at(call->callee);
      if (!callee.body.valid()) return false;
      if (!called.insert(call->callee).second) continue;
      enter(callee.body);
      enter(callee.finally);
    }
  }
  return true;
}

}  // namespace couler::ir
