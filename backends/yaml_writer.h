#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"

namespace couler::backends {

/// How `text` stands as a YAML scalar on one line, so that readers of YAML 1.1 and of YAML 1.2 both
/// get exactly that string: bare where nothing could take it for anything else (`on`, `1e3`, `~`, a
/// date), else quoted. Bytes that are not UTF-8 become U+FFFD.
void appendYamlScalar(std::string& out, std::string_view text);

/// Whether `text` can be written as a block literal (`|`) that reads back as exactly that string.
[[nodiscard]] bool fitsBlockLiteral(std::string_view text);

/// Writes block-style YAML piece by piece; nothing is held but the open containers and at most
/// 64 KiB of text. Lists stand at the indent of their key. Pre: calls are well nested, and each
/// value in a map comes after its `key`.
class YamlWriter {
 public:
  /// `depth`: levels (of two spaces) by which everything is moved to the right.
  explicit YamlWriter(TextSink sink, std::size_t depth = 0);
  ~YamlWriter() { flush(); }
  YamlWriter(const YamlWriter&) = delete;
  YamlWriter& operator=(const YamlWriter&) = delete;

  void beginMap();
  void endMap();
  void beginList();
  void endList();
  void key(std::string_view name);
  /// A string, whatever it looks like; text of several lines as a block literal where that is
  /// exact.
  void string(std::string_view text);
  void number(std::int64_t value);
  void boolean(bool value);
  /// `[a, b]`, for short lists of names.
  void flow(std::span<const std::string_view> items);

  void entry(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  void entry(std::string_view name, std::int64_t value) {
    key(name);
    number(value);
  }
  /// Text that is already YAML at the present place: whole lines, right indent.
  void raw(std::string_view lines);
  void flush();
  /// Bytes, given out or not.
  [[nodiscard]] std::size_t written() const { return given_ + buffer_.size(); }

 private:
  enum class Kind : std::uint8_t { Map, List };
  struct Frame {
    Kind kind;
    bool empty;
    std::size_t indent;
  };
  enum class Before : std::uint8_t { Nothing, Key, Dash };

  void startItem();
  void beforeValue();
  void open(Kind kind);
  void close(std::string_view whenEmpty);
  void newLine(std::size_t indent);

  TextSink sink_;
  std::string buffer_;
  std::size_t given_ = 0;
  std::vector<Frame> frames_;
  std::size_t base_;
  Before before_ = Before::Nothing;
};

}  // namespace couler::backends
