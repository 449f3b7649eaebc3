#pragma once

#include <memory>
#include <string>

#include "runtime/column/library/parquet_file.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// Parquet with flat columns of our own types, read by `open`. Nothing without an error set
/// (`error.message` is empty): the file needs more of Arrow's library.
[[nodiscard]] std::unique_ptr<Source> openParquet(const std::string& path, const Schema& schema,
                                                  const ReadOptions& options,
                                                  CoulerParquetOpen* open, AnomalyLog& log,
                                                  StreamError& error);

}  // namespace couler::column
