// Tables as values: read from files, given to transforms, written to files.
#include <algorithm>
#include <array>

#include "frontend/sema/checker.h"
#include "ir/drift.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

constexpr std::array<std::string_view, 4> kFormats{"csv", "jsonl", "arrow", "parquet"};
constexpr std::array<std::string_view, 3> kPolicies{"fail", "drop", "keep"};

bool isFormat(std::string_view name) {
  return std::find(kFormats.begin(), kFormats.end(), name) != kFormats.end();
}

bool isWorkflow(Place place) { return place == Place::Workflow || place == Place::Finally; }

}  // namespace

bool Checker::isTableFile(TypeId type) const {
  return types().kind(type) == IrKind::File &&
         (types()[type].name.empty() || isFormat(types()[type].name));
}

bool Checker::convertsTable(TypeId to, TypeId from) const {
  if (!isWorkflow(place_)) return false;
  if (types().kind(to) == IrKind::Optional) to = types()[to].element;
  if (types().kind(to) == IrKind::Table) return isTableFile(from);
  return types().kind(from) == IrKind::Table && isTableFile(to);
}

TypeId Checker::checkRead(const CallExpr& expr) {
  const auto poison = [&] {
    for (const Argument& arg : expr.args) {
      if (arg.name.text != "on_bad") check(arg.value);
    }
    return set(expr, TypeTable::kError, Phase::Run);
  };
  if (!isWorkflow(place_)) {
    report(diagnose<Diag::StepOutsideWorkflow>(expr.callee->span, "function", "read",
                                               placeOf(place_))
               .note(place_ == Place::Test ? "a test takes its rows as a list"
                                           : "steps are made by workflows alone"));
    return poison();
  }
  if (expr.typeArgument == nullptr) {
    report(diagnose<Diag::MissingArgument>(expr.callee->span, "read", "the type of its rows")
               .note("write the schema: `read<Comment>(…)`"));
    return poison();
  }
  const TypeId row = resolveType(expr.typeArgument);
  if (!isError(row) && types().kind(row) != IrKind::Schema) {
    report(diagnose<Diag::TypeNotAllowed>(expr.typeArgument->span, "row of a table", print(row))
               .note("a row has named columns: declare them as a `schema`"));
    return poison();
  }
  CallBinding binding;
  binding.form = CallBinding::Form::Read;
  binding.argument.assign(1, CallBinding::kDefault);
  bool bad = false;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const Argument& arg = expr.args[i];
    if (arg.value == nullptr) {
      bad = true;
    } else if (arg.name.text == "on_bad") {
      checkBadRows(arg, binding);
    } else if (binding.argument[0] >= 0 ||
               (!arg.name.text.empty() && arg.name.text != "file")) {
      bad = true;
      if (arg.name.text.empty()) {
        check(arg.value);
        report(diagnose<Diag::TooManyArguments>(arg.span, "read", "1 file",
                                                std::to_string(expr.args.size())));
      } else {
        static constexpr std::array<std::string_view, 2> kNames{"file", "on_bad"};
        Diagnostic diagnostic =
            diagnose<Diag::UnknownArgument>(arg.name.span, "read", arg.name.text);
        if (const auto near = nearest(arg.name.text, {kNames.begin(), kNames.end()})) {
          diagnostic.caret = fmt::format("did you mean `{}`?", *near);
          diagnostic.fix(fmt::format("write `{}`", *near), arg.name.span, *near);
        }
        report(std::move(diagnostic));
        if (arg.value->kind != ExprKind::Name) check(arg.value);
      }
    } else {
      binding.argument[0] = static_cast<std::int32_t>(i);
      const TypeId found = check(arg.value, TypeTable::kFile);
      if (!isError(found) && !isTableFile(found)) {
        mismatch(arg.value, types().file("csv"), found, nullptr);
        bad = true;
      } else if (!isError(found) && !isError(row)) {
        checkHeader(arg.value, row);
      }
    }
  }
  if (binding.argument[0] < 0 && !bad) {
    report(diagnose<Diag::MissingArgument>(expr.callee->span, "read", "`file: file`"));
  }
  file_->calls[expr.id] = std::move(binding);
  return set(expr, isError(row) ? row : types().table(row), Phase::Run);
}

