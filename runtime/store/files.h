#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sys/stat.h>

#include "support/hash.h"

/// Files and folders as the store sees them. Nothing here knows the database.
namespace couler::runtime {

/// A system call that failed: its error number and what was being done.
struct FileError {
  int code = 0;
  std::string message;  ///< "cannot read `/data/x.csv`: Permission denied"
};
[[nodiscard]] FileError fileError(int code, std::string_view doing, std::string_view path);

/// A file descriptor that is closed when it goes.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

/// One entry of a folder's listing: what its digest is made of.
struct TreeEntry {
  enum class Kind : std::uint8_t { File, Program /* an executable file */, Link, Folder };
  Kind kind{};
  std::string path;    ///< relative to the folder, parts joined by `/`
  std::string target;  ///< of a link
  Digest digest;       ///< of a file's content
  std::uint64_t size = 0;
};
/// A folder's content: entries sorted bytewise by path, and the digest over all of them.
struct Tree {
  std::vector<TreeEntry> entries;
  Digest digest;
  std::uint64_t bytes = 0;
};

[[nodiscard]] std::int64_t mtimeNanos(const struct stat& info);

/// BLAKE3 of a file's bytes. Reads rather than maps, so that a file which shrinks meanwhile gives
/// another digest and not a SIGBUS.
[[nodiscard]] std::variant<Digest, FileError> hashFile(const std::string& path);
/// Lists and hashes a folder; sockets, pipes and devices in it are an error. Iterative.
[[nodiscard]] std::variant<Tree, FileError> hashTree(const std::string& path);
/// Bytes of all regular files below a folder, as `Tree::bytes` counts them, without reading any.
[[nodiscard]] std::uint64_t bytesIn(const std::string& folder);
/// Whole content, at most `limit` bytes (more is an error).
[[nodiscard]] std::variant<std::string, FileError> readFile(const std::string& path,
                                                            std::uint64_t limit);
/// Copies a regular file's bytes and its execute bit. `to` must not exist.
[[nodiscard]] int copyFile(const std::string& from, const std::string& to);
/// Removes a file or a folder with all in it, as far as that works. Iterative; follows no links.
void removeTree(const std::string& path);
/// mkdir -p; 0 or an error number.
[[nodiscard]] int makeFolders(const std::string& path);
/// The last part of a path (slashes at its end ignored).
[[nodiscard]] std::string_view baseName(std::string_view path);
/// `path` made absolute against the current folder, `.` and doubled slashes gone; links stay.
[[nodiscard]] std::string absolutePath(std::string_view path);
/// A name for a file or folder, made of a step's name: no slash, not too long, one for one.
[[nodiscard]] std::string fileNameOf(const std::string& step);

}  // namespace couler::runtime
