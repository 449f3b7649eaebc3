#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/store/files.h"
#include "support/hash.h"

/// The content-addressed files: objects/ab/<rest of the digest>/<base name> (docs/engine.md).
namespace couler::runtime {

/// What a step made, in the store.
struct Object {
  std::string path;  ///< relative to objects/: `ab/cd…/model.json`
  Digest digest;
  std::uint64_t bytes = 0;
  bool isDir = false;
};

/// Objects are read-only and have this time of change: a different one says that someone wrote to
/// them. 2001-09-09, a date that no working file has and every tool can show.
inline constexpr std::int64_t kObjectTime = 1'000'000'000;

enum class ObjectState : std::uint8_t { Good, Missing, Changed };

class Objects {
 public:
  /// `folder` is absolute and exists.
  explicit Objects(std::string folder);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string absolute(std::string_view path) const;
  /// The way back; empty for a path that is not within objects/.
  [[nodiscard]] std::string_view relative(std::string_view path) const;
  /// Moves `from`, a file or folder on the same file system, into the store under `name`. The
  /// object appears whole or not at all. What is a link, or has other hard links, is copied: it
  /// belongs to someone else.
  [[nodiscard]] std::variant<Object, FileError> publish(const std::string& from, bool isDir,
                                                        std::string_view name) const;
  /// Looks at size and time only, or, when `thorough`, at the whole content.
  [[nodiscard]] ObjectState check(const std::string& path, std::uint64_t bytes, bool isDir,
                                  bool thorough) const;
  /// The digest, as hex, that a path within objects/ stands for; empty when it is none.
  [[nodiscard]] static std::string digestOf(std::string_view path);

 private:
  [[nodiscard]] std::variant<Object, FileError> publishFile(std::string from,
                                                            std::string_view name) const;
  [[nodiscard]] std::variant<Object, FileError> publishFolder(const std::string& from,
                                                              std::string_view name) const;
  /// Makes the digest's folder and says whether it was there before.
  [[nodiscard]] int makeHome(const Digest& digest, std::string& home, bool& existed) const;

  std::string folder_;
  Fd root_;  // of the folder: paths below it are found faster from there
};

}  // namespace couler::runtime
