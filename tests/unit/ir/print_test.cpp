#include "ir/print.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "ir/verify.h"

namespace couler::ir {
namespace {

struct Parsed {
  std::optional<Module> module;
  DiagnosticList diags;
};

void parse(const std::string& text, Parsed& into) {
  SourceManager sources;
  into.module = parseText(sources, sources.add("test.ir", text), into.diags);
}

Module parseGood(const std::string& text) {
  Parsed parsed;
  parse(text, parsed);
  for (const Diagnostic& d : parsed.diags.all()) ADD_FAILURE() << d.code() << " " << d.message;
  return parsed.module ? *std::move(parsed.module) : Module();
}

std::string firstError(const std::string& text) {
  Parsed parsed;
  parse(text, parsed);
  EXPECT_EQ(parsed.module.has_value(), !parsed.diags.hasErrors());
  if (parsed.diags.all().empty()) return "";
  return parsed.diags.all()[0].code() + ": " + parsed.diags.all()[0].message;
}

/// Builds modules at random: every kind of node, type, value and attribute comes up. They need not
/// be valid; the text form takes those too.
class RandomModule {
 public:
  explicit RandomModule(std::uint32_t seed) : random_(seed) {}

  Module build() {
    types_ = {TypeTable::kBool, TypeTable::kInt,   TypeTable::kFloat, TypeTable::kString,
              TypeTable::kNone, TypeTable::kError, TypeTable::kFile,  TypeTable::kSecret};
    for (int i = 0; i < 12; ++i) types_.push_back(newType());
    const std::size_t tasks = 1 + below(3);
    for (std::size_t i = 0; i < tasks; ++i) addTask(i);
    const std::size_t funcs = 1 + below(3);
    for (std::size_t i = 0; i < funcs; ++i) {
      FuncDef func;
      func.name = "f" + std::to_string(i) + word();
      func.kind = below(2) == 0 ? FuncKind::Fn : FuncKind::Workflow;
      m_.funcs.push_back(func);
    }
    for (std::size_t i = 0; i < funcs; ++i) {
      // Regions first: adding them may move what `funcs` holds elsewhere.
      const RegionId body = region({}, 0);
      const RegionId finally = below(2) == 0 ? region({}, 0) : RegionId{};
      FuncDef& func = m_.funcs[i];
      func.body = body;
      func.finally = finally;
      func.params = params();
      func.result = type();
      func.doc = word();
    }
    TargetDef target;
    target.name = word();
    target.engine = "argo";
    target.settings.emplace_back(word(), constant());
    m_.targets.push_back(target);
    TestDef test;
    test.title = word();
    test.body = region({}, 0);
    test.expectations.resize(m_.at(test.body).results.size());
    m_.tests.push_back(test);
    if (below(2) == 0) m_.entry = FuncId{below(funcs)};
    return std::move(m_);
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string word() {
    constexpr std::array<const char*, 9> kWords = {
        "x", "count-2.3", "a b", "\"q\\", "line\nend", "list", "after", "ünï", "\x01\x7f"};
    return kWords[below(kWords.size())];
  }
  TypeId type() { return types_[below(types_.size())]; }

  TypeId newType() {
    Type t;
    switch (below(8)) {
      case 0:
        return m_.types.list(type());
      case 1:
        return m_.types.map(type());
      case 2:
        return m_.types.optional(type());
      case 3:
        return m_.types.table(type());
      case 4:
        return m_.types.file(word());
      case 5:
        t.kind = TypeKind::Enum;
        t.cases = {word(), "other"};
        break;
      case 6:
        t.kind = TypeKind::Schema;
        t.fields = {{word(), type()}, {"second", type()}};
        break;
      default:
        return m_.types.record({{word(), type()}, {"z", type()}});
    }
    t.name = word();
    t.origin = word();
    return m_.types.intern(std::move(t));
  }

  Value value(int depth = 0) {
    switch (below(depth < 3 ? 16 : 12)) {
      case 0:
        return {};
      case 1:
        return below(2) == 0;
      case 2:
        return std::int64_t{static_cast<std::int32_t>(random_())};
      case 3:
        return std::numeric_limits<std::int64_t>::min();
      case 4:
        return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(200)) - 100);
      case 5: {
        constexpr std::array<double, 5> kOdd = {-0.0, 1.0, 1e300,
                                                std::numeric_limits<double>::infinity(),
                                                -std::numeric_limits<double>::infinity()};
        return kOdd[below(kOdd.size())];
      }
      case 6:
        return word();
      case 7:
        return Duration{static_cast<std::int64_t>(random_())};
      case 8:
        return Size{static_cast<std::int64_t>(random_())};
      case 9:
        return Timestamp{-static_cast<std::int64_t>(random_())};
      case 10:
        return EnumCase{word()};
      case 11:
        return FileRef{word(), below(2) == 0 ? "" : "abcd", below(2) == 0};
      case 12:
        return SecretRef{word()};
      case 13: {
        ListItems items;
        for (std::size_t i = below(4); i > 0; --i) items.push_back(value(depth + 1));
        return Value::list(std::move(items));
      }
      case 14:
        return Value::map({{word(), value(depth + 1)}, {"k", value(depth + 1)}});
      default:
        return Value::record({{word(), value(depth + 1)}, {"k", value(depth + 1)}});
    }
  }
  ConstId constant() { return m_.intern(value()); }

