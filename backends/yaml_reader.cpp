#include "backends/yaml_reader.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <yaml.h>

namespace couler::backends {

const YamlDocument::Slot& YamlDocument::resolved(std::uint32_t index) const {
  const Slot& slot = slots_[index];
  return slot.target == kNone ? slot : slots_[slot.target];
}

YamlNode YamlDocument::root(std::size_t index) const {
  return index < roots_.size() ? YamlNode(this, roots_[index]) : YamlNode();
}

YamlKind YamlNode::kind() const {
  return exists() ? document_->resolved(index_).kind : YamlKind::Scalar;
}
bool YamlNode::isBare() const { return isScalar() && document_->resolved(index_).bare; }
bool YamlNode::isNull() const {
  if (!isBare()) return false;
  const std::string_view t = text();
  return t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL";
}
std::string_view YamlNode::text() const {
  if (!isScalar()) return {};
  const YamlDocument::Slot& slot = document_->resolved(index_);
  return std::string_view(document_->chars_).substr(slot.textBegin, slot.textSize);
}
std::uint32_t YamlNode::line() const { return exists() ? document_->slots_[index_].line : 0; }
std::size_t YamlNode::size() const { return exists() ? document_->resolved(index_).children : 0; }
YamlNode YamlNode::first() const {
  if (!exists()) return {};
  const std::uint32_t child = document_->resolved(index_).first;
  return child == YamlDocument::kNone ? YamlNode() : YamlNode(document_, child);
}
YamlNode YamlNode::next() const {
  if (!exists()) return {};
  const std::uint32_t sibling = document_->slots_[index_].next;
  return sibling == YamlDocument::kNone ? YamlNode() : YamlNode(document_, sibling);
}
std::string_view YamlNode::key() const {
  if (!exists()) return {};
  const YamlDocument::Slot& slot = document_->slots_[index_];
  return std::string_view(document_->chars_).substr(slot.keyBegin, slot.keySize);
}
YamlNode YamlNode::operator[](std::string_view key) const {
  if (!isMap()) return {};
  for (YamlNode value = first(); value.exists(); value = value.next()) {
    if (value.key() == key) return value;
  }
  return {};
}

/// Turns libyaml's events into slots; one instance a read.
struct YamlBuilder {
  YamlDocument& doc;
  const YamlLimits& limits;
  std::string& error;

  struct Open {
    std::uint32_t slot;
    std::uint32_t last = YamlDocument::kNone;
    bool haveKey = false;
    std::uint32_t keyBegin = 0, keySize = 0;
    std::size_t weightBefore = 0;
    std::uint32_t anchor = YamlDocument::kNone;  // index into `anchors`
  };
  struct Anchor {
    std::string name;
    std::uint32_t slot;
    std::size_t weight;
    bool open;
  };
  std::vector<Open> open;
  std::vector<Anchor> anchors;
  std::map<std::string, std::size_t, std::less<>> anchorIndex;
  std::size_t weight = 0;  // nodes so far, aliases counted as copies

  bool fail(std::size_t line, std::string_view what) {
    error = fmt::format("line {}: {}", line, what);
    return false;
  }

  std::uint32_t chars(const unsigned char* data, std::size_t size) {
    const auto begin = static_cast<std::uint32_t>(doc.chars_.size());
    if (size != 0) doc.chars_.append(reinterpret_cast<const char*>(data), size);
    return begin;
  }

  /// Makes room for a value and hangs it where it belongs.
  std::uint32_t place(std::size_t line) {
    const auto index = static_cast<std::uint32_t>(doc.slots_.size());
    YamlDocument::Slot slot;
    slot.line = static_cast<std::uint32_t>(line);
    if (open.empty()) {
      doc.roots_.push_back(index);
    } else {
      Open& parent = open.back();
      slot.keyBegin = parent.keyBegin;
      slot.keySize = parent.haveKey ? parent.keySize : 0;
      parent.haveKey = false;
      YamlDocument::Slot& owner = doc.slots_[parent.slot];
      (parent.last == YamlDocument::kNone ? owner.first : doc.slots_[parent.last].next) = index;
      parent.last = index;
      ++owner.children;
    }
    doc.slots_.push_back(slot);
    ++weight;
    return index;
  }

  std::uint32_t remember(const unsigned char* name, std::uint32_t slot, bool isOpen) {
    if (name == nullptr) return YamlDocument::kNone;
    std::string text(reinterpret_cast<const char*>(name));
    anchors.push_back({text, slot, 1, isOpen});
    anchorIndex[text] = anchors.size() - 1;
    return static_cast<std::uint32_t>(anchors.size() - 1);
  }

