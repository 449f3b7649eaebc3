#pragma once

#include <memory>

#include "runtime/column/predicate.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// The rows of `in` that meet the predicate, with the columns that `in` left out for later; where
/// most rows meet it, all rows of a batch. The plan's filters come after it as ever: what they
/// keep, and what they fail on, does not change.
[[nodiscard]] std::unique_ptr<Source> fillLate(std::unique_ptr<Source> in, Predicate predicate);

}  // namespace couler::column
