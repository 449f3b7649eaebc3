#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "support/strong_id.h"

namespace couler::ir {

using TypeId = StrongId<struct TypeTag>;

#define COULER_TYPE_KINDS(X)                                                                  \
  X(Error)                                                                                    \
  X(None)                                                                                     \
  X(Bool) X(Int) X(Float) X(String) X(Timestamp) X(Duration) X(Size) X(Secret) X(File) X(Dir) \
      X(Enum) X(Schema) X(Table) X(List) X(Map) X(Optional) X(Record)

enum class TypeKind : std::uint8_t {
#define X(name) name,
  COULER_TYPE_KINDS(X)
#undef X
};

struct TypeField {
  std::string name;
  TypeId type;
  friend bool operator==(const TypeField&, const TypeField&) = default;
};

/// A type. Enums and schemas are nominal: equal only when declared in the same place (`origin`);
/// all others are structural.
struct Type {
  TypeKind kind = TypeKind::Error;
  std::string name;    ///< Enum, Schema: as declared; File: its format ("csv") or empty
  std::string origin;  ///< Enum, Schema: path of the declaring file
  TypeId element;      ///< Table (a Schema), List, Map (the value; keys are strings), Optional
  std::vector<TypeField> fields;   ///< Record, Schema: in order
  std::vector<std::string> cases;  ///< Enum: in order
  friend bool operator==(const Type&, const Type&) = default;
};

/// Interns types: two equal types have one id, so ids compare as types do. Types without parameters
/// have fixed ids (the members below). `Optional` never nests, and `T?` of `None` is `None`.
class TypeTable {
 public:
  TypeTable();

  static constexpr TypeId kError{0U}, kNone{1U}, kBool{2U}, kInt{3U}, kFloat{4U}, kString{5U},
      kTimestamp{6U}, kDuration{7U}, kSize{8U}, kSecret{9U}, kFile{10U}, kDir{11U};

  [[nodiscard]] const Type& operator[](TypeId id) const { return types_[id.index()]; }
  [[nodiscard]] TypeKind kind(TypeId id) const { return types_[id.index()].kind; }
  [[nodiscard]] std::size_t size() const { return types_.size(); }

  TypeId intern(Type type);
  TypeId file(std::string_view format);  ///< empty format: plain `file`
  TypeId list(TypeId element);
  TypeId map(TypeId value);
  TypeId table(TypeId schema);
  TypeId optional(TypeId inner);
  TypeId record(std::vector<TypeField> fields);

  /// As written in source: `list<file<csv>>`, `(model: file, score: float)?`.
  [[nodiscard]] std::string print(TypeId id) const;
  /// Index of a field of a Record or Schema.
  [[nodiscard]] std::optional<std::size_t> fieldIndex(TypeId record, std::string_view name) const;
  /// Whether a value of `from` may stand where `to` is wanted without a written conversion:
  /// equal, int to float, T to T?, none to T?, file<F> to file, elementwise for lists and maps
  /// (no int to float inside them), and anything to or from Error.
  [[nodiscard]] bool accepts(TypeId to, TypeId from) const;
  /// The least type that both convert to, or nothing.
  [[nodiscard]] std::optional<TypeId> join(TypeId a, TypeId b);
  /// Whether a value of this type holds a secret, a file or a directory somewhere inside.
  [[nodiscard]] bool holds(TypeId id, TypeKind kind) const;

 private:
  std::vector<Type> types_;
  std::unordered_multimap<std::size_t, std::uint32_t> index_;  // hash of content -> id
};

}  // namespace couler::ir
