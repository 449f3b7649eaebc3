#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/diagnostic.h"

namespace couler::driver {

/// What the process ends with.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;    ///< the program has errors, or the run failed
inline constexpr int kUsage = 2;     ///< the command line is wrong
inline constexpr int kInternal = 3;  ///< a fault of couler itself

enum class Arity : std::uint8_t {
  Flag,           ///< `--force`
  Value,          ///< `--jobs N`, `--jobs=N`
  OptionalValue,  ///< `--container`, `--container=podman`
  Many            ///< a value; may be given several times
};

/// One option of a command, as help, completion, manual page and parser see it.
struct Option {
  std::string_view name;  ///< without the dashes
  char letter;            ///< short form; 0: none
  Arity arity;
  std::string_view argument;  ///< "N", "FILE"; empty for flags
  std::string_view help;
  std::string_view choices = {};  ///< "auto|always|never": the only values there are
  std::string_view implied = {};  ///< OptionalValue: the value when none is written
};

/// What the words of a command are, for shell completion.
enum class Words : std::uint8_t { None, Source, Sources, Folder, Command, Shell, Code, Other };

class Invocation;

/// One command. The table (driver/commands.cpp) is all that `--help`, `couler help`, the completion
/// scripts, the manual page and docs/cli.md know.
struct Command {
  std::string_view name;
  std::string_view summary;  ///< one line, for the list of commands
  std::string_view usage;    ///< after `couler `
  std::string_view details;  ///< paragraphs, wrapped by hand at 90 columns
  std::string_view example;  ///< lines of a shell session; commands begin with `$ `
  Words words;
  std::size_t leastWords;
  std::size_t mostWords;
  std::span<const Option> options;
  bool diagnostics;  ///< takes `--diagnostics` and `--color` too
  int (*run)(const Invocation& invocation);
};

[[nodiscard]] std::span<const Command> commandTable();
[[nodiscard]] const Command* findCommand(std::string_view name);
/// Own options, then the ones that several commands share, `--help` last.
[[nodiscard]] std::vector<Option> optionsOf(const Command& command);

/// A command line, taken apart and checked against the command's options.
class Invocation {
 public:
  const Command* command = nullptr;
  std::vector<std::string> words;

  [[nodiscard]] bool has(std::string_view option) const;
  /// The last value given, else `fallback`.
  [[nodiscard]] std::string value(std::string_view option, std::string_view fallback = {}) const;
  [[nodiscard]] const std::vector<std::string>& values(std::string_view option) const;
  void add(std::string_view option, std::string value);

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

/// Takes the words after the command's name apart. Nothing on a usage error, which is in `diags`.
[[nodiscard]] std::optional<Invocation> parseArguments(const Command& command,
                                                       std::span<const std::string> arguments,
                                                       DiagnosticSink& diags);

/// `couler COMMAND --help`.
[[nodiscard]] std::string helpText(const Command& command);
/// `couler help`.
[[nodiscard]] std::string overviewText();

// One function a command, each in driver/commands/<name>.cpp.
int runCheck(const Invocation& invocation);
int runBuild(const Invocation& invocation);
int runRun(const Invocation& invocation);
int runData(const Invocation& invocation);
int runSchema(const Invocation& invocation);
int runExec(const Invocation& invocation);
int runFmt(const Invocation& invocation);
int runGraph(const Invocation& invocation);
int runPlan(const Invocation& invocation);
int runTest(const Invocation& invocation);
int runWhy(const Invocation& invocation);
int runCache(const Invocation& invocation);
int runRuns(const Invocation& invocation);
int runLogs(const Invocation& invocation);
int runExplain(const Invocation& invocation);
int runNew(const Invocation& invocation);
int runLsp(const Invocation& invocation);
int runPlayground(const Invocation& invocation);
int runVersion(const Invocation& invocation);
int runCompletion(const Invocation& invocation);
int runMan(const Invocation& invocation);
int runHelp(const Invocation& invocation);

}  // namespace couler::driver
