#include "runtime/jit/lower.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "runtime/jit/graph.h"
#include "runtime/jit/lower_rules.h"
#include "runtime/jit/lower_types.h"

namespace couler::jit {

namespace {

using column::RowPlan;
using ir::Builtin;
using ir::NodeId;
using ir::RegionId;
using ir::TypeId;
using ir::TypeKind;
using ir::Value;

constexpr std::uint32_t kMaxDepth = 300;
constexpr std::size_t kMaxListed = 64;   // items of `x in [...]`
constexpr std::size_t kMaxNesting = 64;  // of bodies and calls

/// What a node of a body stands for: a value, a field of the input, or a record of such.
struct Symbol {
  enum class Form : std::uint8_t { Value, Field, Record } form = Form::Value;
  ExprId expr = 0;
  std::uint32_t field = 0;
  std::shared_ptr<std::vector<std::pair<std::string, Symbol>>> parts;
};

/// One evaluation of a function's body or of a stage's.
struct Scope {
  std::unordered_map<NodeId, Symbol> known;
  std::size_t depth = 0;
};

class Lowerer {
 public:
  explicit Lowerer(const RowPlan& plan) : plan_(plan), module_(*plan.module) {
    for (std::size_t i = 0; i < plan.outer.size(); ++i) outer_[plan.outer[i].first] = i;
    program_.outerCount = static_cast<std::uint32_t>(plan.outer.size());
  }

  Program run() {
    Symbol row = inputRow();
    for (const NodeId id : plan_.stages) row = stage(id, std::move(row));
    results(row);
    return std::move(program_);
  }

 private:
  // ---- stages and results

  Symbol inputRow() {
    Symbol row = emptyRecord();
    for (std::uint32_t i = 0; i < plan_.input.fields.size(); ++i) {
      Symbol field;
      field.form = Symbol::Form::Field;
      field.field = i;
      row.parts->emplace_back(plan_.input.fields[i].name, field);
    }
    return row;
  }

  Symbol stage(NodeId id, Symbol row) {
    const ir::Rows* rows = module_.payload<ir::Rows>(id);
    if (rows == nullptr || (rows->op != ir::RowsOp::Filter && rows->op != ir::RowsOp::Map)) {
      refuse("a stage is neither a filter nor a map");
    }
    Scope scope;
    const ir::Region& body = module_.at(rows->body);
    if (body.params.size() != 1 || body.results.size() != 1) refuse("a body of another form");
    scope.known[body.params[0]] = row;
    Symbol result = symbol(body.results[0], scope);
    if (rows->op == ir::RowsOp::Map) {
      if (result.form != Symbol::Form::Record) refuse("a map that gives no record");
      Step check;
      failing(result, check.exprs);
      if (!check.exprs.empty()) program_.steps.push_back(std::move(check));
      return result;
    }
    const ExprId condition = graph_.coerced(value(result), Kind::Bool);
    if (at(condition).kind != Kind::Bool) refuse("a condition that is no bool");
    program_.steps.push_back({true, {condition}});
    program_.filters = true;
    return row;
  }

  void failing(const Symbol& symbol, std::vector<ExprId>& into) {
    if (symbol.form == Symbol::Form::Record) {
      for (const auto& [name, part] : *symbol.parts) failing(part, into);
    } else if (symbol.form == Symbol::Form::Value && at(symbol.expr).fails) {
      into.push_back(symbol.expr);
    }
  }

  void results(const Symbol& row) {
    std::vector<Symbol> made;
    if (!plan_.results.valid()) {
      for (const auto& [name, part] : *row.parts) made.push_back(part);
    } else {
      const ir::Region& body = module_.at(plan_.results);
      if (plan_.rowParam >= body.params.size()) refuse("a body without that parameter");
      Scope scope;
      scope.known[body.params[plan_.rowParam]] = row;
      for (std::uint32_t i = 0; i < plan_.resultCount; ++i) {
        made.push_back(symbol(body.results.at(plan_.firstResult + i), scope));
      }
    }
    if (made.size() != plan_.output.fields.size()) refuse("results that are not the columns");
    for (std::size_t i = 0; i < made.size(); ++i) output(made[i], plan_.output.fields[i]);
  }

