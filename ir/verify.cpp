#include "ir/verify.h"

#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace couler::ir {

namespace {

/// Reports stop here: one broken id makes many followers.
constexpr std::size_t kMaxProblems = 100;

struct OperandTypesHash {
  std::size_t operator()(const std::vector<std::uint32_t>& ids) const {
    std::size_t hash = 1469598103934665603ULL;
    for (const std::uint32_t id : ids) hash = (hash ^ id) * 1099511628211ULL;
    return hash;
  }
};

class Verifier {
 public:
  explicit Verifier(const Module& module)
      : m_(module),
        types_(module.types),
        visible_(module.nodes.size(), false),
        placed_(module.nodes.size(), false),
        owned_(module.regions.size(), false),
        nameSeen_(module.nameCount(), 0) {}

  std::vector<std::string> run() {
    if (!idsInRange()) return std::move(problems_);
    for (const TaskDef& task : m_.tasks) verifyTask(task);
    std::unordered_set<std::string_view> names;
    for (const FuncDef& func : m_.funcs) {
      if (!names.insert(func.name).second) problem("two functions are named `{}`", func.name);
      verifyFunc(func);
    }
    names.clear();
    for (const TaskDef& task : m_.tasks) {
      if (!names.insert(task.name).second) problem("two tasks are named `{}`", task.name);
    }
    for (const TestDef& test : m_.tests) verifyTest(test);
    if (m_.entry.valid() && m_.at(m_.entry).kind != FuncKind::Workflow) {
      problem("the entry `{}` is no workflow", m_.at(m_.entry).name);
    }
    verifyCallsAcyclic();
    return std::move(problems_);
  }

 private:
  template <class... Args>
  void problem(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMaxProblems) {
      problems_.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
  }
  std::string say(NodeId id) const {
    const Node& node = m_.at(id);
    const std::string name = node.name.valid() ? fmt::format(" `{}`", m_.at(node.name)) : "";
    return fmt::format("node {}{} ({})", id.index(), name, word(node.payload));
  }
  static std::string_view word(const Payload& payload) {
    return std::visit(
        Overloaded{
            [](std::monostate) -> std::string_view { return "erased"; },
#define NODE(Kind, text) [](const Kind&) -> std::string_view { return text; },
#include "ir/nodes.def"
        },
        payload);
  }
  std::string type(TypeId id) const { return types_.print(id); }
  bool typeOk(TypeId id) const { return id.index() < m_.types.size(); }
  bool constOk(ConstId id) const { return id.index() < m_.constantCount(); }

  // ---- ids, before anything follows one
  bool idsInRange() {
    for (std::size_t i = 0; i < m_.nodes.size() && problems_.size() < kMaxProblems; ++i) {
      nodeIdsInRange(NodeId{i});
    }
    for (std::size_t i = 0; i < m_.regions.size(); ++i) {
      const Region& region = m_.regions[i];
      for (const auto* list : {&region.params, &region.nodes, &region.results}) {
        for (const NodeId id : *list) {
          if (id.index() >= m_.nodes.size()) problem("region {} lists a node that is none", i);
        }
      }
      if (region.owner.valid() && region.owner.index() >= m_.nodes.size()) {
        problem("region {} has an owner that is no node", i);
      }
    }
    const auto checkRegion = [&](RegionId id, std::string_view what, std::string_view name) {
      if (id.index() >= m_.regions.size()) problem("{} `{}` has no body", what, name);
    };
    for (const TaskDef& task : m_.tasks) {
      checkRegion(task.exprs, "task", task.name);
      if (!typeOk(task.result)) problem("task `{}` has a result of no type", task.name);
      paramIdsInRange(task.params, task.name);
      for (const OutputDef& output : task.outputs) {
        if (!typeOk(output.type)) problem("output `{}` has no type", output.name);
      }
    }
    for (const FuncDef& func : m_.funcs) {
      checkRegion(func.body, "function", func.name);
      if (func.finally.valid()) checkRegion(func.finally, "function", func.name);
      if (!typeOk(func.result)) problem("function `{}` has a result of no type", func.name);
      paramIdsInRange(func.params, func.name);
    }
    for (const TestDef& test : m_.tests) checkRegion(test.body, "test", test.title);
    for (const TargetDef& target : m_.targets) {
      for (const auto& [key, value] : target.settings) {
        if (!constOk(value)) problem("setting `{}` of target `{}` has no value", key, target.name);
      }
    }
    for (const auto& [id, cost] : m_.costs) {
      if (id.index() >= m_.nodes.size()) problem("a cost is of a node that is none");
    }
    if (m_.entry.valid() && m_.entry.index() >= m_.funcs.size())
      problem("the entry is no function");
    return problems_.empty();
  }

