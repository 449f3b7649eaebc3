#include "passes/shard_plan.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "passes/plan_copy.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

std::string_view wordOf(RowsOp op) {
  constexpr std::string_view kWords[] = {"read", "filter", "map",      "group", "sort",
                                         "limit", "distinct", "join", "concat"};
  return kWords[static_cast<std::size_t>(op)];
}

/// The aggregate that makes of the values for parts of a group the value for the group; nothing
/// where they do not tell it, or not to the last bit (sums of floats).
std::optional<Builtin> mergeOf(Builtin op) {
  switch (op) {
    case Builtin::AggCount:
    case Builtin::AggCountOf:
      return Builtin::AggSumInt;
    case Builtin::AggSumInt:
    case Builtin::AggSumDuration:
    case Builtin::AggSumSize:
    case Builtin::AggMin:
    case Builtin::AggMax:
    case Builtin::AggFirst:
    case Builtin::AggLast:
      return op;
    default:
      return std::nullopt;
  }
}

class Splitter {
 public:
  Splitter(Module& module, TaskId id) : module_(module), task_(module.at(id)) {}

  std::optional<Split> run(std::string& why) {
    countUses();
    for (const NodeId id : reads()) {
      std::string problem;
      if (!follow(id, problem)) {
        if (why.empty()) why = problem;
        continue;
      }
      why.clear();
      split_.addsUp = how_ == Breaker::Partial;
      makePart();
      makeCombine();
      return split_;
    }
    return std::nullopt;
  }

 private:
  /// What becomes of the operator that needs more than one row.
  enum class Breaker : std::uint8_t {
    None,      ///< it is done over all parts
    Partial,   ///< a group of parts of groups
    Operands,  ///< a group over its keys and what its aggregates add up, which parts work out
    Repeated   ///< distinct, in each part and over all
  };

  [[nodiscard]] const Region& plan() const { return module_.at(task_.exprs); }
  [[nodiscard]] const Rows& rowsOf(NodeId id) const { return *module_.payload<Rows>(id); }
  [[nodiscard]] NodeId operand(NodeId id, std::size_t i) const {
    return std::as_const(module_).operands(module_.at(id))[i];
  }
  [[nodiscard]] TypeId rowType(NodeId table) const {
    return module_.types[module_.at(table).type].element;
  }

  /// First the one whose rows are those that the plan is about: on the left of its joins.
  [[nodiscard]] std::vector<NodeId> reads() const {
    const auto isRead = [&](NodeId id) {
      const Rows* rows = module_.payload<Rows>(id);
      return rows != nullptr && rows->op == RowsOp::Read;
    };
    std::vector<NodeId> found;
    std::copy_if(plan().nodes.begin(), plan().nodes.end(), std::back_inserter(found), isRead);
    NodeId first = plan().results[0];
    while (!isRead(first) && module_.at(first).operandCount > 0) first = operand(first, 0);
    std::stable_partition(found.begin(), found.end(), [&](NodeId id) { return id == first; });
    return found;
  }

  void countUses() {
    for (const NodeId id : plan().nodes) {
      for (const NodeId used : std::as_const(module_).operands(module_.at(id))) use(used, id);
    }
    for (const NodeId id : plan().results) use(id, {});
  }
  void use(NodeId id, NodeId by) { users_[id].push_back(by); }

  /// From the read on, as far as each row comes from one row before.
  bool follow(NodeId read, std::string& why) {
    read_ = last_ = read;
    breaker_ = {};
    how_ = Breaker::None;
    const auto& params = plan().params;
    const auto param = std::find(params.begin(), params.end(), operand(read, 0));
    if (param == params.end() || module_.at(read).operandCount != 1) return false;
    split_.file = static_cast<std::size_t>(param - params.begin());
    const std::string& format = module_.types[module_.at(*param).type].name;
    if (format != "csv" && format != "jsonl") {
      why = format.empty() ? "the format of its file is known only at run time"
                           : fmt::format("files of the format {} are not cut", format);
      return false;
    }
    for (const NodeId rule : module_.at(rowsOf(read).body).results) {
      const NameId name = module_.at(rule).name;
      const std::string_view text = name.valid() ? module_.at(name) : std::string_view();
      if (!text.ends_with(": unique")) continue;
      why = fmt::format("whether `{}` is unique only the whole file tells",
                        text.substr(0, text.rfind(':')));
      return false;
    }
    NodeId user;
    for (;;) {
      const std::vector<NodeId>& users = users_[last_];
      user = users.size() == 1 ? users[0] : NodeId{};
      const Rows* rows = user.valid() ? module_.payload<Rows>(user) : nullptr;
      if (rows == nullptr) return true;
      const bool pointwise = rows->op == RowsOp::Filter || rows->op == RowsOp::Map ||
                             (rows->op == RowsOp::Join && operand(user, 0) == last_);
      if (!pointwise) break;
      last_ = user;
    }
    const RowsOp op = rowsOf(user).op;
    if (op == RowsOp::Limit) {
      why = "only its first rows are asked for, and the file is read no further";
      return false;
    }
    if (op == RowsOp::Distinct) how_ = Breaker::Repeated;
    if (op == RowsOp::Group) how_ = howToGroup(user);
    if (how_ != Breaker::None) breaker_ = user;
    return true;
  }

