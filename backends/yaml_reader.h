#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace couler::backends {

enum class YamlKind : std::uint8_t { Scalar, List, Map };

struct YamlLimits {
  std::size_t bytes = std::size_t{1} << 28;
  std::size_t depth = 64;
  std::size_t nodes = 20'000'000;  ///< with every use of an alias counted as a copy
};

class YamlDocument;
struct YamlBuilder;

/// One node of a document that was read; cheap to copy, valid as long as the document. A
/// default-made one stands for what is not there: a scalar with no text and no children.
class YamlNode {
 public:
  YamlNode() = default;
  [[nodiscard]] bool exists() const { return document_ != nullptr; }
  [[nodiscard]] YamlKind kind() const;
  [[nodiscard]] bool isMap() const { return exists() && kind() == YamlKind::Map; }
  [[nodiscard]] bool isList() const { return exists() && kind() == YamlKind::List; }
  [[nodiscard]] bool isScalar() const { return exists() && kind() == YamlKind::Scalar; }
  /// A scalar that is not quoted and reads as null.
  [[nodiscard]] bool isNull() const;
  /// Whether a scalar stood without quotes, so that it may be a number, a truth value or null.
  [[nodiscard]] bool isBare() const;
  [[nodiscard]] std::string_view text() const;  ///< of a scalar; else empty
  [[nodiscard]] std::uint32_t line() const;     ///< from 1; 0 for what is not there
  [[nodiscard]] std::size_t size() const;       ///< items or entries
  [[nodiscard]] YamlNode operator[](std::string_view key) const;  ///< of a map: O(entries)

  // for (YamlNode item = list.first(); item.exists(); item = item.next())
  [[nodiscard]] YamlNode first() const;  ///< first item, or value of the first entry
  [[nodiscard]] YamlNode next() const;
  [[nodiscard]] std::string_view key() const;  ///< of the entry that this value belongs to

 private:
  friend class YamlDocument;
  friend struct YamlBuilder;
  YamlNode(const YamlDocument* document, std::uint32_t index)
      : document_(document), index_(index) {}
  const YamlDocument* document_ = nullptr;
  std::uint32_t index_ = 0;  // where it stands among its siblings
};

/// The documents of one YAML text, as flat vectors; aliases share what they stand for.
class YamlDocument {
 public:
  YamlDocument() = default;
  YamlDocument(const YamlDocument&) = delete;
  YamlDocument& operator=(const YamlDocument&) = delete;

  /// Reads all documents. False on bad syntax, a key twice in one map, a key that is no scalar, an
  /// alias inside what it names, or a limit passed; then `error` says what, with the line.
  /// O(bytes).
  [[nodiscard]] bool read(std::string_view text, std::string& error, const YamlLimits& limits = {});
  [[nodiscard]] std::size_t count() const { return roots_.size(); }
  [[nodiscard]] YamlNode root(std::size_t index = 0) const;

 private:
  friend class YamlNode;
  friend struct YamlBuilder;
  static constexpr std::uint32_t kNone = 0xffffffffU;
  struct Slot {
    YamlKind kind = YamlKind::Scalar;
    bool bare = false;
    std::uint32_t line = 0;
    std::uint32_t keyBegin = 0, keySize = 0;  // into chars_
    std::uint32_t textBegin = 0, textSize = 0;
    std::uint32_t first = kNone, next = kNone;
    std::uint32_t children = 0;
    std::uint32_t target = kNone;  // of an alias: what it stands for
  };
  [[nodiscard]] const Slot& resolved(std::uint32_t index) const;
  std::string chars_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> roots_;
};

}  // namespace couler::backends
