#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/column/batch.h"
#include "runtime/column/bytes.h"

namespace couler::column {

/// What writers of text share: a buffer in front of a file.
class TextOutput {
 public:
  [[nodiscard]] bool create(const std::string& path, StreamError& error) {
    return file_.create(path, error);
  }
  std::string& text() { return text_; }
  void add(std::int64_t value) {
    char digits[24];
    const auto [end, status] = std::to_chars(digits, digits + sizeof digits, value);
    text_.append(digits, end);
  }
  /// As ir::floatText, without a string of its own.
  void add(double value) {
    if (!std::isfinite(value)) {
      text_ += std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
      return;
    }
    char digits[32];
    const auto [end, status] = std::to_chars(digits, digits + sizeof digits, value);
    const std::string_view written(digits, static_cast<std::size_t>(end - digits));
    text_ += written;
    if (written.find_first_of(".e") == std::string_view::npos) text_ += ".0";
  }
  /// To be called after each row.
  [[nodiscard]] bool spill(std::optional<StreamError>& error) {
    return text_.size() < kBuffer || flush(error);
  }
  [[nodiscard]] bool finish(std::optional<StreamError>& error) {
    return flush(error) && file_.finish(error);
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{256} << 10;
  bool flush(std::optional<StreamError>& error) {
    const bool ok = file_.write(text_.data(), text_.size(), error);
    text_.clear();
    return ok;
  }
  ByteSink file_;
  std::string text_;
};

[[nodiscard]] inline bool isMissing(const Column& column, std::int64_t row) {
  return column.valid && column.valid->as<std::uint8_t>()[row] == 0;
}

}  // namespace couler::column