void Checker::checkBadRows(const Argument& arg, CallBinding& binding) {
  set(*arg.value, TypeTable::kString, Phase::Compile);
  const auto* name =
      arg.value->kind == ExprKind::Name ? static_cast<const NameExpr*>(arg.value) : nullptr;
  for (std::size_t i = 0; name != nullptr && i < kPolicies.size(); ++i) {
    if (name->name.text != kPolicies[i]) continue;
    binding.onBad = static_cast<ir::BadRows>(i);
    return;
  }
  const Name written = name != nullptr ? name->name : Name{text(arg.value->span), arg.value->span};
  unknownName("way to treat bad rows", written, {kPolicies.begin(), kPolicies.end()},
              "there are `fail`, `drop` and `keep`");
}

TypeId Checker::checkWrite(const CallExpr& expr) {
  if (!isWorkflow(place_)) {
    report(diagnose<Diag::StepOutsideWorkflow>(expr.callee->span, "function", "write",
                                               placeOf(place_))
               .note("steps are made by workflows alone"));
    checkArgumentsAnyway(expr.args);
    return set(expr, TypeTable::kError, Phase::Run);
  }
  std::string_view format;
  if (expr.typeArgument != nullptr && expr.typeArgument->kind == syntax::TypeKind::Named) {
    const auto& named = *static_cast<const NamedType*>(expr.typeArgument);
    format = named.name.text;
    if (!isFormat(format)) {
      unknownName("format of a table", named.name, {kFormats.begin(), kFormats.end()},
                  "there are `csv`, `jsonl`, `arrow` and `parquet`");
    }
  } else {
    report(diagnose<Diag::MissingArgument>(expr.callee->span, "write", "the format of the file")
               .note("write it as in `write<csv>(…)`"));
  }
  CallBinding binding;
  binding.form = CallBinding::Form::Write;
  binding.argument.assign(2, CallBinding::kDefault);
  std::size_t next = 0;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const Argument& arg = expr.args[i];
    if (arg.value == nullptr) continue;
    static constexpr std::array<std::string_view, 2> kNames{"rows", "name"};
    const auto named = std::find(kNames.begin(), kNames.end(), arg.name.text);
    const bool byName = !arg.name.text.empty();
    const std::size_t index = byName ? static_cast<std::size_t>(named - kNames.begin()) : next++;
    if (byName && named == kNames.end()) {
      check(arg.value);
      report(diagnose<Diag::UnknownArgument>(arg.name.span, "write", arg.name.text)
                 .note("it takes `rows` and a `name` for the file"));
      continue;
    }
    if (index > 1 || binding.argument[index] >= 0) {
      check(arg.value);
      report(diagnose<Diag::TooManyArguments>(arg.span, "write", "rows and a name",
                                              std::to_string(expr.args.size())));
      continue;
    }
    binding.argument[index] = static_cast<std::int32_t>(i);
    if (index == 1) {
      checkAs(arg.value, TypeTable::kString);
      const auto* literal = arg.value->kind == ExprKind::String
                                ? static_cast<const StringExpr*>(arg.value)
                                : nullptr;
      const bool plain = literal != nullptr && literal->parts.size() == 1 &&
                         literal->parts[0].expr == nullptr;
      const std::string_view name = plain ? literal->parts[0].text : std::string_view{};
      if (name.empty() || name.find('/') != std::string_view::npos || name.starts_with('-') ||
          name == "." || name == ".." || name.size() > 255) {
        report(diagnose<Diag::OutputFileName>(arg.value->span, text(arg.value->span)));
      }
      continue;
    }
    const TypeId found = check(arg.value);
    if (isError(found) || types().kind(found) == IrKind::Table) continue;
    report(diagnose<Diag::TypeMismatch>(arg.value->span, "table<…>", print(found))
               .note("`write` takes a table, as `read` and transforms give it"));
  }
  if (binding.argument[0] < 0) {
    report(diagnose<Diag::MissingArgument>(expr.callee->span, "write", "`rows: table<…>`"));
  }
  file_->calls[expr.id] = std::move(binding);
  return set(expr, isFormat(format) ? types().file(format) : TypeTable::kError, Phase::Run);
}

