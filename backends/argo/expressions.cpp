#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/argo/emitter.h"

namespace couler::backends::argo {

using B = ir::Builtin;
using ir::TypeKind;

std::string Emitter::constExpr(const ir::Value& value) const {
  if (value.isNone()) return "nil";
  if (const auto* b = value.as<bool>()) return *b ? "true" : "false";
  if (const auto* i = value.as<std::int64_t>()) {
    return *i < 0 ? fmt::format("({})", *i) : fmt::format("{}", *i);
  }
  if (const auto* d = value.as<ir::Duration>()) return fmt::format("({})", d->micros);
  if (const auto* s = value.as<ir::Size>()) return fmt::format("{}", s->bytes);
  if (const auto* f = value.as<double>(); f != nullptr && std::isfinite(*f)) {
    std::string text = fmt::format("{}", *f);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return *f < 0 ? "(" + text + ")" : text;
  }
  if (const auto* t = value.as<std::string>()) return exprString(*t);
  if (const auto* e = value.as<ir::EnumCase>()) return exprString(e->name);
  return "fromJSON(" + exprString(ir::toJson(value)) + ")";
}

std::string Emitter::opExpr(Scope& scope, ir::NodeId id) {
  const ir::Node& n = node(id);
  const auto operands = module_.operands(n);
  const auto arg = [&](std::size_t i) { return expr(scope, operands[i]); };
  const auto refuseOp = [&](std::string_view what) {
    refuse<Diag::BackendExpression>(n.span, "put it into a task", "argo", what);
    return std::string("nil");
  };
  const auto binary = [&](std::string_view op) {
    const std::string left = arg(0);
    return "(" + left + " " + std::string(op) + " " + arg(1) + ")";
  };
  const auto call = [&](std::string_view name) {
    std::string out = std::string(name) + "(";
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (i != 0) out += ", ";
      out += arg(i);
    }
    return out + ")";
  };
  const auto kindOf = [&](std::size_t i) {
    ir::TypeId type = node(operands[i]).type;
    if (module_.types.kind(type) == TypeKind::Optional) type = module_.types[type].element;
    return module_.types.kind(type);
  };