  void output(const Symbol& made, const column::Field& field) {
    Output out;
    out.optional = field.optional;
    if (made.form == Symbol::Form::Field) {
      out.field = made.field;
      if (plan_.input.fields[made.field].kind != field.kind) refuse("a column of another kind");
    } else {
      out.expr = graph_.coerced(value(made), field.kind);
      const Expr& expr = at(out.expr);
      if (expr.kind != field.kind) refuse("`{}` is of another kind than its column", field.name);
      if (expr.code == Code::Column) {
        out.field = program_.inputs[expr.index].field;
      } else {
        out.computed = true;
      }
    }
    program_.outputs.push_back(out);
  }

  // ---- nodes

  Symbol symbol(NodeId id, Scope& scope) {
    if (const auto it = scope.known.find(id); it != scope.known.end()) return it->second;
    if (++nesting_ > kMaxDepth) refuse("an expression that is nested too deep");
    Symbol made = lowerNode(id, scope);
    --nesting_;
    scope.known[id] = made;
    return made;
  }
  ExprId value(const Symbol& symbol) {
    if (symbol.form == Symbol::Form::Record) refuse("a record as a value");
    return symbol.form == Symbol::Form::Field ? column(symbol.field) : symbol.expr;
  }
  ExprId operand(NodeId id, Scope& scope) { return value(symbol(id, scope)); }
  static Symbol emptyRecord() {
    Symbol record;
    record.form = Symbol::Form::Record;
    record.parts = std::make_shared<std::vector<std::pair<std::string, Symbol>>>();
    return record;
  }
  static Symbol of(ExprId expr) {
    Symbol symbol;
    symbol.expr = expr;
    return symbol;
  }

  Symbol lowerNode(NodeId id, Scope& scope) {
    const ir::Node& node = module_.at(id);
    if (const auto it = outer_.find(id); it != outer_.end()) return of(outer(it->second, node));
    if (const ir::Const* x = std::get_if<ir::Const>(&node.payload)) {
      return of(constant(module_.at(x->value), node.type));
    }
    if (const ir::Op* x = std::get_if<ir::Op>(&node.payload)) return operation(*x, node, scope);
    if (const ir::Field* x = std::get_if<ir::Field>(&node.payload)) return field(*x, node, scope);
    if (const ir::If* x = std::get_if<ir::If>(&node.payload)) {
      const ExprId condition = operand(module_.operands(node)[0], scope);
      const Symbol then = regionValue(x->then, scope);
      const Symbol otherwise =
          x->otherwise.valid() ? regionValue(x->otherwise, scope) : of(graph_.none());
      return select(condition, then, otherwise);
    }
    if (const ir::Try* x = std::get_if<ir::Try>(&node.payload)) {
      const ExprId tried = value(regionValue(x->body, scope));
      if (!at(tried).fails) return of(tried);
      // An error of compiled code that the evaluator does not have would pass for none.
      if (graph_.hasDates(tried)) refuse("`try` around a part of a date");
      Expr expr = {.code = Code::Try, .kind = at(tried).kind, .operands = {tried}};
      return of(graph_.add(std::move(expr)));
    }
    if (const ir::Call* x = std::get_if<ir::Call>(&node.payload)) return call(*x, node, scope);
    if (std::holds_alternative<ir::Param>(node.payload)) refuse("a value from outside of the rows");
    refuse("a loop or a step");
  }

  Symbol regionValue(RegionId region, Scope& scope) {
    if (!region.valid() || module_.at(region).results.size() != 1) refuse("a body of another form");
    return symbol(module_.at(region).results[0], scope);
  }

  Symbol call(const ir::Call& call, const ir::Node& node, Scope& scope) {
    const ir::FuncDef& callee = module_.at(call.callee);
    if (!callee.body.valid() || callee.kind != ir::FuncKind::Fn) refuse("such a call");
    if (scope.depth >= kMaxNesting) refuse("calls that are nested too deep");
    Scope inner;
    inner.depth = scope.depth + 1;
    const ir::Region& body = module_.at(callee.body);
    const auto arguments = module_.operands(node);
    for (std::size_t i = 0; i < body.params.size() && i < arguments.size(); ++i) {
      inner.known[body.params[i]] = symbol(arguments[i], scope);
    }
    return regionValue(callee.body, inner);
  }

  Symbol field(const ir::Field& field, const ir::Node& node, Scope& scope) {
    const Symbol object = symbol(module_.operands(node)[0], scope);
    if (field.ofEach || object.form != Symbol::Form::Record) refuse("a field of such a value");
    for (const auto& [name, part] : *object.parts) {
      if (name == module_.at(field.name)) return part;
    }
    refuse("a field that is not there");
  }

