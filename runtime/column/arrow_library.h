#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/column/stream.h"

/// Files that need Arrow's own library: parquet, and Arrow IPC beyond what openArrow reads. The
/// library is loaded on first use, which takes about 50 ms.
namespace couler::column {

[[nodiscard]] std::unique_ptr<Source> openWithArrow(const std::string& path,
                                                    std::string_view format, const Schema& schema,
                                                    const ReadOptions& options, AnomalyLog& log,
                                                    StreamError& error);
/// A column as the file's own header describes it.
struct ArrowColumn {
  std::string name;
  Kind kind = Kind::Value;  ///< Value: of a type that no table reads
  std::string type;         ///< of Arrow, as a format string of its C data interface
};
[[nodiscard]] std::optional<std::vector<ArrowColumn>> arrowColumns(const std::string& path,
                                                                   std::string_view format,
                                                                   StreamError& error);
[[nodiscard]] std::unique_ptr<Sink> createParquet(const std::string& path, const Schema& schema,
                                                  StreamError& error);

}  // namespace couler::column
