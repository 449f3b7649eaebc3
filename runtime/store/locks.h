#pragma once

#include <cstdint>
#include <string>

#include "runtime/store/files.h"
#include "support/hash.h"

/// Locks between runs that share a store. Each is one byte of a lock file, locked with fcntl's
/// open-file-description locks: taking one makes no file, and the kernel frees it when its process
/// dies, however it dies.
namespace couler::runtime {

class LockFile {
 public:
  /// 0 or an error number.
  int open(const std::string& path);
  /// False when someone else holds it.
  bool tryLock(std::uint64_t byte);
  /// Waits for it.
  void lock(std::uint64_t byte);
  /// Waits until nobody has it for himself; many may share it. A lock of one's own becomes a
  /// shared one at once; `tryLock` makes a shared one one's own when nobody else shares it.
  void lockShared(std::uint64_t byte);
  void unlock(std::uint64_t byte);
  /// Whether someone else holds it.
  [[nodiscard]] bool heldElsewhere(std::uint64_t byte) const;

 private:
  Fd fd_;
};

/// In runs.lock: shared by every run, and had alone by whoever takes away what no run may be using.
inline constexpr std::uint64_t kUseByte = std::uint64_t{1} << 62;

/// The byte that stands for a step's key. Two keys with one byte only wait for each other.
[[nodiscard]] std::uint64_t lockByte(const Digest& key);

}  // namespace couler::runtime
