#include "ir/types.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace couler::ir {

namespace {

void mix(std::size_t& hash, std::size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
}

std::size_t contentHash(const Type& type) {
  const std::hash<std::string> text;
  std::size_t hash = static_cast<std::size_t>(type.kind);
  mix(hash, text(type.name));
  mix(hash, text(type.origin));
  mix(hash, type.element.index());
  for (const TypeField& field : type.fields) {
    mix(hash, text(field.name));
    mix(hash, field.type.index());
  }
  for (const std::string& name : type.cases) mix(hash, text(name));
  return hash;
}

Type around(TypeKind kind, TypeId element) {
  Type type;
  type.kind = kind;
  type.element = element;
  return type;
}

}  // namespace

TypeTable::TypeTable() {
  for (std::size_t k = 0; k <= static_cast<std::size_t>(TypeKind::Dir); ++k) {
    Type type;
    type.kind = static_cast<TypeKind>(k);
    intern(std::move(type));
  }
}

TypeId TypeTable::intern(Type type) {
  if (type.kind == TypeKind::Optional) {
    const TypeKind inner = kind(type.element);
    if (inner == TypeKind::Optional || inner == TypeKind::None || inner == TypeKind::Error) {
      return type.element;
    }
  }
  const std::size_t hash = contentHash(type);
  const auto [first, last] = index_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (types_[it->second] == type) return TypeId{it->second};
  }
  const auto id = static_cast<std::uint32_t>(types_.size());
  types_.push_back(std::move(type));
  index_.emplace(hash, id);
  return TypeId{id};
}

TypeId TypeTable::file(std::string_view format) {
  Type type;
  type.kind = TypeKind::File;
  type.name = format;
  return intern(std::move(type));
}

TypeId TypeTable::list(TypeId element) { return intern(around(TypeKind::List, element)); }

TypeId TypeTable::map(TypeId value) { return intern(around(TypeKind::Map, value)); }

TypeId TypeTable::table(TypeId schema) { return intern(around(TypeKind::Table, schema)); }

TypeId TypeTable::optional(TypeId inner) { return intern(around(TypeKind::Optional, inner)); }

TypeId TypeTable::record(std::vector<TypeField> fields) {
  Type type;
  type.kind = TypeKind::Record;
  type.fields = std::move(fields);
  return intern(std::move(type));
}

std::string TypeTable::print(TypeId id) const {
  // Types nest as deeply as the source does, which the parser bounds.
  const Type& type = (*this)[id];
  switch (type.kind) {
    case TypeKind::Error:
      return "?";
    case TypeKind::None:
      return "none";
    case TypeKind::Bool:
      return "bool";
    case TypeKind::Int:
      return "int";
    case TypeKind::Float:
      return "float";
    case TypeKind::String:
      return "string";
    case TypeKind::Timestamp:
      return "timestamp";
    case TypeKind::Duration:
      return "duration";
    case TypeKind::Size:
      return "size";
    case TypeKind::Secret:
      return "secret";
    case TypeKind::File:
      return type.name.empty() ? "file" : "file<" + type.name + ">";
    case TypeKind::Dir:
      return "dir";
    case TypeKind::Enum:
    case TypeKind::Schema:
      return type.name;
    case TypeKind::Table:
      return "table<" + print(type.element) + ">";
    case TypeKind::List:
      return "list<" + print(type.element) + ">";
    case TypeKind::Map:
      return "map<string, " + print(type.element) + ">";
    case TypeKind::Optional:
      return print(type.element) + "?";
    case TypeKind::Record: {
      std::string text = "(";
      for (std::size_t i = 0; i < type.fields.size(); ++i) {
        if (i != 0) text += ", ";
        text += type.fields[i].name + ": " + print(type.fields[i].type);
      }
      return text + ")";
    }
  }
  return "?";
}

std::optional<std::size_t> TypeTable::fieldIndex(TypeId record, std::string_view name) const {
  const std::vector<TypeField>& fields = (*this)[record].fields;
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const TypeField& field) { return field.name == name; });
  if (it == fields.end()) return std::nullopt;
  return static_cast<std::size_t>(it - fields.begin());
}

