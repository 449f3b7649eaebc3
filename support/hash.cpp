#include "support/hash.h"

#include <cstring>

#include <llvm-c/blake3.h>

namespace couler {
namespace {

llvm_blake3_hasher* hasherOf(std::array<std::uint8_t, 1920>& state) {
  return reinterpret_cast<llvm_blake3_hasher*>(state.data());
}
const llvm_blake3_hasher* hasherOf(const std::array<std::uint8_t, 1920>& state) {
  return reinterpret_cast<const llvm_blake3_hasher*>(state.data());
}

}  // namespace

Hasher::Hasher() : state_{} {
  static_assert(sizeof(llvm_blake3_hasher) <= sizeof(state_));
  llvm_blake3_hasher_init(hasherOf(state_));
}

void Hasher::update(std::string_view data) {
  llvm_blake3_hasher_update(hasherOf(state_), data.data(), data.size());
}

void Hasher::field(std::string_view data) {
  field(static_cast<std::uint64_t>(data.size()));
  update(data);
}

void Hasher::field(std::uint64_t number) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(number >> (8 * i) & 0xffU);
  }
  update({bytes.data(), bytes.size()});
}

Digest Hasher::finish() const {
  Digest digest;
  llvm_blake3_hasher_finalize(hasherOf(state_), digest.bytes.data(), digest.bytes.size());
  return digest;
}

Digest hashText(std::string_view data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::optional<Digest> Digest::fromHex(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) return std::nullopt;
  const auto nibble = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    const int high = nibble(hex[2 * i]);
    const int low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

}  // namespace couler

std::size_t std::hash<couler::Digest>::operator()(const couler::Digest& d) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, d.bytes.data(), sizeof value);
  return value;
}
