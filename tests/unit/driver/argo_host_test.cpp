// Examples with tables on another engine: what is emitted for Argo, its container commands run by
// hand in order, makes the same bytes as the embedded engine.
#include <array>

#include <fmt/format.h>

#include "tests/unit/driver/argo_host.h"

namespace couler::testing {
namespace {

class OnArgo : public CommandLine {
 protected:
  /// Gives how many containers ran there.
  std::size_t compare(const std::string& example, const std::vector<std::string>& inputs = {},
                      const std::vector<std::string>& build = {}) {
    fs::copy(fs::path(COULER_SOURCE_DIR) / "examples" / example, folder(),
             fs::copy_options::recursive);
    fs::remove_all(folder() / ".couler");
    return compareHere(example + ".cwl", inputs, build);
  }

  /// The same of a program in the test's folder.
  std::size_t compareHere(const std::string& source, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& build) {
    std::vector<std::string> run = {"run", source, "--outputs-json", "outputs.json"};
    run.insert(run.end(), inputs.begin(), inputs.end());
    const Ran here = couler(run);
    EXPECT_EQ(here.code, 0) << here.err;
    std::vector<std::string> words = {"build", source, "--target", "cluster", "-o", "there.yaml"};
    words.insert(words.end(), build.begin(), build.end());
    const Ran built = couler(words);
    EXPECT_EQ(built.code, 0) << built.err;
    if (here.code != 0 || built.code != 0) return 0;
    Tree manifest = yamlTree(read("there.yaml"));
    for (const std::string& input : inputs) {  // as `argo submit -p name=value` does
      const std::size_t equals = input.find('=');
      for (Tree& parameter : manifest["spec"]["arguments"]["parameters"]) {
        if (parameter["name"] == input.substr(0, equals)) parameter["value"] = input.substr(equals + 1);
      }
    }
    ArgoHost host(manifest, folder());
    const auto outputs = host.run();
    const Tree expected = Tree::parse(read("outputs.json"));
    EXPECT_EQ(outputs.size(), expected.size());
    for (const auto& [name, path] : outputs) {
      const std::string bytes = slurp(expected[name].get<std::string>());
      EXPECT_FALSE(bytes.empty()) << name;
      EXPECT_EQ(slurp(path), bytes) << name;
    }
    return host.pods();
  }
};

// A plan of more than Linux takes in one word.
TEST_F(OnArgo, TwoThousandColumns) {
  constexpr int kColumns = 2000;
  constexpr std::array kTypes = {"int?", "float", "string", "bool?"};
  std::string schema;
  std::string changes;
  std::string means;
  std::string header;
  std::string rows;
  for (int i = 0; i < kColumns; ++i) {
    const std::string name = fmt::format("feature_{}", i);
    schema += fmt::format("    {}: {}{}\n", name, kTypes[static_cast<std::size_t>(i % 4)],
                          i % 40 == 1 ? " where " + name + " >= 0.0" : "");
    if (i % 2 == 0) {
      changes += fmt::format("    {} = {}\n", name,
                             i % 4 == 0 ? fmt::format("w.{} * 2 + {}", name, i)
                                        : fmt::format("upper(w.{})", name));
    }
    if (i % 4 == 1) means += fmt::format("    mean_{0} = mean(w.{0})\n", name);
    header += (i == 0 ? "" : ",") + name;
  }
  for (int row = 0; row < 20; ++row) {
    for (int i = 0; i < kColumns; ++i) {
      const std::string cells[] = {fmt::format("{}", row * i), fmt::format("{}.5", row + i),
                                   fmt::format("text {}", i % 7), row % 3 == 0 ? "" : "true"};
      rows += (i == 0 ? "" : ",") + cells[i % 4];
    }
    rows += '\n';
  }
  write("wide.csv", header + "\n" + rows);
  write("wide.cwl",
        "couler 1\n\nschema Wide {\n" + schema + "}\n\ntransform scaled(w: Wide) {\n    ...w\n" +
            changes + "}\n\ntransform means(w: table<scaled>) {\n    group by w.feature_3\n" + means +
            "}\n\nworkflow main(wide: file<csv> = \"wide.csv\") -> (all: file<arrow>, means: file<csv>) {\n"
            "    let rows = read<Wide>(wide) |> scaled\n"
            "    return (all: write<arrow>(rows, \"all.arrow\"), means: rows |> means)\n}\n\n"
            "target cluster = argo { image: \"couler:1\", artifacts: s3(bucket: \"couler\") }\n");
  EXPECT_GT(compareHere("wide.cwl", {}, {}), 1U);
  const Ran printed = couler({"build", "wide.cwl", "--print", "plan"});
  EXPECT_NE(printed.out.find("const \"zstd:"), std::string::npos);
}

TEST_F(OnArgo, Penguins) { EXPECT_GT(compare("penguins"), 1U); }
TEST_F(OnArgo, PenguinsOfAnotherParameter) { EXPECT_GT(compare("penguins", {"far=1.5"}), 1U); }
TEST_F(OnArgo, Flights) { EXPECT_GT(compare("flights"), 1U); }
TEST_F(OnArgo, PenguinsInParts) {
  EXPECT_GT(compare("penguins", {}, {"--shard-size", "10kB"}), 5U);
}
TEST_F(OnArgo, FlightsInParts) {
  EXPECT_GT(compare("flights", {}, {"--shard-size", "5kB"}), 12U);
}

}  // namespace
}  // namespace couler::testing
