#include "lsp/rpc/message_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

namespace couler::lsp {
namespace {

bool sameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool MessageReader::readHeader() {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  const std::size_t end = rest.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (rest.size() > kMaxHeader) error_ = "a header that does not end";
    return false;
  }
  std::string_view header = rest.substr(0, end);
  at_ += end + 4;
  while (!header.empty()) {
    const std::string_view line = header.substr(0, header.find("\r\n"));
    header.remove_prefix(std::min(line.size() + 2, header.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      error_ = "a header field without a colon";
      return false;
    }
    if (!sameWord(trimmed(line.substr(0, colon)), "content-length")) continue;
    const std::string_view number = trimmed(line.substr(colon + 1));
    std::size_t length = 0;
    const auto [stop, wrong] = std::from_chars(number.data(), number.data() + number.size(), length);
    if (wrong != std::errc{} || stop != number.data() + number.size() || length > kMaxBody) {
      error_ = fmt::format("a Content-Length that is none: `{}`", number.substr(0, 40));
      return false;
    }
    length_ = length;
  }
  if (!length_) error_ = "a message without Content-Length";
  return length_.has_value();
}

std::optional<std::string> MessageReader::next() {
  if (!error_.empty() || (!length_ && !readHeader())) return std::nullopt;
  if (buffer_.size() - at_ < *length_) return std::nullopt;
  std::string body = buffer_.substr(at_, *length_);
  at_ += *length_;
  length_.reset();
  if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  return body;
}

std::string framed(std::string_view body) {
  return fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
}

}  // namespace couler::lsp
