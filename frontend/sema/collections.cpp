// Literals of lists, maps and records.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

/// What is expected of a literal of that kind, `T?` looked through; invalid when something else is.
TypeId wantedOf(const ir::TypeTable& types, TypeId expected, IrKind kind) {
  if (!expected.valid()) return {};
  if (types.kind(expected) == IrKind::Optional) expected = types[expected].element;
  return types.kind(expected) == kind ? expected : TypeId{};
}

}  // namespace

void Checker::joinElement(Elements& elements, const Expr& value, TypeId type) {
  const auto both =
      elements.joined.valid() ? types().join(elements.joined, type) : std::optional(type);
  if (both) {
    elements.joined = *both;
    if (elements.first == nullptr) elements.first = &value;
  } else if (!elements.failed) {
    report(diagnose<Diag::ElementTypes>(value.span, print(elements.joined), print(type))
               .label(elements.first->span, fmt::format("this is `{}`", print(elements.joined))));
    elements.failed = true;
  }
}

TypeId Checker::checkList(const ListExpr& expr, TypeId expected) {
  const TypeId wanted = wantedOf(types(), expected, IrKind::List);
  const TypeId element = wanted.valid() ? types()[wanted].element : TypeId{};
  const std::string_view place = std::exchange(secretPlace_, "is put into a list");
  Phase phase = Phase::Compile;
  Elements elements;
  for (const ListItem& item : expr.items) {
    TypeId type;
    if (item.spread) {
      const TypeId list = check(item.value, wanted);
      if (types().kind(list) == IrKind::List) {
        type = types()[list].element;
      } else {
        if (!isError(list)) {
          report(diagnose<Diag::SpreadNotList>(item.value->span, print(list)));
        }
        type = TypeTable::kError;
      }
      if (wanted.valid() && !isError(type) && !fits(item.value, wanted, list))
        elements.failed = true;
    } else {
      type = element.valid() ? checkAs(item.value, element) : check(item.value);
    }
    phase = std::max(phase, phaseOf(item.value));
    if (isError(type)) {
      elements.failed = true;
    } else if (!wanted.valid()) {
      joinElement(elements, *item.value, type);
    }
  }
  secretPlace_ = place;
  if (wanted.valid()) return set(expr, wanted, phase);
  if (elements.failed) return set(expr, TypeTable::kError, phase);
  if (!elements.joined.valid()) {
    report(diagnose<Diag::UnknownElementType>(expr.span, "list")
               .note("say what it holds, as in `let xs: list<int> = []`"));
    return set(expr, TypeTable::kError, phase);
  }
  for (const ListItem& item : expr.items) {
    // A spread list keeps its items as they are; there is no conversion inside of it.
    if (item.spread && !fits(item.value, types().list(elements.joined), info(*item.value).type)) {
      return set(expr, TypeTable::kError, phase);
    }
  }
  return set(expr, types().list(elements.joined), phase);
}

TypeId Checker::checkMap(const MapExpr& expr, TypeId expected) {
  const TypeId wanted = wantedOf(types(), expected, IrKind::Map);
  const TypeId element = wanted.valid() ? types()[wanted].element : TypeId{};
  const std::string_view place = std::exchange(secretPlace_, "is put into a map");
  Phase phase = Phase::Compile;
  Elements elements;
  std::unordered_map<std::string_view, Span> keys;
  for (const MapEntry& entry : expr.entries) {
    checkAs(entry.key, TypeTable::kString);
    if (entry.key != nullptr && entry.key->kind == ExprKind::String) {
      const auto parts = static_cast<const StringExpr*>(entry.key)->parts;
      if (parts.size() == 1 && parts[0].expr == nullptr) {
        const auto [it, isNew] = keys.try_emplace(parts[0].text, entry.key->span);
        if (!isNew) {
          report(diagnose<Diag::RepeatedKey>(entry.key->span, parts[0].text)
                     .label(it->second, "first given here"));
        }
      }
    }
    const TypeId type = element.valid() ? checkAs(entry.value, element) : check(entry.value);
    phase = std::max({phase, phaseOf(entry.key), phaseOf(entry.value)});
    if (isError(type)) {
      elements.failed = true;
    } else if (!wanted.valid()) {
      joinElement(elements, *entry.value, type);
    }
  }
  secretPlace_ = place;
  if (wanted.valid()) return set(expr, wanted, phase);
  if (elements.failed) return set(expr, TypeTable::kError, phase);
  if (!elements.joined.valid()) {
    report(diagnose<Diag::UnknownElementType>(expr.span, "map")
               .note("say what it holds, as in `let m: map<string, int> = [:]`"));
    return set(expr, TypeTable::kError, phase);
  }
  return set(expr, types().map(elements.joined), phase);
}

TypeId Checker::checkRecord(const RecordExpr& expr, TypeId expected) {
  const TypeId wanted = wantedOf(types(), expected, IrKind::Record);
  const std::string_view place = std::exchange(secretPlace_, "is put into a record");
  Phase phase = Phase::Compile;
  bool failed = false;
  std::vector<ir::TypeField> fields;
  std::vector<const Argument*> seen;
  for (const Argument& arg : expr.fields) {
    if (arg.spread || arg.name.text.empty()) {
      check(arg.value);
      failed = true;  // the parser has reported it
      continue;
    }
    const auto same = std::find_if(seen.begin(), seen.end(), [&](const Argument* other) {
      return other->name.text == arg.name.text;
    });
    if (same != seen.end()) {
      report(diagnose<Diag::RepeatedArgument>(arg.name.span, arg.name.text)
                 .label((*same)->name.span, "first given here"));
      check(arg.value);
      failed = true;
      continue;
    }
    seen.push_back(&arg);
    std::optional<std::size_t> index;
    if (wanted.valid()) index = types().fieldIndex(wanted, arg.name.text);
    TypeId type;
    if (index) {
      type = checkAs(arg.value, types()[wanted].fields[*index].type);
      if (!isError(type)) type = types()[wanted].fields[*index].type;
    } else {
      type = check(arg.value);
    }
    if (wanted.valid() && !index) {
      std::vector<std::string_view> names;
      for (const ir::TypeField& field : types()[wanted].fields) {
        const bool given = std::any_of(expr.fields.begin(), expr.fields.end(),
                                       [&](const auto& a) { return a.name.text == field.name; });
        if (!given) names.push_back(field.name);
      }
      unknownMember(arg.name, wanted, names);
      failed = true;
    }
    phase = std::max(phase, phaseOf(arg.value));
    if (isError(type)) failed = true;
    fields.push_back({std::string(arg.name.text), type});
  }
  secretPlace_ = place;
  if (failed) return set(expr, TypeTable::kError, phase);
  if (wanted.valid()) {
    std::string missing;
    for (const ir::TypeField& field : types()[wanted].fields) {
      const bool given = std::any_of(fields.begin(), fields.end(),
                                     [&](const ir::TypeField& f) { return f.name == field.name; });
      if (!given) missing += fmt::format("{}`{}`", missing.empty() ? "" : " and ", field.name);
    }
    if (missing.empty()) return set(expr, wanted, phase);
    report(diagnose<Diag::MissingArgument>(expr.span, print(wanted), missing));
    return set(expr, TypeTable::kError, phase);
  }
  return set(expr, types().record(std::move(fields)), phase);
}

}  // namespace couler::sema
