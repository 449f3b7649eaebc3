#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/search.h"
#include "ir/value.h"
#include "lsp/assist/model.h"

/// The first points of a search by a model: what it is asked, and how its answer is read.
namespace couler::assist {

/// Of the program it has what a `#prior` says (ir/search.h) and the spaces, no more. The same for
/// the same search.
[[nodiscard]] std::vector<Message> askForPoints(const ir::Value& card,
                                                const ir::search::Space& space);

struct Points {
  std::vector<ir::Value> points;  ///< each in the space, all different
  /// What else the answer has: its number from 1 on, and why it is no point.
  std::vector<std::pair<std::size_t, std::string>> refused;
  std::string problem;  ///< not empty: the answer is none
};
/// Reads `{"points": [{"rate": 0.1, …}, …]}`, which may stand between ``` fences. O(answer).
[[nodiscard]] Points readPoints(std::string_view answer, const ir::search::Space& space,
                                std::size_t most);

}  // namespace couler::assist
