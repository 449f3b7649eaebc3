#pragma once

#include <memory>
#include <string>

#include "runtime/column/stream.h"

namespace couler::column {

/// Arrow IPC, file or stream, in the part of the format that our own files use. Nothing without an
/// error set (`error.message` is empty): the file needs Arrow's own library.
[[nodiscard]] std::unique_ptr<Source> openArrow(const std::string& path, const Schema& schema,
                                                const ReadOptions& options, AnomalyLog& log,
                                                StreamError& error);
[[nodiscard]] std::unique_ptr<Sink> createArrow(const std::string& path, const Schema& schema,
                                                StreamError& error);

}  // namespace couler::column
