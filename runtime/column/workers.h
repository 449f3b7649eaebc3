#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/column/stream.h"

/// Batches worked on by several threads, with the same results in the same order as by one.
namespace couler::column {

/// What is done to a batch. Each thread has one of its own.
class Work {
 public:
  virtual ~Work() = default;
  /// Changes the batch in place. False after an error.
  virtual bool run(Batch& batch, std::optional<StreamError>& error) = 0;
};
/// One after the other.
using Chain = std::vector<std::unique_ptr<Work>>;

/// The batches of `in` after each has gone through one of `works`, which are all alike; batches
/// without rows are left out. With one the caller does it; with more there is a thread for each but
/// the first, which is the caller's while it waits. They take the next batch from `in` in turn, so
/// that one thread at a time is in there. A source that is itself such is made longer instead. At
/// most four batches a thread are under way.
[[nodiscard]] std::unique_ptr<Source> through(std::unique_ptr<Source> in,
                                              std::vector<std::unique_ptr<Work>> works,
                                              Schema out);

/// What `through` would do to batches, for those who have threads of their own: a source, and what
/// each of `threads` threads does to its batches.
struct Pipeline {
  std::unique_ptr<Source> source;
  std::vector<Chain> chains;
};
[[nodiscard]] Pipeline takeApart(std::unique_ptr<Source> in, std::size_t threads);

/// Runs `body(0)` … `body(count - 1)` at once, the first by the caller, and waits for all. An
/// exception in one is thrown here.
void atOnce(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace couler::column