  Symbol select(ExprId condition, const Symbol& then, const Symbol& otherwise) {
    if (then.form == Symbol::Form::Record && otherwise.form == Symbol::Form::Record) {
      if (then.parts->size() != otherwise.parts->size()) refuse("records of two forms");
      Symbol record = emptyRecord();
      for (std::size_t i = 0; i < then.parts->size(); ++i) {
        record.parts->emplace_back(
            (*then.parts)[i].first,
            select(condition, (*then.parts)[i].second, (*otherwise.parts)[i].second));
      }
      return record;
    }
    return of(graph_.select(condition, value(then), value(otherwise)));
  }

  // ---- operations

  Symbol operation(const ir::Op& payload, const ir::Node& node, Scope& scope) {
    const auto nodes = module_.operands(node);
    const Builtin op = payload.op;
    if (op == Builtin::MakeRecord) return makeRecord(node, scope);
    // What a row adds to its group; putting that together is the group's.
    if (ir::isAggregate(op)) {
      return nodes.empty() ? of(graph_.integer(1)) : symbol(nodes[0], scope);
    }
    if (op == Builtin::InList) return of(inList(payload, nodes, scope));
    if (!isSupported(op)) refuse("`{}` ({})", ir::info(op).name, ir::info(op).enumerator);
    std::vector<ExprId> operands;
    for (const NodeId id : nodes) operands.push_back(operand(id, scope));
    return of(apply(op, payload.lifted, std::move(operands), node, nodes));
  }

  Symbol makeRecord(const ir::Node& node, Scope& scope) {
    const ir::Type& type = module_.types[node.type];
    const auto nodes = module_.operands(node);
    if (type.fields.size() != nodes.size()) refuse("a record of another form");
    Symbol record = emptyRecord();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      record.parts->emplace_back(type.fields[i].name, symbol(nodes[i], scope));
    }
    return record;
  }

  /// As a chain of comparisons; the items must be known, and without errors.
  ExprId inList(const ir::Op& payload, std::span<const NodeId> nodes, Scope& scope) {
    const ExprId x = operand(nodes[0], scope);
    std::vector<ExprId> items;
    const ir::Node& list = module_.at(nodes[1]);
    if (const Value* known = module_.constant(nodes[1]); known != nullptr) {
      const TypeId element = module_.types[list.type].element;
      for (const Value& item : known->items()) items.push_back(constant(item, element));
    } else if (const ir::Op* made = std::get_if<ir::Op>(&list.payload);
               made != nullptr && made->op == Builtin::MakeList) {
      for (const NodeId item : module_.operands(list)) items.push_back(operand(item, scope));
    } else {
      refuse("`in` a list that is not written out");
    }
    if (items.size() > kMaxListed) refuse("`in` a list of more than {} items", kMaxListed);
    return graph_.isOneOf(x, items, payload.lifted);
  }

  ExprId apply(Builtin op, bool lifted, std::vector<ExprId> operands, const ir::Node& node,
               std::span<const NodeId> nodes) {
    if (op == Builtin::InString) {
      op = Builtin::Contains;
      std::swap(operands[0], operands[1]);
    }
    lifted = lifted && std::any_of(operands.begin(), operands.end(),
                                   [&](ExprId id) { return graph_.mayBeNone(id); });
    if (operands.size() == 2 && takesOneKind(op)) graph_.agree(operands[0], operands[1]);
    if (takesOneKind(op) && at(operands[0]).kind == Kind::Enum) sameCases(nodes);
    if (op == Builtin::Unwrap && !graph_.mayBeNone(operands[0])) return operands[0];
    const bool plain = lifted || !graph_.mayBeNone(operands[0]);
    if (op == Builtin::ToString && plain) {
      const Kind kind = at(operands[0]).kind;
      if (kind == Kind::String) return operands[0];
      if (kind == Kind::Bool && !graph_.mayBeNone(operands[0])) {
        return graph_.select(operands[0], graph_.text("true"), graph_.text("false"));
      }
    }
    if (op == Builtin::PowInt && at(operands[1]).code == Code::Const && plain) {
      const std::int64_t exponent = at(operands[1]).bits;
      if (exponent >= 1 && exponent <= 16) return graph_.power(operands[0], exponent, lifted);
    }
    std::optional<std::string> pattern;
    if (takesPattern(op)) pattern = knownPattern(op, operands, program_.exprs);
    if (op == Builtin::Matches && pattern) {
      if (const auto found = graph_.matches(operands[0], operands[1], lifted)) return *found;
    }
    Expr expr = {.code = Code::Apply, .op = op, .lifted = lifted, .operands = std::move(operands)};
    const std::optional<Kind> kind = kindOf(node.type);
    if (!kind) refuse("`{}` of such a type", ir::info(op).name);
    expr.kind = *kind;
    expr.via = viaOf(expr, program_.exprs);
    if (takesPattern(op)) expr.via = pattern ? Via::Text : Via::Any;
    if (op == Builtin::Hash && !plain) expr.via = Via::Any;  // of none, too
    if (expr.via == Via::Inline || expr.via == Via::Math) return graph_.add(std::move(expr));
    expr.index = site(op, node, nodes, pattern);
    program_.sites[expr.index].bytes = replacementOf(expr, program_.exprs);
    if (!pattern) return graph_.add(std::move(expr));
    if (op != Builtin::Matches) {
      const bool brief = op != Builtin::ReplaceAll || at(expr.operands[2]).text.size() <= kLongText;
      if (brief) expr.automaton = graph_.automaton(*pattern);
      return graph_.add(std::move(expr));
    }
    const ExprId subject = expr.operands[0];
    return graph_.withRequired(subject, *pattern, graph_.add(std::move(expr)), lifted);
  }

