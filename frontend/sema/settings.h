#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// What may be set in targets and in the blocks of a task: the tables that the checker, completion
/// and the documentation read.
namespace couler::sema {

/// How a setting's value is written.
enum class SettingType : std::uint8_t {
  Bool,
  Int,
  Number,  ///< int or float
  String,
  Duration,
  Size,
  StringList,
  StringMap,
  IntList,
  FailureClasses,  ///< a list of `transient`, `oom`, `timeout`, `exit`
  ContainerTool,   ///< "podman" or "docker"
  ObjectStore,     ///< `s3(bucket: "b", …)`
  Count,           ///< an int, which need not be a constant
  Parameter,       ///< the name of a parameter of the tuned task
  Output           ///< the name of an output of it
};

struct SettingSpec {
  std::string_view name;
  SettingType type;
  std::string_view doc;
  bool positive = false;  ///< zero makes no sense; below zero never does
  bool required = false;
};

struct EngineSpec {
  std::string_view name;
  std::span<const SettingSpec> settings;
};

[[nodiscard]] std::span<const EngineSpec> engineTable();
[[nodiscard]] const EngineSpec* findEngine(std::string_view name);
/// Engines that the language will know but that this version cannot write for.
[[nodiscard]] std::span<const std::string_view> plannedEngines();
[[nodiscard]] std::span<const SettingSpec> s3Settings();
[[nodiscard]] std::span<const SettingSpec> resourceSettings();
[[nodiscard]] std::span<const SettingSpec> retrySettings();
[[nodiscard]] std::span<const std::string_view> failureClasses();

/// The ways in which `tune` searches.
enum class TuneMethod : std::uint8_t { Grid, Random, Sobol, Asha, Tpe };
struct TuneMethodSpec {
  std::string_view name;
  TuneMethod method{};
  std::span<const SettingSpec> settings;
};
[[nodiscard]] std::span<const TuneMethodSpec> tuneMethods();
/// What `prior from` may name.
struct PriorSpec {
  std::string_view name;
  std::span<const SettingSpec> settings;
};
[[nodiscard]] std::span<const PriorSpec> tunePriors();

}  // namespace couler::sema
