#include <string>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/graph_model.h"
#include "driver/program.h"

namespace couler::driver {
namespace {

/// `--format`, else what the output's name says, else svg.
std::string formatOf(const Invocation& invocation) {
  if (invocation.has("format")) return invocation.value("format");
  const std::string path = invocation.value("output");
  if (path.ends_with(".dot") || path.ends_with(".gv")) return "dot";
  if (path.ends_with(".mmd") || path.ends_with(".mermaid")) return "mermaid";
  return "svg";
}

}  // namespace

int runGraph(const Invocation& invocation) {
  Program program(invocation);
  if (!program.check(invocation.words.front())) return program.finish();
  const auto module = program.lower(invocation.words.size() > 1 ? invocation.words[1] : "", true);
  if (!module) return program.finish();
  const Graph graph = graphOf(*module);
  const std::string format = formatOf(invocation);
  const std::string text = format == "dot"       ? dotText(graph)
                           : format == "mermaid" ? mermaidText(graph)
                                                 : svgText(graph);
  if (!invocation.has("output")) {
    printOut(text);
    return program.finish();
  }
  const std::string path = invocation.value("output");
  if (const std::string why = writeFile(path, text); !why.empty()) {
    program.problems().take(diagnose<Diag::CannotWriteFile>({}, path, why));
  }
  return program.finish();
}

}  // namespace couler::driver
