// Written types, signatures, defaults.
#include <algorithm>
#include <array>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

struct SimpleType {
  std::string_view name;
  TypeId type;
};
constexpr std::array kSimple{
    SimpleType{"bool", TypeTable::kBool},           SimpleType{"int", TypeTable::kInt},
    SimpleType{"float", TypeTable::kFloat},         SimpleType{"string", TypeTable::kString},
    SimpleType{"timestamp", TypeTable::kTimestamp}, SimpleType{"duration", TypeTable::kDuration},
    SimpleType{"size", TypeTable::kSize},           SimpleType{"secret", TypeTable::kSecret},
    SimpleType{"file", TypeTable::kFile},           SimpleType{"dir", TypeTable::kDir}};
constexpr std::array<std::string_view, 3> kGeneric{"list", "map", "table"};

std::string_view fieldWord(SymbolKind kind) {
  return kind == SymbolKind::Param ? "parameter" : kind == SymbolKind::Output ? "output" : "column";
}

}  // namespace

bool isBuiltinType(std::string_view name) {
  return std::any_of(kSimple.begin(), kSimple.end(),
                     [&](const SimpleType& simple) { return simple.name == name; }) ||
         std::find(kGeneric.begin(), kGeneric.end(), name) != kGeneric.end();
}

TypeId Checker::resolveType(const TypeExpr* type) {
  // As deep as the source nests types, which the parser bounds.
  if (type == nullptr) return TypeTable::kError;
  switch (type->kind) {
    case syntax::TypeKind::Error:
      return TypeTable::kError;
    case syntax::TypeKind::Named:
      return resolveNamed(*static_cast<const NamedType*>(type));
    case syntax::TypeKind::Optional: {
      const TypeId inner = resolveType(static_cast<const OptionalType*>(type)->inner);
      return types().optional(inner);
    }
    case syntax::TypeKind::Record: {
      std::vector<ir::TypeField> fields;
      const auto written = static_cast<const RecordType*>(type)->fields;
      for (const Field& field : written) {
        const auto same = std::find_if(fields.begin(), fields.end(), [&](const ir::TypeField& f) {
          return f.name == field.name.text;
        });
        if (same != fields.end()) {
          report(diagnose<Diag::DuplicateName>(field.name.span, field.name.text)
                     .label(written[static_cast<std::size_t>(same - fields.begin())].name.span,
                            "first declared here"));
          continue;
        }
        const TypeId one = resolveType(field.type);
        file_->fieldTypes[&field] = one;
        fields.push_back({std::string(field.name.text), one});
      }
      return types().record(std::move(fields));
    }
  }
  return TypeTable::kError;
}

