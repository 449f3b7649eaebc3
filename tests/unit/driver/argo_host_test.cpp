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
    EXPECT_FALSE(expected.empty());
    for (const auto& [name, value] : expected.items()) {
      if (!value.is_string() || !fs::exists(value.get<std::string>())) {
        const auto found = host.values().find(name);
        EXPECT_TRUE(found != host.values().end() && found->second == value)
            << name << ": " << value << "\n"
            << (found == host.values().end() ? Tree() : found->second);
        continue;
      }
      const std::string bytes = slurp(value.get<std::string>());
      EXPECT_FALSE(bytes.empty()) << name;
      EXPECT_TRUE(outputs.contains(name)) << name;
      if (!outputs.contains(name)) continue;
      EXPECT_EQ(slurp(outputs.at(name)), bytes) << name;
    }
    return host.pods();
  }
};

/// Trials whose score and checkpoint are known, of data that all of them prepare; rates from 0.6 on
/// fail.
constexpr const char* kTrials = R"(couler 1

task prepare(data: file) -> (rows: file = "rows.txt", n: int) {
    run sh """
        sort "$data" > "$rows"
        n=$(wc -l < "$rows")
        """
}

task train(rows: file, n: int, rate: float, kind: string, epochs: int, start: file? = none)
    -> (model: file = "m.txt", score: float, note: string)
{
    run sh """
        case "$rate" in 0.[6-9]*) exit 3 ;; esac
        echo "$kind $rate $epochs" > "$model"
        if [ -n "$start" ]; then cat "$start" >> "$model"; fi
        cat "$rows" >> "$model"
        score=$(echo "$rate $epochs $n" | awk '{ printf "%.6f", $1 * $2 + $3 }')
        note="by {{$kind}}"
        """
}

task judge(model: file, other: file?) -> (lines: int) {
    run sh """
        lines=$(cat "$model" ${other:+"$other"} | wc -l)
        """
}

workflow trial(data: file, rate: float, kind: string, epochs: int, start: file? = none)
    -> (model: file, score: float, note: string)
{
    let made = prepare(data)
    let fitted = train(made.rows, made.n, rate, kind, epochs, start)
    return (model: fitted.model, score: fitted.score, note: fitted.note)
}

target cluster = argo { image: "debian:12-slim", artifacts: s3(bucket: "models", key_prefix: "runs") }
)";

