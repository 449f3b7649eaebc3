#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/column/stream.h"

namespace couler::column {

[[nodiscard]] std::unique_ptr<Source> openCsv(const std::string& path, const Schema& schema,
                                              const ReadOptions& options, AnomalyLog& log,
                                              StreamError& error);
[[nodiscard]] std::unique_ptr<Sink> createCsv(const std::string& path, const Schema& schema,
                                              StreamError& error);

/// The names in the file's header, which are all different.
[[nodiscard]] std::optional<std::vector<std::string>> csvColumns(const std::string& path,
                                                                 StreamError& error);

}  // namespace couler::column
