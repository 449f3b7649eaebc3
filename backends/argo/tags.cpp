#include "backends/argo/tags.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace couler::backends::argo {
namespace {

bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isName(char c) { return isNameStart(c) || (c >= '0' && c <= '9'); }

bool isVariable(std::string_view head) {
  constexpr std::array<std::string_view, 9> kHeads = {
      "inputs", "tasks", "item", "workflow", "steps", "outputs", "pod", "node", "lastRetry"};
  return std::find(kHeads.begin(), kHeads.end(), head) != kHeads.end();
}

void addExpression(std::string_view e, TagScan& out) {
  std::vector<char> brackets;
  for (std::size_t i = 0; i < e.size();) {
    const char c = e[i];
    if (c == '"' || c == '\'' || c == '`') {
      std::size_t end = i + 1;
      while (end < e.size() && e[end] != c) end += e[end] == '\\' && c != '`' ? 2 : 1;
      if (end >= e.size()) {
        out.error = fmt::format("a string without its end in `{}`", e.substr(0, 80));
        return;
      }
      i = end + 1;
      continue;
    }
    if (c == '(' || c == '[' || c == '{') brackets.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty() || brackets.back() != c) {
        out.error = fmt::format("brackets do not match in `{}`", e.substr(0, 80));
        return;
      }
      brackets.pop_back();
    }
    if (!isNameStart(c) || (i > 0 && (e[i - 1] == '.' || e[i - 1] == '#'))) {
      ++i;
      if (isNameStart(c)) {
        while (i < e.size() && isName(e[i])) ++i;
      }
      continue;
    }
    TagRef ref;
    const std::size_t begin = i;
    while (i < e.size() && isName(e[i])) ++i;
    ref.parts.emplace_back(e.substr(begin, i - begin));
    while (i < e.size()) {
      if (e[i] == '.' && i + 1 < e.size() && isNameStart(e[i + 1])) {
        const std::size_t part = ++i;
        while (i < e.size() && isName(e[i])) ++i;
        ref.parts.emplace_back(e.substr(part, i - part));
      } else if (e[i] == '[' && i + 1 < e.size() && (e[i + 1] == '\'' || e[i + 1] == '"')) {
        const std::size_t end = e.find(e[i + 1], i + 2);
        if (end == std::string_view::npos || end + 1 >= e.size() || e[end + 1] != ']') break;
        ref.parts.emplace_back(e.substr(i + 2, end - i - 2));
        i = end + 2;
      } else {
        break;
      }
    }
    ref.text = e.substr(begin, i - begin);
    if (isVariable(ref.parts[0])) out.refs.push_back(std::move(ref));
  }
  if (!brackets.empty()) out.error = fmt::format("brackets do not match in `{}`", e.substr(0, 80));
}

}  // namespace

TagScan scanExpression(std::string_view text) {
  TagScan out;
  addExpression(text, out);
  return out;
}

TagScan scanTags(std::string_view text) {
  TagScan out;
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    const std::size_t end = text.find("}}", at + 2);
    if (end == std::string_view::npos) {
      out.error = "a tag without its end";
      return out;
    }
    std::string_view inside = text.substr(at + 2, end - at - 2);
    at = end + 2;
    if (inside.starts_with('=')) {
      addExpression(inside.substr(1), out);
      continue;
    }
    while (!inside.empty() && inside.front() == ' ') inside.remove_prefix(1);
    while (!inside.empty() && inside.back() == ' ') inside.remove_suffix(1);
    TagRef ref;
    ref.text = inside;
    for (std::size_t begin = 0; begin <= inside.size();) {
      const std::size_t dot = std::min(inside.find('.', begin), inside.size());
      ref.parts.emplace_back(inside.substr(begin, dot - begin));
      begin = dot + 1;
    }
    out.refs.push_back(std::move(ref));
  }
  return out;
}

}  // namespace couler::backends::argo
