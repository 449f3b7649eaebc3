#include "runtime/store/why.h"

#include <algorithm>

#include <fmt/format.h>

namespace couler::runtime {
namespace {

constexpr std::size_t kShown = 60;

/// Short enough for a line: text is cut, digests are shown by their first digits.
std::string shown(std::string_view value) {
  std::string text;
  std::size_t digits = 0;
  for (const char c : value) {
    digits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? digits + 1 : 0;
    if (digits <= 12 || digits > 64) text.push_back(c);
    if (text.size() >= kShown) {
      // Not in the middle of a character.
      while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U)
        text.pop_back();
      return text + "…";
    }
  }
  return text;
}

const KeyPart* find(const std::vector<KeyPart>& parts, std::string_view name) {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const KeyPart& part) { return part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

/// `input data` as `input `data``.
std::string title(std::string_view name) {
  const std::size_t space = name.find(' ');
  if (name.starts_with("input ") || name.starts_with("env ")) {
    return fmt::format("{} `{}`", name.substr(0, space), name.substr(space + 1));
  }
  return std::string(name);
}

std::string change(const KeyPart& was, const KeyPart& is) {
  if (is.name == "task script") return "the task's script changed";
  if (is.name == "script start-up") return "the way couler starts scripts changed";
  if (is.name == "image") {
    const auto named = [](const std::string& image) { return image.empty() ? "none" : image; };
    return fmt::format("image changed (was {}, is {})", named(was.value), named(is.value));
  }
  if (is.name == "container") {
    return is.value == "yes" ? "it runs in a container now" : "it runs without a container now";
  }
  const bool file = is.name.starts_with("input ") &&
                    (is.value.starts_with("file") || is.value.starts_with("dir"));
  return fmt::format("{}{} changed (was {}, is {})", title(is.name), file ? ": content" : "",
                     shown(was.value), shown(is.value));
}

}  // namespace

std::vector<std::string> describeChanges(const std::vector<KeyPart>& was,
                                         const std::vector<KeyPart>& is) {
  std::vector<std::string> changes;
  for (const KeyPart& part : is) {
    const KeyPart* before = find(was, part.name);
    if (before == nullptr) {
      changes.push_back(fmt::format("{} is new", title(part.name)));
    } else if (before->value != part.value) {
      changes.push_back(change(*before, part));
    }
  }
  for (const KeyPart& part : was) {
    if (find(is, part.name) == nullptr)
      changes.push_back(fmt::format("{} is gone", title(part.name)));
  }
  return changes;
}

}  // namespace couler::runtime