  void paramIdsInRange(const std::vector<ParamDef>& params, std::string_view of) {
    for (const ParamDef& param : params) {
      if (!typeOk(param.type)) problem("parameter `{}` of `{}` has no type", param.name, of);
      if (param.fallback.valid() && !constOk(param.fallback)) {
        problem("parameter `{}` of `{}` has a default that is none", param.name, of);
      }
    }
  }

  void nodeIdsInRange(NodeId id) {
    const Node& node = m_.at(id);
    if (std::holds_alternative<std::monostate>(node.payload)) return;
    const auto at = id.index();
    if (!typeOk(node.type)) problem("node {} has no type", at);
    if (node.region.index() >= m_.regions.size()) problem("node {} is in no region", at);
    if (node.name.valid() && node.name.index() >= m_.nameCount())
      problem("node {} has a bad name", at);
    const std::uint64_t end =
        std::uint64_t{node.firstOperand} + node.operandCount + node.orderCount;
    if (end > m_.operandPool.size()) {
      problem("node {} has operands outside the pool", at);
    } else {
      for (std::uint64_t i = node.firstOperand; i < end; ++i) {
        if (m_.operandPool[i].index() >= m_.nodes.size()) {
          problem("node {} has an operand that is no node", at);
        }
      }
    }
    const auto body = [&](RegionId region) {
      if (region.index() >= m_.regions.size()) problem("node {} has no body", at);
    };
    std::visit(
        Overloaded{[](std::monostate) {}, [](const Param&) {},
                   [&](const Const& c) {
                     if (!constOk(c.value)) problem("node {} has no value", at);
                   },
                   [&](const Op& op) {
                     if (static_cast<std::size_t>(op.op) >= builtinTable().size()) {
                       problem("node {} is an unknown operation", at);
                     }
                   },
                   [&](const Field& f) {
                     if (f.name.index() >= m_.nameCount()) problem("node {} has no field", at);
                   },
                   [&](const Step& s) {
                     if (s.task.index() >= m_.tasks.size()) problem("node {} has no task", at);
                   },
                   [&](const Call& c) {
                     if (c.callee.index() >= m_.funcs.size()) {
                       problem("node {} has no callee", at);
                     }
                   },
                   [&](const For& x) { body(x.body); },
                   [&](const If& x) {
                     body(x.then);
                     if (x.otherwise.valid()) body(x.otherwise);
                   },
                   [&](const Loop& x) { body(x.body); }, [&](const Try& x) { body(x.body); },
                   [&](const Rows& x) {
                     if (x.op != RowsOp::Limit && x.op != RowsOp::Distinct) body(x.body);
                   }},
        node.payload);
  }

  // ---- definitions
  void verifyTask(const TaskDef& task) {
    std::vector<TypeField> fields;
    for (const OutputDef& output : task.outputs) fields.push_back({output.name, output.type});
    if (task.result != types_.record(std::move(fields))) {
      problem("task `{}` gives `{}`, not the record of its outputs", task.name, type(task.result));
    }
    verifyFallbacks(task.params, task.name);
    const Region& exprs = m_.at(task.exprs);
    std::vector<TypeId> params;
    for (const ParamDef& param : task.params) params.push_back(param.type);
    for (const OutputDef& output : task.outputs) {
      if (output.from == OutputFrom::Path && task.run != RunKind::Table) {
        params.push_back(TypeTable::kString);
      }
    }
    verifyRegionParams(exprs, params, "task `" + task.name + "`");
    walk(task.exprs, {}, Inside::Expressions);
    const auto result = [&](std::uint32_t index, std::string_view what) {
      if (index < exprs.results.size()) return true;
      problem("{} of task `{}` is result {} of {}", what, task.name, index, exprs.results.size());
      return false;
    };
    for (const TaskDef::Word& word : task.argv) {
      if (!result(word.result, "a word")) continue;
      const TypeId wordType = m_.at(exprs.results[word.result]).type;
      const TypeKind kind = types_.kind(wordType);
      if (word.spread && kind != TypeKind::List && kind != TypeKind::Error) {
        problem("a spread word of task `{}` is `{}`, not a list", task.name, type(wordType));
      }
    }
    for (const TaskDef::Env& env : task.env) result(env.result, "environment value");
    if (task.run == RunKind::Table) verifyPlan(task);
    if (task.run == RunKind::Argv && !task.script.empty()) {
      problem("task `{}` has words and a script", task.name);
    }
    if (task.run != RunKind::Argv && !task.argv.empty()) {
      problem("script task `{}` has words", task.name);
    }
  }