  std::vector<ParamDef> params() {
    std::vector<ParamDef> result;
    for (std::size_t i = below(3); i > 0; --i) {
      ParamDef param;
      param.name = word();
      param.type = type();
      if (below(2) == 0) param.fallback = constant();
      param.doc = word();
      result.push_back(param);
    }
    return result;
  }

  void addTask(std::size_t index) {
    TaskDef task;
    task.name = "t" + std::to_string(index) + word();
    task.params = params();
    for (std::size_t i = 0; i < 4; ++i) {
      OutputDef output;
      output.name = word();
      output.type = type();
      output.from = static_cast<OutputFrom>(i);
      if (below(2) == 0) output.path = word();
      output.doc = word();
      task.outputs.push_back(output);
    }
    task.result = type();
    task.isVolatile = below(2) == 0;
    task.cache = below(2) == 0;
    task.run = static_cast<RunKind>(below(3));
    if (task.run == RunKind::Argv) {
      task.argv = {{0, false}, {3, true}};
    } else {
      task.script = "first\n\n\tsecond \"quoted\"" + word();
    }
    task.env = {{word(), 2}};
    task.image = word();
    task.cpu = 0.25;
    task.memory = static_cast<std::int64_t>(below(3));
    task.gpu = static_cast<std::int64_t>(below(3));
    task.disk = static_cast<std::int64_t>(below(3));
    task.timeout = {static_cast<std::int64_t>(below(3))};
    task.retry.limit = static_cast<std::int64_t>(below(3));
    task.retry.backoff = {5};
    task.retry.factor = 1.5;
    if (below(2) == 0) task.retry.on = {FailureClass::Oom, FailureClass::Exit};
    if (below(2) == 0) task.retry.exitCodes = {1, -7};
    task.doc = word();
    task.exprs = expressions();
    m_.tasks.push_back(task);
  }

  RegionId expressions() {
    const RegionId id = m_.addRegion();
    m_.addParam(id, type(), "p", {}, Phase::Submit);
    const NodeId made = m_.addConst(id, value(), type());
    m_.at(id).results = {made};
    return id;
  }

  RegionId region(NodeId owner, int depth) {
    const RegionId id = m_.addRegion(owner);
    const std::size_t outer = visible_.size();
    for (std::size_t i = below(3); i > 0; --i) {
      visible_.push_back(
          m_.addParam(id, type(), below(2) == 0 ? "" : word(), {}, static_cast<Phase>(below(3))));
    }
    for (std::size_t i = below(6); i > 0; --i) addNode(id, depth);
    for (std::size_t i = below(3); i > 0 && !visible_.empty(); --i) {
      m_.at(id).results.push_back(visible_[below(visible_.size())]);
    }
    visible_.resize(outer);
    return id;
  }

  void addNode(RegionId in, int depth) {
    std::vector<NodeId> operands;
    std::vector<NodeId> order;
    for (std::size_t i = below(4); i > 0 && !visible_.empty(); --i) {
      (below(3) == 0 ? order : operands).push_back(visible_[below(visible_.size())]);
    }
    const NameId name = below(2) == 0 ? NameId{} : m_.intern(std::string_view(word()));
    Payload payload;
    switch (below(depth < 3 ? 9 : 5)) {
      case 0:
        payload = Const{constant()};
        operands.clear();
        break;
      case 1:
        payload = Op{static_cast<Builtin>(below(builtinTable().size()))};
        break;
      case 2:
        payload = Field{m_.intern(std::string_view(word())), below(2) == 0, below(2) == 0};
        break;
      case 3:
        payload = Step{TaskId{below(m_.tasks.size())}};
        break;
      case 4:
        payload = Op{Builtin::MakeList};
        break;
      case 5:
        payload = For{};
        break;
      case 6:
        payload = If{};
        break;
      case 7:
        payload = Loop{};
        break;
      default:
        payload = Try{};
        break;
    }
    const NodeId id = m_.add(in, payload, type(), operands, order, {}, name);
    const RegionId body =
        std::holds_alternative<For>(payload) || std::holds_alternative<If>(payload) ||
                std::holds_alternative<Loop>(payload) || std::holds_alternative<Try>(payload)
            ? region(id, depth + 1)
            : RegionId{};
    const RegionId otherwise =
        std::holds_alternative<If>(payload) && below(2) == 0 ? region(id, depth + 1) : RegionId{};
    std::visit(Overloaded{[&](For& x) { x.body = body; }, [&](Loop& x) { x.body = body; },
                          [&](Try& x) { x.body = body; },
                          [&](If& x) {
                            x.then = body;
                            x.otherwise = otherwise;
                          },
                          [](auto&) {}},
               m_.at(id).payload);
    m_.at(id).effect = static_cast<Effect>(below(7));
    m_.at(id).footprint = static_cast<Footprint>(below(5));
    m_.at(id).phase = static_cast<Phase>(below(3));
    if (below(4) == 0) m_.costs[id] = {0.5, 7, below(2) == 0, below(2) == 0};
    visible_.push_back(id);
  }

