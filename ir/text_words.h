#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ir/module.h"

/// Words of the text form that the printer and the parser share (docs/ir.md). Private to ir/.
namespace couler::ir::text {

inline constexpr std::string_view kHeader = "couler-ir";
inline constexpr std::int64_t kVersion = 1;

/// How deep types and values nest in a text that the parser takes.
inline constexpr int kMaxDepth = 128;

inline constexpr std::array<std::string_view, 7> kEffects = {
    "pure", "seeded-random", "source", "reads-state", "writes-state", "sink", "opaque"};
inline constexpr std::array<std::string_view, 5> kFootprints = {"pointwise", "window", "partition",
                                                                "reduce", "all"};
inline constexpr std::array<std::string_view, 3> kPhases = {"compile", "submit", "run"};
inline constexpr std::array<std::string_view, 4> kOutputs = {"variable", "path", "stdout", "file"};
inline constexpr std::array<std::string_view, 4> kFailures = {"transient", "oom", "timeout",
                                                              "exit"};
inline constexpr std::array<std::string_view, 4> kRuns = {"argv", "sh", "python", "table"};
inline constexpr std::array<std::string_view, 9> kRowsOps = {
    "read", "filter", "map", "group", "sort", "limit", "distinct", "join", "concat"};
inline constexpr std::array<std::string_view, 4> kJoins = {"inner", "left", "semi", "anti"};
inline constexpr std::array<std::string_view, 3> kBadRows = {"fail", "drop", "keep"};

/// Types without parameters, in the order of their fixed ids.
inline constexpr std::array<std::string_view, 12> kPlainTypes = {
    "error",     "none",     "bool", "int",    "float", "string",
    "timestamp", "duration", "size", "secret", "file",  "dir"};

/// What a node's brackets leave out: the attributes that most nodes of its kind have.
struct Attributes {
  Effect effect = Effect::Pure;
  Footprint footprint = Footprint::All;
  Phase phase = Phase::Run;
};
[[nodiscard]] inline Attributes usualAttributes(const Payload& payload) {
  if (std::holds_alternative<Const>(payload)) {
    return {Effect::Pure, Footprint::Pointwise, Phase::Compile};
  }
  if (std::holds_alternative<Param>(payload) || std::holds_alternative<Op>(payload) ||
      std::holds_alternative<Field>(payload)) {
    return {Effect::Pure, Footprint::Pointwise, Phase::Run};
  }
  return {};
}

[[nodiscard]] constexpr bool isWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
[[nodiscard]] constexpr bool isWordPart(char c) {
  return isWordStart(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '~';
}
/// Whether a name stands in the text as it is; others are quoted.
[[nodiscard]] constexpr bool isWord(std::string_view name) {
  if (name.empty() || !isWordStart(name.front())) return false;
  for (const char c : name) {
    if (!isWordPart(c)) return false;
  }
  return true;
}

}  // namespace couler::ir::text
