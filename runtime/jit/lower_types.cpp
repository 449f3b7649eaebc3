#include "runtime/jit/lower_types.h"

#include <algorithm>
#include <bit>

namespace couler::jit {

std::optional<Kind> kindOf(const ir::TypeTable& types, ir::TypeId id) {
  const ir::Type& type = types[id];
  const bool optional = type.kind == ir::TypeKind::Optional;
  const Kind kind = column::kindOf(optional ? types.kind(type.element) : type.kind);
  return kind == Kind::Value ? std::nullopt : std::optional(kind);
}

const std::vector<std::string>& casesOf(const ir::TypeTable& types, ir::TypeId id) {
  const ir::Type& type = types[id];
  return type.kind == ir::TypeKind::Optional ? types[type.element].cases : type.cases;
}

Site::Cell cellOf(const ir::TypeTable& types, ir::TypeId id) {
  return {kindOf(types, id).value_or(Kind::Int), casesOf(types, id)};
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

}  // namespace couler::jit
