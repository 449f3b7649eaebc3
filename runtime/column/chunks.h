#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/column/buffer.h"
#include "runtime/column/bytes.h"

namespace couler::column {

/// A file in chunks that slide over it: what a reader has not used of one chunk begins the next, so
/// that no row is torn. Texts may point into a chunk; whoever does keeps `buffer`.
class Chunks {
 public:
  Chunks(std::string path, std::unique_ptr<ByteSource> from)
      : path_(std::move(path)), from_(std::move(from)) {}

  [[nodiscard]] const char* data() const { return buffer_->as<char>(); }
  /// Bytes there are. 64 bytes past them are readable.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Whether the file has no further bytes.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::shared_ptr<Buffer>& buffer() const { return buffer_; }
  /// Drops the bytes before `keepFrom` and reads on: the byte there comes to offset 0. False after
  /// an error, which `error` then tells.
  [[nodiscard]] bool advance(std::size_t keepFrom);
  /// A last byte that the file lacks; pre: ended.
  void append(char c);
  [[nodiscard]] const std::optional<StreamError>& error() const { return error_; }

 private:
  std::string path_;
  std::unique_ptr<ByteSource> from_;
  std::shared_ptr<Buffer> buffer_;
  std::size_t size_ = 0;
  bool ended_ = false;
  std::optional<StreamError> error_;
};

}  // namespace couler::column
