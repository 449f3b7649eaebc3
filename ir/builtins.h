#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/types.h"

namespace couler::ir {

/// One enumerator per row of ir/builtins.def.
enum class Builtin : std::uint16_t {
#define BUILTIN(Name, text, signature, doc) Name,
#include "ir/builtins.def"
};

/// A row of the table. The signature, `(xs: list<T>, n: int) -> T?`, is written in the language's
/// own types and these: `T` and `U` any type; `O` one with an order (int, float, string, timestamp,
/// duration, size); `P` a path (string, file, dir); `any` any, each use on its own. A letter stands
/// for the same type everywhere in a row. `x: T...` at the end repeats that parameter, `(…)...` all
/// of them, zero times or more.
struct BuiltinInfo {
  Builtin id;
  std::string_view enumerator;  ///< "AddInt": unique, the text form's word
  std::string_view name;        ///< "+", "length": several rows may share one (overloads)
  std::string_view signature;   ///< "(xs: list<T>) -> int"
  std::string_view doc;
};
[[nodiscard]] std::span<const BuiltinInfo> builtinTable();
[[nodiscard]] const BuiltinInfo& info(Builtin id);
/// Whether it is one of the functions over the rows of a group (`AggSumInt`, …).
[[nodiscard]] bool isAggregate(Builtin id);
/// Of those, whether it gives none where no row has a value: its result is then `T?`.
[[nodiscard]] bool needsValue(Builtin aggregate);
/// The row with that enumerator ("AddInt"), or null.
[[nodiscard]] const BuiltinInfo* findBuiltin(std::string_view enumerator);

/// An overload chosen for given argument types.
struct BuiltinMatch {
  Builtin id{};
  std::vector<TypeId> params;  ///< with T and U filled in
  TypeId result;
};
/// The first row of that name whose parameters accept the arguments without conversion, else the
/// first that accepts them with the conversions of TypeTable::accepts; nothing if none does.
[[nodiscard]] std::optional<BuiltinMatch> matchBuiltin(std::string_view name,
                                                       std::span<const TypeId> args,
                                                       TypeTable& types);
/// The same for one row, with conversions. A letter that no argument fixes is TypeTable::kError, as
/// is a result `any`: what uses the row knows the type (MakeList of nothing, MakeRecord).
[[nodiscard]] std::optional<BuiltinMatch> matchRow(Builtin id, std::span<const TypeId> args,
                                                   TypeTable& types);
/// All overloads of a name, in order; empty if there is no such function.
[[nodiscard]] std::vector<const BuiltinInfo*> overloads(std::string_view name);
/// Names that source may call, for did-you-mean and completion: sorted, each once.
[[nodiscard]] std::vector<std::string_view> callableNames();

}  // namespace couler::ir
