#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/column/stream.h"
#include "support/hash.h"

/// Files as bytes, for readers and writers of tables.
namespace couler::column {

/// A file that is read from its start to its end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to `size` bytes; 0 at the end or after an error, which `error` then tells. Never maps the
  /// file: one that shrinks while it is read is an error, not a signal.
  virtual std::size_t read(char* to, std::size_t size) = 0;
  [[nodiscard]] const std::optional<StreamError>& error() const { return error_; }

 protected:
  std::optional<StreamError> error_;
};

/// Opens a file, or a range of it, whose digest is compared at its end; what is compressed with gzip
/// or zstd is read as what it holds, and `packed` says so.
[[nodiscard]] std::unique_ptr<ByteSource> openBytes(const std::string& path, StreamError& error,
                                                    const std::optional<FileRange>& range = {},
                                                    bool* packed = nullptr);
/// Fed with the head's bytes, then with those of the range, it gives the range's digest.
[[nodiscard]] Hasher rangeHasher(const FileRange& range);

/// Read-only file by offset, for formats that are not read from front to back.
class FileHandle {
 public:
  FileHandle() = default;
  ~FileHandle();
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  [[nodiscard]] bool open(const std::string& path, StreamError& error);
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] int fd() const { return fd_; }
  /// Whether someone wrote to the file since it was opened: what was read may be of two versions.
  [[nodiscard]] bool changed() const;
  /// False when there are not so many bytes (the file shrank) or they cannot be read.
  [[nodiscard]] bool readAt(std::int64_t offset, void* to, std::size_t bytes) const;

 private:
  int fd_ = -1;
  std::int64_t size_ = 0;
  std::int64_t changedAt_ = 0;  // nanoseconds
};

/// A new file that is written from its start to its end. Removed again unless it is finished.
class ByteSink {
 public:
  ByteSink() = default;
  ~ByteSink();
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  /// Fails where there is such a file already.
  [[nodiscard]] bool create(const std::string& path, StreamError& error);
  [[nodiscard]] bool write(const void* data, std::size_t bytes, std::optional<StreamError>& error);
  [[nodiscard]] bool finish(std::optional<StreamError>& error);
  [[nodiscard]] std::int64_t written() const { return written_; }

 private:
  std::string path_;
  int fd_ = -1;
  std::int64_t written_ = 0;
};

}  // namespace couler::column
