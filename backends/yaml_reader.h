#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/short_text.h"

namespace couler::backends {

enum class YamlKind : std::uint8_t { Scalar, List, Map };

struct YamlLimits {
  std::size_t bytes = std::size_t{1} << 28;
  std::size_t depth = 64;
  std::size_t nodes = 20'000'000;  ///< with every use of an alias counted as a copy
};

class YamlDocument;
struct YamlBuilder;
class PlainYamlReader;

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
  friend class PlainYamlReader;
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
  /// O(bytes), and 24 bytes a node. Pre: `text` outlives the document, which looks into it.
  [[nodiscard]] bool read(std::string_view text, std::string& error, const YamlLimits& limits = {});
  template <std::same_as<std::string> Temporary>
  bool read(Temporary&& text, std::string& error, const YamlLimits& limits = {}) = delete;
  /// The two readers that `read` is made of. The first takes the YAML that YamlWriter writes, ten
  /// times as fast: block style, one document, no anchors, tags or comments. It gives false, and
  /// says nothing, on whatever else it meets, sound or not. The second is libyaml. What both take,
  /// they read alike (tests/unit/backends/yaml_readers_test.cpp).
  [[nodiscard]] bool readPlain(std::string_view text, const YamlLimits& limits = {});
  [[nodiscard]] bool readAny(std::string_view text, std::string& error,
                             const YamlLimits& limits = {});
  [[nodiscard]] std::size_t count() const { return roots_.size(); }
  [[nodiscard]] YamlNode root(std::size_t index = 0) const;

 private:
  friend class YamlNode;
  friend struct YamlBuilder;
  friend class PlainYamlReader;
  static constexpr std::uint32_t kNone = 0xffffffffU;
  static constexpr std::size_t kMaxKey = 0xffff;
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 31U;
  enum Mark : std::uint8_t {
    kBare = 1,
    kCopied = 2,     // the text is in chars_, else in text_
    kKeyCopied = 4,  // the same for the key
    kAlias = 8
  };
  /// In the order of the text, so that the first child of a node follows it.
  struct Slot {
    std::uint32_t begin = 0;     // of a scalar's text; of an alias: what it stands for
    std::uint32_t size = 0;      // of a scalar's text; children of a list or map
    std::uint32_t keyBegin = 0;  // of the key it has in a map
    std::uint16_t keySize = 0;
    YamlKind kind = YamlKind::Scalar;
    std::uint8_t marks = 0;
    std::uint32_t next = kNone;
    std::uint32_t line = 0;
  };
  static_assert(sizeof(Slot) == 24);
  void clear();
  [[nodiscard]] const Slot& resolved(std::uint32_t index) const {
    const Slot& slot = slots_[index];
    return (slot.marks & kAlias) == 0 ? slot : slots_[slot.begin];
  }
  [[nodiscard]] std::string_view chars(bool copied, std::uint32_t begin, std::uint32_t size) const {
    return (copied ? std::string_view(chars_) : text_).substr(begin, size);
  }
  /// The first key that a map has twice.
  [[nodiscard]] std::optional<std::string_view> twice(std::uint32_t map) const;

  std::string_view text_;
  std::string chars_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> roots_;
};

inline YamlKind YamlNode::kind() const {
  return exists() ? document_->resolved(index_).kind : YamlKind::Scalar;
}
inline std::string_view YamlNode::text() const {
  if (!exists()) return {};
  const YamlDocument::Slot& slot = document_->resolved(index_);
  if (slot.kind != YamlKind::Scalar) return {};
  return document_->chars((slot.marks & YamlDocument::kCopied) != 0, slot.begin, slot.size);
}
inline std::string_view YamlNode::key() const {
  if (!exists()) return {};
  const YamlDocument::Slot& slot = document_->slots_[index_];
  return document_->chars((slot.marks & YamlDocument::kKeyCopied) != 0, slot.keyBegin,
                          slot.keySize);
}
inline std::size_t YamlNode::size() const {
  if (!exists()) return 0;
  const YamlDocument::Slot& slot = document_->resolved(index_);
  return slot.kind == YamlKind::Scalar ? 0 : slot.size;
}
inline YamlNode YamlNode::first() const {
  if (!exists()) return {};
  const YamlDocument::Slot& slot = document_->resolved(index_);
  if (slot.kind == YamlKind::Scalar || slot.size == 0) return {};
  return {document_, static_cast<std::uint32_t>(&slot - document_->slots_.data()) + 1};
}
inline YamlNode YamlNode::next() const {
  if (!exists()) return {};
  const std::uint32_t sibling = document_->slots_[index_].next;
  return sibling == YamlDocument::kNone ? YamlNode() : YamlNode(document_, sibling);
}
inline YamlNode YamlNode::operator[](std::string_view key) const {
  if (!isMap()) return {};
  for (YamlNode value = first(); value.exists(); value = value.next()) {
    if (sameText(value.key(), key)) return value;
  }
  return {};
}

}  // namespace couler::backends
