#include "runtime/jit/lower_rules.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "runtime/jit/lower.h"

namespace couler::jit {

using ir::Builtin;

namespace {

constexpr std::size_t kLightText = 16;   // bytes of a literal compared without a branch
constexpr std::size_t kInlineText = 32;  // bytes of a literal searched for by code of its own

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
    case Builtin::ToString:
    case Builtin::StringToInt:
    case Builtin::StringToFloat:
      return Via::Text;
    case Builtin::PowInt:
    case Builtin::RoundTo:
    case Builtin::CountText:
    case Builtin::Repeat:
    case Builtin::PadLeft:
    case Builtin::PadLeftWith:
    case Builtin::PadRight:
    case Builtin::ReverseString:
    case Builtin::Find:
    case Builtin::Extract:
    case Builtin::ReplaceAll:
    case Builtin::Basename:
    case Builtin::Stem:
    case Builtin::Extension:
    case Builtin::Parent:
    case Builtin::StringToTimestamp:
    case Builtin::FormatTimestamp:
    case Builtin::Hash:
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
    case Builtin::Matches:
      return isLiteral(operand(1), std::string::npos) ? Via::Text : Via::Any;
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
    const bool orders = expr.code == Code::Apply && expr.op != Builtin::Equal &&
                        expr.op != Builtin::NotEqual;
    return orders || !(isLiteral(operand(0), kLightText) || isLiteral(operand(1), kLightText));
  }
  switch (expr.op) {
    case Builtin::StartsWith:
    case Builtin::EndsWith:
      return !isLiteral(operand(1), kLightText);
    case Builtin::Contains:
    case Builtin::LengthString:
    case Builtin::Trim:
      return true;
    default:
      return false;
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
      return expr.op != Builtin::Contains && expr.op != Builtin::StartsWith &&
             expr.op != Builtin::EndsWith && expr.op != Builtin::Matches;
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

bool isDatePart(Builtin op) {
  return op == Builtin::Year || op == Builtin::Month || op == Builtin::Day ||
         op == Builtin::Hour || op == Builtin::Minute || op == Builtin::Second;
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
  std::string line =
      fmt::format("{} {} {} {} {} {} {}", static_cast<int>(expr.code), static_cast<int>(expr.kind),
                  expr.code == Code::Apply ? ir::info(expr.op).enumerator : "-",
                  expr.lifted ? "lifted" : "strict", static_cast<int>(expr.via), expr.index,
                  expr.bits);
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
  for (const Step& step : program.steps) {
    text += step.filter ? "filter" : "check";
    for (const ExprId expr : step.exprs) text += fmt::format(" %{}", expr);
    text += "\n";
  }
  for (const Output& out : program.outputs) {
    if (out.computed) text += fmt::format("out %{} {}\n", out.expr, out.optional);
  }
  return text;
}

std::optional<std::int64_t> bitsOf(const ir::Value& value, Kind kind,
                                   const std::vector<std::string>& cases) {
  const auto of = [](const auto* known, auto member) -> std::optional<std::int64_t> {
    if (known == nullptr) return std::nullopt;
    return (*known).*member;
  };
  switch (kind) {
    case Kind::Bool:
      if (const bool* b = value.as<bool>()) return *b ? 1 : 0;
      return std::nullopt;
    case Kind::Int:
      if (const std::int64_t* n = value.as<std::int64_t>()) return *n;
      return std::nullopt;
    case Kind::Float:
      if (const double* x = value.as<double>()) return std::bit_cast<std::int64_t>(*x);
      return std::nullopt;
    case Kind::Timestamp:
      return of(value.as<ir::Timestamp>(), &ir::Timestamp::micros);
    case Kind::Duration:
      return of(value.as<ir::Duration>(), &ir::Duration::micros);
    case Kind::Size:
      return of(value.as<ir::Size>(), &ir::Size::bytes);
    case Kind::Enum: {
      const ir::EnumCase* known = value.as<ir::EnumCase>();
      if (known == nullptr) return std::nullopt;
      const auto it = std::find(cases.begin(), cases.end(), known->name);
      if (it == cases.end()) return std::nullopt;
      return it - cases.begin();
    }
    default:
      return std::nullopt;
  }
}

namespace {

constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
bool isSpecial(char c) { return kSpecial.find(c) != std::string_view::npos; }

/// One character of plain text at the front of a pattern, taken off it; nothing where it is none.
std::optional<char> takePlain(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  if (rest[0] == '\\' && rest.size() > 1 && isSpecial(rest[1])) {
    const char c = rest[1];
    rest.remove_prefix(2);
    return c;
  }
  if (isSpecial(rest[0])) return std::nullopt;
  const char c = rest[0];
  rest.remove_prefix(1);
  return c;
}

}  // namespace

std::optional<std::vector<PlainPattern>> plainAlternatives(std::string_view pattern) {
  constexpr std::size_t kMost = 16;
  std::vector<PlainPattern> found;
  for (;;) {
    PlainPattern& form = found.emplace_back();
    if (pattern.starts_with('^')) {
      form.fromStart = true;
      pattern.remove_prefix(1);
    }
    while (const std::optional<char> c = takePlain(pattern)) form.text += *c;
    if (pattern.starts_with('$')) {
      form.toEnd = true;
      pattern.remove_prefix(1);
    }
    if (form.text.size() > kInlineText || found.size() > kMost) return std::nullopt;
    if (pattern.empty()) return found;
    if (pattern[0] != '|') return std::nullopt;
    pattern.remove_prefix(1);
  }
}

namespace {

/// What a pattern begins with, taken off it: a plain character, or something else that matches.
enum class Piece : std::uint8_t { Plain, Other, Unknown };

void skipClass(std::string_view& rest) {
  rest.remove_prefix(rest.starts_with("[^") ? 2 : 1);
  for (bool first = true; !rest.empty() && (first || rest[0] != ']'); first = false) {
    const bool named = rest.starts_with("[:");
    const std::size_t end = named ? rest.find(":]") : std::string_view::npos;
    std::size_t taken = rest[0] == '\\' ? 2 : 1;
    if (end != std::string_view::npos) taken = end + 2;
    rest.remove_prefix(std::min(taken, rest.size()));
  }
  if (!rest.empty()) rest.remove_prefix(1);
}

void skipGroup(std::string_view& rest) {
  for (int depth = 0; !rest.empty();) {
    if (rest[0] == '[') {
      skipClass(rest);
      continue;
    }
    if (rest[0] == '(') ++depth;
    if (rest[0] == ')') --depth;
    rest.remove_prefix(std::min<std::size_t>(rest[0] == '\\' ? 2 : 1, rest.size()));
    if (depth == 0) return;
  }
}

Piece takePiece(std::string_view& rest, std::string& plain) {
  constexpr std::string_view kClasses = "dDsSwWbBAz";
  plain.clear();
  if (const std::optional<char> c = takePlain(rest)) {
    plain += *c;
    while (!rest.empty() && (static_cast<unsigned char>(rest[0]) & 0xc0) == 0x80) {
      plain += rest[0];
      rest.remove_prefix(1);
    }
    return Piece::Plain;
  }
  switch (rest[0]) {
    case '[':
      skipClass(rest);
      return Piece::Other;
    case '(':
      skipGroup(rest);
      return Piece::Other;
    case '.':
    case '^':
    case '$':
      rest.remove_prefix(1);
      return Piece::Other;
    case '\\':
      if (rest.size() < 2 || kClasses.find(rest[1]) == std::string_view::npos) {
        return Piece::Unknown;
      }
      rest.remove_prefix(2);
      return Piece::Other;
    default:
      return Piece::Unknown;  // an alternative, which may do without all the rest
  }
}

/// Takes off how often the piece before may be there; false where it says nothing of the kind.
bool takeRepetition(std::string_view& rest) {
  if (rest.empty()) return false;
  if (rest[0] == '{') {
    const std::size_t end = rest.find('}');
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  } else if (rest[0] == '*' || rest[0] == '?' || rest[0] == '+') {
    rest.remove_prefix(1);
  } else {
    return false;
  }
  if (rest.starts_with('?')) rest.remove_prefix(1);
  return true;
}

}  // namespace

std::string requiredText(std::string_view pattern) {
  if (pattern.find("(?") != std::string_view::npos) return {};  // flags change what a letter is
  std::string longest;
  std::string run;
  std::string plain;
  while (!pattern.empty()) {
    const Piece piece = takePiece(pattern, plain);
    if (piece == Piece::Unknown) return {};
    // What is repeated may be there no time at all.
    const bool repeated = takeRepetition(pattern);
    if (piece == Piece::Plain && !repeated && run.size() + plain.size() <= kInlineText) {
      run += plain;
      if (run.size() > longest.size()) longest = run;
    } else {
      run.clear();
    }
  }
  return longest.size() < 2 ? std::string() : longest;
}

}  // namespace couler::jit
