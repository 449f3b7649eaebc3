#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

/// What a value may become by a word behind its dot: `xs.for`.
struct Postfix {
  std::string_view word;
  std::string snippet;  ///< in place of value, dot and word
  std::string shown;    ///< the same for people
};

struct PostfixPlace {
  std::string_view value;  ///< as written
  ir::TypeId type;
  bool called = false;           ///< its last part is a call
  bool inWorkflow = false;
  bool startsStatement = false;  ///< nothing stands before it
};
[[nodiscard]] std::vector<Postfix> postfixes(const Snapshot& snapshot, const PostfixPlace& place);

}  // namespace couler::lsp
