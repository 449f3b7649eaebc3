#include "runtime/jit/automaton.h"

#include <algorithm>
#include <bitset>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/jit/regex.h"

// Thompson's construction over bytes, the subset construction, and Moore's minimisation (Hopcroft,
// Motwani, Ullman: "Introduction to Automata Theory", 3rd edition, 2.3.5 and 4.4.3). What must hold
// of the byte that comes next (`$`, `\b`) stays in a set until that byte is known.
namespace couler::jit {

namespace {

constexpr std::size_t kMostInstructions = 2000;
constexpr std::size_t kMostSets = 1500;

struct TooLarge {};

using Id = std::uint32_t;

struct Instruction {
  enum class Do : std::uint8_t { Byte, Split, Assert, Match } what{};
  std::uint8_t low = 0;  ///< Byte
  std::uint8_t high = 0;
  Regex::Place place{};  ///< Assert
  Id next = 0;
  Id other = 0;  ///< Split
};

struct Code {
  std::vector<Instruction> instructions;
  Id start = 0;
  bool words = false;  ///< `\b`, `\B`
  bool lines = false;  ///< `(?m)^`, `(?m)$`
};

class Compiler {
 public:
  explicit Compiler(const Regex& regex) { look(regex); }

  Code run(const Regex& regex) {
    const Id match = add({.what = Instruction::Do::Match});
    const Id body = compile(regex, match);
    // It may begin at any byte.
    const Id any = add({.what = Instruction::Do::Byte, .low = 0, .high = 0xff});
    const Id loop = add({.what = Instruction::Do::Split, .next = body, .other = any});
    code_.instructions[any].next = loop;
    code_.start = loop;
    return std::move(code_);
  }

 private:
  void look(const Regex& regex) {
    using Place = Regex::Place;
    if (regex.form == Regex::Form::Assert) {
      code_.words |= regex.place == Place::WordEdge || regex.place == Place::NoWordEdge;
      code_.lines |= regex.place == Place::LineStart || regex.place == Place::LineEnd;
    }
    for (const Regex& part : regex.parts) look(part);
  }

  Id add(Instruction instruction) {
    if (code_.instructions.size() >= kMostInstructions) throw TooLarge{};
    code_.instructions.push_back(instruction);
    return static_cast<Id>(code_.instructions.size() - 1);
  }
  Id byte(unsigned low, unsigned high, Id next) {
    return add({.what = Instruction::Do::Byte,
                .low = static_cast<std::uint8_t>(low),
                .high = static_cast<std::uint8_t>(high),
                .next = next});
  }
  Id split(Id next, Id other) {
    return add({.what = Instruction::Do::Split, .next = next, .other = other});
  }

  /// The instruction that begins it, to be followed by `next`.
  Id compile(const Regex& regex, Id next) {
    switch (regex.form) {
      case Regex::Form::Class:
        return oneOf(regex.ranges, next);
      case Regex::Form::Sequence:
        for (std::size_t i = regex.parts.size(); i-- > 0;) next = compile(regex.parts[i], next);
        return next;
      case Regex::Form::Choice: {
        Id made = compile(regex.parts.back(), next);
        for (std::size_t i = regex.parts.size() - 1; i-- > 0;) {
          made = split(compile(regex.parts[i], next), made);
        }
        return made;
      }
      case Regex::Form::Repeat:
        return repeat(regex, next);
      case Regex::Form::Assert:
        return add({.what = Instruction::Do::Assert, .place = regex.place, .next = next});
    }
    return next;
  }

  Id repeat(const Regex& regex, Id next) {
    const Regex& part = regex.parts[0];
    if (regex.most < 0) {
      const Id loop = split(next, next);
      const Id body = isEveryHighOne(part) ? bytesOf(part.ranges, loop) : compile(part, loop);
      code_.instructions[loop].other = body;
      next = loop;
    }
    for (int i = regex.least; i < regex.most; ++i) next = split(compile(part, next), next);
    for (int i = 0; i < regex.least; ++i) next = compile(part, next);
    return next;
  }

  /// Of any number of characters among which are all beyond ASCII, each may as well be taken a byte
  /// at a time: texts are well-formed, and only `\B` holds within a character.
  [[nodiscard]] bool isEveryHighOne(const Regex& part) const {
    return !code_.words && part.form == Regex::Form::Class && !part.ranges.empty() &&
           part.ranges.back().second == 0x10ffff && part.ranges.back().first <= 0x80;
  }
  Id bytesOf(const std::vector<Regex::Range>& ranges, Id next) {
    std::optional<Id> made;
    for (const auto& [low, high] : ranges) {
      const Id one = byte(low, std::min<char32_t>(high, 0xff), next);
      made = made ? split(one, *made) : one;
    }
    return *made;
  }

