#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

namespace couler {

/// An index that cannot be mixed up with an index into another table.
///
/// `Tag` is any empty type. A default-made id is invalid; `valid()` tells. Ids are dense: id `n` is
/// element `n` of the table that handed it out.
template <class Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(std::uint32_t index) : index_(index) {}
  template <class I>
    requires(std::is_integral_v<I> && !std::is_same_v<I, std::uint32_t>)
  constexpr explicit StrongId(I index) : index_(static_cast<std::uint32_t>(index)) {}

  [[nodiscard]] constexpr bool valid() const { return index_ != kInvalid; }
  [[nodiscard]] constexpr std::uint32_t index() const { return index_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  static constexpr std::uint32_t kInvalid = 0xffffffffU;
  std::uint32_t index_ = kInvalid;
};

}  // namespace couler

template <class Tag>
struct std::hash<couler::StrongId<Tag>> {
  std::size_t operator()(couler::StrongId<Tag> id) const noexcept { return id.index(); }
};
