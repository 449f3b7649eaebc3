#include "runtime/jit/automaton.h"
#include "runtime/jit/regex.h"
#include "support/text.h"

namespace couler::jit {

namespace {

class Flattener {
 public:
  explicit Flattener(ByteSequence& made) : made_(made) {}

  /// False where it is no sequence. `first`, `last`: nothing comes before it, after it.
  bool add(const Regex& regex, bool first, bool last) {
    switch (regex.form) {
      case Regex::Form::Class:
        return one(regex.ranges);
      case Regex::Form::Sequence:
        for (std::size_t i = 0; i < regex.parts.size(); ++i) {
          const bool front = first && i == 0;
          if (!add(regex.parts[i], front, last && i + 1 == regex.parts.size())) return false;
        }
        return true;
      case Regex::Form::Repeat: {
        // Of what may go on before or after a match, the least is enough.
        if (regex.least != regex.most && !first && !last) return false;
        for (int i = 0; i < regex.least; ++i) {
          if (!add(regex.parts[0], false, false)) return false;
        }
        return true;
      }
      case Regex::Form::Assert:
        if (regex.place == Regex::Place::TextStart && first) {
          return made_.fromStart = true;
        }
        if (regex.place == Regex::Place::TextEnd && last) {
          return made_.toEnd = true;
        }
        return false;
      case Regex::Form::Choice:
        break;
    }
    return false;
  }

 private:
  bool one(const std::vector<Regex::Range>& ranges) {
    if (ranges.empty()) return false;
    if (ranges.size() == 1 && ranges[0].first == ranges[0].second) {
      std::string bytes;
      appendUtf8(bytes, ranges[0].first);
      for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        made_.bytes.push_back({{byte, byte}});
      }
      return enough(bytes.size());
    }
    if (ranges.back().second > 0x7f) return false;
    auto& into = made_.bytes.emplace_back();
    for (const auto& [low, high] : ranges) {
      into.emplace_back(static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high));
    }
    return enough(ranges.size());
  }
  bool enough(std::size_t tests) { return (tests_ += tests) <= ByteSequence::kMostTests; }

  ByteSequence& made_;
  std::size_t tests_ = 0;
};

}  // namespace

std::optional<ByteSequence> sequenceOf(const Regex& regex) {
  ByteSequence made;
  if (!Flattener(made).add(regex, true, true) || made.bytes.empty()) return std::nullopt;
  return made;
}

}  // namespace couler::jit
