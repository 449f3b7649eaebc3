#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/arena.h"
#include "support/id_table.h"

namespace couler::backends {

/// `text` as an RFC 1123 label: lower-case letters, digits and `-`, beginning with a letter, ending
/// with a letter or digit, at most `limit` characters (at least 16). The same text gives the same
/// label; text that had to be cut ends in eight hex digits of its hash.
[[nodiscard]] std::string dnsLabel(std::string_view text, std::size_t limit = 63);

/// The same, into a string that keeps its room.
void makeLabel(std::string& label, std::string_view text, std::size_t limit = 63);

/// Whether `text` is such a label (a digit may begin it) of at most 63 characters.
[[nodiscard]] bool isDnsLabel(std::string_view text);

/// Hands out labels that differ. What is handed out depends on the texts and their order only.
class NameTable {
 public:
  explicit NameTable(std::size_t limit = 63) : limit_(limit) {}
  /// The label of `text`; where that is taken, one with eight hex digits more. It stays as long as
  /// the table.
  std::string_view unique(std::string_view text);

 private:
  /// Labels that differ in the number at their end, 512 numbers each: whoever counts (`step-1`,
  /// `step-2`, …) stays in one for long, where a table of all labels would scatter them.
  struct Block {
    std::string_view stem;
    std::uint32_t number;  ///< of the block; kNone: the one label without a number at its end
    std::array<std::uint64_t, 8> taken{};
  };
  static constexpr std::uint32_t kNone = 0xffffffffU;
  /// `label_`, kept, or nothing where it is taken.
  std::string_view take();

  std::size_t limit_;
  Arena chars_;
  std::vector<Block> blocks_;
  IdTable index_;
  std::uint32_t last_ = kNone;  ///< the block of the last label
  std::string label_;           // scratch
};

}  // namespace couler::backends