  /// A result an output, each a table, whichever way the output keeps it.
  void verifyPlan(const TaskDef& task) {
    const Region& exprs = m_.at(task.exprs);
    if (exprs.results.size() != task.outputs.size()) {
      problem("the plan of `{}` has {} results for {} outputs", task.name, exprs.results.size(),
              task.outputs.size());
      return;
    }
    for (std::size_t i = 0; i < exprs.results.size(); ++i) {
      const TypeId made = m_.at(exprs.results[i]).type;
      if (types_.kind(made) != TypeKind::Table) {
        problem("output `{}` of `{}` is made of `{}`, no table", task.outputs[i].name, task.name,
                type(made));
      }
    }
  }

  void verifyFallbacks(const std::vector<ParamDef>& params, std::string_view of) {
    for (const ParamDef& param : params) {
      if (param.fallback.valid()) verifyValue(param.fallback, param.type, "default of", of);
    }
  }

  void verifyFunc(const FuncDef& func) {
    verifyFallbacks(func.params, func.name);
    std::vector<TypeId> params;
    for (const ParamDef& param : func.params) params.push_back(param.type);
    const Region& body = m_.at(func.body);
    verifyRegionParams(body, params, "`" + func.name + "`");
    const bool isFn = func.kind == FuncKind::Fn;
    walk(func.body, {}, isFn ? Inside::Expressions : Inside::Steps);
    if (body.results.size() != 1) {
      problem("`{}` has {} results, not 1", func.name, body.results.size());
    } else if (!types_.accepts(func.result, m_.at(body.results[0]).type)) {
      problem("`{}` gives `{}`, not `{}`", func.name, type(m_.at(body.results[0]).type),
              type(func.result));
    }
    if (!func.finally.valid()) return;
    if (isFn) problem("fn `{}` has a `finally`", func.name);
    walk(func.finally, body.params, Inside::Steps);
  }

  void verifyTest(const TestDef& test) {
    walk(test.body, {}, Inside::Expressions);
    const Region& body = m_.at(test.body);
    if (body.results.size() != test.expectations.size()) {
      problem("test `{}` has {} results and {} expectations", test.title, body.results.size(),
              test.expectations.size());
    }
    for (const NodeId id : body.results) {
      if (!types_.accepts(TypeTable::kBool, m_.at(id).type)) {
        problem("test `{}` expects a `{}`", test.title, type(m_.at(id).type));
      }
    }
  }

  void verifyRegionParams(const Region& region, std::span<const TypeId> want,
                          const std::string& of) {
    if (region.params.size() != want.size()) {
      problem("the body of {} has {} parameters, not {}", of, region.params.size(), want.size());
      return;
    }
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (m_.at(region.params[i]).type == want[i]) continue;
      problem("parameter {} of {} is `{}` in its body, not `{}`", i, of,
              type(m_.at(region.params[i]).type), type(want[i]));
    }
  }

  // ---- bodies
  enum class Inside : std::uint8_t { Expressions, Steps };
  struct Frame {
    RegionId region;
    std::size_t next = 0;
    NodeId owner;
    std::size_t ownerRegion = 0;  ///< which of the owner's regions this is
  };

  bool enter(std::vector<Frame>& stack, RegionId id, NodeId owner, std::size_t which) {
    if (owned_[id.index()]) {
      problem("region {} belongs to two", id.index());
      return false;
    }
    owned_[id.index()] = true;
    const Region& region = m_.at(id);
    if (region.owner != owner) problem("region {} names another owner", id.index());
    for (std::size_t i = 0; i < region.params.size(); ++i) {
      const NodeId param = region.params[i];
      const Param* payload = m_.payload<Param>(param);
      if (payload == nullptr || payload->index != i || m_.at(param).region != id) {
        problem("{} is not parameter {} of region {}", say(param), i, id.index());
      }
      if (place(param)) visible_[param.index()] = true;
    }
    ++nameStamp_;
    for (const NodeId node : region.nodes) verifyName(node);
    stack.push_back({id, 0, owner, which});
    return true;
  }

