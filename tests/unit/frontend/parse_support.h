#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "frontend/parse/parse.h"
#include "frontend/syntax/print.h"
#include "support/diagnostic.h"
#include "support/render.h"

namespace couler::testing {

/// A text, parsed, and all that came of it.
struct Parsed {
  std::unique_ptr<SourceManager> sources = std::make_unique<SourceManager>();
  FileId file;
  DiagnosticList diags;
  ParseStats stats;
  std::unique_ptr<syntax::Tree> tree;

  [[nodiscard]] std::string print() const { return syntax::print(*tree); }
  [[nodiscard]] std::string messages() const {
    return renderHuman(diags.sorted(), *sources, false);
  }
  /// "CW0122 4:16" of each, in order.
  [[nodiscard]] std::vector<std::string> codes() const {
    std::vector<std::string> result;
    for (const Diagnostic& d : diags.sorted()) {
      const LineColumn at = sources->lineColumn(file, d.at.begin);
      result.push_back(d.code() + " " + std::to_string(at.line) + ":" + std::to_string(at.column));
    }
    return result;
  }
  /// The text with every diagnostic's first fix applied.
  [[nodiscard]] std::string fixed() const {
    std::string text(sources->text(file));
    std::vector<Edit> edits;
    for (const Diagnostic& d : diags.sorted()) {
      if (d.fixes.empty()) continue;
      for (const Edit& e : d.fixes[0].edits) edits.push_back(e);
    }
    for (auto e = edits.rbegin(); e != edits.rend(); ++e) {
      text.replace(e->at.begin, e->at.end - e->at.begin, e->text);
    }
    return text;
  }
};

inline Parsed parse(std::string text, const ParseLimits& limits = {}) {
  Parsed p;
  p.file = p.sources->add("main.cwl", std::move(text));
  p.tree = parseFile(*p.sources, p.file, p.diags, limits, &p.stats);
  return p;
}

inline std::string readFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Files of other projects, which no test must find: where COULER_CORPORA says, or beside the
/// checkout.
inline std::filesystem::path corpora() {
  const char* root = std::getenv("COULER_CORPORA");
  return root != nullptr ? root : COULER_SOURCE_DIR "/../shared/corpora";
}

/// Every program of the repository.
inline std::vector<std::filesystem::path> allPrograms() {
  std::vector<std::filesystem::path> result;
  for (const char* folder : {"examples", "stdlib", "tests/golden"}) {
    const std::filesystem::path root = std::filesystem::path(COULER_SOURCE_DIR) / folder;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() == ".cwl") result.push_back(entry.path());
    }
  }
  return result;
}

}  // namespace couler::testing
