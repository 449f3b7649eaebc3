#pragma once

#include "runtime/column/grouper.h"
#include "runtime/column/workers.h"

/// Grouping by several threads.
namespace couler::column {

/// Adds all rows of a source to groupers, by the hashes of their keys: a key's rows all to the same
/// one and in their order, so that sums come out as with one thread. As many threads as the
/// pipeline has chains; each takes batches, passes them through its chain and adds what waits for a grouper that no
/// other thread is adding to. The error, if any, is that of the first batch that has one.
[[nodiscard]] std::optional<StreamError> dealGroups(
    Pipeline pipeline, const std::vector<std::unique_ptr<Grouper>>& groupers);

}  // namespace couler::column
