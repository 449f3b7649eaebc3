#include "ir/shim.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs the shims for real: sh (and BusyBox where it is installed), every awk that is, and python3.
namespace couler::ir {
namespace {

namespace fs = std::filesystem;

struct Input {
  std::string name;
  TypeId type;
  Value value;
};
struct Output {
  std::string name;
  TypeId type;
  OutputFrom from = OutputFrom::Variable;
};
struct Outcome {
  int status = -1;
  std::string log;
  std::map<std::string, std::string> written;  ///< only outputs that are there
};

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string which(const std::string& tool) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder) / tool;
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return {};
}

class ShimTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "couler-shim-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  TypeTable& types() { return module_.types; }
  TypeId enumType() {
    Type type;
    type.kind = TypeKind::Enum;
    type.name = "Class";
    type.cases = {"ham", "spam"};
    return types().intern(std::move(type));
  }

  /// `json`: COULER_JSON=1, for sh. `tools`: a folder put before PATH.
  Outcome run(RunKind kind, const std::string& script, const std::vector<Input>& inputs,
              const std::vector<Output>& outputs, bool json = false,
              const std::string& tools = {}) {
    TaskDef task;
    task.name = "fit";
    task.run = kind;
    task.script = script;
    EnvList env;
    for (const Input& input : inputs) {
      ParamDef param;
      param.name = input.name;
      param.type = input.type;
      task.params.push_back(param);
      if (types().holds(input.type, TypeKind::Secret)) continue;
      std::string error;
      const auto text = !rawInput_.empty() ? std::optional(rawInput_)
                        : json             ? std::optional(toJson(input.value))
                                           : encodeInput(kind, input.value, error);
      EXPECT_TRUE(text.has_value()) << input.name << ": " << error;
      env.emplace_back(inputVariable(input.name), text.value_or(""));
    }
    const fs::path out = folder_ / "out";
    fs::remove_all(out);
    fs::create_directories(out);
    for (const Output& output : outputs) {
      OutputDef def;
      def.name = output.name;
      def.type = output.type;
      def.from = output.from;
      task.outputs.push_back(def);
      env.emplace_back(outputVariable(output.name), (out / output.name).string());
    }
    const ProcessSpec spec = scriptProcess(module_, task);
    env.insert(env.end(), spec.env.begin(), spec.env.end());
    env.insert(env.end(), spec.labels.begin(), spec.labels.end());
    if (json) env.emplace_back("COULER_JSON", "1");
    env.emplace_back("PATH", (tools.empty() ? "" : tools + ":") + std::getenv("PATH"));
    env.emplace_back("HOME", folder_.string());
    env.insert(env.end(), extraEnv_.begin(), extraEnv_.end());

    std::vector<std::string> pairs;
    for (const auto& [name, value] : env) pairs.push_back(name + "=" + value);
    std::vector<char*> envp;
    for (std::string& pair : pairs) envp.push_back(pair.data());
    envp.push_back(nullptr);
    std::vector<std::string> words = spec.argv;
    if (kind == RunKind::Sh && !shell_.empty()) {
      words.erase(words.begin());
      words.insert(words.begin(), shell_.begin(), shell_.end());
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    const std::string log = (folder_ / "log").string();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t pid = 0;
    const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(failed, 0) << argv[0];
    Outcome outcome;
    if (failed != 0) return outcome;
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.log = slurp(log);
    for (const Output& output : outputs) {
      if (fs::exists(out / output.name)) outcome.written[output.name] = slurp(out / output.name);
    }
    return outcome;
  }

  std::vector<std::string> nastyStrings() {
    return {"plain",
            "",
            "it's",
            "say \"hi\"",
            "a b  c",
            "line one\nline two",
            "ends\n",
            "\n\n",
            "$(touch injected)",
            "`touch injected`",
            "$HOME ${PATH}",
            "{{inputs.x}} {{=1+1}}",
            "-n",
            "--help",
            "-",
            "back\\slash \\n \\u0041",
            "tab\there",
            "\r\n",
            "ünïcödé 漢字 🙂",
            "; touch injected; #",
            "'; touch injected; '",
            "*",
            "~",
            "%s%d%n",
            "a\x01\x1f\x7f"
            "b",
            "\\",
            "'",
            "\"",
            "=x",
            "null",
            "true",
            "0",
            " lead and trail "};
  }

  /// Inputs of every type that sh can give back.
  std::vector<Input> scalars() {
    std::vector<Input> all;
    const auto add = [&](TypeId type, Value value) {
      all.push_back({"v" + std::to_string(all.size()), type, std::move(value)});
    };
    for (const std::string& text : nastyStrings()) add(TypeTable::kString, text);
    for (const bool b : {true, false}) add(TypeTable::kBool, b);
    for (const std::int64_t n :
         {std::int64_t{0}, std::int64_t{-7}, std::int64_t{1234567},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
      add(TypeTable::kInt, n);
    }
    for (const double x : {0.0,
                           -0.0,
                           0.1,
                           1.0,
                           100000.0,
                           1e22,
                           123456789012345678901.0,
                           1e300,
                           5e-324,
                           1.7976931348623157e308,
                           0.0001,
                           0.00012,
                           1e-5,
                           3.14159,
                           -2.5,
                           1234567.875,
                           1e15,
                           9007199254740993.0,
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
      add(TypeTable::kFloat, x);
    }
    std::mt19937_64 random(7);
    for (int i = 0; i < 20; ++i) {
      const double mantissa = static_cast<double>(random() >> 11U);
      add(TypeTable::kFloat, std::ldexp(mantissa, static_cast<int>(random() % 200) - 150));
    }
    for (const std::int64_t micros : {0L, 1L, 1500L, 90'000'000L, 3'600'000'000L, -5'000'000L,
                                      86'400'000'000L, 1'234'567'890'123L}) {
      add(TypeTable::kDuration, Duration{micros});
    }
    for (const std::int64_t bytes : {0L, 1L, 1000L, 1024L, 1'000'000L, 4L << 30, 123'456'789L}) {
      add(TypeTable::kSize, Size{bytes});
    }
    for (const std::int64_t micros : {0L, 1'714'564'800'000'000L, 1'714'564'800'120'000L, -1L}) {
      add(TypeTable::kTimestamp, Timestamp{micros});
    }
    add(enumType(), EnumCase{"spam"});
    for (const TypeId type : {TypeTable::kString, TypeTable::kInt}) {
      add(types().optional(type), None{});
    }
    add(types().optional(TypeTable::kInt), std::int64_t{3});
    add(types().list(TypeTable::kString), Value::list({}));
    ListItems lines;
    for (const std::string& text : nastyStrings()) {
      if (text.find('\n') == std::string::npos) lines.emplace_back(text);
    }
    add(types().list(TypeTable::kString), Value::list(std::move(lines)));
    return all;
  }

  static void expectSame(const std::vector<Output>& outputs, const std::vector<Input>& inputs,
                         const Outcome& outcome, RunKind kind, const TypeTable& types) {
    ASSERT_EQ(outcome.status, 0) << outcome.log;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto it = outcome.written.find(outputs[i].name);
      ASSERT_NE(it, outcome.written.end()) << outputs[i].name;
      std::string error;
      const auto value = decodeOutput(kind, it->second, outputs[i].type, types, error);
      ASSERT_TRUE(value.has_value()) << inputs[i].name << ": " << error << "\n" << it->second;
      EXPECT_TRUE(*value == inputs[i].value)
          << inputs[i].name << ": " << toJson(*value) << " is not " << toJson(inputs[i].value);
      if (kind == RunKind::Python) {
        EXPECT_EQ(it->second, toJson(inputs[i].value));
      }
    }
  }

  /// One folder for each awk found, with a link named `awk` in it.
  std::vector<std::string> awks() {
    std::vector<std::string> folders;
    for (const char* name : {"mawk", "gawk", "busybox"}) {
      const std::string tool = which(name);
      if (tool.empty()) continue;
      const fs::path folder = folder_ / ("tools-" + std::string(name));
      fs::create_directories(folder);
      if (!fs::exists(folder / "awk")) fs::create_symlink(tool, folder / "awk");
      folders.push_back(folder.string());
    }
    return folders;
  }
  std::vector<std::vector<std::string>> shells() {
    std::vector<std::vector<std::string>> all{{"sh"}};
    if (!which("bash").empty()) all.push_back({"bash", "--posix"});
    if (!which("busybox").empty()) all.push_back({"busybox", "sh"});
    return all;
  }

  Module module_;
  fs::path folder_;
  std::vector<std::string> shell_;
  EnvList extraEnv_;
  std::string rawInput_;  ///< where not empty, the JSON of every input
};

std::string copyAll(const std::vector<Input>& inputs, bool python, std::vector<Output>& outputs) {
  std::string script;
  for (const Input& input : inputs) {
    outputs.push_back({"o_" + input.name, input.type});
    script += "o_" + input.name + (python ? " = " + input.name : "=$" + input.name) + "\n";
  }
  return script;
}

TEST_F(ShimTest, ShGivesValuesBackAsTheyCame) {
  const std::vector<Input> inputs = scalars();
  std::vector<Output> outputs;
  const std::string script = copyAll(inputs, false, outputs);
  for (const auto& shell : shells()) {
    shell_ = shell;
    SCOPED_TRACE(shell.front());
    expectSame(outputs, inputs, run(RunKind::Sh, script, inputs, outputs), RunKind::Sh, types());
    EXPECT_FALSE(fs::exists(folder_ / "injected"));
    EXPECT_FALSE(fs::exists("injected"));
  }
}

TEST_F(ShimTest, ShSpeaksCanonicalJson) {
  const std::vector<Input> inputs = scalars();
  std::vector<Output> outputs;
  const std::string script = copyAll(inputs, false, outputs);
  const std::vector<std::string> tools = awks();
  ASSERT_FALSE(tools.empty()) << "no awk is installed";
  for (const std::string& awk : tools) {
    SCOPED_TRACE(awk);
    const Outcome outcome = run(RunKind::Sh, script, inputs, outputs, true, awk);
    ASSERT_EQ(outcome.status, 0) << outcome.log;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_EQ(outcome.written.at(outputs[i].name), toJson(inputs[i].value)) << inputs[i].name;
    }
    EXPECT_FALSE(fs::exists("injected"));
  }
}

TEST_F(ShimTest, BothModesShowTheSameText) {
  std::vector<Input> inputs = scalars();
  const TypeId record =
      types().record({{"a", TypeTable::kInt}, {"b", types().list(TypeTable::kString)}});
  inputs.push_back(
      {"rec", record,
       Value::record({{"a", std::int64_t{1}},
                      {"b", Value::list({std::string("x]}\""), std::string("{[")})}})});
  inputs.push_back(
      {"nested", types().list(types().list(TypeTable::kInt)),
       Value::list({Value::list({std::int64_t{1}, std::int64_t{2}}), Value::list({})})});
  inputs.push_back({"maybe", types().list(types().optional(TypeTable::kDuration)),
                    Value::list({None{}, Duration{5'000'000}, None{}})});
  inputs.push_back(
      {"table", types().map(TypeTable::kFloat), Value::map({{"k", 1.5}, {"a b", 2.0}})});
  inputs.push_back({"where", TypeTable::kFile, FileRef{"/data/a b.csv", {}, false}});
  std::string script;
  std::vector<Output> outputs;
  for (const Input& input : inputs) {
    outputs.push_back({"o_" + input.name, TypeTable::kFile, OutputFrom::Path});
    script += "printf '%s' \"$" + input.name + "\" >\"$o_" + input.name + "\"\n";
  }
  const Outcome plain = run(RunKind::Sh, script, inputs, outputs);
  ASSERT_EQ(plain.status, 0) << plain.log;
  EXPECT_EQ(plain.written.at("o_rec"), R"({"a":1,"b":["x]}\"","{["]})");
  EXPECT_EQ(plain.written.at("o_nested"), "[1,2]\n[]");
  EXPECT_EQ(plain.written.at("o_maybe"), "\n5 s\n");
  for (const std::string& awk : awks()) {
    SCOPED_TRACE(awk);
    const Outcome json = run(RunKind::Sh, script, inputs, outputs, true, awk);
    ASSERT_EQ(json.status, 0) << json.log;
    EXPECT_EQ(json.written, plain.written);
  }
}

