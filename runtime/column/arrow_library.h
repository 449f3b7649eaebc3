#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/column/stream.h"

/// Files that need Arrow's own library: parquet, and Arrow IPC beyond what openArrow reads. The
/// library is loaded on first use, which takes about 50 ms.
namespace couler::column {

[[nodiscard]] std::unique_ptr<Source> openWithArrow(const std::string& path,
                                                    std::string_view format, const Schema& schema,
                                                    const ReadOptions& options, AnomalyLog& log,
                                                    StreamError& error);
[[nodiscard]] std::unique_ptr<Sink> createParquet(const std::string& path, const Schema& schema,
                                                  StreamError& error);

}  // namespace couler::column