  Id oneOf(const std::vector<Regex::Range>& ranges, Id next) {
    std::optional<Id> made;
    for (const auto& [low, high] : ranges) encoded(low, high, next, made);
    return made ? *made : byte(1, 0, next);  // no byte at all
  }
  /// The UTF-8 of a range, as sequences of ranges of bytes.
  void encoded(char32_t low, char32_t high, Id next, std::optional<Id>& made) {
    const auto alternative = [&](Id id) { made = made ? split(id, *made) : id; };
    for (const char32_t last : {0x7fU, 0x7ffU, 0xffffU}) {
      if (low > last || high <= last) continue;
      encoded(low, last, next, made);
      // All that is beyond ASCII, without telling apart what no text has, takes fewer states.
      if (last == 0x7f && high == 0x10ffff) return alternative(highOnes(next));
      return encoded(last + 1, high, next, made);
    }
    if (high <= 0x7f) return alternative(byte(low, high, next));
    if (low == 0x80 && high == 0x10ffff) return alternative(highOnes(next));
    // Of one length: apart where the leading bytes differ and what follows is not all there is.
    for (const char32_t mask : {0x3fU, 0xfffU, 0x3ffffU}) {
      if ((low & ~mask) == (high & ~mask)) continue;
      if ((low & mask) != 0) {
        encoded(low, low | mask, next, made);
        return encoded((low | mask) + 1, high, next, made);
      }
      if ((high & mask) != mask) {
        encoded(low, (high & ~mask) - 1, next, made);
        return encoded(high & ~mask, high, next, made);
      }
    }
    const unsigned more = low <= 0x7ff ? 1 : low <= 0xffff ? 2 : 3;
    for (unsigned i = 0; i < more; ++i) {
      const unsigned shift = 6 * i;
      next = byte(0x80 | ((low >> shift) & 0x3f), 0x80 | ((high >> shift) & 0x3f), next);
    }
    const unsigned mark = more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0;
    alternative(byte(mark | (low >> (6 * more)), mark | (high >> (6 * more)), next));
  }
  Id highOnes(Id next) {
    const Id last = byte(0x80, 0xbf, next);
    const Id third = byte(0x80, 0xbf, last);
    const Id second = byte(0x80, 0xbf, third);
    return split(byte(0xc2, 0xdf, last), split(byte(0xe0, 0xef, third), byte(0xf0, 0xf4, second)));
  }

  Code code_;
};

/// What a place lies between: the ends of the text, or bytes, as far as assertions tell them apart.
enum class Beside : std::uint8_t { End, Line, Word, Other, Unknown };

bool isWordByte(unsigned byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         (byte >= 'a' && byte <= 'z');
}

/// Whether an assertion holds; nothing where that is for the next byte to say.
std::optional<bool> holds(Regex::Place place, Beside before, Beside after) {
  const auto ifKnown = [&](bool truth) {
    return after == Beside::Unknown ? std::nullopt : std::optional(truth);
  };
  const bool edge = (before == Beside::Word) != (after == Beside::Word);
  switch (place) {
    case Regex::Place::TextStart:
      return before == Beside::End;
    case Regex::Place::LineStart:
      return before == Beside::End || before == Beside::Line;
    case Regex::Place::TextEnd:
      return ifKnown(after == Beside::End);
    case Regex::Place::LineEnd:
      return ifKnown(after == Beside::End || after == Beside::Line);
    case Regex::Place::WordEdge:
      return ifKnown(edge);
    case Regex::Place::NoWordEdge:
      return ifKnown(!edge);
  }
  return false;
}

/// Where the expression may be after some bytes: the instructions that wait for a byte or for what
/// is after the place.
struct Set {
  std::vector<Id> waiting{};  ///< sorted
  Beside before = Beside::Other;
  bool matched = false;
  auto operator<=>(const Set&) const = default;
};

class Determiniser {
 public:
  explicit Determiniser(const Code& code) : code_(code) { splitBytes(); }

  Automaton run() {
    const std::uint32_t first = settle(closed({code_.start}, Beside::End, Beside::Unknown));
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      for (std::uint32_t c = 0; c < made_.classes; ++c) next_.push_back(stepOf(i, sample_[c]));
      const Set& set = *sets_[i];
      accepts_.push_back(set.matched || closed(set.waiting, set.before, Beside::End).matched);
    }
    minimise(first);
    return std::move(made_);
  }

