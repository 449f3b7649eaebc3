#include "driver/decisions.h"

#include <algorithm>

#include <fmt/format.h>

#include "support/text.h"

namespace couler::driver {
namespace {

using Measured = std::function<std::optional<ir::Cost>(std::string_view step)>;
using passes::Decision;

/// `: about 3.0 s less`
std::string less(const Measured& measured, const std::string& step, std::size_t times) {
  const auto cost = measured ? measured(step) : std::nullopt;
  if (!cost) return ", which no run has measured";
  return fmt::format(": about {} less", humanSeconds(cost->seconds * static_cast<double>(times)));
}

/// What the parts took when they last ran, and how much of it one of them.
std::string partsText(const Measured& measured, const Decision& decision) {
  std::size_t parts = 0;
  double seconds = 0;
  while (measured) {
    const auto cost = measured(fmt::format("{}.{}", decision.parts, parts));
    if (!cost) break;
    ++parts;
    seconds += cost->seconds;
  }
  if (parts != 0) {
    return fmt::format(": {} of about {} each, {} in all", countOf(parts, "part"),
                       humanSeconds(seconds / static_cast<double>(parts)), humanSeconds(seconds));
  }
  const auto whole = measured ? measured(decision.step) : std::nullopt;
  if (!whole) return ", which no run has measured";
  return fmt::format(": it took {} as a whole", humanSeconds(whole->seconds));
}

}  // namespace

std::string decisionsText(const std::vector<Decision>& decisions, const Measured& measured,
                          const PastWork* past) {
  std::string text;
  for (const Decision& decision : decisions) {
    switch (decision.kind) {
      case Decision::Kind::Merged:
        text += fmt::format("merge-common: `{}` runs once instead of {} times{}", decision.step,
                            decision.times + 1, less(measured, decision.step, decision.times));
        break;
      case Decision::Kind::Dropped:
        text += fmt::format("drop-dead: `{}` does not run{}", decision.step,
                            less(measured, decision.step, 1));
        break;
      case Decision::Kind::InParts:
        text += fmt::format("shard: `{}` runs in parts{}", decision.step,
                            partsText(measured, decision));
        break;
    }
    if (past != nullptr) {
      const bool parts = decision.kind == Decision::Kind::InParts;
      text += "  " + (parts ? past->ofParts(decision.parts) : past->of(decision.step));
    }
    text += "\n";
  }
  return text;
}

}  // namespace couler::driver