TypeId Checker::resolveNamed(const NamedType& type) {
  const std::string_view name = type.name.text;
  const auto wants = [&](std::size_t count) {
    if (type.args.size() == count) return true;
    report(diagnose<Diag::TypeArguments>(
        type.span, name, count == 0 ? "no type arguments" : countOf(count, "type argument"),
        countOf(type.args.size(), "type argument")));
    return false;
  };
  const auto nominal = [&](SymbolId symbol) -> TypeId {
    if (extra(symbol).poisoned) return TypeTable::kError;
    const Symbol& one = program_->at(symbol);
    if (one.kind == SymbolKind::Transform) {
      if (!wants(0)) return TypeTable::kError;
      if (extra(symbol).rowKnown) return one.type;
      report(diagnose<Diag::RowTypeCycle>(type.name.span, name).label(one.declared, "made here"));
      return TypeTable::kError;
    }
    if (one.kind != SymbolKind::Enum && one.kind != SymbolKind::Schema) {
      // A labeler has been reported where it is declared.
      if (one.kind != SymbolKind::Labeler) {
        report(diagnose<Diag::NotAType>(type.name.span, name, kindWord(one.kind))
                   .label(one.declared, "declared here"));
      }
      return TypeTable::kError;
    }
    return wants(0) ? program_->at(symbol).type : TypeTable::kError;
  };
  if (!type.module.text.empty()) {
    const SymbolId space = useTop(type.module.text);
    if (!space.valid() || program_->at(space).kind != SymbolKind::Namespace) {
      unknownName("module", type.module, {});
      return TypeTable::kError;
    }
    const SymbolId symbol = memberOf(space, type.name, "type");
    return symbol.valid() ? nominal(symbol) : TypeTable::kError;
  }
  if (name == "file") {
    if (type.args.empty()) return TypeTable::kFile;
    if (!wants(1)) return TypeTable::kError;
    const TypeExpr* format = type.args[0];
    const auto* named = static_cast<const NamedType*>(format);
    if (format->kind != syntax::TypeKind::Named || !named->args.empty() ||
        !named->module.text.empty()) {
      report(diagnose<Diag::UnknownName>(format->span, "file format", text(format->span))
                 .note("a format is one word: `csv`, `jsonl`, `arrow`, `parquet`, `json`, `text`"));
      return TypeTable::kFile;
    }
    return types().file(named->name.text);
  }
  for (const SimpleType& simple : kSimple) {
    if (simple.name == name) return wants(0) ? simple.type : TypeTable::kError;
  }
  if (name == "list") {
    const TypeId element = type.args.size() == 1 ? resolveType(type.args[0]) : TypeTable::kError;
    return wants(1) ? types().list(element) : TypeTable::kError;
  }
  if (name == "map") {
    if (!wants(2)) return TypeTable::kError;
    const TypeId key = resolveType(type.args[0]);
    if (key != TypeTable::kString && !isError(key)) {
      report(diagnose<Diag::TypeNotAllowed>(type.args[0]->span, "map key", print(key))
                 .note("keys are strings: `map<string, T>`"));
    }
    return types().map(resolveType(type.args[1]));
  }
  if (name == "table") {
    if (!wants(1)) return TypeTable::kError;
    const TypeId row = resolveType(type.args[0]);
    if (isError(row)) return row;
    if (types().kind(row) == IrKind::Schema) return types().table(row);
    report(diagnose<Diag::TypeNotAllowed>(type.args[0]->span, "row of a table", print(row))
               .note("a row has named columns: declare them as a `schema`"));
    return TypeTable::kError;
  }
  const SymbolId symbol = useTop(name);
  if (symbol.valid()) return nominal(symbol);
  std::vector<std::string_view> candidates;
  if (++suggestions_ <= kMaxSuggestions) {
    for (const SimpleType& simple : kSimple) candidates.push_back(simple.name);
    candidates.insert(candidates.end(), kGeneric.begin(), kGeneric.end());
    const std::size_t own = candidates.size();
    for (const auto& [other, entry] : top_[fileId_.index()]) {
      const SymbolKind kind = program_->at(entry.symbol).kind;
      if (kind == SymbolKind::Enum || kind == SymbolKind::Schema ||
          kind == SymbolKind::Transform) {
        candidates.push_back(other);
      }
    }
    std::sort(candidates.begin() + static_cast<std::ptrdiff_t>(own), candidates.end());
  }
  unknownName("type", type.name, candidates);
  return TypeTable::kError;
}

TypeId Checker::checkPlaceOfType(const Field& field, TypeId type, SymbolKind kind,
                                 const Decl& owner) {
  const Span at = field.type != nullptr ? field.type->span : field.span;
  const bool plainSecret = type == TypeTable::kSecret && kind == SymbolKind::Param &&
                           (owner.kind == DeclKind::Task || owner.kind == DeclKind::Workflow);
  if (!plainSecret && types().holds(type, IrKind::Secret)) {
    std::string found = fmt::format("in {} `{}`", fieldWord(kind), field.name.text);
    if (type != TypeTable::kSecret)
      found = fmt::format("inside of `{}`", print(type));
    else if (owner.kind == DeclKind::Fn)
      found = "in a `fn`";
    report(diagnose<Diag::SecretPlace>(at, found));
    return TypeTable::kError;  // its uses would only say it again
  }
  if (kind != SymbolKind::Column) {
    return types().holds(type, IrKind::Table) ? checkPlaceOfTable(field, type, kind, owner) : type;
  }
  return checkColumnType(at, type);
}

/// Tables flow from step to step; from outside come files, which are read.
TypeId Checker::checkPlaceOfTable(const Field& field, TypeId type, SymbolKind kind,
                                  const Decl& owner) {
  const bool isTask = owner.kind == DeclKind::Task;
  const bool isOutput = kind == SymbolKind::Output;
  if (owner.kind == DeclKind::Transform || isTask != isOutput) return type;
  const Span at = field.type != nullptr ? field.type->span : field.span;
  if (owner.kind == DeclKind::Fn) {
    report(diagnose<Diag::TypeNotAllowed>(at, "parameter of a `fn`", print(type))
               .note("what goes over the rows of a table is a `transform`"));
    return TypeTable::kError;
  }
  Diagnostic diagnostic = diagnose<Diag::TypeNotAllowed>(
      at, isOutput ? "task's output" : "workflow's parameter", print(type));
  if (types().kind(type) == IrKind::Table) {
    const std::string row = print(types()[type].element);
    diagnostic.fix("take a `file<csv>`", at, "file<csv>");
    diagnostic.note(fmt::format("its rows are checked when it is read: `read<{}>(…)`", row));
  }
  report(std::move(diagnostic));
  return TypeTable::kError;
}

