#include "backends/argo/tags.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "support/short_text.h"

namespace couler::backends::argo {
namespace {

enum CharClass : std::uint8_t { kNameStart = 1, kName = 2, kQuote = 4, kOpen = 8, kClose = 16 };
constexpr std::array<std::uint8_t, 256> kClass = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = kNameStart | kName;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = kNameStart | kName;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = kName;
  table['_'] = kNameStart | kName;
  table['"'] = table['\''] = table['`'] = kQuote;
  table['('] = table['['] = table['{'] = kOpen;
  table[')'] = table[']'] = table['}'] = kClose;
  return table;
}();
bool is(char c, CharClass what) { return (kClass[static_cast<unsigned char>(c)] & what) != 0; }

std::size_t nameEnd(std::string_view text, std::size_t at) {
  while (at < text.size() && is(text[at], kName)) ++at;
  return at;
}

bool isVariable(std::string_view head) {
  constexpr std::array<std::string_view, 9> kHeads = {
      "tasks", "inputs", "item", "workflow", "steps", "outputs", "pod", "node", "lastRetry"};
  return std::any_of(kHeads.begin(), kHeads.end(),
                     [&](std::string_view known) { return sameText(known, head); });
}

char closing(char open) { return open == '(' ? ')' : open == '[' ? ']' : '}'; }

}  // namespace

// Between quotes or dots, letters, digits and `-` are a name and nothing else, whichever they are:
// the texts around it say the same.
bool TagScanner::isLastButForTask(std::string_view text) {
  const std::size_t after = last_.size() - taskEnd_;
  if (last_.empty() || text.size() <= taskBegin_ + after) return false;
  if (text.substr(0, taskBegin_) != last_.substr(0, taskBegin_) ||
      text.substr(text.size() - after) != last_.substr(taskEnd_)) {
    return false;
  }
  const std::string_view name = text.substr(taskBegin_, text.size() - after - taskBegin_);
  if (!std::all_of(name.begin(), name.end(), [](char c) { return is(c, kName) || c == '-'; })) {
    return false;
  }
  const auto begin = static_cast<std::size_t>(refs_[0].text.data() - last_.data());
  refs_[0].text = text.substr(begin, refs_[0].text.size() + text.size() - last_.size());
  parts_[1] = name;
  taskEnd_ = taskBegin_ + name.size();
  last_ = text;
  return true;
}

void TagScanner::noteTask(std::string_view text) {
  last_ = {};
  if (refs_.size() != 1 || parts_.size() < 2 || parts_[0] != "tasks" || !error_.empty()) return;
  taskBegin_ = static_cast<std::size_t>(parts_[1].data() - text.data());
  taskEnd_ = taskBegin_ + parts_[1].size();
  // An expression's `a.b-c` is a difference; between quotes, and in a plain tag, `-` is a letter.
  const bool isQuoted = is(text[taskBegin_ - 1], kQuote);
  if (isQuoted || text.find("{{=") == std::string_view::npos) last_ = text;
}

void TagScanner::clear() {
  refs_.clear();
  parts_.clear();
  error_.clear();
}

std::size_t TagScanner::addVariable(std::string_view e, std::size_t begin) {
  std::size_t i = nameEnd(e, begin);
  const std::string_view head = e.substr(begin, i - begin);
  if (!isVariable(head)) return i;
  const std::size_t first = parts_.size();
  parts_.push_back(head);
  while (i + 1 < e.size()) {
    if (e[i] == '.' && is(e[i + 1], kNameStart)) {
      const std::size_t end = nameEnd(e, i + 1);
      parts_.push_back(e.substr(i + 1, end - i - 1));
      i = end;
    } else if (e[i] == '[' && (e[i + 1] == '\'' || e[i + 1] == '"')) {
      const std::size_t end = e.find(e[i + 1], i + 2);
      if (end == std::string_view::npos || end + 1 >= e.size() || e[end + 1] != ']') break;
      parts_.push_back(e.substr(i + 2, end - i - 2));
      i = end + 2;
    } else {
      break;
    }
  }
  refs_.push_back({e.substr(begin, i - begin), static_cast<std::uint32_t>(first),
                   static_cast<std::uint32_t>(parts_.size() - first)});
  return i;
}

void TagScanner::addExpression(std::string_view e) {
  brackets_.clear();
  for (std::size_t i = 0; i < e.size();) {
    const char c = e[i];
    if (is(c, kNameStart)) {
      const bool member = i > 0 && (e[i - 1] == '.' || e[i - 1] == '#');
      i = member ? nameEnd(e, i) : addVariable(e, i);
      continue;
    }
    if (is(c, kQuote)) {
      const char escape = c == '`' ? '`' : '\\';
      std::size_t end = i + 1;
      while (end < e.size() && e[end] != c) end += e[end] == escape ? 2 : 1;
      if (end >= e.size()) {
        error_ = fmt::format("a string without its end in `{}`", e.substr(0, 80));
        return;
      }
      i = end + 1;
      continue;
    }
    if (is(c, kOpen)) brackets_.push_back(closing(c));
    if (is(c, kClose)) {
      if (brackets_.empty() || brackets_.back() != c) {
        error_ = fmt::format("brackets do not match in `{}`", e.substr(0, 80));
        return;
      }
      brackets_.pop_back();
    }
    ++i;
  }
  if (!brackets_.empty()) error_ = fmt::format("brackets do not match in `{}`", e.substr(0, 80));
}

void TagScanner::addDotted(std::string_view name) {
  const std::size_t first = parts_.size();
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    parts_.push_back(name.substr(begin, dot - begin));
    begin = dot + 1;
  }
  refs_.push_back(
      {name, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(parts_.size() - first)});
}

void TagScanner::scanExpression(std::string_view text) {
  clear();
  last_ = {};
  addExpression(text);
}

void TagScanner::scanTags(std::string_view text) {
  if (isLastButForTask(text)) return;
  last_ = {};
  clear();
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    const std::size_t end = text.find("}}", at + 2);
    if (end == std::string_view::npos) {
      error_ = "a tag without its end";
      return;
    }
    std::string_view inside = text.substr(at + 2, end - at - 2);
    at = end + 2;
    if (inside.starts_with('=')) {
      addExpression(inside.substr(1));
      continue;
    }
    while (inside.starts_with(' ')) inside.remove_prefix(1);
    while (inside.ends_with(' ')) inside.remove_suffix(1);
    addDotted(inside);
  }
  noteTask(text);
}

}  // namespace couler::backends::argo
