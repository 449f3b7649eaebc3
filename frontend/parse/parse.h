#pragma once

#include <cstdint>
#include <memory>

#include "frontend/syntax/tree.h"
#include "support/diagnostic.h"

namespace couler {

/// Limits a source must keep; beyond one of them there is one clear error and no crash.
struct ParseLimits {
  std::uint32_t maxBytes = 256U << 20;    ///< of a file
  std::uint32_t maxLineBytes = 1U << 20;  ///< of a line
  std::uint32_t maxDepth = 256;           ///< of nested expressions, blocks and types
  std::uint32_t maxErrors = 20;           ///< syntax errors reported a file
};

/// What parsing cost, for tests and benchmarks.
struct ParseStats {
  std::uint64_t tokens = 0;
  std::uint64_t declarations = 0;
  std::uint64_t llFallbacks = 0;  ///< well-formed declarations for which SLL prediction did not do
};

/// Parses one file. Never fails: what could not be read is reported to `diags` and left out or
/// stands as an Error node. Takes one top-level declaration at a time, so the memory of tokens and
/// parse trees is that of the largest declaration, not of the file.
[[nodiscard]] std::unique_ptr<syntax::Tree> parseFile(const SourceManager& sources, FileId file,
                                                      DiagnosticSink& diags,
                                                      const ParseLimits& limits = {},
                                                      ParseStats* stats = nullptr);

}  // namespace couler
