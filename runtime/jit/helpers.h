#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "runtime/jit/engine.h"
#include "runtime/jit/program.h"

/// What compiled code calls: the functions for which a few instructions do not do.
namespace couler::jit {

/// Memory for the texts that a batch makes; the columns that hold them share it.
class Arena {
 public:
  /// Null when there is no memory.
  [[nodiscard]] char* take(std::size_t bytes) noexcept;
  /// Gives back the last `bytes` taken.
  void untake(std::size_t bytes) { free_.at -= bytes; }
  /// What holds the texts made since the last call: the caller keeps it, new ones go elsewhere.
  [[nodiscard]] std::vector<std::shared_ptr<const column::Buffer>> give();
  /// The texts made are not wanted any more.
  void reuse();
  /// Where compiled code takes from it itself: `at`, up to `end`.
  struct Cursor {
    char* at = nullptr;
    char* end = nullptr;
  };
  [[nodiscard]] Cursor* cursor() { return &free_; }

 private:
  std::vector<std::shared_ptr<const column::Buffer>> full_;
  std::shared_ptr<column::Buffer> chunk_;
  char* begin_ = nullptr;
  Cursor free_;
};

/// Frame::context.
struct Context {
  const std::vector<Site>* sites = nullptr;
  std::vector<std::unique_ptr<re2::RE2>> patterns;  ///< by site; null where it has none
  Arena arena;
  std::string room;          ///< of a helper, for a text while it is made
  bool outOfMemory = false;  ///< some helper was: what the code computed does not count
};
[[nodiscard]] std::unique_ptr<Context> contextFor(const Program& program);

/// The helpers under the names that compiled code has for them.
[[nodiscard]] std::span<const Symbol> helperSymbols();

}  // namespace couler::jit