namespace {

/// `inside`: an item of a list or map, where the values stay as they are, so that int does not
/// become float.
bool acceptsAt(const TypeTable& types, TypeId to, TypeId from, bool inside) {
  if (to == from) return true;
  const Type& want = types[to];
  const Type& have = types[from];
  if (want.kind == TypeKind::Error || have.kind == TypeKind::Error) return true;
  if (want.kind == TypeKind::Optional) {
    if (have.kind == TypeKind::None) return true;
    // No int? to float?: nothing could convert it only where there is a value.
    if (have.kind == TypeKind::Optional) return acceptsAt(types, want.element, have.element, true);
    return acceptsAt(types, want.element, from, inside);
  }
  if (have.kind == TypeKind::Int && want.kind == TypeKind::Float) return !inside;
  if (want.kind != have.kind) return false;
  switch (want.kind) {
    case TypeKind::File:
      return want.name.empty();
    case TypeKind::List:
    case TypeKind::Map:
      return acceptsAt(types, want.element, have.element, true);
    case TypeKind::Record: {
      if (want.fields.size() != have.fields.size()) return false;
      for (std::size_t i = 0; i < want.fields.size(); ++i) {
        if (want.fields[i].name != have.fields[i].name) return false;
        if (!acceptsAt(types, want.fields[i].type, have.fields[i].type, true)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

bool TypeTable::accepts(TypeId to, TypeId from) const { return acceptsAt(*this, to, from, false); }

std::optional<TypeId> TypeTable::join(TypeId a, TypeId b) {
  if (a == b) return a;
  if (kind(a) == TypeKind::Error) return b;
  if (kind(b) == TypeKind::Error) return a;
  if (accepts(a, b)) return a;
  if (accepts(b, a)) return b;
  if (kind(a) == TypeKind::None) return optional(b);
  if (kind(b) == TypeKind::None) return optional(a);
  if (kind(a) == TypeKind::Optional || kind(b) == TypeKind::Optional) {
    const TypeId left = kind(a) == TypeKind::Optional ? (*this)[a].element : a;
    const TypeId right = kind(b) == TypeKind::Optional ? (*this)[b].element : b;
    const std::optional<TypeId> inner = join(left, right);
    if (!inner) return std::nullopt;
    const TypeId whole = optional(*inner);
    if (accepts(whole, a) && accepts(whole, b)) return whole;
    return std::nullopt;
  }
  if (kind(a) != kind(b)) return std::nullopt;
  const TypeKind both = kind(a);
  if (both == TypeKind::File) return kFile;
  if (both == TypeKind::List || both == TypeKind::Map) {
    const std::optional<TypeId> inner = join((*this)[a].element, (*this)[b].element);
    if (!inner) return std::nullopt;
    const TypeId whole = both == TypeKind::List ? list(*inner) : map(*inner);
    // The items stay as they are, so both must fit: not so for ints in a list of floats.
    if (accepts(whole, a) && accepts(whole, b)) return whole;
    return std::nullopt;
  }
  if (both == TypeKind::Record) {
    const std::vector<TypeField> left = (*this)[a].fields;
    const std::vector<TypeField> right = (*this)[b].fields;
    if (left.size() != right.size()) return std::nullopt;
    std::vector<TypeField> fields;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i].name != right[i].name) return std::nullopt;
      const std::optional<TypeId> field = join(left[i].type, right[i].type);
      if (!field) return std::nullopt;
      fields.push_back({left[i].name, *field});
    }
    const TypeId whole = record(std::move(fields));
    if (accepts(whole, a) && accepts(whole, b)) return whole;
  }
  return std::nullopt;
}

bool TypeTable::holds(TypeId id, TypeKind wanted) const {
  const Type& type = (*this)[id];
  if (type.kind == wanted) return true;
  if (type.element.valid() && holds(type.element, wanted)) return true;
  return std::any_of(type.fields.begin(), type.fields.end(),
                     [&](const TypeField& field) { return holds(field.type, wanted); });
}

}  // namespace couler::ir
