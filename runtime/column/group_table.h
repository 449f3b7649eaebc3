#pragma once

#include <cstdint>
#include <vector>

#include "runtime/column/row_store.h"

/// Rows told apart by their keys.
namespace couler::column {

/// Gives each different key a number, 0, 1, … in the order in which they first come. Open
/// addressing with linear probing; a key is stored once.
class GroupTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  explicit GroupTable(Schema keys);
  /// The group of each row of a batch whose first columns are the keys. `grow`: new keys get
  /// numbers, else kNone.
  void find(const Batch& batch, const std::vector<std::uint64_t>& hashes, bool grow,
            std::vector<std::uint32_t>& groups);
  [[nodiscard]] std::size_t size() const { return hashes_.size(); }
  [[nodiscard]] std::size_t bytes() const {
    return keys_.bytes() + slots_.size() * sizeof(slots_[0]) + hashes_.size() * 8;
  }
  [[nodiscard]] const RowStore& keys() const { return keys_; }

 private:
  template <class Same>
  void findWith(const Batch& batch, const std::vector<std::uint64_t>& hashes, bool grow,
                std::vector<std::uint32_t>& groups, const Same& same);
  void rehash(std::size_t slots);

  RowStore keys_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::uint64_t> hashes_;  ///< by group
  std::vector<std::uint32_t> slots_;   ///< a group, or kNone; their number is a power of two
  std::vector<std::int64_t> fresh_;    ///< rows of the batch with keys not seen before it
};

}  // namespace couler::column
