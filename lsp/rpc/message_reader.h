#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace couler::lsp {

/// Takes a stream of bytes apart into messages: `Content-Length: N`, other header fields, an empty
/// line, N bytes (https://microsoft.github.io/language-server-protocol, "Base Protocol").
class MessageReader {
 public:
  static constexpr std::size_t kMaxHeader = 8U << 10;
  static constexpr std::size_t kMaxBody = 256U << 20;

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole body. Nothing when more bytes are wanted, or after an error.
  std::optional<std::string> next();
  /// Why the stream cannot be read on: where the next message begins is not known. Empty: it can.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool readHeader();

  std::string buffer_;
  std::size_t at_ = 0;                // bytes of it that are done
  std::optional<std::size_t> length_;  // of the body, once its header is read
  std::string error_;
};

/// The message that goes out.
[[nodiscard]] std::string framed(std::string_view body);

}  // namespace couler::lsp
