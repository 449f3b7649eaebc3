#include "frontend/format/format.h"

#include <utility>

#include "frontend/format/formatter.h"
#include "frontend/parse/parse.h"

namespace couler {

std::string formatTree(const SourceManager& sources, const syntax::Tree& tree) {
  format::Formatter formatter(sources, tree);
  std::string text = formatter.run();
  // Once comments stand where they can stay, the rest may fit differently.
  bool again = formatter.moved();
  for (int round = 0; again && round < 3; ++round) {
    SourceManager own;
    DiagnosticList diags;
    const FileId file = own.add(std::string(sources.path(tree.file)), text);
    const std::unique_ptr<syntax::Tree> result = parseFile(own, file, diags);
    if (diags.hasErrors()) break;
    format::Formatter next(own, *result);
    text = next.run();
    again = next.moved();
  }
  return text;
}

}  // namespace couler