class SearchOnArgo : public OnArgo {
 protected:
  /// `search`: what follows the data. Gives how many containers ran there.
  std::size_t search(const std::string& search, const std::string& columns = "") {
    for (const char* place : {"data.txt", "runs/data.txt"})
      write(place, "b\na\nc\n");  // here, and in the bucket
    write("search.cwl", kTrials + std::string(R"(
workflow main(data: file = "data.txt") -> (model: file, score: float, note: string, rate: float, lines: int,
    rows: list<(trial: int, rate: float, kind: string)") +
                            columns + R"(, score: float?, note: string?)>)
{
    let best = tune trial(data, )" +
                            search + R"(
    let made = prepare(data)
    let judged = judge(best.model, if best.score > 0.0 { made.rows } else { none })
    return (model: best.model, score: best.score, note: best.note, rate: best.params.rate, lines: judged.lines,
        rows: best.trials)
}
)");
    return compareHere("search.cwl", {}, {});
  }
};

// The file of the best trial is chosen while it runs; what all trials prepare is prepared once.
TEST_F(SearchOnArgo, Grid) {
  EXPECT_EQ(search("epochs: 2, rate: in [0.1, 0.7, 0.4, 0.2], kind: in [\"tree\", \"a "
                   "\\{\\{b}}\"]) maximize score"),
            1U + 8U + 1U + 1U);  // prepare, train, best, judge
}
TEST_F(SearchOnArgo, SobolForTheLeast) {
  EXPECT_EQ(search("epochs: 2, rate: in 0.0 .. 0.5, kind: in [\"tree\"]) minimize score using "
                   "sobol(trials: 5)"),
            1U + 5U + 1U + 1U);
}
// Rungs go on from the checkpoints of those that were promoted.
TEST_F(SearchOnArgo, Asha) {
  EXPECT_EQ(search("rate: in 0.0 .. 0.7, kind: in [\"tree\"]) maximize score using asha(trials: 9, "
                   "resource: epochs, "
                   "max: 9, resume: start, checkpoint: model)",
                   ", epochs: int"),
            1U + 9U + 1U + 3U + 1U + 1U + 1U + 1U);
}
TEST_F(SearchOnArgo, AshaInBrackets) {
  EXPECT_GT(search("rate: in 0.0 .. 0.5, kind: in [\"tree\"]) minimize score using asha(trials: 8, "
                   "resource: epochs, "
                   "max: 4, reduction: 2, resume: start, checkpoint: model, brackets: 2)",
                   ", epochs: int"),
            12U);
}

// What differs between trials are inputs of the same templates.
TEST_F(SearchOnArgo, TrialsShareTemplates) {
  EXPECT_GT(search("rate: in 0.0 .. 0.7, kind: in [\"tree\", \"line\"]) maximize score using "
                   "asha(trials: 27, "
                   "resource: epochs, max: 9, resume: start, checkpoint: model, brackets: 3)",
                   ", epochs: int"),
            30U);
  EXPECT_LE(yamlTree(read("there.yaml"))["spec"]["templates"].size(), 20U);
}

// Names of a program that inputs of templates might have.
TEST_F(OnArgo, NamesThatClashWithNothing) {
  write("names.cwl", R"cwl(couler 1

task make(key: string, folder: int, index: int) -> (note: file = "note.txt", n: int) {
    run sh """
        echo "$key $folder $index" > "$note"
        n=$((folder + index))
        """
}
task items(n: int) -> (xs: list<int>) {
    run python "xs = list(range(1, n + 1))"
}
task join(notes: list<file>, best: file) -> (text: string = stdout) {
    run ["cat", ...notes, best]
}
workflow main(n: int = 3) -> (text: string, total: int) {
    let all = items(n)
    let notes = for index in all.xs { make("a", index, 1) }
    let more = for folder in all.xs { make("b", folder, 2) }
    let one = make("c", n, 3)
    let two = make("d", n, 4)
    let text = join(notes.note, if one.n > two.n { one.note } else { two.note })
    return (text: text.text, total: length(more))
}
target cluster = argo { image: "python:3.12-slim", artifacts: s3(bucket: "models", key_prefix: "runs") }
)cwl");
  EXPECT_EQ(compareHere("names.cwl", {}, {}), 10U);
}

// More tasks than a template of Argo has: groups hand values, files and lists over.
TEST_F(OnArgo, StepsInGroups) {
  write("wide.cwl", R"cwl(couler 1

task one(n: int) -> (m: int, note: file = "note.txt") {
    run sh """
        m=$((n * 3))
        echo "note $n" > "$note"
        """
}
task two(a: int, b: int, note: file) -> (m: int) {
    run sh """
        m=$((a + b + $(wc -c < "$note")))
        """
}
task all(xs: list<int>, notes: list<file>) -> (text: string, joined: file = "all.txt") {
    run sh """
        text=$(echo $xs | cksum)
        cat $notes > "$joined"
        """
}
workflow main(start: int = 1) -> (text: string, last: int, total: int, notes: file) {
    let first = for i in 0..110 { one(start + i) }
    let second = for i in 0..110 { two(first[i].m, first[(i + 7) % 110].m, first[(i + 3) % 110].note) }
    let made = all(second.m, [first[2].note, first[90].note])
    return (text: made.text, last: second[109].m, total: sum(first.m), notes: made.joined)
}
target cluster = argo { image: "debian:12-slim", artifacts: s3(bucket: "models", key_prefix: "runs") }
)cwl");
  EXPECT_EQ(compareHere("wide.cwl", {"start=5"}, {}), 221U);
  const Tree manifest = yamlTree(read("there.yaml"));
  std::size_t groups = 0;
  for (const Tree& made : manifest["spec"]["templates"]) {
    if (!made.contains("dag")) continue;
    EXPECT_LE(made["dag"]["tasks"].size(), 200U);
    groups += made["name"].get<std::string>().find("-group-") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(groups, 1U);
}

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