TEST_F(ShimTest, JsonOfOtherWriters) {
  // toJson never writes these forms, but an engine that handles JSON itself may.
  const struct {
    TypeId type;
    const char* json;
    const char* text;
  } cases[] = {
      {TypeTable::kString, R"(  "\u003ca\u003e \/ \ud83d\ude42 \u00fc\u6f22\b\f\r\n"  )",
       "<a> / 🙂 ü漢\b\f\r\n"},
      {types().list(TypeTable::kInt), " [ 1 , 2\n, 3 ] ", "1\n2\n3"},
      {types().list(TypeTable::kString), "[]", ""},
      {types().map(TypeTable::kInt), R"({"a": 1})", R"({"a": 1})"},
      {TypeTable::kString, "7", nullptr},
      {TypeTable::kString, R"("\ud83d")", nullptr},
      {TypeTable::kString, R"("abc)", nullptr},
      {TypeTable::kString, R"("a" "b")", nullptr},
      {types().list(TypeTable::kInt), "[1 2]", nullptr},
      {types().list(TypeTable::kInt), "[1", nullptr},
  };
  for (const std::string& awk : awks()) {
    for (const auto& c : cases) {
      rawInput_ = c.json;
      const Outcome outcome =
          run(RunKind::Sh, "printf %s \"$x\" >\"$y\"\n", {{"x", c.type, None{}}},
              {{"y", TypeTable::kFile, OutputFrom::Path}}, true, awk);
      rawInput_.clear();
      EXPECT_EQ(outcome.status, c.text != nullptr ? 0 : 64) << awk << c.json << outcome.log;
      if (c.text != nullptr) {
        EXPECT_EQ(outcome.written.at("y"), c.text) << awk;
      }
    }
  }
}

