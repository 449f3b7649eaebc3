#include "runtime/store/why.h"
#include "support/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace couler::runtime {
namespace {

constexpr std::size_t kShown = 60;
/// Changes with the inputs and outputs, which it names, and with couler.
constexpr std::string_view kStartUp = "script start-up";
constexpr std::string_view kStartUpChanged = "the way couler starts scripts changed";
/// How the command of a step over tables begins.
constexpr std::string_view kPlanCommand = "[\"couler\",\"exec\",\"--plan\",";

/// Short enough for a line: text is cut, digests are shown by their first digits.
std::string shown(std::string_view value) {
  std::string text;
  std::size_t digits = 0;
  for (const char c : value) {
    digits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? digits + 1 : 0;
    if (digits <= 12 || digits > 64) text.push_back(c);
    if (text.size() > 4 * kShown) break;
  }
  return shortened(text, kShown);
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
  if (is.name == kStartUp) return std::string(kStartUpChanged);
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

/// What a part says of one file or folder: its digest and base name. Empty for all else.
struct FilePart {
  std::string_view digest, name;
};
FilePart filePart(std::string_view value) {
  if (!value.starts_with("file") && !value.starts_with("dir")) return {};
  const std::size_t from = value.find('"');
  constexpr std::size_t kDigits = 64;
  if (from == std::string_view::npos || value.find('[') < from || value.back() != '"' ||
      value.size() < from + kDigits + 3 || value[from + 1 + kDigits] != '/') {
    return {};
  }
  value = value.substr(from + 1, value.size() - from - 2);
  return {value.substr(0, kDigits), value.substr(kDigits + 1)};
}

/// The smaller, the more a change of this part says.
int rankOf(std::string_view name) {
  if (name == "task script") return 0;
  if (name.starts_with("input ")) return 1;
  if (name == "command") return 2;  // its words hold its inputs
  return name.starts_with("env ") ? 3 : 4;
}

/// Text as it stands in the program, or that there is none.
std::string quoted(std::string_view text) {
  return text.empty() ? "none" : fmt::format("`{}`", shown(text));
}

std::string reasonOf(const KeyPart& was, const KeyPart& is) {
  if (is.name == "task script") return "its script changed";
  if (is.name == "command") {
    const bool plan = is.value.starts_with(kPlanCommand) && was.value.starts_with(kPlanCommand);
    return plan ? "what it does with its tables changed" : "its command changed";
  }
  if (is.name == "image" || is.name.starts_with("env ")) {
    const std::string what = is.name == "image" ? "its image" : title(is.name);
    return fmt::format("{} changed from {} to {}", what, quoted(was.value), quoted(is.value));
  }
  if (!is.name.starts_with("input ")) return change(was, is);
  const std::string_view input = std::string_view(is.name).substr(6);
  const FilePart before = filePart(was.value);
  const FilePart now = filePart(is.value);
  if (!before.name.empty() && !now.name.empty()) {
    if (before.name == now.name) {
      return fmt::format("it reads `{}`, whose content changed", now.name);
    }
    return fmt::format("it reads `{}` instead of `{}` as `{}`", now.name, before.name, input);
  }
  // Both begin with the type, which says little where it is the same.
  const std::size_t typed = is.value.find(' ');
  if (typed == std::string::npos || was.value.substr(0, typed + 1) != is.value.substr(0, typed + 1) ||
      is.value.starts_with("list") || is.value.starts_with("map")) {
    return fmt::format("its input `{}` changed", input);
  }
  return fmt::format("`{}` changed from {} to {}", input, shown(was.value.substr(typed + 1)),
                     shown(is.value.substr(typed + 1)));
}

/// Whether none of the inputs of one is an input of the other, which both have some.
bool otherInputs(const std::vector<KeyPart>& was, const std::vector<KeyPart>& is) {
  const auto input = [](const KeyPart& part) { return part.name.starts_with("input "); };
  return std::any_of(was.begin(), was.end(), input) && std::any_of(is.begin(), is.end(), input) &&
         std::none_of(is.begin(), is.end(), [&](const KeyPart& part) {
           return input(part) && find(was, part.name) != nullptr;
         });
}

}  // namespace

std::string smallestReason(const std::vector<KeyPart>& was, const std::vector<KeyPart>& is) {
  std::vector<std::string> all = describeChanges(was, is);
  if (all.empty()) return {};
  if (otherInputs(was, is)) return "it runs another task than before";
  if (all.size() > 1) std::erase(all, kStartUpChanged);
  const KeyPart* first = nullptr;
  const KeyPart* before = nullptr;
  for (const KeyPart& part : is) {
    const KeyPart* other = find(was, part.name);
    if (other == nullptr || other->value == part.value || part.name == kStartUp) continue;
    if (first == nullptr || rankOf(part.name) < rankOf(first->name)) {
      first = &part;
      before = other;
    }
  }
  std::string reason = first == nullptr ? all.front() : reasonOf(*before, *first);
  std::size_t more = all.size() - 1;
  const KeyPart* command = find(is, "command");
  const KeyPart* commandBefore = find(was, "command");
  const bool words = command != nullptr && commandBefore != nullptr &&
                     command->value != commandBefore->value && first != nullptr && first != command;
  if (words && more > 0) --more;  // it says the same again
  if (more > 0) reason += fmt::format(", and {} more changed", more);
  return reason;
}

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
