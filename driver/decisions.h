#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/past_work.h"
#include "ir/module.h"
#include "passes/pass.h"

namespace couler::driver {

/// What the passes decided about steps and what that saves, a line each, for `couler plan`.
/// `measured` says what a step took when it last ran; `past` may be null.
[[nodiscard]] std::string decisionsText(
    const std::vector<passes::Decision>& decisions,
    const std::function<std::optional<ir::Cost>(std::string_view step)>& measured,
    const PastWork* past);

}  // namespace couler::driver