  [[nodiscard]] Breaker howToGroup(NodeId group) const {
    const Rows& rows = rowsOf(group);
    const std::vector<NodeId>& results = module_.at(rows.body).results;
    bool merges = true;
    for (std::size_t i = rows.keys; i < results.size(); ++i) {
      const Node& node = module_.at(results[i]);
      merges = merges && mergeOf(std::get<Op>(node.payload).op).has_value();
      for (std::uint32_t k = 1; k < node.operandCount; ++k) {
        if (module_.constant(operand(results[i], k)) == nullptr) return Breaker::None;
      }
    }
    return merges ? Breaker::Partial : Breaker::Operands;
  }

  /// All nodes that those of `roots` need, themselves among them, without what only `stops` need.
  [[nodiscard]] std::unordered_set<NodeId> needed(std::vector<NodeId> roots,
                                                  const std::vector<NodeId>& stops) const {
    std::unordered_set<NodeId> found;
    while (!roots.empty()) {
      const NodeId id = roots.back();
      roots.pop_back();
      if (std::find(stops.begin(), stops.end(), id) != stops.end()) continue;
      if (!found.insert(id).second) continue;
      for (const NodeId used : module_.operands(module_.at(id))) roots.push_back(used);
      for (const RegionId inner : module_.regionsOf(module_.at(id))) {
        const Region& region = module_.at(inner);
        roots.insert(roots.end(), region.nodes.begin(), region.nodes.end());
        roots.insert(roots.end(), region.results.begin(), region.results.end());
      }
    }
    return found;
  }

  /// Copies of the task's parameters among `nodes`.
  std::vector<std::size_t> copyParams(const std::unordered_set<NodeId>& nodes, PlanCopier& copier,
                                      TaskDef& task) {
    std::vector<std::size_t> taken;
    for (std::size_t i = 0; i < task_.params.size(); ++i) {
      const NodeId param = plan().params[i];
      if (!nodes.contains(param)) continue;
      copier.param(param, task.exprs);
      task.params.push_back(task_.params[i]);
      task.params.back().fallback = {};
      taken.push_back(i);
    }
    return taken;
  }

  NodeId addParam(TaskDef& task, std::string_view name, TypeId type, bool unkeyed) {
    ParamDef& param = task.params.emplace_back();
    param.name = name;
    param.type = type;
    param.unkeyed = unkeyed;
    param.span = task.span;
    return module_.addParam(task.exprs, type, name, task.span, Phase::Run);
  }

  /// The task without its plan.
  TaskDef emptyTask(std::string_view suffix) {
    TaskDef task = task_;
    task.name = uniqueTaskName(module_, task_.name + std::string(suffix));
    task.params.clear();
    task.exprs = module_.addRegion();
    return task;
  }

