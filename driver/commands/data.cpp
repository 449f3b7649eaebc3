#include <string>
#include <variant>

#include <fmt/format.h>

#include "driver/console.h"
#include "driver/data_command.h"
#include "driver/statistics.h"
#include "runtime/column/profile.h"

namespace couler::driver {
namespace {

/// `--format`, else what the output's name says, else text.
std::string formatOf(const Invocation& invocation) {
  if (invocation.has("format")) return invocation.value("format");
  const std::string path = invocation.value("output");
  if (path.ends_with(".json")) return "json";
  return path.ends_with(".html") ? "html" : "text";
}

int stats(const Invocation& invocation) {
  const DataFile file(invocation.words[1]);
  if (!file.problem().empty()) return refuseData(invocation, file.problem());
  const auto found = column::profileFile(file.path(), {});
  if (const auto* error = std::get_if<column::StreamError>(&found)) {
    return refuseData(invocation, file.about(error->message));
  }
  const auto& profile = std::get<column::Profile>(found);
  const std::string format = formatOf(invocation);
  return deliver(invocation,
                 format == "json"   ? statisticsJson(file.name(), profile)
                 : format == "html" ? statisticsHtml(file.name(), profile)
                                    : statisticsText(file.name(), profile),
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
