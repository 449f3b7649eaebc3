#pragma once

#include <string>
#include <vector>

#include "runtime/column/profile.h"

namespace couler::driver {

/// A program with the schema that a file's rows keep, laid out as `couler fmt` does: its columns,
/// optional where cells are missing; an enum for a column of few different texts that can be names
/// of cases. A column whose name is none of the language gets one, `from` its own. `unique`: by field, those to be declared
/// so. Empty: there is no column.
[[nodiscard]] std::string schemaText(const std::string& file, const std::string& name,
                                     const column::Profile& profile,
                                     const std::vector<bool>& unique);

/// The name of a schema for that file: `FlightDelays` for `data/flight-delays.csv.gz`.
[[nodiscard]] std::string schemaNameOf(const std::string& file);
/// Whether a column, a case or a type may be called so.
[[nodiscard]] bool canBeName(const std::string& word);

}  // namespace couler::driver
