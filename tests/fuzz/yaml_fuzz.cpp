// Any bytes as YAML: no crash; what the reader of plain YAML takes, libyaml reads alike; what reads
// can be walked, and each of its strings survives being written and read. Then as a manifest of
// Argo: no crash.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "backends/argo/argo.h"
#include "backends/yaml_reader.h"
#include "backends/yaml_writer.h"
#include "support/text.h"
#include "tests/support/yaml_tree.h"

namespace {

using namespace couler;
using namespace couler::backends;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  YamlDocument document;
  std::string error;
  const bool ok = document.read(text, error, {.bytes = 1 << 20, .depth = 32, .nodes = 100'000});
  require(ok == error.empty(), "read without saying how it went");
  // Aliases may make small texts large: those only libyaml takes, and this leaves them alone.
  if (YamlDocument plain; plain.readPlain(text)) {
    YamlDocument any;
    require(any.readAny(text, error), "plain YAML that libyaml does not take");
    require(testing::treeText(plain) == testing::treeText(any), "two readings of one text");
    error.clear();
  }
  for (std::size_t d = 0; d < document.count(); ++d) {
    std::vector<YamlNode> todo = {document.root(d)};
    while (!todo.empty()) {
      const YamlNode node = todo.back();
      todo.pop_back();
      if (node.isScalar() && !findInvalidUtf8(node.text())) {
        std::string written;
        {
          YamlWriter w([&](std::string_view t) { written += t; });
          w.beginMap();
          w.entry("k", node.text());
          w.endMap();
        }
        YamlDocument again;
        require(again.read(written, error), "what was written does not read");
        require(again.root()["k"].text() == node.text(), "a string changed");
      }
      for (YamlNode child = node.first(); child.exists(); child = child.next())
        todo.push_back(child);
    }
  }
  DiagnosticList diags;
  require(argo::validateManifest(text, diags) != diags.hasErrors(),
          "sound and an error, or neither");
  return 0;
}
