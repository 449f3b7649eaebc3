#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/store/step_row.h"

namespace couler::runtime {

/// The history of reused steps, packed: a run in which nothing changed has one for each of its
/// steps, and a database row each would cost more than all else that is done for them. About 60
/// bytes a step.
class ReusedRows {
 public:
  /// Pre: the row has a key. What a reused step cannot have (a failure, times) is not kept.
  void add(const StepRow& row);
  void clear();
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

/// Reads packed rows one after the other.
class ReusedReader {
 public:
  /// `bytes` must outlive it.
  explicit ReusedReader(std::string_view bytes) : left_(bytes) {}
  /// False at the end, and where the bytes are none of ours.
  bool next(StepRow& row);

 private:
  std::string_view left_;
};

}  // namespace couler::runtime