  if (const auto* field = std::get_if<ir::Field>(&n.payload)) {  // of each item of a list
    if (const auto parts = fieldsOfEach(scope, id)) {
      return fmt::format("[{}]", fmt::join(*parts, ", "));
    }
    return "map(" + arg(0) + ", {#[" + exprString(module_.at(field->name)) + "]})";
  }
  if (const auto* branch = std::get_if<ir::If>(&n.payload)) {
    adopt(scope, branch->then);
    const ir::NodeId yes = module_.at(branch->then).results[0];
    std::string otherwise = "nil";
    bool total = isTotal(yes);
    if (branch->otherwise.valid()) {
      adopt(scope, branch->otherwise);
      const ir::NodeId no = module_.at(branch->otherwise).results[0];
      total = total && isTotal(no);
      if (total) otherwise = expr(scope, no);
    }
    // sprig.ternary looks at both; a real `? :` is cut up by Argo when it stands in a tag.
    if (!total) return refuseOp("an `if` whose branches may fail");
    return "sprig.ternary(" + expr(scope, yes) + ", " + otherwise + ", " + arg(0) + ")";
  }
  if (const auto* loop = std::get_if<ir::For>(&n.payload)) {
    adopt(scope, loop->body);
    const ir::Region& body = module_.at(loop->body);
    for (const auto& [other, text] : bound_) {
      if (text == "#") return refuseOp("a `for` inside a `for`");
    }
    const std::string list = arg(0);
    bound_[body.params[0]] = "#";
    const std::string item = expr(scope, body.results[0]);
    bound_.erase(body.params[0]);
    return "map(" + list + ", {" + item + (item.ends_with('}') ? " })" : "})");
  }
  const B op = std::get<ir::Op>(n.payload).op;
  switch (op) {
    case B::Or:
      return binary("||");
    case B::And:
      return binary("&&");
    case B::Not:
      return "!" + arg(0);
    case B::Coalesce:
    case B::CoalesceOptional:
      if (!isTotal(operands[1])) return refuseOp("`??` with a right side that may fail");
      return coerce("first(filter([" + arg(0) + ", " + arg(1) + "], {# != nil}))", n.type);
    case B::Unwrap:
      return coerce("filter([" + arg(0) + "], {# != nil})[0]", n.type);
    case B::Equal:
      return binary("==");
    case B::NotEqual:
      return binary("!=");
    case B::Less:
    case B::LessEqual:
    case B::Greater:
    case B::GreaterEqual:
      if (kindOf(0) == TypeKind::Timestamp) return refuseOp("the order of two times");
      return binary(ir::info(op).name);
    case B::InList:
      return binary("in");
    case B::InMap:
      return binary("in");
    case B::Has:
      return "(" + arg(1) + " in " + arg(0) + ")";
    case B::InString:
      return "(" + arg(1) + " contains " + arg(0) + ")";
    case B::Contains:
      return binary("contains");
    case B::StartsWith:
      return binary("startsWith");
    case B::EndsWith:
      return binary("endsWith");
    case B::AddInt:
    case B::AddFloat:
    case B::AddDuration:
    case B::AddSize:
    case B::AddString:
      return binary("+");
    case B::SubInt:
    case B::SubFloat:
    case B::SubDuration:
      return binary("-");
    case B::MulInt:
    case B::MulFloat:
    case B::MulDurationInt:
    case B::MulIntDuration:
    case B::MulSizeInt:
    case B::MulIntSize:
      return binary("*");
    case B::DivFloat:
    case B::DivDuration:
    case B::DivSize:
      return binary("/");
    case B::DivInt: {
      const std::string a = arg(0), b = arg(1);
      return fmt::format("asInt(({0} - (({0} % {1} + {1}) % {1})) / {1})", a, b);
    }
    case B::RemInt: {
      const std::string a = arg(0), b = arg(1);
      return fmt::format("(({0} % {1} + {1}) % {1})", a, b);
    }
    case B::NegInt:
    case B::NegFloat:
    case B::NegDuration:
      return "(-" + arg(0) + ")";
    case B::Range:
    case B::RangeFromTo: {
      const std::string a = arg(0);
      return "(" + a + "..(" + arg(1) + " - 1))";
    }
    case B::RangeTo:
      return "(0..(" + arg(0) + " - 1))";
    case B::Index:
      return coerce(fmt::format("{}[{}]", arg(0), indexExpr(scope, operands[1])), n.type);
    case B::IndexMap:
      return coerce("filter([" + arg(0) + "[" + arg(1) + "]], {# != nil})[0]", n.type);
    case B::Get: {
      const std::string map = arg(0);
      return map + "[" + arg(1) + "]";
    }
    case B::IntToFloat:
      return "asFloat(" + arg(0) + ")";
    case B::FloatToInt:
    case B::Trunc:
      return "asInt(" + arg(0) + ")";
    case B::StringToInt:
      return "asInt(" + arg(0) + ")";
    case B::StringToFloat:
      return "asFloat(" + arg(0) + ")";
    case B::BoolToInt:
      return "sprig.ternary(1, 0, " + arg(0) + ")";
    case B::Round:
      return "asInt(round(" + arg(0) + "))";
    case B::Floor:
      return "asInt(floor(" + arg(0) + "))";
    case B::Ceil:
      return "asInt(ceil(" + arg(0) + "))";
    case B::AbsInt:
    case B::AbsFloat:
      return "abs(" + arg(0) + ")";
    case B::Min:
    case B::Max:
      if (kindOf(0) == TypeKind::String || kindOf(0) == TypeKind::Timestamp) break;
      return call(op == B::Min ? "min" : "max");
    case B::SumInt:
      return "asInt(sum(" + arg(0) + "))";
    case B::SumFloat:
      return "asFloat(sum(" + arg(0) + "))";
    case B::Seconds:
      return "(" + arg(0) + " / 1000000.0)";
    case B::Bytes:
      return arg(0);
    case B::ToString:
      switch (module_.types.kind(node(operands[0]).type)) {
        case TypeKind::String:
        case TypeKind::Enum:
          return arg(0);
        case TypeKind::File:
        case TypeKind::Dir:
        case TypeKind::Table:
          return arg(0);
        case TypeKind::Int:
        case TypeKind::Bool:
        case TypeKind::Float:  // JSON text is how a number is written
          return text(scope, operands[0], {}).asExpr();
        default:
          return refuseOp(
              fmt::format("the text of a `{}`", module_.types.print(node(operands[0]).type)));
      }
    case B::Concat: {
      if (operands.empty()) return "\"\"";
      std::string out = "(";
      for (std::size_t i = 0; i < operands.size(); ++i) {
        if (i != 0) out += " + ";
        out += arg(i);
      }
      return out + ")";
    }
    case B::Join:
      return "sprig.join(" + arg(1) + ", " + arg(0) + ")";
    case B::Split:
      return "sprig.splitList(" + arg(1) + ", " + arg(0) + ")";
    case B::Replace:
      return "sprig.replace(" + arg(1) + ", " + arg(2) + ", " + arg(0) + ")";
    case B::LengthString:
      return "len(sprig.splitList(\"\", " + arg(0) + "))";
    case B::LengthList: {
      // A fan-out gives as many as it goes over, and lists of files are not given as one value.
      Path path;
      const ir::NodeId list = base(operands[0], path);
      const bool eachFile =
          module_.payload<ir::For>(list) != nullptr && holdsFiles(node(list).type);
      return "len(" + (eachFile ? expr(scope, module_.operands(node(list))[0]) : arg(0)) + ")";
    }
    case B::LengthMap:
      return "len(" + arg(0) + ")";
    case B::First:
      return "first(" + arg(0) + ")";
    case B::Last:
      return "last(" + arg(0) + ")";
    case B::ConcatLists:
      return call("sprig.concat");
    case B::SpreadList:
      return call("sprig.concat");
    case B::Append:
      return call("sprig.append");
    case B::ReverseList:
      return "sprig.reverse(" + arg(0) + ")";
    case B::Any:
      return "any(" + arg(0) + ", {#})";
    case B::All:
      return "all(" + arg(0) + ", {#})";
    case B::MakeList: {
      std::string out = "[";
      for (std::size_t i = 0; i < operands.size(); ++i) {
        if (i != 0) out += ", ";
        out += arg(i);
      }
      return out + "]";
    }
    case B::MakeMap:
    case B::MakeRecord:
      return "fromJSON(" + text(scope, id, {}).asExpr() + ")";
    case B::TuneBest:
    case B::TunePromoted:
      return refuseTune(n.span, "the best of trials whose number depends on inputs");
    case B::TuneNext:
      return refuseTune(n.span, "the next points of `tpe`");
    case B::TuneGrid:
    case B::TuneRandom:
    case B::TuneSobol:
      return refuseTune(n.span, "points to try that depend on inputs");
    case B::Glob:
      unsupported(n.span, "`glob`, which looks at files where the workflow is submitted",
                  "pass the files as a `list<file>`, or name a folder by an input");
      return "nil";
    case B::MakeFile:
    case B::MakeDir:
      unsupported(n.span, "a file named while the workflow is submitted",
                  "name it by a constant, or make it an input of the workflow");
      return "nil";
    default:
      break;
  }
  return refuseOp(
      fmt::format("`{}`", ir::info(op).name.starts_with('#') ? "this" : ir::info(op).name));
}

