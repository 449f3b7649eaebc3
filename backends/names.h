#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

namespace couler::backends {

/// `text` as an RFC 1123 label: lower-case letters, digits and `-`, beginning with a letter, ending
/// with a letter or digit, at most `limit` characters (at least 16). The same text gives the same
/// label; text that had to be cut ends in eight hex digits of its hash.
[[nodiscard]] std::string dnsLabel(std::string_view text, std::size_t limit = 63);

/// Whether `text` is such a label (a digit may begin it) of at most 63 characters.
[[nodiscard]] bool isDnsLabel(std::string_view text);

/// Hands out labels that differ. What is handed out depends on the texts and their order only.
class NameTable {
 public:
  explicit NameTable(std::size_t limit = 63) : limit_(limit) {}
  /// The label of `text`; where that is taken, one with eight hex digits more.
  [[nodiscard]] std::string unique(std::string_view text);
  void reserve(std::size_t names) { taken_.reserve(names); }

 private:
  std::size_t limit_;
  std::unordered_set<std::string> taken_;
};

}  // namespace couler::backends
