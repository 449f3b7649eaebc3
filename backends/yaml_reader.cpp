#include "backends/yaml_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <fmt/format.h>
#include <yaml.h>

namespace couler::backends {

YamlNode YamlDocument::root(std::size_t index) const {
  return index < roots_.size() ? YamlNode(this, roots_[index]) : YamlNode();
}

void YamlDocument::clear() {
  text_ = {};
  chars_.clear();
  slots_.clear();
  roots_.clear();
}

std::optional<std::string_view> YamlDocument::twice(std::uint32_t map) const {
  constexpr std::size_t kFew = 16;
  const std::size_t count = slots_[map].size;
  if (count < 2) return std::nullopt;
  std::array<std::string_view, kFew> few;
  std::vector<std::string_view> many(count > kFew ? count : 0);
  const std::span<std::string_view> keys(count > kFew ? many.data() : few.data(), count);
  std::size_t filled = 0;
  for (YamlNode value(this, map + 1); value.exists(); value = value.next()) {
    keys[filled++] = value.key();
  }
  if (count > kFew) {
    std::sort(keys.begin(), keys.end());
    const auto found = std::adjacent_find(keys.begin(), keys.end());
    return found == keys.end() ? std::nullopt : std::optional(*found);
  }
  for (std::size_t i = 1; i < count; ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (sameText(keys[i], keys[k])) return keys[i];
    }
  }
  return std::nullopt;
}

bool YamlNode::isBare() const {
  return isScalar() && (document_->resolved(index_).marks & YamlDocument::kBare) != 0;
}
bool YamlNode::isNull() const {
  if (!isBare()) return false;
  const std::string_view t = text();
  return t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL";
}
std::uint32_t YamlNode::line() const { return exists() ? document_->slots_[index_].line : 0; }

/// Turns libyaml's events into slots; one instance a read.
struct YamlBuilder {
  YamlDocument& doc;
  const YamlLimits& limits;
  std::string& error;

  struct Open {
    std::uint32_t slot;
    std::uint32_t last = YamlDocument::kNone;
    bool haveKey = false;
    std::uint32_t keyBegin = 0;
    std::uint16_t keySize = 0;
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
      slot.keySize = parent.haveKey ? parent.keySize : std::uint16_t{0};
      slot.marks = YamlDocument::kKeyCopied;
      parent.haveKey = false;
      if (parent.last != YamlDocument::kNone) doc.slots_[parent.last].next = index;
      parent.last = index;
      ++doc.slots_[parent.slot].size;
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
      if (data.length > YamlDocument::kMaxKey) return fail(line, "a key that is too long");
      Open& map = open.back();
      map.haveKey = true;
      map.keyBegin = begin;
      map.keySize = static_cast<std::uint16_t>(data.length);
      return true;
    }
    const std::uint32_t index = place(line);
    YamlDocument::Slot& slot = doc.slots_[index];
    slot.marks |= YamlDocument::kCopied;
    if (data.style == YAML_PLAIN_SCALAR_STYLE && data.plain_implicit != 0) {
      slot.marks |= YamlDocument::kBare;
    }
    slot.begin = begin;
    slot.size = static_cast<std::uint32_t>(data.length);
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
    if (doc.slots_[frame.slot].kind != YamlKind::Map) return true;
    const auto key = doc.twice(frame.slot);
    return !key || fail(line, fmt::format("key `{}` occurs twice in one map", *key));
  }

  bool alias(const unsigned char* name, std::size_t line) {
    if (wantsKey()) return fail(line, "an alias as a key");
    const auto found = anchorIndex.find(std::string_view(reinterpret_cast<const char*>(name)));
    if (found == anchorIndex.end()) return fail(line, "an alias that names nothing");
    const Anchor& anchor = anchors[found->second];
    if (anchor.open) return fail(line, "an alias inside what it names");
    const std::uint32_t index = place(line);
    // An alias of an alias stands for what that stands for: anchors are on neither.
    doc.slots_[index].marks |= YamlDocument::kAlias;
    doc.slots_[index].begin = anchor.slot;
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
  error.clear();
  return readPlain(text, limits) || readAny(text, error, limits);
}

bool YamlDocument::readAny(std::string_view text, std::string& error, const YamlLimits& limits) {
  clear();
  error.clear();
  const std::size_t most = std::min(limits.bytes, kMaxBytes);
  if (text.size() > most) {
    error = fmt::format("line 1: the text is larger than {} bytes", most);
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
  if (!ok) clear();
  return ok;
}

}  // namespace couler::backends
