#pragma once

#include <string>

#include "runtime/column/profile.h"

/// The statistics of a file, for people and programs.
namespace couler::driver {

[[nodiscard]] std::string statisticsText(const std::string& file, const column::Profile& profile);
/// One object: file, format, rows, columns, …; numbers that JSON does not have are null.
[[nodiscard]] std::string statisticsJson(const std::string& file, const column::Profile& profile);
/// One page that needs nothing else.
[[nodiscard]] std::string statisticsHtml(const std::string& file, const column::Profile& profile);

/// The name of a column's type, as the language writes it: `int`, `timestamp?`.
[[nodiscard]] std::string typeName(const column::Profile& profile, std::size_t column);
/// A number of a column of that kind, for people: `3.14`, `2024-05-01T12:00:00Z`, `4 KiB`.
[[nodiscard]] std::string numberText(column::Kind kind, double value);
/// The least or the greatest number, exactly.
[[nodiscard]] std::string extremeText(const column::ColumnSummary& column, bool greatest);
/// `12,345`.
[[nodiscard]] std::string grouped(std::int64_t number);
/// `1.2 %` of `whole`, at least `<0.1 %` where `part` is not 0.
[[nodiscard]] std::string shareText(std::int64_t part, std::int64_t whole);

}  // namespace couler::driver