TEST_F(ShimTest, PythonSeesTypedValues) {
  std::vector<Input> inputs = scalars();
  const TypeId inner = types().record({{"n", TypeTable::kInt}, {"at", TypeTable::kTimestamp}});
  const TypeId record = types().record({{"a", types().list(inner)},
                                        {"m", types().map(TypeTable::kDuration)},
                                        {"o", types().optional(TypeTable::kString)}});
  inputs.push_back(
      {"rec", record,
       Value::record({{"a", Value::list({Value::record(
                                {{"n", std::int64_t{1}}, {"at", Timestamp{1'500'000}}})})},
                      {"m", Value::map({{"k\n", Duration{1}}, {"a", Duration{-1}}})},
                      {"o", None{}}})});
  inputs.push_back({"nul", TypeTable::kString, std::string("a\0b", 3)});
  std::vector<Output> outputs;
  std::string script = copyAll(inputs, true, outputs);
  script += R"(
import datetime, types
assert rec.a[0].n == 1 and rec.o is None and isinstance(rec, types.SimpleNamespace)
assert rec.a[0].at == datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, datetime.timezone.utc)
assert rec.m["a"] == datetime.timedelta(microseconds=-1)
assert __name__ == "__main__"
)";
  expectSame(outputs, inputs, run(RunKind::Python, script, inputs, outputs), RunKind::Python,
             types());
}

