#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/features/calls.h"

namespace couler::lsp {

/// What may be written at a place, as far as the text before it says.
struct Place {
  enum class What : std::uint8_t {
    Nothing,  ///< in a comment or text, or a new name
    Declaration,
    Type,
    Format,  ///< `file<`
    Member,
    Script,  ///< of a task
    Unit,
    Settings,  ///< of `head`
    Engine,
    TuneMethod,
    TunePrior,
    ImportModule,
    StdModule,
    ImportPath,
    FilePath,
    ImportName,
    TaskBody,
    TransformBody,
    Statement,
    Value
  };
  /// A link of `a.b(…)[0].`.
  struct Link {
    std::string name;
    bool called = false;
    std::size_t indexes = 0;
  };
  What what = What::Nothing;
  std::vector<Link> chain;       ///< Member
  std::uint32_t begin = 0;       ///< Member: where the chain begins
  std::uint32_t word = 0;        ///< where the word that is being typed begins
  std::string head;              ///< Settings: of what; paths: what is typed; ImportName: the import's path
  std::optional<OpenCall> call;  ///< the call around
  std::set<std::string> given;   ///< names of its arguments
  bool parenFollows = false;
};

/// O(bytes before the place).
[[nodiscard]] Place placeAt(std::string_view text, std::uint32_t offset);

}  // namespace couler::lsp
