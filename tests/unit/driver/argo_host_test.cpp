// Examples with tables on another engine: what is emitted for Argo, its container commands run by
// hand in order, makes the same bytes as the embedded engine.
#include "tests/unit/driver/argo_host.h"

namespace couler::testing {
namespace {

class OnArgo : public CommandLine {
 protected:
  void compare(const std::string& example, const std::vector<std::string>& inputs = {}) {
    fs::copy(fs::path(COULER_SOURCE_DIR) / "examples" / example, folder(),
             fs::copy_options::recursive);
    fs::remove_all(folder() / ".couler");
    const std::string source = example + ".cwl";
    std::vector<std::string> run = {"run", source, "--outputs-json", "outputs.json"};
    run.insert(run.end(), inputs.begin(), inputs.end());
    const Ran here = couler(run);
    ASSERT_EQ(here.code, 0) << here.err;
    const Ran built = couler({"build", source, "--target", "cluster", "-o", "there.yaml"});
    ASSERT_EQ(built.code, 0) << built.err;
    Tree manifest = yamlTree(read("there.yaml"));
    for (const std::string& input : inputs) {  // as `argo submit -p name=value` does
      const std::size_t equals = input.find('=');
      for (Tree& parameter : manifest["spec"]["arguments"]["parameters"]) {
        if (parameter["name"] == input.substr(0, equals)) parameter["value"] = input.substr(equals + 1);
      }
    }
    const auto outputs = ArgoHost(manifest, folder()).run();
    const Tree expected = Tree::parse(read("outputs.json"));
    ASSERT_EQ(outputs.size(), expected.size());
    for (const auto& [name, path] : outputs) {
      const std::string bytes = slurp(expected[name].get<std::string>());
      EXPECT_FALSE(bytes.empty()) << name;
      EXPECT_EQ(slurp(path), bytes) << name;
    }
  }
};

TEST_F(OnArgo, Penguins) { compare("penguins"); }
TEST_F(OnArgo, PenguinsOfAnotherParameter) { compare("penguins", {"far=1.5"}); }
TEST_F(OnArgo, Flights) { compare("flights"); }

}  // namespace
}  // namespace couler::testing
