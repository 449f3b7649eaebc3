#include "ir/verify_internal.h"

namespace couler::ir {

void Verifier::verifyValue(ConstId id, TypeId want, std::string_view what, std::string_view of) {
  const std::uint64_t key = (std::uint64_t{id.index()} << 32U) | want.index();
  if (!checkedValues_.insert(key).second) return;
  if (!fits(m_.at(id), want)) {
    problem("the {} {} is `{}`, not a `{}`", what, of, toSource(m_.at(id)), type(want));
  }
}

/// Whether a value may stand for a type; ints for floats, as TypeTable::accepts has it. Bounded
/// by the nesting of the type.
bool Verifier::fits(const Value& value, TypeId want) const {
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

}  // namespace couler::ir