/// That field of each item of a list whose items are known one by one; nothing for another list.
std::optional<std::vector<std::string>> Emitter::fieldsOfEach(Scope& scope, ir::NodeId id) {
  const auto* field = std::get_if<ir::Field>(&node(id).payload);
  if (field == nullptr) return std::nullopt;
  const ir::Node& list = node(module_.operands(node(id))[0]);
  const auto* made = std::get_if<ir::Op>(&list.payload);
  if (made == nullptr || made->op != B::MakeList) return std::nullopt;
  std::vector<std::string> parts;
  for (const ir::NodeId item : module_.operands(list)) {
    parts.push_back(expr(scope, item, {std::string(module_.at(field->name))}));
  }
  return parts;
}

/// A place in a list, as it may stand between brackets: Argo counts a negative one from the end,
/// where here it is an error.
std::string Emitter::indexExpr(Scope& scope, ir::NodeId id) {
  const ir::Value* constant = module_.constant(id);
  const auto* number = constant == nullptr ? nullptr : constant->as<std::int64_t>();
  if (number != nullptr && *number >= 0) return fmt::format("{}", *number);
  return fmt::format("[{0}][sprig.ternary(0, 1, {0} >= 0)]", expr(scope, id));
}

std::string Emitter::refuseTune(Span at, std::string_view what) {
  refuse<Diag::BackendExpression>(
      at,
      "`couler run` does all of `tune`; known before the run, and so emitted, are `grid`, "
      "`random`, `sobol` and `asha` with constant settings",
      "argo", what);
  refusedTune_ = at;
  return "nil";
}

}  // namespace couler::backends::argo
