#include <string>
#include <variant>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/scratch.h"
#include "driver/statistics.h"
#include "runtime/column/profile.h"

namespace couler::driver {
namespace {

int refuse(const Invocation& invocation, const std::string& why) {
  return complain(diagnose<Diag::PlanFailed>({}, why), kFailed, styleOf(invocation));
}

/// `--format`, else what the output's name says, else text.
std::string formatOf(const Invocation& invocation) {
  if (invocation.has("format")) return invocation.value("format");
  const std::string path = invocation.value("output");
  if (path.ends_with(".json")) return "json";
  return path.ends_with(".html") ? "html" : "text";
}

int deliver(const Invocation& invocation, const std::string& text, int code) {
  if (!invocation.has("output")) {
    printOut(text);
    return code;
  }
  const std::string path = invocation.value("output");
  if (const std::string why = writeFile(path, text); !why.empty()) {
    return complain(diagnose<Diag::CannotWriteFile>({}, path, why), kFailed, styleOf(invocation));
  }
  return code;
}

int stats(const Invocation& invocation) {
  const Scratch scratch;
  std::string path = invocation.words[1];
  const std::string shown = path == "-" ? "standard input" : path;
  if (path == "-") {
    std::string why;
    path = scratch.standardInput(why);
    if (path.empty()) return refuse(invocation, why);
  }
  const auto found = column::profileFile(path, {});
  if (const auto* error = std::get_if<column::StreamError>(&found)) {
    std::string message = error->message;
    if (message.starts_with(path)) message.replace(0, path.size(), shown);
    return refuse(invocation, message);
  }
  const auto& profile = std::get<column::Profile>(found);
  const std::string format = formatOf(invocation);
  return deliver(invocation,
                 format == "json"   ? statisticsJson(shown, profile)
                 : format == "html" ? statisticsHtml(shown, profile)
                                    : statisticsText(shown, profile),
                 kOk);
}

}  // namespace

int runData(const Invocation& invocation) {
  const std::string& what = invocation.words[0];
  if (what == "stats" && invocation.words.size() == 2) return stats(invocation);
  return complain(diagnose<Diag::BadCommandWords>(
                      {}, "data", fmt::format("expects: couler {}", invocation.command->usage)),
                  kUsage, styleOf(invocation));
}

}  // namespace couler::driver