/// What a column may hold; gives the type, or Error.
TypeId Checker::checkColumnType(Span at, TypeId type) {
  TypeId inner = type;
  while (types().kind(inner) == IrKind::Optional || types().kind(inner) == IrKind::List ||
         types().kind(inner) == IrKind::Map) {
    inner = types()[inner].element;
  }
  switch (types().kind(inner)) {
    case IrKind::File:
    case IrKind::Dir:
    case IrKind::Schema:
    case IrKind::Record:
    case IrKind::Table:
    case IrKind::Secret:
    case IrKind::None:
      report(
          diagnose<Diag::TypeNotAllowed>(at, "column", print(type))
              .note("a column holds numbers, text, times, enum cases, or lists and maps of these"));
      return TypeTable::kError;
    default:
      return type;
  }
}

void Checker::resolveFields(SymbolId owner, std::span<const Field> fields, SymbolKind kind,
                            std::vector<FieldInfo>& out) {
  const Decl* decl = program_->at(owner).decl;
  const Phase phase = kind == SymbolKind::Output         ? Phase::Run
                      : decl->kind == DeclKind::Task     ? Phase::Run
                      : decl->kind == DeclKind::Transform ? Phase::Run
                      : decl->kind == DeclKind::Workflow ? Phase::Submit
                                                         : Phase::Compile;
  out.reserve(fields.size());
  for (const Field& field : fields) {
    const TypeId type = checkPlaceOfType(field, resolveType(field.type), kind, *decl);
    file_->fieldTypes[&field] = type;
    const SymbolId symbol = addSymbol(kind, field.name, decl, fileId_, type, phase);
    file_->declared[&field] = symbol;
    out.push_back({field.name.text, type, &field, symbol});
  }
}

namespace {

/// Reports names that stand twice among parameters and outputs.
template <class Report>
void eachRepeated(const std::vector<FieldInfo>& first, const std::vector<FieldInfo>& second,
                  Report&& found) {
  std::unordered_map<std::string_view, const FieldInfo*> seen;
  for (const auto* list : {&first, &second}) {
    for (const FieldInfo& field : *list) {
      if (field.name.empty()) continue;
      const auto [it, isNew] = seen.try_emplace(field.name, &field);
      if (!isNew) found(field, *it->second);
    }
  }
}

}  // namespace

void Checker::declareSchema(SymbolId symbol) {
  const auto& decl = *static_cast<const SchemaDecl*>(program_->at(symbol).decl);
  Signature& signature = *program_->at(symbol).signature;
  resolveFields(symbol, decl.columns, SymbolKind::Column, signature.params);
  ir::Type type;
  type.kind = IrKind::Schema;
  type.name = decl.name.text;
  type.origin = sources_.path(fileId_);
  for (const FieldInfo& column : signature.params) {
    type.fields.push_back({std::string(column.name), column.type});
  }
  const TypeId id = types().intern(std::move(type));
  signature.result = id;
  program_->at(symbol).type = id;
  nominal_.emplace(id, symbol);
  eachRepeated(signature.params, {}, [&](const FieldInfo& field, const FieldInfo& first) {
    report(diagnose<Diag::DuplicateName>(field.syntax->name.span, field.name)
               .label(first.syntax->name.span, "first declared here"));
  });
  std::unordered_map<std::string_view, const FieldInfo*> inFiles;
  for (const FieldInfo& field : signature.params) {
    const auto [it, isNew] = inFiles.try_emplace(field.inFile(), &field);
    if (isNew || it->second->name == field.name) continue;
    const auto at = [](const FieldInfo& column) {
      return column.syntax->fromSpan.valid() ? column.syntax->fromSpan : column.syntax->name.span;
    };
    report(diagnose<Diag::DuplicateName>(at(field), field.inFile())
               .label(at(*it->second), "first declared here")
               .note("each column of a file is one column of the schema"));
  }
}

