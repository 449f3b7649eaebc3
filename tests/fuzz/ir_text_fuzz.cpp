// Any bytes as the text form of a graph: no crash; what parses prints and parses to the same; what
// verifies stays valid under every pass.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pass.h"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace couler;
  SourceManager sources;
  DiagnosticList diags;
  auto module =
      ir::parseText(sources, sources.add("input.ir", std::string(data, data + size)), diags);
  require(module.has_value() != diags.hasErrors(), "a graph and an error, or neither");
  if (!module) return 0;
  const std::string text = ir::print(*module);
  const auto again = ir::parseText(sources, sources.add("again.ir", text), diags);
  require(again.has_value(), "what was printed does not parse");
  require(ir::print(*again) == text, "parsing and printing changes the text");
  if (!ir::verify(*module).empty()) return 0;
  passes::Context context{diags};
  for (const passes::Pass& pass : passes::passTable()) {
    pass.run(*module, context);
    const auto problems = ir::verify(*module);
    if (!problems.empty()) std::fprintf(stderr, "%s: %s\n", pass.name.data(), problems[0].c_str());
    require(problems.empty(), "a pass broke the graph");
    if (diags.hasErrors()) break;
  }
  return 0;
}
