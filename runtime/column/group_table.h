#pragma once

#include <cstdint>
#include <vector>

#include "runtime/column/row_store.h"

/// Numbers for keys, for grouping, joining and looking for what came before.
namespace couler::column {

/// Gives each different key a number, 0, 1, …, in the order in which they first come. Open
/// addressing with linear probing. What is looked up is a word of 8 bytes: the key itself where it
/// is one cell of a fixed width, else its hash; then whole batches are compared with the keys
/// found, a column at a time.
class GroupTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  /// `hashMask`: the bits of hashes that count; for tests of what collides.
  explicit GroupTable(Schema keys, std::uint64_t hashMask = ~std::uint64_t{0});
  /// What is looked up for each row of a batch whose first columns are the keys: `made`, or
  /// memory of the batch. The same for all tables of the same keys.
  [[nodiscard]] const std::uint64_t* wordsOf(const Batch& batch,
                                             std::vector<std::uint64_t>& made) const;
  /// The group of each row selected; new keys get numbers.
  void add(const Batch& batch, const std::uint64_t* words, const Selection& rows,
           std::vector<std::uint32_t>& groups);
  /// The same, but kNone for keys that are not known. May be called from several threads at once.
  void find(const Batch& batch, const std::uint64_t* words, const Selection& rows,
            std::vector<std::uint32_t>& groups) const;
  /// The first row in the batch last added of each group that was new, by group.
  [[nodiscard]] const std::vector<std::int64_t>& fresh() const { return fresh_; }
  /// False when some number is not in the order of first rows, which is after hashes collided.
  [[nodiscard]] bool inOrder() const { return inOrder_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const {
    return keys_.bytes() + slots_.size() * sizeof(Slot);
  }
  [[nodiscard]] const RowStore& keys() const { return keys_; }

 private:
  struct Slot {
    std::uint64_t word;
    std::uint32_t group;
  };
  [[nodiscard]] std::size_t place(std::uint64_t word) const {
    // Multiplicative hashing (Knuth, The Art of Computer Programming, vol. 3, 6.4), with the upper
    // half folded in.
    return static_cast<std::size_t>((word ^ (word >> 32U)) * 0x9e3779b97f4a7c15ULL >> shift_);
  }
  void makeRoom(std::size_t rows);
  /// `fresh(row, slot)`: the group of a key that is not known.
  template <class Slots, class Fresh>
  void probe(const Batch& batch, const std::uint64_t* words, const Selection& rows, Slots* slots,
             std::uint32_t* groups, std::uint32_t& noneGroup, Fresh&& fresh) const;
  template <bool kOptional, bool kAll, class Slots, class Fresh>
  void probeRows(const std::uint8_t* valid, const std::uint64_t* words, const Selection& rows,
                 Slots* slots, std::uint32_t* groups, std::uint32_t& noneGroup,
                 Fresh& fresh) const;
  /// By row selected: whether it was given the group of another key with its hash.
  [[nodiscard]] std::vector<std::uint8_t> collisions(
      const Batch& batch, const Selection& rows, const std::vector<std::uint32_t>& groups) const;
  [[nodiscard]] std::size_t placeOf(const Batch& batch, std::uint64_t word, std::int64_t row) const;

  RowStore keys_;
  bool exact_;  ///< the word is the key
  bool inOrder_ = true;
  std::uint64_t hashMask_;
  unsigned shift_;
  std::vector<Slot> slots_;  ///< empty: kNone; their number is a power of two
  std::size_t size_ = 0;
  std::uint32_t noneGroup_ = kNone;   ///< exact: of the key that is none
  std::vector<std::uint32_t> columns_;
  std::vector<std::int64_t> fresh_;
};

}  // namespace couler::column
