#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/column/batch.h"
#include "runtime/column/distinct_count.h"

namespace couler::column {

/// How often each text comes, in bounded memory. Exact while there are at most `most` different
/// ones; beyond, the frequent ones only: a count is then too low by at most `error`, which is at
/// most the number of texts divided by a quarter of `most` (Misra and Gries 1982; merged as in
/// Agarwal et al., "Mergeable summaries", 2012). Texts over 256 bytes are told apart by a hash of 64
/// bits and kept up to there.
class ValueCounts {
 public:
  static constexpr std::size_t kMost = 16384;
  static constexpr std::size_t kLongest = 256;

  explicit ValueCounts(std::size_t most = kMost) : most_(most) {}

  /// Texts of a batch, of which 8 bytes past each end are readable; `valid` as in Column.
  void add(const Text* texts, const std::uint8_t* valid, std::int64_t rows);
  void add(std::string_view text, std::int64_t times);
  void merge(const ValueCounts& other);

  [[nodiscard]] bool exact() const { return !pruned_; }
  [[nodiscard]] std::int64_t error() const { return error_; }
  [[nodiscard]] const DistinctCount& hashes() const { return distinct_; }
  /// Exact where the counts are.
  [[nodiscard]] std::int64_t distinct() const;
  [[nodiscard]] std::int64_t count() const { return count_; }  ///< of all texts
  [[nodiscard]] std::int64_t letters() const { return letters_; }  ///< code points in all of them
  [[nodiscard]] std::int64_t shortest() const { return count_ == 0 ? 0 : shortest_; }  ///< bytes
  [[nodiscard]] std::int64_t longest() const { return longest_; }                      ///< bytes

  struct Item {
    std::string_view text;  ///< of the counts, until they change
    std::int64_t count = 0;
    bool cut = false;  ///< there is more of it
  };
  /// The `most` most frequent, then by their bytes. Without exact counts, those that are certainly
  /// more frequent than others may be.
  [[nodiscard]] std::vector<Item> top(std::size_t most) const;
  /// All that are kept, by their bytes.
  [[nodiscard]] std::vector<Item> all() const;

 private:
  struct Entry {
    std::uint64_t hash;
    std::int64_t count;
    std::uint32_t start;  ///< in bytes_
    std::uint32_t size;   ///< kept
    std::int64_t whole;   ///< bytes of the text
  };
  void insert(std::uint64_t hash, std::string_view text, std::int64_t whole, std::int64_t times);
  [[nodiscard]] bool same(const Entry& entry, std::string_view text, std::int64_t whole) const;
  void rehash(std::size_t slots);
  void prune();

  std::size_t most_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  ///< entry + 1; 0: free
  std::string bytes_;
  DistinctCount distinct_;
  std::int64_t count_ = 0;
  std::int64_t letters_ = 0;
  std::int64_t shortest_ = INT64_MAX;
  std::int64_t longest_ = 0;
  std::int64_t error_ = 0;
  bool pruned_ = false;
};

}  // namespace couler::column