TEST_F(ShimTest, PythonTakesWhatIsMeant) {
  const TypeId record =
      types().record({{"a", TypeTable::kFloat}, {"b", types().optional(TypeTable::kInt)}});
  const std::vector<Output> outputs{{"f", TypeTable::kFloat},
                                    {"r", record},
                                    {"none", types().optional(TypeTable::kInt)},
                                    {"t", types().list(TypeTable::kInt)}};
  const Outcome outcome = run(RunKind::Python, "f = 3\nr = {'a': 1}\nt = (1, 2)\n", {}, outputs);
  ASSERT_EQ(outcome.status, 0) << outcome.log;
  EXPECT_EQ(outcome.written.at("f"), "3.0");
  EXPECT_EQ(outcome.written.at("r"), R"({"a":1.0,"b":null})");
  EXPECT_EQ(outcome.written.at("none"), "null");
  EXPECT_EQ(outcome.written.at("t"), "[1,2]");
}

TEST_F(ShimTest, PythonRefusesWrongOutputs) {
  const struct {
    TypeId type;
    const char* script;
    const char* message;
  } cases[] = {
      {TypeTable::kInt, "", "output `n` was not set"},
      {TypeTable::kInt, "n = '3'", "output `n`: expected int, found str"},
      {TypeTable::kInt, "n = True", "output `n`: expected int, found bool"},
      {TypeTable::kInt, "n = 2 ** 63", "does not fit 64 bits"},
      {TypeTable::kInt, "n = 1.0", "expected int, found float"},
      {TypeTable::kBool, "n = 1", "expected bool, found int"},
      {TypeTable::kString, "n = None", "expected str, found NoneType"},
      {TypeTable::kString, "n = '\\ud800'", "not valid UTF-8"},
      {TypeTable::kTimestamp, "import datetime\nn = datetime.datetime(2024, 1, 1)", "time zone"},
      {enumType(), "n = 'eggs'", "expected one of ham, spam, found 'eggs'"},
      {types().list(TypeTable::kInt), "n = [1, 'x']", "output `n`[1]: expected int, found str"},
      {types().map(TypeTable::kInt), "n = {1: 1}", "a key of output `n`: expected str"},
      {types().record({{"a", TypeTable::kInt}}), "n = {}", "field `a` is missing"},
      {types().record({{"a", TypeTable::kInt}}), "n = {'a': 1, 'z': 2}", "no field `z`"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = run(RunKind::Python, c.script, {}, {{"n", c.type}});
    EXPECT_EQ(outcome.status, 64) << c.script << outcome.log;
    EXPECT_NE(outcome.log.find(c.message), std::string::npos) << outcome.log;
    EXPECT_EQ(outcome.log.find('\n'), outcome.log.size() - 1) << outcome.log;
    EXPECT_TRUE(outcome.written.empty());
  }
}

TEST_F(ShimTest, PythonTracebacksShowTheTask) {
  const Outcome outcome =
      run(RunKind::Python, "def f():\n    return 1 / 0\n\nn = f()\n", {}, {{"n", TypeTable::kInt}});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.log.find("File \"task fit\", line 4, in <module>"), std::string::npos)
      << outcome.log;
  EXPECT_NE(outcome.log.find("return 1 / 0"), std::string::npos) << outcome.log;
  EXPECT_NE(outcome.log.find("ZeroDivisionError"), std::string::npos) << outcome.log;
  EXPECT_EQ(outcome.log.find("_couler_main"), std::string::npos) << outcome.log;
  EXPECT_TRUE(outcome.written.empty());
  const Outcome syntax = run(RunKind::Python, "x = 1\ny = (\n", {}, {});
  EXPECT_EQ(syntax.status, 1);
  EXPECT_NE(syntax.log.find("File \"task fit\", line 2"), std::string::npos) << syntax.log;
  EXPECT_EQ(syntax.log.find("_couler_main"), std::string::npos) << syntax.log;
}

