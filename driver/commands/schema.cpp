#include <string>
#include <variant>

#include <fmt/format.h>

#include "driver/console.h"
#include "driver/data_command.h"
#include "driver/schema_text.h"
#include "runtime/column/profile.h"

namespace couler::driver {

int runSchema(const Invocation& invocation) {
  if (invocation.words[0] != "infer") {
    return complain(diagnose<Diag::BadCommandWords>(
                        {}, "schema", fmt::format("expects: couler {}", invocation.command->usage)),
                    kUsage, styleOf(invocation));
  }
  const DataFile file(invocation.words[1]);
  if (!file.problem().empty()) return refuseData(invocation, file.problem());
  const std::string name = invocation.value("name", schemaNameOf(file.name()));
  if (!canBeName(name)) {
    return complain(diagnose<Diag::BadOptionValue>({}, "name", "a name, found `" + name + "`"),
                    kUsage, styleOf(invocation));
  }
  const auto found = column::profileFile(file.path(), {});
  if (const auto* error = std::get_if<column::StreamError>(&found)) {
    return refuseData(invocation, file.about(error->message));
  }
  const auto& profile = std::get<column::Profile>(found);
  if (profile.rows == 0 && profile.badRows > 0) {
    return refuseData(invocation,
                      fmt::format("{}: no row is as the header says; is its first line a header?",
                                  file.name()));
  }
  std::vector<bool> unique(profile.columns.size(), false);
  if (invocation.has("unique")) {
    auto keys = column::uniqueColumns(file.path(), profile);
    if (const auto* error = std::get_if<column::StreamError>(&keys)) {
      return refuseData(invocation, file.about(error->message));
    }
    unique = std::get<std::vector<bool>>(std::move(keys));
  }
  const std::string text = schemaText(file.name(), name, profile, unique);
  if (text.empty()) {
    return refuseData(invocation, file.name() + ": has no column that a schema can name");
  }
  return deliver(invocation, text, kOk);
}

}  // namespace couler::driver