  // ---- leaves

  [[nodiscard]] std::optional<Kind> kindOf(TypeId id) const {
    return jit::kindOf(module_.types, id);
  }
  void sameCases(std::span<const NodeId> nodes) const {
    const std::vector<std::string>* first = nullptr;
    for (const NodeId id : nodes) {
      if (module_.at(id).type == ir::TypeTable::kNone) continue;
      const std::vector<std::string>& cases = casesOf(module_.types, module_.at(id).type);
      if (first != nullptr && *first != cases) refuse("enums of two types");
      first = &cases;
    }
  }

  std::uint32_t site(Builtin op, const ir::Node& node, std::span<const NodeId> nodes,
                     std::optional<std::string> pattern) {
    Site& site = program_.sites.emplace_back();
    site.op = op;
    for (const NodeId id : nodes)
      site.operands.push_back(cellOf(module_.types, module_.at(id).type));
    site.result = cellOf(module_.types, node.type);
    site.pattern = std::move(pattern);
    return static_cast<std::uint32_t>(program_.sites.size() - 1);
  }

  ExprId column(std::uint32_t field) {
    const column::Field& known = plan_.input.fields[field];
    if (known.kind == Kind::Value) refuse("a column of lists or records");
    return graph_.column(field, known.kind, known.optional);
  }
  ExprId outer(std::size_t index, const ir::Node& node) {
    const std::optional<Kind> kind = kindOf(node.type);
    if (!kind) refuse("a parameter of such a type");
    return graph_.outer(index, *kind, module_.types.kind(node.type) == TypeKind::Optional);
  }
  ExprId constant(const Value& value, TypeId type) {
    if (value.isNone()) return graph_.none(kindOf(type).value_or(Kind::Value));
    const std::optional<Kind> kind = kindOf(type);
    if (!kind) refuse("a constant of such a type");
    Expr expr = {.code = Code::Const, .kind = *kind};
    if (*kind == Kind::String) {
      const std::string* known = value.as<std::string>();
      if (known == nullptr) refuse("a constant of another type than its own");
      return graph_.text(*known);
    } else {
      const std::optional<std::int64_t> bits = bitsOf(value, *kind, casesOf(module_.types, type));
      if (!bits) refuse("a constant of another type than its own");
      expr.bits = *bits;
    }
    return graph_.add(std::move(expr));
  }

  [[nodiscard]] const Expr& at(ExprId id) const { return graph_.at(id); }

  const RowPlan& plan_;
  const ir::Module& module_;
  Program program_;
  Graph graph_{program_};
  std::unordered_map<NodeId, std::size_t> outer_;
  std::size_t nesting_ = 0;
};

}  // namespace

std::unique_ptr<Program> lower(const column::RowPlan& plan, std::string& why) {
  try {
    return std::make_unique<Program>(Lowerer(plan).run());
  } catch (const Unsupported& unsupported) {
    why = unsupported.why;
    return nullptr;
  }
}

}  // namespace couler::jit
