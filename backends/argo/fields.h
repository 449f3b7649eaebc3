#pragma once

#include <span>
#include <string_view>

namespace couler::backends::argo {

/// What may stand at a place of a manifest, by Argo's field reference
/// (https://argo-workflows.readthedocs.io/en/latest/fields/).
enum class Shape : unsigned char {
  Text,
  Number,
  NumberOrText,
  Bool,
  Any,
  Map,
  List,
  TextList,
  TextMap
};

struct Field {
  std::string_view object;  ///< "Template"
  std::string_view name;    ///< "activeDeadlineSeconds"
  Shape shape;
  std::string_view of;  ///< object of a Map, or of a List's items; empty: not looked into
};
/// The fields of an object; empty where there is no such object. O(objects).
[[nodiscard]] std::span<const Field> fieldsOf(std::string_view object);
/// The fields of what `field`, a row of the table, is a map or list of. O(1).
[[nodiscard]] std::span<const Field> fieldsUnder(const Field& field);

}  // namespace couler::backends::argo
