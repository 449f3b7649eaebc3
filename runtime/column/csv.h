#pragma once

#include <memory>
#include <string>

#include "runtime/column/stream.h"

namespace couler::column {

[[nodiscard]] std::unique_ptr<Source> openCsv(const std::string& path, const Schema& schema,
                                              const ReadOptions& options, AnomalyLog& log,
                                              StreamError& error);
[[nodiscard]] std::unique_ptr<Sink> createCsv(const std::string& path, const Schema& schema,
                                              StreamError& error);

}  // namespace couler::column
