// CW0301: what was expected, what was found, and how to mend it.
#include <charconv>

#include "frontend/sema/checker.h"
#include "ir/value.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

bool spellsInt(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && text[0] != '-';
}

bool spellsFloat(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return false;
  if (text.front() == '.' || text.back() == '.') return false;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// The text of a string literal without interpolation.
std::optional<std::string_view> plainText(const Expr* expr) {
  if (expr->kind != ExprKind::String) return std::nullopt;
  const auto parts = static_cast<const StringExpr*>(expr)->parts;
  if (parts.empty()) return std::string_view{};
  if (parts.size() != 1 || parts[0].expr != nullptr) return std::nullopt;
  return parts[0].text;
}

bool isAtom(const Expr* expr) {
  return expr->kind == ExprKind::Name || expr->kind == ExprKind::Member ||
         expr->kind == ExprKind::Index || expr->kind == ExprKind::Call;
}

}  // namespace

bool Checker::fits(const Expr* expr, TypeId to, TypeId from, const FieldInfo* declared) {
  if (to == from || types().accepts(to, from) || convertsTable(to, from)) return true;
  // A literal list was checked item by item against the element type.
  mismatch(expr, to, from, declared);
  return false;
}

TypeId Checker::checkAs(const Expr* expr, TypeId want, const FieldInfo* declared) {
  const TypeId found = check(expr, want);
  return fits(expr, want, found, declared) ? found : TypeTable::kError;
}

/// Text of the same meaning and of type `to`, for a literal.
std::optional<std::string> Checker::rewriteAs(const Expr* expr, TypeId to) const {
  const ir::Type* want = &types()[to];
  if (want->kind == IrKind::Optional) want = &types()[want->element];
  const std::string_view written = text(expr->span);
  if (const auto plain = plainText(expr)) {
    if (want->kind == IrKind::Int && spellsInt(*plain)) return std::string(*plain);
    if (want->kind == IrKind::Float && spellsFloat(*plain)) return std::string(*plain);
    if (want->kind == IrKind::Bool && (*plain == "true" || *plain == "false")) {
      return std::string(*plain);
    }
    if (want->kind == IrKind::Enum && caseOf(to, *plain).valid()) return std::string(*plain);
    return std::nullopt;
  }
  if (want->kind == IrKind::String &&
      (expr->kind == ExprKind::Int || expr->kind == ExprKind::Float ||
       expr->kind == ExprKind::Quantity || expr->kind == ExprKind::Bool)) {
    return fmt::format("\"{}\"", written);
  }
  if (want->kind == IrKind::Int && expr->kind == ExprKind::Float) {
    const double value = static_cast<const FloatExpr*>(expr)->value;
    if (value >= 0 && value < 1e9) {
      const auto whole = static_cast<std::int32_t>(value);
      if (static_cast<double>(whole) == value) return fmt::format("{}", whole);
    }
  }
  return std::nullopt;
}

void Checker::mismatch(const Expr* expr, TypeId to, TypeId from, const FieldInfo* declared) {
  Diagnostic diagnostic = diagnose<Diag::TypeMismatch>(expr->span, print(to), print(from));
  const ir::Type& want = types()[to];
  const ir::Type& found = types()[from];
  const TypeId inner = want.kind == IrKind::Optional ? want.element : to;
  const IrKind wantKind = types().kind(inner);
  const std::string_view written = text(expr->span);
  if (const auto literal = rewriteAs(expr, to)) {
    diagnostic.fix(fmt::format("write `{}`", *literal), expr->span, *literal);
  } else if (found.kind == IrKind::Optional && types().accepts(to, found.element) && !lifts()) {
    diagnostic.caret = "may be none";
    diagnostic.note("give a default with `?? …`, or use it inside `if … != none { … }`");
  } else if (found.kind == IrKind::Record && !found.fields.empty()) {
    const ir::TypeField* only = nullptr;
    int count = 0;
    for (const ir::TypeField& field : found.fields) {
      if (!types().accepts(to, field.type)) continue;
      only = &field;
      ++count;
    }
    if (count == 1 && isAtom(expr)) {
      diagnostic.caret = fmt::format("this is the record of all outputs; take `.{}`", only->name);
      diagnostic.fix(fmt::format("take its field `{}`", only->name),
                     Span{expr->span.file, expr->span.end, expr->span.end}, "." + only->name);
    } else if (count > 1) {
      diagnostic.note("take one of its fields, as in `x.name`");
    }
  } else if (wantKind == IrKind::Duration &&
             (found.kind == IrKind::Int || found.kind == IrKind::Float)) {
    diagnostic.note("a duration has a unit: `30 s`, `5 min`, `2 h`");
  } else if (wantKind == IrKind::Size &&
             (found.kind == IrKind::Int || found.kind == IrKind::Float)) {
    diagnostic.note("a size has a unit: `512 MiB`, `4 GiB`");
  } else if (wantKind == IrKind::String && found.kind != IrKind::String && textable(from) &&
             isAtom(expr)) {
    const std::string wrapped = fmt::format("string({})", written);
    if (!findTop(fileId_, "string").valid() && !findLocal("string").valid()) {
      diagnostic.fix(fmt::format("write `{}`", wrapped), expr->span, wrapped);
    }
  } else if (want.kind == IrKind::List && types().accepts(want.element, from) && isAtom(expr)) {
    diagnostic.fix("make it a list", expr->span, fmt::format("[{}]", written));
  } else if (found.kind == IrKind::List && types().accepts(to, found.element)) {
    diagnostic.caret = "this is a list";
    diagnostic.note("take one item, as in `xs[0]`, or go over all with `for x in xs { … }`");
  } else if (to == TypeTable::kSecret) {
    diagnostic.note(
        "a secret comes from outside: a `secret` parameter, given as `env:NAME` or "
        "`file:PATH` when the workflow is run");
  } else if ((wantKind == IrKind::File || wantKind == IrKind::Dir) && from == TypeTable::kString) {
    diagnostic.note("only a literal is taken as a path; for a computed one write `file(…)`");
  } else if ((wantKind == IrKind::Table && found.kind == IrKind::File) ||
             (wantKind == IrKind::File && found.kind == IrKind::Table)) {
    diagnostic.note("tables are read from and written to `csv`, `jsonl`, `arrow` and `parquet`");
  } else if (wantKind == IrKind::Table && found.kind == IrKind::Table) {
    diagnostic.note(columnsNote(types()[to].element));
    diagnostic.note(columnsNote(types()[from].element));
    diagnostic.note("the rows are of different types; a transform turns the one into the other");
  } else if (lifts() && wantKind == IrKind::Bool && found.kind == IrKind::Optional) {
    const Span end{expr->span.file, expr->span.end, expr->span.end};
    diagnostic.fix("count none as false", end, " ?? false");
  } else if (found.kind == IrKind::Optional && types().accepts(to, found.element)) {
    diagnostic.caret = "may be none";
    diagnostic.note("give a default with `?? …`, or use it inside `if … != none { … }`");
  } else if (wantKind == IrKind::File && found.kind == IrKind::File) {
    diagnostic.note("the formats of the two files differ");
  } else if (want.kind == IrKind::Record && found.kind == IrKind::Record) {
    diagnostic.note("records are alike when their fields have the same names and types, in order");
  }
  if (declared != nullptr && declared->syntax != nullptr) {
    diagnostic.label(declared->syntax->span, fmt::format("`{}` is declared here", declared->name));
  }
  report(std::move(diagnostic));
}

}  // namespace couler::sema
