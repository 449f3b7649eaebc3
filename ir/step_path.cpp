#include "ir/step_path.h"

namespace couler::ir {

void appendStepPath(std::string& out, std::string_view name, std::string_view indexes) {
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t star = indexes.empty() ? name.npos : name.find(".*", at);
    if (star == name.npos) {
      out += name.substr(at);
      break;
    }
    const std::size_t size = indexes.find('.', 1);
    out += name.substr(at, star - at);
    out += indexes.substr(0, size);
    indexes.remove_prefix(size == indexes.npos ? indexes.size() : size);
    at = star + 2;
  }
  out += indexes;
}

std::string_view withoutOpenEnd(std::string_view name) {
  while (name.ends_with(".*")) name.remove_suffix(2);
  return name;
}

}  // namespace couler::ir
