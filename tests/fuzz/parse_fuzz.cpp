// Any bytes through the parser, and what it accepts through the formatter: whatever comes in,
// parsing ends without a crash, errors keep their limit, and formatted text parses to the same
// tree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "frontend/format/format.h"
#include "frontend/parse/parse.h"
#include "frontend/syntax/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace couler;
  std::string text(reinterpret_cast<const char*>(data), size);
  // Most mutations of the first bytes would else end at the edition line.
  if (!text.starts_with("couler") && !text.starts_with("//")) text = "couler 1\n" + text;
  SourceManager sources;
  DiagnosticList diags;
  ParseStats stats;
  const FileId file = sources.add("fuzz.cwl", text);
  const auto tree = parseFile(sources, file, diags, {}, &stats);
  if (diags.all().size() > 21 || stats.llFallbacks != 0) std::abort();
  for (const Diagnostic& d : diags.all()) {
    if (d.at.end > text.size() || d.at.begin > d.at.end) std::abort();
  }
  const std::string printed = syntax::print(*tree);
  if (diags.hasErrors()) return 0;
  const FileId again = sources.add("formatted.cwl", formatTree(sources, *tree));
  const auto result = parseFile(sources, again, diags);
  if (diags.hasErrors() || syntax::print(*result) != printed) std::abort();
  if (formatTree(sources, *result) != sources.text(again)) std::abort();
  return 0;
}
