#pragma once

#include <span>
#include <string_view>

#include "backends/yaml_reader.h"

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
[[nodiscard]] std::span<const Field> fieldTable();
[[nodiscard]] const Field* findField(std::string_view object, std::string_view name);

}  // namespace couler::backends::argo
