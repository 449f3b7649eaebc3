#pragma once

#include <string>
#include <string_view>

namespace couler::column {

/// By the extension, after one of a compression: `trips.csv.gz` is csv. Empty: there is none.
[[nodiscard]] std::string formatOfName(std::string_view path);
/// By how the file begins: arrow, parquet, jsonl, else csv. Of what it holds if it is compressed.
[[nodiscard]] std::string formatOfContent(const std::string& path);

}  // namespace couler::column
