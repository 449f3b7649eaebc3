#include <cctype>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"

namespace couler::driver {
namespace {

constexpr std::string_view kProgram = R"(couler 1

// Counts the lines and the words of some texts.

/// One text, counted.
task count(text: file) -> (lines: int, words: int) {
    run python """
        content = open(text).read()
        lines = len(content.splitlines())
        words = len(content.split())
        """
}

/// A table of the counts.
task tabulate(texts: list<file>, words: list<int>) -> (report: file<csv> = "report.csv") {
    run python """
        import csv, os
        with open(report, "w", newline="") as out:
            rows = csv.writer(out, lineterminator="\n")
            rows.writerow(["text", "words"])
            for path, n in zip(texts, words):
                rows.writerow([os.path.basename(path), n])
        """
}

workflow @NAME@(texts: list<file> = glob("data/*.txt")) -> (report: file<csv>, words: int) {
    let counts = for text in texts { count(text) }
    let result = tabulate(texts: texts, words: counts.words)
    return (report: result.report, words: sum(counts.words))
}
)";

constexpr std::string_view kReadme = R"(# @NAME@

```console
$ couler check @NAME@.cwl
$ couler run @NAME@.cwl
$ couler graph @NAME@.cwl -o @NAME@.svg
```

The second run reuses what did not change: edit one of the files in `data/` and run it again.
)";

/// A name of the language from the folder's name: `My project` gives `my_project`.
std::string workflowName(const std::string& folder) {
  std::string name;
  for (const char c : folder) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 && u < 128) {
      name += static_cast<char>(std::tolower(u));
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  // A digit cannot begin a name, and words of the language are none.
  static constexpr std::string_view kTaken[] = {
      "count",  "table",  "task",      "workflow", "fn",    "schema", "enum",  "import",
      "target", "test",   "transform", "labeler",  "let",   "for",    "if",    "else",
      "loop",   "try",    "in",        "and",      "or",    "not",    "none",  "true",
      "false",  "return", "finally",   "run",      "sum",   "glob",   "after", "until",
      "max",    "start",  "tune",      "volatile", "where", "as"};
  bool taken = name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0;
  for (const std::string_view word : kTaken) taken = taken || name == word;
  return taken ? "my_" + (name.empty() ? std::string("workflow") : name) : name;
}

std::string filled(std::string_view text, const std::string& name) {
  std::string result(text);
  for (std::size_t at = 0; (at = result.find("@NAME@", at)) != std::string::npos;
       at += name.size()) {
    result.replace(at, 6, name);
  }
  return result;
}

}  // namespace

int runNew(const Invocation& invocation) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(invocation.words.front()).lexically_normal();
  std::error_code error;
  const fs::path absolute = fs::weakly_canonical(folder, error);
  const std::string name = workflowName((error ? folder : absolute).filename().string());
  const std::vector<std::pair<fs::path, std::string>> files = {
      {folder / (name + ".cwl"), filled(kProgram, name)},
      {folder / "data" / "one.txt", "A rose is a rose\nis a rose.\n"},
      {folder / "data" / "two.txt", "To be, or not to be,\nthat is the question.\n"},
      {folder / "README.md", filled(kReadme, name)},
      {folder / ".gitignore", ".couler/\n"},
  };
  for (const auto& [path, text] : files) {
    if (fs::exists(fs::symlink_status(path, error))) {
      return complain(diagnose<Diag::WouldOverwrite>({}, path.string()).note("nothing was written"),
                      kFailed);
    }
  }
  for (const auto& [path, text] : files) {
    fs::create_directories(path.parent_path(), error);
    if (error) {
      return complain(diagnose<Diag::CannotWriteFile>({}, path.parent_path().string(),
                                                      systemMessage(error.value())),
                      kFailed);
    }
    if (const std::string problem = writeFile(path.string(), text); !problem.empty()) {
      return complain(diagnose<Diag::CannotWriteFile>({}, path.string(), problem), kFailed);
    }
    printOut(fmt::format("wrote {}\n", path.string()));
  }
  printOut(fmt::format("now: couler run '{}'\n", (folder / (name + ".cwl")).string()));
  return kOk;
}

}  // namespace couler::driver
