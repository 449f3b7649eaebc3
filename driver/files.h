#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace couler::driver {

/// What reading a file gave: its text, or why not in `error` (empty: it went well).
struct ReadResult {
  std::string text;
  std::string error;  ///< "no such file", "is a directory", …
};
/// `-` is standard input.
[[nodiscard]] ReadResult readFile(const std::string& path);

/// A file that appears whole or not at all: written beside its place, then renamed. What is not a
/// regular file (a device, a pipe) is written directly. Links are followed; the permissions of a
/// file that is replaced stay.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Buffers; an error shows in `error` and makes later calls do nothing.
  void write(std::string_view text);
  /// What was written so far, as it lies in the file; empty for a device. Good until `commit`.
  [[nodiscard]] std::string_view readBack();
  [[nodiscard]] bool canReadBack() const { return !temporary_.empty(); }
  /// Puts the file in its place. False on any error so far; the old file is untouched then.
  bool commit();
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void flush();
  void put(std::string_view text);
  void unmap();
  void fail(int number);

  std::string place_;
  std::string temporary_;  ///< empty when written directly
  std::string buffer_;
  std::string error_;
  int fd_ = -1;
  void* mapped_ = nullptr;  ///< of readBack
  std::size_t mappedSize_ = 0;
};

/// All of it at once; empty on success, else why not.
[[nodiscard]] std::string writeFile(const std::string& path, std::string_view text);

/// The system's words for an error number: lower case, no full stop.
[[nodiscard]] std::string systemMessage(int number);

}  // namespace couler::driver