  void makePart() {
    TaskDef task = emptyTask("-part");
    PlanCopier copier(module_);
    const bool copiesBreaker = how_ == Breaker::Partial || how_ == Breaker::Repeated;
    std::vector<NodeId> roots{copiesBreaker ? breaker_ : last_};
    if (how_ == Breaker::Operands) {
      const std::vector<NodeId> inner = bodyNodes(breaker_);
      roots.insert(roots.end(), inner.begin(), inner.end());
      for (const auto& [_, node] : operandsOfGroup()) {
        if (node.valid()) roots.push_back(node);
      }
    }
    const std::unordered_set<NodeId> nodes = needed(roots, {});
    split_.inPart = copyParams(nodes, copier, task);
    const auto file = std::find(split_.inPart.begin(), split_.inPart.end(), split_.file);
    task.params[static_cast<std::size_t>(file - split_.inPart.begin())].unkeyed = true;
    const NodeId range = addParam(task, "range", fileRangeType(module_.types), true);
    const NodeId digest = addParam(task, "rows", TypeTable::kString, false);
    tellApart(task.params);
    for (const NodeId id : std::vector<NodeId>(plan().nodes)) {
      if (!nodes.contains(id)) continue;
      if (id == read_) {
        readRange(task.exprs, copier, range, digest);
      } else {
        copier.node(id, task.exprs);
      }
      note(split_.eachDoes, id);
    }
    NodeId made = copier.of(copiesBreaker ? breaker_ : last_);
    if (how_ == Breaker::Operands) {
      made = mapOperands(task.exprs, copier);
      note(split_.eachDoes, made);
    }
    partTable_ = module_.at(made).type;
    module_.at(task.exprs).results = {made};
    task.outputs = {{"rows", partTable_, OutputFrom::Path, "part.arrow", {}, task.span}};
    task.result = module_.types.record({{"rows", partTable_}});
    split_.part = TaskId{module_.tasks.size()};
    module_.tasks.push_back(std::move(task));
  }

  void note(std::string& words, NodeId id) const {
    const Rows* rows = module_.payload<Rows>(id);
    if (rows != nullptr) words += (words.empty() ? "" : ", ") + std::string(wordOf(rows->op));
  }

  void readRange(RegionId region, PlanCopier& copier, NodeId range, NodeId digest) {
    const Node old = module_.at(read_);
    Rows rows = rowsOf(read_);
    const RegionId body = std::exchange(rows.body, {});
    const NodeId operands[] = {copier.of(operand(read_, 0)), range, digest};
    const NodeId fresh = module_.add(region, rows, old.type, operands, {}, old.span, old.name);
    rows.body = copier.body(body, fresh);
    module_.at(fresh).payload = rows;
    module_.updateAttributes(fresh);
    copier.set(read_, fresh);
  }

  /// Of the group's body all but the aggregates themselves.
  [[nodiscard]] std::vector<NodeId> bodyNodes(NodeId group) const {
    std::vector<NodeId> nodes;
    for (const NodeId id : module_.at(rowsOf(group).body).nodes) {
      const Op* op = module_.payload<Op>(id);
      if (op == nullptr || !isAggregate(op->op)) nodes.push_back(id);
    }
    return nodes;
  }