TEST_F(ShimTest, PythonExitStatus) {
  const std::vector<Output> outputs{{"n", TypeTable::kInt}};
  Outcome outcome = run(RunKind::Python, "import sys\nn = 1\nsys.exit(0)\n", {}, outputs);
  EXPECT_EQ(outcome.status, 0) << outcome.log;
  EXPECT_EQ(outcome.written.at("n"), "1");
  outcome = run(RunKind::Python, "import sys\nn = 1\nsys.exit(7)\n", {}, outputs);
  EXPECT_EQ(outcome.status, 7);
  EXPECT_TRUE(outcome.written.empty());
  outcome = run(RunKind::Python, "import sys\nsys.exit('no luck')\n", {}, outputs);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.log, "no luck\n");
}

TEST_F(ShimTest, PythonScriptIsTheMainModule) {
  const std::string script = R"(from __future__ import annotations
import os, pickle
class Point:
    pass
n = len([k for k in os.environ if k.startswith("COULER_")])
ok = type(pickle.loads(pickle.dumps(Point()))) is Point and "_couler_main" not in globals()
)";
  const Outcome outcome = run(RunKind::Python, script, {{"x", TypeTable::kInt, std::int64_t{1}}},
                              {{"n", TypeTable::kInt}, {"ok", TypeTable::kBool}});
  ASSERT_EQ(outcome.status, 0) << outcome.log;
  EXPECT_EQ(outcome.written.at("n"), "0");
  EXPECT_EQ(outcome.written.at("ok"), "true");
}

