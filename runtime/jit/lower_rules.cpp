#include "runtime/jit/lower_rules.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/jit/lower.h"
#include "runtime/jit/patterns.h"

namespace couler::jit {

using ir::Builtin;

namespace {

constexpr std::size_t kLightText = 16;  // bytes of a literal compared without a branch

/// By which way each built-in goes; nothing: it is not compiled.
std::optional<Via> tableVia(Builtin op) {
  switch (op) {
    case Builtin::Or:
    case Builtin::And:
    case Builtin::Not:
    case Builtin::Coalesce:
    case Builtin::CoalesceOptional:
    case Builtin::Equal:
    case Builtin::NotEqual:
    case Builtin::Less:
    case Builtin::LessEqual:
    case Builtin::Greater:
    case Builtin::GreaterEqual:
    case Builtin::InList:
    case Builtin::AddInt:
    case Builtin::AddFloat:
    case Builtin::AddDuration:
    case Builtin::AddSize:
    case Builtin::AddTimestamp:
    case Builtin::SubInt:
    case Builtin::SubFloat:
    case Builtin::SubDuration:
    case Builtin::SubSize:
    case Builtin::SubTimestamp:
    case Builtin::TimeBetween:
    case Builtin::NegInt:
    case Builtin::NegFloat:
    case Builtin::NegDuration:
    case Builtin::MulInt:
    case Builtin::MulFloat:
    case Builtin::MulDurationInt:
    case Builtin::MulDurationFloat:
    case Builtin::MulIntDuration:
    case Builtin::MulFloatDuration:
    case Builtin::MulSizeInt:
    case Builtin::MulSizeFloat:
    case Builtin::MulIntSize:
    case Builtin::MulFloatSize:
    case Builtin::DivFloat:
    case Builtin::DivDuration:
    case Builtin::DivSize:
    case Builtin::DivDurationFloat:
    case Builtin::DivSizeFloat:
    case Builtin::DivInt:
    case Builtin::RemInt:
    case Builtin::IntToFloat:
    case Builtin::FloatToInt:
    case Builtin::BoolToInt:
    case Builtin::Round:
    case Builtin::Floor:
    case Builtin::Ceil:
    case Builtin::Trunc:
    case Builtin::AbsInt:
    case Builtin::AbsFloat:
    case Builtin::AbsDuration:
    case Builtin::Min:
    case Builtin::Max:
    case Builtin::Clamp:
    case Builtin::Sqrt:
    case Builtin::IsNan:
    case Builtin::Year:
    case Builtin::Month:
    case Builtin::Day:
    case Builtin::Hour:
    case Builtin::Minute:
    case Builtin::Second:
    case Builtin::Seconds:
    case Builtin::Bytes:
    case Builtin::LengthString:
    case Builtin::Trim:
    case Builtin::Contains:
    case Builtin::InString:
    case Builtin::StartsWith:
    case Builtin::EndsWith:
    case Builtin::MakeRecord:
    case Builtin::Unwrap:
      return Via::Inline;
    case Builtin::RemFloat:
    case Builtin::PowFloat:
    case Builtin::Exp:
    case Builtin::Log:
    case Builtin::Log2:
    case Builtin::Log10:
    case Builtin::Sin:
    case Builtin::Cos:
    case Builtin::Pow:
      return Via::Math;
    case Builtin::AddString:
    case Builtin::Concat:
    case Builtin::Lower:
    case Builtin::Upper:
    case Builtin::Substring:
    case Builtin::SubstringFrom:
    case Builtin::Replace:
    case Builtin::Matches:
    case Builtin::Find:
    case Builtin::Extract:
    case Builtin::ReplaceAll:
    case Builtin::ToString:
    case Builtin::StringToInt:
    case Builtin::StringToFloat:
    case Builtin::Hash:
      return Via::Text;
    case Builtin::PowInt:
    case Builtin::RoundTo:
    case Builtin::CountText:
    case Builtin::Repeat:
    case Builtin::PadLeft:
    case Builtin::PadLeftWith:
    case Builtin::PadRight:
    case Builtin::ReverseString:
    case Builtin::Basename:
    case Builtin::Stem:
    case Builtin::Extension:
    case Builtin::Parent:
    case Builtin::StringToTimestamp:
    case Builtin::FormatTimestamp:
      return Via::Any;
    default:
      return ir::isAggregate(op) ? std::optional(Via::Inline) : std::nullopt;
  }
}

bool isLiteral(const Expr& expr, std::size_t most) {
  return (expr.code == Code::Const && expr.text.size() <= most) || expr.code == Code::None;
}

bool isNumber(const Expr& expr) { return expr.code == Code::Const; }

}  // namespace

bool isSupported(Builtin op) { return tableVia(op).has_value(); }

Via viaOf(const Expr& apply, const std::vector<Expr>& exprs) {
  const Via via = tableVia(apply.op).value_or(Via::Any);
  const auto operand = [&](std::size_t i) -> const Expr& { return exprs[apply.operands[i]]; };
  switch (apply.op) {
    case Builtin::Contains:
    case Builtin::StartsWith:
    case Builtin::EndsWith:
      return isLiteral(operand(1), kInlineText) ? Via::Inline : Via::Text;
    case Builtin::ToString:
      return operand(0).kind == Kind::Int ? Via::Text : Via::Any;
    case Builtin::Min:
    case Builtin::Max:
    case Builtin::Clamp:
      return operand(0).kind == Kind::String ? Via::Any : Via::Inline;
    default:
      return via;
  }
}

bool isHeavy(const Expr& expr, const std::vector<Expr>& exprs) {
  if (expr.code != Code::Apply && expr.code != Code::Same) return false;
  if (expr.via != Via::Inline) return true;
  const auto operand = [&](std::size_t i) -> const Expr& { return exprs[expr.operands[i]]; };
  if (expr.code == Code::Same || takesOneKind(expr.op)) {
    if (operand(0).kind != Kind::String) return false;
    const bool orders =
        expr.code == Code::Apply && expr.op != Builtin::Equal && expr.op != Builtin::NotEqual;
    return orders || !(isLiteral(operand(0), kLightText) || isLiteral(operand(1), kLightText));
  }
  switch (expr.op) {
    case Builtin::StartsWith:
    case Builtin::EndsWith:
      return !isLiteral(operand(1), kLightText);
    case Builtin::Contains:
    case Builtin::LengthString:
    case Builtin::Trim:
    case Builtin::Matches:
      return true;
    default:
      return false;
  }
}

bool isDear(const Expr& expr, const Program& program) {
  if (!isHeavy(expr, program.exprs)) return false;
  if (expr.via != Via::Inline) return true;
  switch (expr.op) {
    case Builtin::Contains:
    case Builtin::LengthString:
      return false;
    case Builtin::Matches:
      return !program.automata[expr.automaton - 1].isCheap();
    default:
      return true;
  }
}

bool canFail(const Expr& expr, const std::vector<Expr>& exprs) {
  if (expr.code != Code::Apply) return false;
  const auto operand = [&](std::size_t i) -> const Expr& { return exprs[expr.operands[i]]; };
  switch (expr.via) {
    case Via::Math:
      return false;
    case Via::Any:
      return expr.op != Builtin::Min && expr.op != Builtin::Max;
    case Via::Text:
      return expr.kind != Kind::Bool && expr.op != Builtin::Find && expr.op != Builtin::Extract;
    case Via::Inline:
      break;
  }
  switch (expr.op) {
    case Builtin::DivInt:
      return !(isNumber(operand(1)) && operand(1).bits != 0 && operand(1).bits != -1);
    case Builtin::RemInt:
      return !(isNumber(operand(1)) && operand(1).bits != 0);
    case Builtin::AddInt:
    case Builtin::AddDuration:
    case Builtin::AddSize:
    case Builtin::AddTimestamp:
    case Builtin::SubInt:
    case Builtin::SubDuration:
    case Builtin::SubSize:
    case Builtin::SubTimestamp:
    case Builtin::TimeBetween:
    case Builtin::NegInt:
    case Builtin::NegDuration:
    case Builtin::MulInt:
    case Builtin::MulDurationInt:
    case Builtin::MulDurationFloat:
    case Builtin::MulIntDuration:
    case Builtin::MulFloatDuration:
    case Builtin::MulSizeInt:
    case Builtin::MulSizeFloat:
    case Builtin::MulIntSize:
    case Builtin::MulFloatSize:
    case Builtin::DivDurationFloat:
    case Builtin::DivSizeFloat:
    case Builtin::FloatToInt:
    case Builtin::Round:
    case Builtin::Floor:
    case Builtin::Ceil:
    case Builtin::Trunc:
    case Builtin::AbsInt:
    case Builtin::AbsDuration:
    case Builtin::Clamp:
    case Builtin::Year:
    case Builtin::Month:
    case Builtin::Day:
    case Builtin::Hour:
    case Builtin::Minute:
    case Builtin::Second:
    case Builtin::Unwrap:
      return true;
    default:
      return false;
  }
}

bool knowsNone(Builtin op) {
  return op == Builtin::Equal || op == Builtin::NotEqual || op == Builtin::Coalesce ||
         op == Builtin::CoalesceOptional;
}

bool takesPattern(Builtin op) {
  return op == Builtin::Matches || op == Builtin::Find || op == Builtin::Extract ||
         op == Builtin::ReplaceAll;
}

std::optional<std::string> knownPattern(Builtin op, const std::vector<ExprId>& operands,
                                        const std::vector<Expr>& exprs) {
  const Expr& given = exprs[operands[1]];
  if (given.code != Code::Const) return std::nullopt;
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 pattern(given.text, options);
  if (!pattern.ok()) return std::nullopt;
  if (op == Builtin::Extract && pattern.NumberOfCapturingGroups() == 0) return std::nullopt;
  if (op == Builtin::ReplaceAll) {
    const Expr& with = exprs[operands[2]];
    std::string why;
    if (with.code != Code::Const || !pattern.CheckRewriteString(with.text, &why)) {
      return std::nullopt;
    }
  }
  return given.text;
}

std::optional<Replacement> replacementOf(const Expr& expr, const std::vector<Expr>& exprs) {
  if (expr.op != Builtin::Replace && expr.op != Builtin::ReplaceAll) return std::nullopt;
  const Expr& what = exprs[expr.operands[1]];
  const Expr& with = exprs[expr.operands[2]];
  if (expr.via != Via::Text || what.code != Code::Const || with.code != Code::Const) {
    return std::nullopt;
  }
  return expr.op == Builtin::Replace ? replacementOf(what.text, with.text)
                                     : replacementOfAll(what.text, with.text);
}

bool isDatePart(Builtin op) {
  return op == Builtin::Year || op == Builtin::Month || op == Builtin::Day || op == Builtin::Hour ||
         op == Builtin::Minute || op == Builtin::Second;
}

bool takesOneKind(Builtin op) {
  switch (op) {
    case Builtin::Equal:
    case Builtin::NotEqual:
    case Builtin::Less:
    case Builtin::LessEqual:
    case Builtin::Greater:
    case Builtin::GreaterEqual:
    case Builtin::Coalesce:
    case Builtin::CoalesceOptional:
    case Builtin::Min:
    case Builtin::Max:
      return true;
    default:
      return false;
  }
}

std::string lineOf(const Expr& expr) {
  std::string line = fmt::format("{} {} {} {} {} {} {} {}", static_cast<int>(expr.code),
                                 static_cast<int>(expr.kind),
                                 expr.code == Code::Apply ? ir::info(expr.op).enumerator : "-",
                                 expr.lifted ? "lifted" : "strict", static_cast<int>(expr.via),
                                 expr.index, expr.bits, expr.automaton);
  if (expr.code == Code::Const && expr.kind == Kind::String) {
    line += fmt::format(" {}:{}", expr.text.size(), expr.text);
  }
  for (const ExprId operand : expr.operands) line += fmt::format(" %{}", operand);
  return line;
}

std::string canonicalText(const Program& program) {
  std::string text;
  for (const Program::Input& input : program.inputs) {
    text += fmt::format("in {} {}\n", static_cast<int>(input.kind), input.optional);
  }
  for (const Expr& expr : program.exprs) text += lineOf(expr) + "\n";
  for (const Automaton& automaton : program.automata) text += canonicalText(automaton) + "\n";
  for (const Step& step : program.steps) {
    text += step.filter ? "filter" : "check";
    for (const ExprId expr : step.exprs) text += fmt::format(" %{}", expr);
    text += "\n";
  }
  for (const Output& out : program.outputs) {
    // Code finds its outputs by their places among all, so those that only pass count, too.
    text += out.computed ? fmt::format("out %{} {}\n", out.expr, out.optional) : "pass\n";
  }
  return text;
}

}  // namespace couler::jit
