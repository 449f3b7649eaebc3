#include "runtime/jit/replacement.h"

#include <cstring>

#include "runtime/jit/regex.h"

namespace couler::jit {

char* Replacement::apply(std::string_view text, char* to) const {
  std::uint64_t made = 0;
  std::memcpy(&made, with.data(), with.size());
  const std::size_t further = runs ? 0 : with.size();  // for one more of a run
  std::size_t next = with.size();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const Role role = roles[byte];
    const bool stays = role == kStays;
    const std::uint64_t bytes = stays ? byte : made;
    std::memcpy(to, &bytes, sizeof bytes);
    to += stays ? 1 : role == kReplaced ? next : 0;
    next = stays ? with.size() : further;
  }
  return to;
}

std::optional<Replacement> replacementOf(std::string_view part, std::string_view with) {
  if (part.size() != 1 || with.size() > Replacement::kMostWith) return std::nullopt;
  Replacement made;
  made.roles[static_cast<unsigned char>(part[0])] = Replacement::kReplaced;
  made.with = with;
  return made;
}

std::optional<Replacement> replacementOfAll(std::string_view pattern, std::string_view with) {
  // A backslash stands for a group.
  if (with.size() > Replacement::kMostWith || with.find('\\') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<Regex> regex = parseRegex(pattern);
  if (!regex) return std::nullopt;
  const Regex* part = &*regex;
  Replacement made;
  made.with = with;
  while (part->form != Regex::Form::Class) {
    const bool repeats = part->form == Regex::Form::Repeat && !made.runs && !part->lazy &&
                         part->least == 1 && part->most == -1;
    if (part->parts.size() != 1 || (part->form != Regex::Form::Sequence && !repeats)) {
      return std::nullopt;
    }
    made.runs = made.runs || repeats;
    part = &part->parts[0];
  }
  for (const auto& [low, high] : part->ranges) {
    if (high > 0x7f && (high != 0x10ffff || low > 0x80)) return std::nullopt;
    for (char32_t c = low; c <= high && c < 0x100; ++c) {
      made.roles[c] = c >= 0x80 && c < 0xc0 ? Replacement::kDropped : Replacement::kReplaced;
    }
  }
  return made;
}

}  // namespace couler::jit