  /// For each result of the group its name in the rows of the parts and what it is made of there;
  /// a count of rows needs nothing.
  [[nodiscard]] std::vector<std::pair<std::string, NodeId>> operandsOfGroup() const {
    const Rows& rows = rowsOf(breaker_);
    const std::vector<NodeId>& results = module_.at(rows.body).results;
    std::vector<std::pair<std::string, NodeId>> made;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const bool isKey = i < rows.keys;
      const bool counts = !isKey && module_.at(results[i]).operandCount == 0;
      made.emplace_back(fmt::format("{}{}", isKey ? "key" : "value", i),
                        isKey ? results[i] : counts ? NodeId{} : operand(results[i], 0));
    }
    return made;
  }

  NodeId mapOperands(RegionId region, PlanCopier& copier) {
    const Node group = module_.at(breaker_);
    const RegionId from = rowsOf(breaker_).body;
    std::vector<TypeField> fields;
    for (const auto& [name, node] : operandsOfGroup()) {
      if (node.valid()) fields.push_back({name, module_.at(node).type});
    }
    const TypeId row = module_.types.record(std::move(fields));
    const std::string& rowName = module_.types[rowType(breaker_)].name;
    const NameId name = group.name.valid() || rowName.empty() ? group.name : module_.intern(rowName);
    const NodeId stream = copier.of(last_);
    Rows rows;
    rows.op = RowsOp::Map;
    const NodeId map =
        module_.add(region, rows, module_.types.table(row), {{stream}}, {}, group.span, name);
    rows.body = module_.addRegion(map);
    copier.param(module_.at(from).params[0], rows.body);
    for (const NodeId id : bodyNodes(breaker_)) copier.node(id, rows.body);
    std::vector<NodeId> values;
    for (const auto& [_, node] : operandsOfGroup()) {
      if (node.valid()) values.push_back(copier.of(node));
    }
    const NodeId record =
        module_.add(rows.body, Op{Builtin::MakeRecord}, row, values, {}, group.span);
    module_.at(rows.body).results = {record};
    module_.at(map).payload = rows;
    module_.updateAttributes(map);
    return map;
  }

  void makeCombine() {
    TaskDef task = emptyTask("-combined");
    PlanCopier copier(module_);
    const NodeId parts = addParam(task, "parts", module_.types.list(partTable_), false);
    const bool replaced = how_ == Breaker::Partial || how_ == Breaker::Operands;
    const NodeId stop = replaced ? breaker_ : last_;
    const std::unordered_set<NodeId> nodes = needed(plan().results, {stop});
    split_.inCombine = copyParams(nodes, copier, task);
    tellApart(task.params);
    Rows concat;
    concat.op = RowsOp::Concat;
    NodeId all = module_.add(task.exprs, concat, partTable_, {{parts}}, {}, task.span);
    if (replaced) {
      all = groupAgain(task.exprs, all);
      note(split_.restDoes, all);
    }
    copier.set(stop, all);
    for (const NodeId id : std::vector<NodeId>(plan().nodes)) {
      if (!nodes.contains(id)) continue;
      copier.node(id, task.exprs);
      note(split_.restDoes, id);
    }
    for (const NodeId result : std::vector<NodeId>(plan().results)) {
      module_.at(task.exprs).results.push_back(copier.of(result));
    }
    if (split_.restDoes.empty()) split_.restDoes = "nothing";
    split_.combine = TaskId{module_.tasks.size()};
    module_.tasks.push_back(std::move(task));
  }

  /// The group over the rows of all parts.
  NodeId groupAgain(RegionId region, NodeId table) {
    const Node old = module_.at(breaker_);
    Rows rows = rowsOf(breaker_);
    const std::vector<NodeId> results = module_.at(rows.body).results;
    const NodeId group = module_.add(region, [&] {
      Rows open = rows;
      open.body = {};
      return open;
    }(), old.type, {{table}}, {}, old.span, old.name);
    rows.body = module_.addRegion(group);
    const TypeId row = rowType(table);
    const NodeId param = module_.addParam(rows.body, row, "row", old.span, Phase::Run);
    const bool partial = how_ == Breaker::Partial;
    const auto names = operandsOfGroup();
    std::vector<NodeId> made;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Node result = module_.at(results[i]);
      std::vector<NodeId> operands;
      if (partial || names[i].second.valid()) {
        const std::string name =
            partial ? module_.types[row].fields[i].name : names[i].first;
        const auto index = module_.types.fieldIndex(row, name);
        const TypeId type = module_.types[row].fields[*index].type;
        operands.push_back(module_.add(rows.body, Field{module_.intern(name)}, type, {{param}}, {},
                                       result.span));
      }
      if (i < rows.keys) {
        made.push_back(operands[0]);
        continue;
      }
      Op op = std::get<Op>(result.payload);
      if (partial) {
        op.op = *mergeOf(op.op);
        op.lifted = module_.types.kind(module_.at(operands[0]).type) == TypeKind::Optional;
      }
      for (std::uint32_t k = 1; k < result.operandCount; ++k) {
        const NodeId constant = operand(results[i], k);
        operands.push_back(module_.addConst(rows.body, *module_.constant(constant),
                                            module_.at(constant).type, result.span));
      }
      made.push_back(
          module_.add(rows.body, op, result.type, operands, {}, result.span, result.name));
    }
    module_.at(rows.body).results = std::move(made);
    module_.at(group).payload = rows;
    module_.updateAttributes(group);
    return group;
  }

  Module& module_;
  const TaskDef task_;
  std::unordered_map<NodeId, std::vector<NodeId>> users_;  // invalid: a result
  NodeId read_;
  NodeId last_;     // up to which parts go row by row
  NodeId breaker_;  // what follows, where parts do something of it; else invalid
  Breaker how_ = Breaker::None;
  TypeId partTable_;
  Split split_;
};

}  // namespace

TypeId rangeItemType(TypeTable& types) {
  return types.record({{"at", fileRangeType(types)}, {"digest", TypeTable::kString}});
}

std::optional<Split> splitPlan(Module& module, TaskId task, std::string& why) {
  return Splitter(module, task).run(why);
}

}  // namespace couler::passes