void Checker::resolveSignature(SymbolId symbol) {
  const Decl* decl = program_->at(symbol).decl;
  Signature& signature = *program_->at(symbol).signature;
  std::span<const Field> params;
  std::span<const Field> outputs;
  if (decl->kind == DeclKind::Fn) {
    params = static_cast<const FnDecl*>(decl)->params;
  } else if (decl->kind == DeclKind::Task) {
    params = static_cast<const TaskDecl*>(decl)->params;
    outputs = static_cast<const TaskDecl*>(decl)->outputs;
  } else if (decl->kind == DeclKind::Transform) {
    params = static_cast<const TransformDecl*>(decl)->params;
  } else {
    params = static_cast<const WorkflowDecl*>(decl)->params;
    outputs = static_cast<const WorkflowDecl*>(decl)->outputs;
  }
  resolveFields(symbol, params, SymbolKind::Param, signature.params);
  resolveFields(symbol, outputs, SymbolKind::Output, signature.outputs);
  eachRepeated(signature.params,
               decl->kind == DeclKind::Task ? signature.outputs : std::vector<FieldInfo>{},
               [&](const FieldInfo& field, const FieldInfo& first) {
                 report(diagnose<Diag::DuplicateName>(field.syntax->name.span, field.name)
                            .label(first.syntax->name.span, "first declared here"));
               });
  if (decl->kind == DeclKind::Workflow) {
    eachRepeated(signature.outputs, {}, [&](const FieldInfo& field, const FieldInfo& first) {
      report(diagnose<Diag::DuplicateName>(field.syntax->name.span, field.name)
                 .label(first.syntax->name.span, "first declared here"));
    });
    for (const FieldInfo& output : signature.outputs) {
      if (output.syntax->value == nullptr) continue;
      report(diagnose<Diag::WorkflowOutputSource>(output.syntax->value->span, output.name)
                 .note("a workflow gives its outputs with `return`"));
    }
  }
  if (decl->kind == DeclKind::Transform) return;
  if (decl->kind == DeclKind::Fn) {
    const auto* fn = static_cast<const FnDecl*>(decl);
    extra(symbol).inferring = fn->result == nullptr;
    TypeId result = fn->result == nullptr ? TypeTable::kError : resolveType(fn->result);
    if (types().holds(result, IrKind::Secret)) {
      report(diagnose<Diag::SecretPlace>(fn->result->span, "the result of a `fn`"));
      result = TypeTable::kError;
    } else if (types().holds(result, IrKind::Table)) {
      report(diagnose<Diag::TypeNotAllowed>(fn->result->span, "result of a `fn`", print(result))
                 .note("what goes over the rows of a table is a `transform`"));
      result = TypeTable::kError;
    }
    signature.result = result;
    program_->at(symbol).type = result;
    return;
  }
  std::vector<ir::TypeField> fields;
  for (const FieldInfo& output : signature.outputs) {
    fields.push_back({std::string(output.name), output.type});
  }
  signature.result = types().record(std::move(fields));
  program_->at(symbol).type = signature.result;
}

void Checker::checkDefaults(SymbolId symbol) {
  place_ = Place::Default;
  owner_ = symbol;
  // An input of a workflow may be looked up when the run is submitted: `= glob("*.csv")`.
  const bool isWorkflow = program_->at(symbol).kind == SymbolKind::Workflow;
  const Phase limit = isWorkflow ? Phase::Submit : Phase::Compile;
  for (const FieldInfo& param : program_->at(symbol).signature->params) {
    if (param.syntax->value == nullptr) continue;
    filesConstant_ = true;
    checkAs(param.syntax->value, param.type, &param);
    filesConstant_ = false;
    needPhase(param.syntax->value, limit, "a default");
  }
}

void Checker::checkColumns(SymbolId symbol) {
  const std::vector<FieldInfo>& columns = program_->at(symbol).signature->params;
  place_ = Place::Column;
  owner_ = symbol;
  pushScope();
  for (const FieldInfo& column : columns) bindLocal(column.symbol);
  for (const FieldInfo& column : columns) {
    if (column.syntax->where != nullptr) checkConstraint(column);
  }
  popScope();
  facts_.clear();
}

bool Checker::textable(TypeId type) const {
  switch (types().kind(type)) {
    case IrKind::Error:
    case IrKind::Bool:
    case IrKind::Int:
    case IrKind::Float:
    case IrKind::String:
    case IrKind::Timestamp:
    case IrKind::Duration:
    case IrKind::Size:
    case IrKind::Enum:
      return true;
    default:
      return false;
  }
}

}  // namespace couler::sema