 private:
  void splitBytes() {
    std::bitset<257> cuts;
    const auto cut = [&](unsigned low, unsigned high) {
      cuts.set(low);
      cuts.set(high + 1);
    };
    for (const Instruction& one : code_.instructions) {
      if (one.what == Instruction::Do::Byte && one.low <= one.high) cut(one.low, one.high);
    }
    if (code_.lines) cut('\n', '\n');
    if (code_.words) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        if (isWordByte(byte) != (byte > 0 && isWordByte(byte - 1))) cuts.set(byte);
      }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (byte == 0 || cuts[byte]) sample_.push_back(static_cast<std::uint8_t>(byte));
      made_.classOf[byte] = static_cast<std::uint8_t>(sample_.size() - 1);
    }
    made_.classes = static_cast<std::uint32_t>(sample_.size());
  }

  [[nodiscard]] Beside besideOf(std::uint8_t byte) const {
    if (code_.lines && byte == '\n') return Beside::Line;
    return code_.words && isWordByte(byte) ? Beside::Word : Beside::Other;
  }

  /// All that is reached from there without a byte.
  Set closed(const std::vector<Id>& from, Beside before, Beside after) {
    Set made;
    made.before = before;
    std::vector<bool> seen(code_.instructions.size());
    std::vector<Id> left(from.rbegin(), from.rend());
    bool pending = false;
    while (!left.empty()) {
      const Id id = left.back();
      left.pop_back();
      if (seen[id]) continue;
      seen[id] = true;
      const Instruction& one = code_.instructions[id];
      switch (one.what) {
        case Instruction::Do::Byte:
          made.waiting.push_back(id);
          break;
        case Instruction::Do::Split:
          left.push_back(one.other);
          left.push_back(one.next);
          break;
        case Instruction::Do::Match:
          return Set{.matched = true};
        case Instruction::Do::Assert: {
          const std::optional<bool> truth = holds(one.place, before, after);
          if (!truth) {
            made.waiting.push_back(id);
            pending = true;
          } else if (*truth) {
            left.push_back(one.next);
          }
          break;
        }
      }
    }
    std::sort(made.waiting.begin(), made.waiting.end());
    // What was before does not matter where nothing asks for it.
    if (!pending) made.before = Beside::Other;
    return made;
  }

  std::uint32_t stepOf(std::size_t index, std::uint8_t byte) {
    const Set& set = *sets_[index];
    if (set.matched) return static_cast<std::uint32_t>(index);  // once matched, always matched
    const Beside beside = besideOf(byte);
    Set here = closed(set.waiting, set.before, beside);
    if (here.matched) return settle(std::move(here));
    std::vector<Id> after;
    for (const Id id : here.waiting) {
      const Instruction& one = code_.instructions[id];
      if (one.low <= byte && byte <= one.high) after.push_back(one.next);
    }
    return settle(closed(after, beside, Beside::Unknown));
  }

  std::uint32_t settle(Set set) {
    const auto [it, added] = known_.try_emplace(std::move(set), sets_.size());
    if (added) {
      if (sets_.size() >= kMostSets) throw TooLarge{};
      sets_.push_back(&it->first);
    }
    return it->second;
  }

  void minimise(std::uint32_t first) {
    const std::uint32_t classes = made_.classes;
    std::vector<std::uint32_t> group(accepts_.begin(), accepts_.end());
    for (std::size_t groups = 0;;) {
      std::map<std::vector<std::uint32_t>, std::uint32_t> ids;
      std::vector<std::uint32_t> finer(group.size());
      // From the first state, so that it is in group 0.
      for (std::size_t k = 0; k < group.size(); ++k) {
        const std::size_t state = k == 0 ? first : k <= first ? k - 1 : k;
        std::vector<std::uint32_t> key{group[state]};
        for (std::uint32_t c = 0; c < classes; ++c)
          key.push_back(group[next_[state * classes + c]]);
        finer[state] = ids.try_emplace(std::move(key), ids.size()).first->second;
      }
      group = std::move(finer);
      if (ids.size() == groups) break;
      groups = ids.size();
    }
    made_.states = *std::max_element(group.begin(), group.end()) + 1;
    if (made_.states > Automaton::kMostStates) throw TooLarge{};
    std::vector<std::uint8_t> next(std::size_t{made_.states} * classes);
    made_.accepts.resize(made_.states);
    made_.settled.assign(made_.states, true);
    for (std::size_t state = 0; state < group.size(); ++state) {
      const std::uint32_t to = group[state];
      made_.accepts[to] = accepts_[state];
      for (std::uint32_t c = 0; c < classes; ++c) {
        const std::uint32_t target = group[next_[state * classes + c]];
        next[to * classes + c] = static_cast<std::uint8_t>(target);
        if (target != to) made_.settled[to] = false;
      }
    }
    made_.next = std::move(next);
  }

  const Code& code_;
  Automaton made_;
  std::vector<std::uint8_t> sample_;  // a byte of each class
  std::map<Set, std::uint32_t> known_;
  std::vector<const Set*> sets_;
  std::vector<std::uint32_t> next_;
  std::vector<bool> accepts_;
};

}  // namespace

std::optional<Automaton> automatonOf(std::string_view pattern) {
  const std::optional<Regex> regex = parseRegex(pattern);
  if (!regex) return std::nullopt;
  try {
    const Code code = Compiler(*regex).run(*regex);
    Automaton made = Determiniser(code).run();
    made.sequence = sequenceOf(*regex);
    return made;
  } catch (const TooLarge&) {
    return std::nullopt;
  }
}

std::string canonicalText(const Automaton& automaton) {
  std::string sequence;
  if (automaton.sequence) {
    sequence = fmt::format(" {} {}", automaton.sequence->fromStart, automaton.sequence->toEnd);
    for (const auto& ranges : automaton.sequence->bytes) {
      for (const auto& [low, high] : ranges) sequence += fmt::format(" {}-{}", low, high);
      sequence += ";";
    }
  }
  return fmt::format("{} {} {} {}{}", fmt::join(automaton.classOf, ","),
                     fmt::join(automaton.next, ","), fmt::join(automaton.accepts, ","),
                     automaton.classes, sequence);
}

}  // namespace couler::jit
