#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace couler {

/// A hash table of dense ids whose keys live elsewhere: open addressing in one vector, so that
/// finding equal nodes costs no allocation a node. The caller brings hash and equality.
class IdTable {
 public:
  /// The id equal to the one asked for, or, where there is none, `id` itself, which is now in.
  template <class Equal>
  std::uint32_t insert(std::uint32_t hash, std::uint32_t id, const Equal& equal) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow();
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      Slot& slot = slots_[at];
      if (slot.id == kEmpty) {
        slot = {id, hash};
        ++count_;
        return id;
      }
      if (slot.hash == hash && equal(slot.id)) return slot.id;
    }
  }
  /// The id equal to the one asked for, or kEmpty.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, const Equal& equal) const {
    if (slots_.empty()) return kEmpty;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.id == kEmpty) return kEmpty;
      if (slot.hash == hash && equal(slot.id)) return slot.id;
    }
  }

  /// Room for `count` ids without growing on the way.
  void reserve(std::size_t count) {
    std::size_t size = 64;
    while ((count + 1) * 4 > size * 3) size *= 2;
    if (size > slots_.size()) resize(size);
  }

  static constexpr std::uint32_t kEmpty = 0xffffffffU;

 private:
  struct Slot {
    std::uint32_t id = kEmpty;
    std::uint32_t hash = 0;
  };
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  void grow() { resize(slots_.empty() ? 64 : slots_.size() * 2); }
  void resize(std::size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id == kEmpty) continue;
      std::size_t at = slot.hash & mask();
      while (slots_[at].id != kEmpty) at = (at + 1) & mask();
      slots_[at] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

/// Finds equal things by something that they have in common, their home, which is an id as well:
/// equal nodes have the same operands, say. Few things have one home, so they are a short chain
/// from it, and going through things whose homes are near each other touches memory that is, too; a
/// table that scatters them does not fit a processor's cache. What is too much for a chain goes to
/// one.
class NearTable {
 public:
  static constexpr std::uint32_t kEmpty = IdTable::kEmpty;

  /// The id that `equal` holds for, or kEmpty. `hash` makes the hash: mostly nobody asks for it.
  template <class Hash, class Equal>
  [[nodiscard]] std::uint32_t find(std::uint32_t home, const Hash& hash, const Equal& equal) const {
    if (home >= first_.size()) return kEmpty;
    std::size_t length = 0;
    for (std::uint32_t id = first_[home]; id != kEmpty; id = next_[id], ++length) {
      if (equal(id)) return id;
    }
    return length < kLongest ? kEmpty : rest_.find(hash(), equal);
  }
  /// Pre: `find` found nothing like it.
  template <class Hash>
  void add(std::uint32_t home, std::uint32_t id, const Hash& hash) {
    if (home >= first_.size()) first_.resize(home + 1, kEmpty);
    std::size_t length = 0;
    for (std::uint32_t other = first_[home]; other != kEmpty; other = next_[other]) ++length;
    if (length == kLongest) {
      rest_.insert(hash(), id, [](std::uint32_t) { return false; });
      return;
    }
    if (id >= next_.size()) next_.resize(id + 1, kEmpty);
    next_[id] = std::exchange(first_[home], id);
  }

 private:
  static constexpr std::size_t kLongest = 8;
  std::vector<std::uint32_t> first_;  ///< by home
  std::vector<std::uint32_t> next_;   ///< by id
  IdTable rest_;
};

/// Mixes numbers and text into a hash; the last step spreads them over all bits.
class Mixer {
 public:
  void add(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15ULL;
    state_ ^= state_ >> 29U;
  }
  /// Eight bytes at a time, and the length: no text is the beginning of another.
  void add(std::string_view text) {
    add(text.size());
    while (text.size() >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data(), 8);
      add(word);
      text.remove_prefix(8);
    }
    std::uint64_t word = 0;
    if (!text.empty()) std::memcpy(&word, text.data(), text.size());
    add(word);
  }
  [[nodiscard]] std::uint32_t finish() const {
    const std::uint64_t mixed = (state_ ^ (state_ >> 32U)) * 0xd6e8feb86659fd93ULL;
    return static_cast<std::uint32_t>(mixed ^ (mixed >> 32U));
  }

 private:
  std::uint64_t state_ = 0x243f6a8885a308d3ULL;
};

}  // namespace couler