  std::mt19937 random_;
  Module m_;
  std::vector<TypeId> types_;
  std::vector<NodeId> visible_;
};

TEST(IrText, RandomModulesRoundTrip) {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    const Module module = RandomModule(seed).build();
    const std::string text = print(module);
    const Module again = parseGood(text);
    ASSERT_EQ(text, print(again)) << "seed " << seed;
    ASSERT_EQ(module.tasks.size(), again.tasks.size());
    ASSERT_EQ(module.funcs.size(), again.funcs.size());
  }
}

TEST(IrText, DeepNestingAndLongChainsNeedNoStack) {
  constexpr int kDeep = 100000;
  std::string text = "couler-ir 1\nworkflow w {\n result none\n body {\n";
  for (int i = 0; i < kDeep; ++i) text += "%" + std::to_string(i) + " = try() {\n";
  for (int i = 0; i < kDeep; ++i) text += "} : none\n";
  text += "}\n}\n";
  const Module deep = parseGood(text);
  EXPECT_EQ(deep.nodes.size(), static_cast<std::size_t>(kDeep));
  EXPECT_EQ(verify(deep).empty(), false);  // bodies without results; but no crash

  Module chain;
  FuncDef func;
  func.name = "chain";
  func.result = TypeTable::kInt;
  func.body = chain.addRegion();
  NodeId last = chain.addConst(func.body, Value(std::int64_t{0}), TypeTable::kInt);
  for (int i = 0; i < kDeep; ++i) {
    last = chain.add(func.body, Op{Builtin::NegInt}, TypeTable::kInt, {&last, 1});
  }
  chain.at(func.body).results = {last};
  chain.funcs.push_back(func);
  EXPECT_EQ(verify(chain), std::vector<std::string>{});
  const std::string printed = print(chain);
  EXPECT_EQ(printed, print(parseGood(printed)));
}

TEST(IrText, Mistakes) {
  EXPECT_EQ(firstError(""), "CW0190: expected `couler-ir`, found the end of the text");
  EXPECT_EQ(firstError("couler-ir 2"), "CW0190: expected the version `1`, found `2`");
  EXPECT_EQ(firstError("couler-ir 1\nentry w"), "CW0191: unknown function `w`");
  EXPECT_EQ(firstError("couler-ir 1\ntask a { run sh }\ntask a { run sh }"),
            "CW0192: task `a` is defined twice");
  const auto body = [](const std::string& nodes) {
    return firstError("couler-ir 1\nworkflow w {\n body {\n" + nodes + "\n}\n}\n");
  };
  EXPECT_EQ(body("%0 = const 1 : int\nyield %0"), "");
  EXPECT_EQ(body("%0 = op NegInt(%1) : int"), "CW0191: unknown node `%1`");
  EXPECT_EQ(body("%0 = op NegInf() : int"), "CW0191: unknown operation `NegInf`");
  EXPECT_EQ(body("%0 = step nobody() : int"), "CW0191: unknown task `nobody`");
  EXPECT_EQ(body("%0 = const 1 : integer"), "CW0191: unknown type `integer`");
  EXPECT_EQ(body("%0 = const 1 : int\n%0 = const 1 : int"), "CW0192: node `%0` is defined twice");
  EXPECT_EQ(body("%0 = const 99999999999999999999 : int"),
            "CW0190: expected a whole number of 64 bits, found `99999999999999999999`");
  EXPECT_EQ(body("%0 = const \"open"), "CW0190: expected a value, found `\"open`");
  EXPECT_EQ(body("%0 = walk() : int"), "CW0190: expected a kind of node, found `walk`");
  const std::string deep(1000, '[');
  EXPECT_EQ(body("%0 = const " + deep),
            "CW0190: expected a value nested at most 128 deep, found `[`");
}

TEST(IrText, TheExampleOfTheDocumentationIsValidAndPrintsAsItself) {
  std::ifstream in(std::filesystem::path(COULER_SOURCE_DIR) / "docs" / "ir.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = page.find("```couler-ir\n");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t start = page.find("couler-ir 1\n", begin);
  const std::string example = page.substr(start, page.find("```\n", start) - start);
  const Module module = parseGood(example);
  EXPECT_EQ(verify(module), std::vector<std::string>{});
  EXPECT_EQ(print(module), example);
}

}  // namespace
}  // namespace couler::ir