/// `drift(new, old)`: of two tables in a workflow, where it is a step; of two lists of rows in a
/// test.
TypeId Checker::checkDrift(const CallExpr& expr) {
  const bool isTest = place_ == Place::Test;
  if (!isTest && !isWorkflow(place_)) {
    report(diagnose<Diag::StepOutsideWorkflow>(expr.callee->span, "function", "drift",
                                               placeOf(place_))
               .note("steps are made by workflows alone"));
    checkArgumentsAnyway(expr.args);
    return set(expr, TypeTable::kError, Phase::Run);
  }
  CallBinding binding;
  binding.form = CallBinding::Form::Drift;
  binding.argument.assign(2, CallBinding::kDefault);
  static constexpr std::array<std::string_view, 2> kNames{"new", "old"};
  std::array<TypeId, 2> rows{TypeTable::kError, TypeTable::kError};
  std::size_t next = 0;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const Argument& arg = expr.args[i];
    if (arg.value == nullptr) continue;
    const TypeId found = check(arg.value);
    const auto named = std::find(kNames.begin(), kNames.end(), arg.name.text);
    const bool byName = !arg.name.text.empty();
    if (byName && named == kNames.end()) {
      report(diagnose<Diag::UnknownArgument>(arg.name.span, "drift", arg.name.text)
                 .note("it takes a `new` table and an `old` one"));
      continue;
    }
    const std::size_t index = byName ? static_cast<std::size_t>(named - kNames.begin()) : next++;
    if (index > 1 || binding.argument[index] >= 0) {
      report(diagnose<Diag::TooManyArguments>(arg.span, "drift", "2 tables",
                                              std::to_string(expr.args.size())));
      continue;
    }
    binding.argument[index] = static_cast<std::int32_t>(i);
    if (isError(found)) continue;
    const ir::Type& type = types()[found];
    const bool isRows = type.kind == (isTest ? IrKind::List : IrKind::Table) &&
                        types().kind(type.element) == IrKind::Schema;
    if (isRows) {
      rows[index] = type.element;
    } else {
      report(diagnose<Diag::TypeMismatch>(arg.value->span, isTest ? "a list of rows" : "table<…>",
                                          print(found))
                 .note(isTest ? "a test takes its rows as lists"
                              : "`drift` takes tables, as `read` and transforms give them"));
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (binding.argument[i] >= 0) continue;
    report(diagnose<Diag::MissingArgument>(expr.callee->span, "drift",
                                           fmt::format("`{}: table<…>`", kNames[i])));
  }
  if (!isError(rows[0]) && !isError(rows[1])) checkShared(expr, rows[0], rows[1]);
  file_->calls[expr.id] = std::move(binding);
  return set(expr, ir::driftType(types()), isTest ? Phase::Compile : Phase::Run);
}

/// Columns of one name are of one kind, and there are such.
void Checker::checkShared(const CallExpr& expr, TypeId recent, TypeId before) {
  bool any = false;
  for (const ir::TypeField& field : types()[recent].fields) {
    const auto other = types().fieldIndex(before, field.name);
    if (!other) continue;
    const TypeId otherType = types()[before].fields[*other].type;
    const ir::DriftKind kind = ir::driftKind(types(), field.type);
    if (kind != ir::driftKind(types(), otherType)) {
      report(diagnose<Diag::NothingToCompare>(
          expr.span, fmt::format("column `{}` is `{}` in the one and `{}` in the other", field.name,
                                 print(field.type), print(otherType))));
      return;
    }
    any = any || kind != ir::DriftKind::None;
  }
  if (any) return;
  report(diagnose<Diag::NothingToCompare>(
      expr.span, fmt::format("`{}` and `{}` have no column of one name that can be compared",
                             print(recent), print(before))));
}

/// Whether a call of a transform's name makes one of its rows, as a call of a schema's does: it
/// names columns, and not the transform's row.
bool Checker::makesRow(const CallExpr& expr, SymbolId callee) const {
  const std::vector<FieldInfo>& params = program_->at(callee).signature->params;
  if (expr.args.empty() || params.empty()) return false;
  if (expr.args[0].spread) return true;
  return std::all_of(expr.args.begin(), expr.args.end(), [&](const Argument& arg) {
    return !arg.name.text.empty() && arg.name.text != params.front().name;
  });
}

