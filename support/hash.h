#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace couler {

/// A BLAKE3 digest, 32 bytes.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] static std::optional<Digest> fromHex(std::string_view hex);
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

/// BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs), as shipped in LLVM's support library.
/// About 3 GB/s a core with AVX2 on inputs over 16 KiB.
class Hasher {
 public:
  Hasher();
  void update(std::string_view data);
  /// Length first, so that ("ab","c") and ("a","bc") differ.
  void field(std::string_view data);
  void field(std::uint64_t number);
  [[nodiscard]] Digest finish() const;

 private:
  alignas(8) std::array<std::uint8_t, 1920> state_;  // llvm_blake3_hasher, kept out of this header
};

[[nodiscard]] Digest hashText(std::string_view data);

}  // namespace couler

template <>
struct std::hash<couler::Digest> {
  std::size_t operator()(const couler::Digest& d) const noexcept;
};