TEST_F(ShimTest, ShStatusIsKept) {
  const std::vector<Output> outputs{{"n", TypeTable::kInt}};
  const struct {
    const char* script;
    int status;
    bool writes;
  } cases[] = {
      {"n=1\nexit 3\n", 3, false},
      {"n=1\nexit 0\nn=2\n", 0, true},
      {"n=1\nfalse\nn=2\n", 1, false},     // -e
      {"n=1\n: $undefined\n", -1, false},  // -u; the status is the shell's own choice
      {"n=1\nif false; then :; fi\n", 0, true},
      {"n=1\n(exit 5)\n", 5, false},
      {"n=1\nset +e\nfalse\n", 1, false},  // the last command's status
      {"n=1\nIFS=,; set -f; cd /\n", 0, true},
      {"n=1\ntrap 'echo bye' EXIT\n", 0, true},
      {"n=1\nfor i in 1 2; do [ $i = 3 ] && echo x; done; :\n", 0, true},
  };
  for (const auto& shell : shells()) {
    shell_ = shell;
    for (const auto& c : cases) {
      const Outcome outcome = run(RunKind::Sh, c.script, {}, outputs);
      if (c.status < 0) {
        EXPECT_NE(outcome.status, 0) << shell.front() << c.script;
      } else {
        EXPECT_EQ(outcome.status, c.status) << shell.front() << c.script << outcome.log;
      }
      EXPECT_EQ(outcome.written.size(), c.writes ? 1U : 0U) << shell.front() << c.script;
      if (c.writes) {
        EXPECT_EQ(outcome.written.at("n"), "1");
      }
    }
    EXPECT_EQ(run(RunKind::Sh, "n=1\ntrap 'echo bye' EXIT\n", {}, outputs).log, "bye\n");
  }
}

TEST_F(ShimTest, ShOutputsMustBeSet) {
  for (const bool json : {false, true}) {
    Outcome outcome = run(RunKind::Sh, ":\n", {}, {{"n", TypeTable::kInt}}, json);
    EXPECT_EQ(outcome.status, 64);
    EXPECT_EQ(outcome.log, "couler: output `n` was not set\n");
    // A variable of that name in the environment does not count.
    extraEnv_ = {{"n", "5"}};
    outcome = run(RunKind::Sh, ":\n", {}, {{"n", TypeTable::kInt}}, json);
    EXPECT_EQ(outcome.status, 64);
    extraEnv_.clear();
    outcome = run(RunKind::Sh, ":\n", {}, {{"n", types().optional(TypeTable::kInt)}}, json);
    EXPECT_EQ(outcome.status, 0) << outcome.log;
    EXPECT_EQ(outcome.written.at("n"), json ? "null" : "");
  }
}

TEST_F(ShimTest, ShJsonRefusesWrongOutputs) {
  const struct {
    TypeId type;
    const char* script;
  } cases[] = {
      {TypeTable::kInt, "n=x"},
      {TypeTable::kInt, "n=1.5"},
      {TypeTable::kInt, "n="},
      {TypeTable::kInt, "n=9223372036854775808"},
      {TypeTable::kBool, "n=yes"},
      {TypeTable::kFloat, "n=1,5"},
      {TypeTable::kFloat, "n=1e999"},
      {TypeTable::kDuration, "n=5"},
      {TypeTable::kSize, "n='5 s'"},
      {TypeTable::kTimestamp, "n=yesterday"},
      {enumType(), "n=eggs"},
      {enumType(), "n=ham,spam"},
      {types().list(TypeTable::kInt), "n='1\nx'"},
  };
  for (const std::string& awk : awks()) {
    for (const auto& c : cases) {
      const Outcome outcome = run(RunKind::Sh, c.script, {}, {{"n", c.type}}, true, awk);
      EXPECT_EQ(outcome.status, 64) << awk << " " << c.script << outcome.log;
      EXPECT_EQ(outcome.log.rfind("couler: `n`: ", 0), 0U) << awk << outcome.log;
      // The same text is refused when it is read without the shim's help.
      const Outcome plain = run(RunKind::Sh, c.script, {}, {{"n", c.type}});
      std::string error;
      EXPECT_FALSE(decodeOutput(RunKind::Sh, plain.written.at("n"), c.type, types(), error))
          << c.script;
      EXPECT_FALSE(error.empty());
    }
  }
}