TypeId Checker::checkRowCall(const CallExpr& expr, SymbolId callee) {
  CallBinding binding;
  binding.callee = callee;
  binding.form = CallBinding::Form::Row;
  Phase phase = Phase::Compile;
  if (!extra(callee).rowKnown || isError(program_->at(callee).type)) {
    checkArgumentsAnyway(expr.args);
    return set(expr, TypeTable::kError, phase);
  }
  bind({expr.args, expr.callee->span}, program_->at(callee).signature->columns, binding, phase);
  file_->calls[expr.id] = std::move(binding);
  return set(expr, program_->at(callee).type, phase);
}

/// In a workflow a transform takes and gives tables; in a test, lists of rows, or one row of those
/// that go over single rows.
TypeId Checker::checkTransformCall(const Expr& expr, const CallParts& parts, SymbolId callee,
                                   const Expr* piped) {
  refuseSpread(parts.args);
  const Signature& signature = *program_->at(callee).signature;
  const bool isTest = place_ == Place::Test;
  if (!isTest && !isWorkflow(place_)) {
    report(diagnose<Diag::StepOutsideWorkflow>(parts.callee, "transform",
                                               program_->at(callee).name, placeOf(place_))
               .note("transforms are applied by workflows and tests"));
    checkArgumentsAnyway(parts.args);
    return set(expr, TypeTable::kError, Phase::Run);
  }
  if (signature.params.empty() || !signature.result.valid()) {  // reported there
    checkArgumentsAnyway(parts.args);
    return set(expr, TypeTable::kError, Phase::Run);
  }
  std::vector<FieldInfo> params = signature.params;
  for (FieldInfo& param : params) {
    const IrKind kind = types().kind(param.type);
    if (kind == IrKind::Table && isTest) param.type = types().list(types()[param.type].element);
  }
  const TypeId row = signature.params[0].type;
  if (signature.perRow) params[0].type = isTest ? types().list(row) : types().table(row);
  CallBinding binding;
  binding.callee = callee;
  CallParts call = parts;
  Phase phase = isTest ? Phase::Compile : Phase::Run;
  // The rows first: in a test they may be one row.
  const Expr* rows = piped;
  if (piped != nullptr) {
    call.first = CallBinding::kPiped;
  } else {
    for (std::size_t i = 0; i < parts.args.size(); ++i) {
      const Argument& arg = parts.args[i];
      const bool first = arg.name.text.empty() ? i == 0 : arg.name.text == params[0].name;
      if (!first || arg.value == nullptr || arg.spread) continue;
      rows = arg.value;
      call.first = static_cast<std::int32_t>(i);
      const bool maybeRow = isTest && signature.perRow && rows->kind != ExprKind::List;
      check(rows, maybeRow ? row : params[0].type);
      break;
    }
  }
  bool oneRow = false;
  if (rows != nullptr) {
    phase = std::max(phase, phaseOf(rows));
    const TypeId found = info(*rows).type;
    oneRow = isTest && signature.perRow && types().accepts(row, found) && !isError(found);
    if (!oneRow) {
      const bool looksLikeOne = isTest && types().kind(found) != IrKind::List && signature.perRow;
      (void)fits(rows, looksLikeOne ? row : params[0].type, found, &signature.params[0]);
      oneRow = looksLikeOne;
    }
  }
  const TypeId result = signature.result;
  bind(call, params, binding, phase);
  file_->calls[expr.id] = std::move(binding);
  if (!isTest) return set(expr, result, Phase::Run);
  const TypeId made = types()[result].element;
  return set(expr, oneRow ? types().optional(made) : types().list(made), phase);
}

/// `tidy(row).text` in a test: what a transform gives of one row may be none, and then so is that.
bool Checker::isRowInTest(const Expr* object) const {
  if (place_ != Place::Test || object == nullptr || object->kind != ExprKind::Call) return false;
  const auto it = file_->calls.find(object->id);
  return it != file_->calls.end() && it->second.callee.valid() &&
         program_->at(it->second.callee).kind == SymbolKind::Transform;
}

std::string Checker::columnNamed(std::string_view name) const {
  if (transform_ == nullptr) return {};
  for (const RowSource& source : transform_->sources) {
    if (types().fieldIndex(source.row, name)) {
      return fmt::format("{}.{}", program_->at(source.symbol).name, name);
    }
  }
  return {};
}

}  // namespace couler::sema
