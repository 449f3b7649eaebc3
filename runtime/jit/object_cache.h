#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace couler::jit {

/// Object files on disk, by the digest of all that decides what they are. Shared by processes; a
/// file that is cut short or changed is not taken. Losing one costs a compilation, so that nothing
/// here is an error.
class ObjectCache {
 public:
  /// `COULER_JIT_CACHE` (a folder, or `off`), `$XDG_CACHE_HOME/couler/jit`, `~/.cache/couler/jit`.
  [[nodiscard]] static ObjectCache fromEnvironment();
  /// An empty folder: keeps nothing.
  explicit ObjectCache(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::optional<std::string> find(std::string_view key) const;
  void store(std::string_view key, std::string_view object) const;

 private:
  [[nodiscard]] std::string pathOf(std::string_view key) const;
  std::string folder_;
};

}  // namespace couler::jit
