#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backends/backend.h"

/// The one `tune` of a workflow, found in its graph; only backends/katib/*.cpp see this.
namespace couler::backends::katib {

/// The settings of `target x = katib { … }`.
struct Settings {
  std::string name;
  std::string nameSpace;
  std::string serviceAccount;
  std::string image;
  std::int64_t parallelism = 3;
};
/// Reads them; each that is ill typed is CW0603, and the result nothing.
[[nodiscard]] std::optional<Settings> readSettings(const ir::Module& module,
                                                   const ir::TargetDef* target,
                                                   DiagnosticSink& diags);

/// A parameter of the search, as Katib takes it.
struct Parameter {
  std::string name;
  std::string type;       ///< `int`, `double`, `discrete`, `categorical`
  std::string low, high;  ///< both are in the space
  bool log = false;
  std::vector<std::string> list;
  bool quoted = false;  ///< its values are texts: JSON wants quotes around them
};

/// What a parameter of the task gets.
struct Given {
  std::optional<ir::Value> value;  ///< the same in all trials
  std::size_t parameter = 0;       ///< else that of the search
};

struct Search {
  std::string algorithm;
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<Parameter> parameters;
  std::int64_t trials = 0;
  std::int64_t parallel = 0;
  bool maximize = false;
  std::string objective;            ///< an output of the task
  std::vector<std::string> others;  ///< its other outputs that are numbers
  ir::TaskId task;
  std::vector<Given> given;  ///< by parameter of the task
};

/// Reads it from the graph, where it stands whole (passes::Searches::Whole). What Katib cannot
/// express is reported.
[[nodiscard]] std::optional<Search> readSearch(const ir::Module& module, const EmitOptions& options,
                                               const Settings& settings, DiagnosticSink& diags);

/// A word of the command or a value of the environment: known text and parameters of the search, by
/// turns.
struct Piece {
  std::string text;
  std::optional<std::size_t> parameter;
};
/// What a node of the task's own expressions comes to as text; nothing where only an evaluator
/// could say.
[[nodiscard]] std::optional<std::vector<Piece>> wordOf(const ir::Module& module,
                                                       const Search& search, ir::NodeId node);

/// Where Katib reads the metrics of a trial, one a line.
inline constexpr std::string_view kMetricsFile = "/katib/metrics.log";
inline constexpr std::string_view kContainer = "trial";
/// What a trial runs. Katib joins these words with spaces and gives them, with more behind, to `sh
/// -c`, so they must mean the same there: all else is in the environment. A shell of its own, since
/// one before `&&` goes on after an error.
inline constexpr std::string_view kCommand[] = {"sh", "-c", "sh -c \"$COULER_LAUNCHER\" couler"};
/// `${trialParameters.NAME}`, which Katib replaces in the text of the template.
[[nodiscard]] std::string placeholder(std::string_view name);

}  // namespace couler::backends::katib