  bool place(NodeId id) {
    if (placed_[id.index()]) {
      problem("{} stands in two places", say(id));
      return false;
    }
    placed_[id.index()] = true;
    return true;
  }

  void verifyName(NodeId id) {
    const Node& node = m_.at(id);
    const bool isStep = std::holds_alternative<Step>(node.payload);
    const Call* call = std::get_if<Call>(&node.payload);
    const bool isCall = call != nullptr && m_.at(call->callee).kind == FuncKind::Workflow;
    if (!isStep && !isCall) return;
    if (!node.name.valid()) return problem("{} has no name", say(id));
    std::uint32_t& seen = nameSeen_[node.name.index()];
    if (seen == nameStamp_) problem("two steps of one region are named `{}`", m_.at(node.name));
    seen = nameStamp_;
  }

  void walk(RegionId root, std::span<const NodeId> outerParams, Inside inside) {
    for (const NodeId param : outerParams) visible_[param.index()] = true;
    std::vector<Frame> stack;
    enter(stack, root, {}, 0);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const Region& region = m_.at(frame.region);
      if (frame.next < region.nodes.size()) {
        const NodeId id = region.nodes[frame.next];
        const Node& node = m_.at(id);
        if (std::holds_alternative<std::monostate>(node.payload)) {
          ++frame.next;
          continue;
        }
        if (!place(id)) {
          ++frame.next;
          continue;
        }
        if (node.region != frame.region) problem("{} names another region", say(id));
        verifyOperands(id, inside);
        const std::vector<RegionId> owns = m_.regionsOf(node);
        if (!owns.empty() && enter(stack, owns.front(), id, 0)) continue;
        finish(id, stack.back());
        continue;
      }
      for (const NodeId id : region.results) {
        if (!visible_[id.index()])
          problem("a result of region {} is not visible", frame.region.index());
      }
      const Frame done = frame;
      for (const NodeId id : region.nodes) visible_[id.index()] = false;
      for (const NodeId id : region.params) visible_[id.index()] = false;
      stack.pop_back();
      if (!done.owner.valid()) continue;
      const std::vector<RegionId> owns = m_.regionsOf(m_.at(done.owner));
      if (done.ownerRegion + 1 < owns.size() &&
          enter(stack, owns[done.ownerRegion + 1], done.owner, done.ownerRegion + 1)) {
        continue;
      }
      finish(done.owner, stack.back());
    }
    for (const NodeId param : outerParams) visible_[param.index()] = false;
  }

  /// The node's bodies are done: its own rules, then others may use it.
  void finish(NodeId id, Frame& frame) {
    verifyNode(id);
    visible_[id.index()] = true;
    ++frame.next;
  }

  void verifyOperands(NodeId id, Inside inside) {
    const Node& node = m_.at(id);
    for (const NodeId operand : m_.operands(node)) {
      if (!visible_[operand.index()])
        problem("{} uses {}, which it cannot see", say(id), say(operand));
    }
    for (const NodeId operand : m_.order(node)) {
      if (!visible_[operand.index()]) {
        problem("{} is after {}, which it cannot see", say(id), say(operand));
      }
    }
    if (inside == Inside::Steps) return;
    const Call* call = std::get_if<Call>(&node.payload);
    if (std::holds_alternative<Step>(node.payload) ||
        (call != nullptr && m_.at(call->callee).kind == FuncKind::Workflow)) {
      problem("{} stands where only expressions may", say(id));
    }
  }

  bool count(NodeId id, std::size_t want) {
    if (m_.at(id).operandCount == want) return true;
    problem("{} has {} operands, not {}", say(id), m_.at(id).operandCount, want);
    return false;
  }
  void expectType(NodeId id, std::string_view what, TypeId want, TypeId found) {
    if (types_.accepts(want, found)) return;
    problem("{}: {} is `{}`, not `{}`", say(id), what, type(found), type(want));
  }
  bool shape(NodeId id, RegionId region, std::span<const TypeId> params, std::size_t results) {
    verifyRegionParams(m_.at(region), params, say(id));
    if (m_.at(region).results.size() == results) return true;
    problem("a body of {} has {} results, not {}", say(id), m_.at(region).results.size(), results);
    return false;
  }
  TypeId resultType(RegionId region, std::size_t i = 0) const {
    return m_.at(m_.at(region).results[i]).type;
  }
  TypeId operandType(const Node& node, std::size_t i) const {
    return m_.at(m_.operands(node)[i]).type;
  }
  TypeId elementOf(TypeId list) const {
    const Type& t = types_[list];
    return t.kind == TypeKind::List ? t.element : TypeTable::kError;
  }

  void verifyNode(NodeId id) {
    const Node& node = m_.at(id);
    std::visit(
        Overloaded{
            [](std::monostate) {},
            [&](const Const& c) {
              if (count(id, 0)) verifyValue(c.value, node.type, "value of", "a constant");
            },
            [&](const Param&) { problem("{} stands among the nodes of a region", say(id)); },
            [&](const Op& op) { verifyOp(id, op); }, [&](const Field& f) { verifyField(id, f); },
            [&](const Step& s) {
              verifyArguments(id, m_.at(s.task).params);
              if (node.type != m_.at(s.task).result) {
                problem("{} gives `{}`, its task `{}`", say(id), type(node.type),
                        type(m_.at(s.task).result));
              }
            },
            [&](const Call& c) {
              verifyArguments(id, m_.at(c.callee).params);
              if (node.type != m_.at(c.callee).result) {
                problem("{} gives `{}`, its callee `{}`", say(id), type(node.type),
                        type(m_.at(c.callee).result));
              }
            },
            [&](const For& x) {
              if (!count(id, 1)) return;
              const TypeId list = operandType(node, 0);
              if (types_.kind(list) != TypeKind::List && types_.kind(list) != TypeKind::Error) {
                problem("{} goes over `{}`, which is no list", say(id), type(list));
              }
              if (m_.at(x.body).params.size() != 1) {
                problem("the body of {} has {} parameters, not 1", say(id),
                        m_.at(x.body).params.size());
                return;
              }
              expectType(id, "an item", m_.at(m_.at(x.body).params[0]).type, elementOf(list));
              const TypeId item = m_.at(m_.at(x.body).params[0]).type;
              if (shape(id, x.body, {&item, 1}, 1)) {
                expectType(id, "the value", node.type, types_.list(resultType(x.body)));
              }
            },
            [&](const If& x) {
              if (!count(id, 1)) return;
              expectType(id, "the condition", TypeTable::kBool, operandType(node, 0));
              if (shape(id, x.then, {}, 1)) {
                expectType(id, "the value", node.type, resultType(x.then));
              }
              if (!x.otherwise.valid()) {
                expectType(id, "the value", node.type, TypeTable::kNone);
              } else if (shape(id, x.otherwise, {}, 1)) {
                expectType(id, "the other value", node.type, resultType(x.otherwise));
              }
            },
            [&](const Loop& x) {
              if (!count(id, 2)) return;
              expectType(id, "the start", node.type, operandType(node, 0));
              expectType(id, "the most iterations", TypeTable::kInt, operandType(node, 1));
              if (!shape(id, x.body, {&node.type, 1}, 2)) return;
              expectType(id, "the next state", node.type, resultType(x.body, 0));
              expectType(id, "whether to stop", TypeTable::kBool, resultType(x.body, 1));
            },
            [&](const Try& x) {
              if (!count(id, 0) || !shape(id, x.body, {}, 1)) return;
              expectType(id, "the value", node.type, types_.optional(resultType(x.body)));
            },
            [&](const Rows& x) { verifyRows(id, x); }},
        node.payload);
  }

  void verifyArguments(NodeId id, const std::vector<ParamDef>& params) {
    if (!count(id, params.size())) return;
    for (std::size_t i = 0; i < params.size(); ++i) {
      const TypeId found = operandType(m_.at(id), i);
      if (types_.accepts(params[i].type, found)) continue;
      problem("{}: argument `{}` is `{}`, not `{}`", say(id), params[i].name, type(found),
              type(params[i].type));
    }
  }

  TypeId rowOf(TypeId table) const {
    const Type& t = types_[table];
    return t.kind == TypeKind::Table ? t.element : TypeTable::kError;
  }

  void verifyRows(NodeId id, const Rows& x) {
    const Node& node = m_.at(id);
    if (!count(id, x.op == RowsOp::Limit || x.op == RowsOp::Join ? 2 : 1)) return;
    const TypeId input = operandType(node, 0);
    const TypeId row = x.op == RowsOp::Read ? rowOf(node.type) : rowOf(input);
    const TypeId made = rowOf(node.type);
    if (row == TypeTable::kError || made == TypeTable::kError) {
      return problem("{} is over `{}` and gives `{}`; both must be tables", say(id), type(input),
                     type(node.type));
    }
    const auto same = [&] { expectType(id, "the value", node.type, input); };
    std::vector<TypeId> params{row};
    if (x.op == RowsOp::Join) params.push_back(rowOf(operandType(node, 1)));
    if (x.body.valid()) verifyRegionParams(m_.at(x.body), params, say(id));
    const std::vector<NodeId> none;
    const std::vector<NodeId>& results = x.body.valid() ? m_.at(x.body).results : none;
    const auto resultCount = [&](std::size_t want) {
      if (results.size() == want) return true;
      problem("the body of {} has {} results, not {}", say(id), results.size(), want);
      return false;
    };
    switch (x.op) {
      case RowsOp::Read:
        if (types_.kind(input) != TypeKind::File) {
          problem("{} reads `{}`, which is no file", say(id), type(input));
        }
        [[fallthrough]];
      case RowsOp::Filter:
        for (const NodeId result : results) {
          expectType(id, "a condition", types_.optional(TypeTable::kBool), m_.at(result).type);
        }
        if (x.op == RowsOp::Filter && resultCount(1)) same();
        return;
      case RowsOp::Map:
        if (resultCount(1)) expectType(id, "a row", made, m_.at(results[0]).type);
        return;
      case RowsOp::Group: {
        const std::vector<TypeField>& fields = types_[made].fields;
        if (!resultCount(fields.size())) return;
        if (x.keys > fields.size()) return problem("{} has more keys than columns", say(id));
        for (std::size_t i = 0; i < fields.size(); ++i) {
          expectType(id, "a column", fields[i].type, m_.at(results[i]).type);
          const Op* op = m_.payload<Op>(results[i]);
          if (i >= x.keys && (op == nullptr || !isAggregate(op->op))) {
            problem("column {} of {} is no aggregate", i, say(id));
          }
        }
        return;
      }
      case RowsOp::Sort:
        if (results.size() > kMaxKeys) problem("{} has more than 32 keys", say(id));
        return same();
      case RowsOp::Limit:
        expectType(id, "the number of rows", TypeTable::kInt, operandType(node, 1));
        return same();
      case RowsOp::Distinct:
        return same();
      case RowsOp::Join:
        return verifyJoin(id, x, row, params[1], made);
    }
  }

  void verifyJoin(NodeId id, const Rows& x, TypeId left, TypeId right, TypeId made) {
    if (right == TypeTable::kError) return problem("{} joins what is no table", say(id));
    const std::vector<NodeId>& results = m_.at(x.body).results;
    if (x.keys == 0 || results.size() != 2 * std::size_t{x.keys}) {
      return problem("{} has {} keys and {} results", say(id), x.keys, results.size());
    }
    for (std::size_t i = 0; i < x.keys; ++i) {
      const TypeId other = types_.optional(m_.at(results[x.keys + i]).type);
      expectType(id, "a key", other, m_.at(results[i]).type);
    }
    if (x.join == JoinKind::Semi || x.join == JoinKind::Anti) {
      return expectType(id, "the value", m_.at(id).type, operandType(m_.at(id), 0));
    }
    const std::vector<TypeField>& fields = types_[made].fields;
    const std::size_t width = types_[left].fields.size();
    if (fields.size() != width + types_[right].fields.size()) {
      return problem("{} has {} columns, not those of both tables", say(id), fields.size());
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const bool fromLeft = i < width;
      TypeId want = fromLeft ? types_[left].fields[i].type : types_[right].fields[i - width].type;
      if (!fromLeft && x.join == JoinKind::Left) want = types_.optional(want);
      expectType(id, "a column", fields[i].type, want);
    }
  }

  void verifyOp(NodeId id, const Op& payload) {
    const Node& node = m_.at(id);
    const Builtin op = payload.op;
    const auto each = [&](TypeId want) {
      for (std::size_t i = 0; i < node.operandCount; ++i) {
        expectType(id, "an operand", want, operandType(node, i));
      }
    };
    // What makes a list, a map or a record converts its parts to the type that it has.
    if (op == Builtin::MakeList && types_.kind(node.type) == TypeKind::List) {
      return each(elementOf(node.type));
    }
    if (op == Builtin::SpreadList && types_.kind(node.type) == TypeKind::List)
      return each(node.type);
    if (op == Builtin::MakeMap && types_.kind(node.type) == TypeKind::Map) {
      if (node.operandCount % 2 != 0) problem("{} has a key without a value", say(id));
      for (std::size_t i = 0; i + 1 < node.operandCount; i += 2) {
        expectType(id, "a key", TypeTable::kString, operandType(node, i));
        expectType(id, "a value", types_[node.type].element, operandType(node, i + 1));
      }
      return;
    }
    if (op == Builtin::MakeRecord) {
      const std::vector<TypeField>& fields = types_[node.type].fields;
      if (!count(id, fields.size())) return;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        expectType(id, "a field", fields[i].type, operandType(node, i));
      }
      return;
    }
    const TypeId result = opResult(id, payload);
    if (result.valid()) expectType(id, "the value", node.type, result);
  }

  /// The type an operation gives for its operands' types; invalid (and reported) when it takes
  /// others. Remembered, since a graph has few different ones.
  TypeId opResult(NodeId id, const Op& payload) {
    const Node& node = m_.at(id);
    const Builtin op = payload.op;
    std::vector<std::uint32_t> key{static_cast<std::uint32_t>(op) * 2 + (payload.lifted ? 1 : 0)};
    std::vector<TypeId> args;
    for (std::size_t i = 0; i < node.operandCount; ++i) {
      args.push_back(operandType(node, i));
      key.push_back(args.back().index());
      if (payload.lifted && types_.kind(args.back()) == TypeKind::Optional) {
        args.back() = types_[args.back()].element;
      }
    }
    const auto [entry, added] = opResults_.try_emplace(std::move(key));
    if (added) {
      auto match = matchRow(op, args, types_);
      if (!match) {
        // A value known not to be none may stand beside an optional one: `x == y` of int and int?.
        for (TypeId& arg : args) arg = types_.optional(arg);
        match = matchRow(op, args, types_);
      }
      if (match) {
        const bool keeps = isAggregate(op) && !needsValue(op);
        entry->second =
            payload.lifted && !keeps ? types_.optional(match->result) : match->result;
      }
    }
    if (!entry->second.valid()) {
      problem("{}: `{}` does not take such operands", say(id), info(op).enumerator);
    }
    return entry->second;
  }

  void verifyField(NodeId id, const Field& field) {
    const Node& node = m_.at(id);
    if (!count(id, 1)) return;
    TypeId object = operandType(node, 0);
    bool wraps = false;
    if (field.ofEach) object = elementOf(object);
    if (types_.kind(object) == TypeKind::Optional && field.optional) {
      object = types_[object].element;
      wraps = true;
    }
    if (object == TypeTable::kError) return;
    if (field.optional && object == TypeTable::kNone) return;
    const auto index = types_.fieldIndex(object, m_.at(field.name));
    if (!index) {
      problem("{}: `{}` has no field `{}`", say(id), type(object), m_.at(field.name));
      return;
    }
    TypeId found = types_[object].fields[*index].type;
    if (wraps) found = types_.optional(found);
    if (field.ofEach) found = types_.list(found);
    expectType(id, "the value", node.type, found);
  }

  // ---- values
  void verifyValue(ConstId id, TypeId want, std::string_view what, std::string_view of) {
    const std::uint64_t key = (std::uint64_t{id.index()} << 32U) | want.index();
    if (!checkedValues_.insert(key).second) return;
    if (!fits(m_.at(id), want)) {
      problem("the {} {} is `{}`, not a `{}`", what, of, toSource(m_.at(id)), type(want));
    }
  }

  /// Whether a value may stand for a type; ints for floats, as TypeTable::accepts has it. Bounded
  /// by the nesting of the type.
  bool fits(const Value& value, TypeId want) const {
    const Type& t = types_[want];
    switch (t.kind) {
      case TypeKind::Error:
        return true;
      case TypeKind::None:
        return value.isNone();
      case TypeKind::Bool:
        return value.as<bool>() != nullptr;
      case TypeKind::Int:
        return value.as<std::int64_t>() != nullptr;
      case TypeKind::Float:
        return value.as<double>() != nullptr || value.as<std::int64_t>() != nullptr;
      case TypeKind::String:
        return value.as<std::string>() != nullptr;
      case TypeKind::Timestamp:
        return value.as<Timestamp>() != nullptr;
      case TypeKind::Duration:
        return value.as<Duration>() != nullptr;
      case TypeKind::Size:
        return value.as<Size>() != nullptr;
      case TypeKind::Secret:
        return value.as<SecretRef>() != nullptr;
      case TypeKind::File:
      case TypeKind::Table:
        return value.as<FileRef>() != nullptr && !value.as<FileRef>()->isDir;
      case TypeKind::Dir:
        return value.as<FileRef>() != nullptr && value.as<FileRef>()->isDir;
      case TypeKind::Enum: {
        const EnumCase* c = value.as<EnumCase>();
        if (c == nullptr) return false;
        for (const std::string& name : t.cases) {
          if (name == c->name) return true;
        }
        return false;
      }
      case TypeKind::Optional:
        return value.isNone() || fits(value, t.element);
      case TypeKind::List: {
        if (value.as<ListValue>() == nullptr) return false;
        for (const Value& item : value.items()) {
          if (!fits(item, t.element)) return false;
        }
        return true;
      }
      case TypeKind::Map: {
        if (value.as<MapValue>() == nullptr) return false;
        for (const auto& [key, item] : value.named()) {
          if (!fits(item, t.element)) return false;
        }
        return true;
      }
      case TypeKind::Record:
      case TypeKind::Schema: {
        if (value.as<RecordValue>() == nullptr) return false;
        const NamedItems& fields = value.named();
        if (fields.size() != t.fields.size()) return false;
        for (std::size_t i = 0; i < fields.size(); ++i) {
          if (fields[i].first != t.fields[i].name || !fits(fields[i].second, t.fields[i].type)) {
            return false;
          }
        }
        return true;
      }
    }
    return false;
  }

  // ---- calls
  /// No function comes to call itself: `inline` and the evaluator rely on it.
  void verifyCallsAcyclic() {
    std::vector<std::vector<std::uint32_t>> callees(m_.funcs.size());
    std::vector<RegionId> pending;
    for (std::size_t f = 0; f < m_.funcs.size(); ++f) {
      pending.assign(1, m_.funcs[f].body);
      if (m_.funcs[f].finally.valid()) pending.push_back(m_.funcs[f].finally);
      std::unordered_set<std::uint32_t> seenRegions;
      while (!pending.empty()) {
        const RegionId region = pending.back();
        pending.pop_back();
        if (!seenRegions.insert(region.index()).second) continue;
        for (const NodeId id : m_.at(region).nodes) {
          for (const RegionId inner : m_.regionsOf(m_.at(id))) pending.push_back(inner);
          if (const Call* call = m_.payload<Call>(id)) callees[f].push_back(call->callee.index());
        }
      }
    }
    enum class Mark : std::uint8_t { New, Open, Done };
    std::vector<Mark> marks(m_.funcs.size(), Mark::New);
    std::vector<std::pair<std::uint32_t, std::size_t>> stack;
    for (std::uint32_t root = 0; root < m_.funcs.size(); ++root) {
      if (marks[root] != Mark::New) continue;
      stack.emplace_back(root, 0);
      marks[root] = Mark::Open;
      while (!stack.empty()) {
        auto& [func, next] = stack.back();
        if (next == callees[func].size()) {
          marks[func] = Mark::Done;
          stack.pop_back();
          continue;
        }
        const std::uint32_t callee = callees[func][next++];
        if (marks[callee] == Mark::Open) {
          problem("`{}` comes to call itself", m_.funcs[callee].name);
        } else if (marks[callee] == Mark::New) {
          marks[callee] = Mark::Open;
          stack.emplace_back(callee, 0);
        }
      }
    }
  }

  const Module& m_;
  TypeTable types_;  ///< a copy, to intern what rules ask for
  std::vector<bool> visible_;
  std::vector<bool> placed_;
  std::vector<bool> owned_;
  std::vector<std::uint32_t> nameSeen_;
  std::uint32_t nameStamp_ = 0;
  std::unordered_map<std::vector<std::uint32_t>, TypeId, OperandTypesHash> opResults_;
  std::unordered_set<std::uint64_t> checkedValues_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> verify(const Module& module) { return Verifier(module).run(); }

}  // namespace couler::ir