TEST_F(ShimTest, ShRefusesWhatItCannotHold) {
  std::string error;
  EXPECT_FALSE(encodeInput(RunKind::Sh, std::string("a\0b", 3), error));
  EXPECT_NE(error.find("NUL"), std::string::npos);
  EXPECT_FALSE(encodeInput(RunKind::Sh, Value::list({std::string("a\nb")}), error));
  EXPECT_NE(error.find("newline"), std::string::npos);
  EXPECT_EQ(encodeInput(RunKind::Python, std::string("a\0b", 3), error), R"("a\u0000b")");
  for (const std::string& awk : awks()) {
    const TypeId list = types().list(TypeTable::kString);
    Outcome outcome =
        run(RunKind::Sh, ":", {{"x", list, Value::list({std::string("a\nb")})}}, {}, true, awk);
    EXPECT_EQ(outcome.status, 64) << awk;
    EXPECT_EQ(outcome.log, "couler: `x`: an item with a newline in it cannot be given to sh\n");
    outcome =
        run(RunKind::Sh, ":", {{"x", TypeTable::kString, std::string("a\0b", 3)}}, {}, true, awk);
    EXPECT_EQ(outcome.status, 64) << awk;
    EXPECT_NE(outcome.log.find("NUL"), std::string::npos) << outcome.log;
  }
}

TEST_F(ShimTest, NothingOfTheProtocolReachesChildren) {
  const std::string script = "env | grep -c '^COULER_\\|^x=' >\"$y\" || :\n";
  const Outcome outcome = run(RunKind::Sh, script,
                              {{"x", TypeTable::kString, std::string("v")},
                               {"key", TypeTable::kSecret, SecretRef{"env:K"}}},
                              {{"y", TypeTable::kFile, OutputFrom::Path}});
  ASSERT_EQ(outcome.status, 0) << outcome.log;
  EXPECT_EQ(outcome.written.at("y"), "0\n");
}

TEST_F(ShimTest, ConstantPartHoldsNoValueAndNoName) {
  TaskDef task;
  task.name = "a";
  task.run = RunKind::Sh;
  task.script = "echo $x\n";
  ParamDef param;
  param.name = "x";
  param.type = types().optional(types().list(TypeTable::kString));
  task.params.push_back(param);
  const ProcessSpec first = scriptProcess(module_, task);
  task.name = "b";
  const ProcessSpec second = scriptProcess(module_, task);
  EXPECT_EQ(first.argv, second.argv);
  EXPECT_EQ(first.env, second.env);
  EXPECT_EQ(first.env,
            (EnvList{{"COULER_SCRIPT", "echo $x\n"}, {"COULER_TYPES", "in:x:opt:list:string"}}));
  task.run = RunKind::Python;
  EXPECT_EQ(scriptProcess(module_, task).env[1].second,
            R"({"in":[["x",["opt",["list","string"]]]],"path":[],"out":[]})");
}

TEST_F(ShimTest, TextBecomesValues) {
  std::string error;
  const auto read = [&](std::string_view text, TypeId type) {
    const auto value = decodeOutput(RunKind::Sh, text, type, types(), error);
    return value ? toJson(*value) : "error: " + error;
  };
  const TypeId list = types().list(TypeTable::kString);
  EXPECT_EQ(read(" 42\n", TypeTable::kInt), "42");
  EXPECT_EQ(read("a\n", TypeTable::kString), R"("a\n")");
  EXPECT_EQ(read("", list), "[]");
  EXPECT_EQ(read("a", list), R"(["a"])");
  EXPECT_EQ(read("a\n\nb\n", list), R"(["a","","b"])");
  EXPECT_EQ(read("a\n\n", list), R"(["a",""])");
  EXPECT_EQ(read("\n", list), R"([])");
  EXPECT_EQ(read("", types().optional(TypeTable::kString)), "null");
  EXPECT_EQ(read("none", types().optional(TypeTable::kString)), R"("none")");
  EXPECT_EQ(read("\xff", TypeTable::kString), "error: text that is not UTF-8");
}

}  // namespace
}  // namespace couler::ir