  bool wantsKey() const {
    return !open.empty() && doc.slots_[open.back().slot].kind == YamlKind::Map &&
           !open.back().haveKey;
  }

  bool scalar(const yaml_event_t& event, std::size_t line) {
    const auto& data = event.data.scalar;
    const std::uint32_t begin = chars(data.value, data.length);
    if (wantsKey()) {
      Open& map = open.back();
      map.haveKey = true;
      map.keyBegin = begin;
      map.keySize = static_cast<std::uint32_t>(data.length);
      return true;
    }
    const std::uint32_t index = place(line);
    YamlDocument::Slot& slot = doc.slots_[index];
    slot.bare = data.style == YAML_PLAIN_SCALAR_STYLE && data.plain_implicit != 0;
    slot.textBegin = begin;
    slot.textSize = static_cast<std::uint32_t>(data.length);
    remember(data.anchor, index, false);
    return true;
  }

  bool begin(YamlKind kind, const unsigned char* anchor, std::size_t line) {
    if (wantsKey()) return fail(line, "a key that is not a plain value");
    if (open.size() >= limits.depth) return fail(line, "nested too deep");
    const std::size_t before = weight;
    const std::uint32_t index = place(line);
    doc.slots_[index].kind = kind;
    Open frame;
    frame.slot = index;
    frame.weightBefore = before;
    frame.anchor = remember(anchor, index, true);
    open.push_back(frame);
    return true;
  }

  bool end(std::size_t line) {
    const Open frame = open.back();
    open.pop_back();
    if (frame.anchor != YamlDocument::kNone) {
      anchors[frame.anchor].weight = weight - frame.weightBefore;
      anchors[frame.anchor].open = false;
    }
    const YamlDocument::Slot& slot = doc.slots_[frame.slot];
    if (slot.kind != YamlKind::Map || slot.children < 2) return true;
    std::vector<std::string_view> keys;
    keys.reserve(slot.children);
    for (YamlNode v(&doc, slot.first); v.exists(); v = v.next()) keys.push_back(v.key());
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end())
      return fail(line, fmt::format("key `{}` occurs twice in one map", *twice));
    return true;
  }

  bool alias(const unsigned char* name, std::size_t line) {
    if (wantsKey()) return fail(line, "an alias as a key");
    const auto found = anchorIndex.find(std::string_view(reinterpret_cast<const char*>(name)));
    if (found == anchorIndex.end()) return fail(line, "an alias that names nothing");
    const Anchor& anchor = anchors[found->second];
    if (anchor.open) return fail(line, "an alias inside what it names");
    const std::uint32_t index = place(line);
    doc.slots_[index].target = anchor.slot;
    weight += anchor.weight;
    return true;
  }

  bool take(const yaml_event_t& event) {
    const std::size_t line = event.start_mark.line + 1;
    if (weight > limits.nodes) return fail(line, "too many values");
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        return scalar(event, line);
      case YAML_SEQUENCE_START_EVENT:
        return begin(YamlKind::List, event.data.sequence_start.anchor, line);
      case YAML_MAPPING_START_EVENT:
        return begin(YamlKind::Map, event.data.mapping_start.anchor, line);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return end(line);
      case YAML_ALIAS_EVENT:
        return alias(event.data.alias.anchor, line);
      case YAML_DOCUMENT_START_EVENT:
        anchors.clear();
        anchorIndex.clear();
        return true;
      default:
        return true;
    }
  }
};

bool YamlDocument::read(std::string_view text, std::string& error, const YamlLimits& limits) {
  chars_.clear();
  slots_.clear();
  roots_.clear();
  error.clear();
  if (text.size() > limits.bytes) {
    error = fmt::format("line 1: the text is larger than {} bytes", limits.bytes);
    return false;
  }
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) {
    error = "line 1: out of memory";
    return false;
  }
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  YamlBuilder builder{*this, limits, error, {}, {}, {}, 0};
  bool ok = true;
  for (bool more = true; more && ok;) {
    yaml_event_t event;
    if (yaml_parser_parse(&parser, &event) == 0) {
      ok = builder.fail(parser.problem_mark.line + 1,
                        parser.problem != nullptr ? parser.problem : "not YAML");
      break;
    }
    ok = builder.take(event);
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  if (!ok) {
    chars_.clear();
    slots_.clear();
    roots_.clear();
  }
  return ok;
}

}  // namespace couler::backends
