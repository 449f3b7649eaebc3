// The side tables that lowering reads, and programs of unusual size or shape.
#include <fstream>

#include <gtest/gtest.h>

#include "frontend/sema/settings.h"
#include "frontend/sema/walk.h"
#include "tests/unit/frontend/sema_program.h"

namespace couler::sema {
namespace {

using namespace syntax;
using ir::Phase;
using ir::TypeTable;

constexpr const char* kStep =
    "couler 1\ntask step(n: int, m: int? , k: float = 0.5) -> (a: int, f: file) {\n"
    "    run sh \"a=$n\"\n}\n";

template <class T>
const T* declOf(const CheckedProgram& checked, std::string_view name) {
  for (const Decl* decl : checked.tree().decls) {
    if (decl->name.text == name) return static_cast<const T*>(decl);
  }
  return nullptr;
}

const Expr* valueOfLet(const CheckedProgram& checked, std::string_view name) {
  for (const Stmt* stmt : declOf<WorkflowDecl>(checked, "main")->body->statements) {
    if (stmt->kind == StmtKind::Let && static_cast<const LetStmt*>(stmt)->name.text == name) {
      return static_cast<const LetStmt*>(stmt)->value;
    }
  }
  return nullptr;
}

struct Let {
  std::string type;
  Phase phase;
};
Let let(const CheckedProgram& checked, std::string_view name) {
  const ExprInfo& info = checked.program().info(FileId(0U), *valueOfLet(checked, name));
  return {checked.program().types.print(info.type), info.phase};
}

TEST(Sema, TypesAndPhasesOfExpressions) {
  const CheckedProgram checked(
      std::string(kStep) +
      "workflow main(n: int, o: int?) -> (x: int) {\n"
      "let c = 1 + 2\nlet s = n * 2\nlet r = step(n)\nlet v = r.a + 1\n"
      "let l = for i in [1, 2] { step(i) }\nlet fs = l.f\n"
      "let files: list<file<csv>> = glob(\"*.csv\")\nlet one: file<csv> = \"x.csv\"\n"
      "let t = try step(1)\nlet u = t?.a\nlet mixed = [1, 2.5]\n"
      "let rec: (x: float, y: int?) = (y: 1, x: 2)\n"
      "let nar = if o != none { o } else { 0 }\n"
      "let lp = loop s2 = 0 max n { s2 + 1 } until s2 > 3\n"
      "return v + s + c + length(fs) + length(files) + (u ?? 0) + nar + lp +\n"
      "length(mixed) + (rec.y ?? 0) + length(basename(one))\n}\n");
  ASSERT_EQ(checked.summary(), "");
  const auto expectLet = [&](const char* name, const char* type, Phase phase) {
    const Let found = let(checked, name);
    EXPECT_EQ(found.type, type) << name;
    EXPECT_EQ(found.phase, phase) << name;
  };
  expectLet("c", "int", Phase::Compile);
  expectLet("s", "int", Phase::Submit);
  expectLet("r", "(a: int, f: file)", Phase::Run);
  expectLet("v", "int", Phase::Run);
  expectLet("l", "list<(a: int, f: file)>", Phase::Run);
  expectLet("fs", "list<file>", Phase::Run);
  expectLet("files", "list<file<csv>>", Phase::Submit);
  expectLet("one", "file<csv>", Phase::Submit);
  expectLet("t", "(a: int, f: file)?", Phase::Run);
  expectLet("u", "int?", Phase::Run);
  expectLet("mixed", "list<float>", Phase::Compile);
  expectLet("rec", "(x: float, y: int?)", Phase::Compile);
  expectLet("nar", "int", Phase::Submit);
  expectLet("lp", "int", Phase::Run);
}

TEST(Sema, CallsBindByParameter) {
  const CheckedProgram checked(
      std::string(kStep) +
      "workflow main(n: int) -> (x: int) {\n"
      "let r = step(n, k: 1)\nlet b = round(1.5, 2)\nreturn r.a + round(b)\n}\n");
  ASSERT_EQ(checked.summary(), "");
  const FileInfo& file = checked.program().files[0];
  const CallBinding& step = file.calls.at(valueOfLet(checked, "r")->id);
  EXPECT_FALSE(step.isBuiltin);
  EXPECT_EQ(checked.program().at(step.callee).name, "step");
  EXPECT_EQ(step.argument, (std::vector<std::int32_t>{0, -1, 1}));
  ASSERT_EQ(step.paramTypes.size(), 3U);
  EXPECT_EQ(step.paramTypes[2], TypeTable::kFloat);
  const CallBinding& builtin = file.calls.at(valueOfLet(checked, "b")->id);
  EXPECT_TRUE(builtin.isBuiltin);
  EXPECT_EQ(builtin.builtin, ir::Builtin::RoundTo);
  EXPECT_EQ(builtin.argument, (std::vector<std::int32_t>{0, 1}));
}

TEST(Sema, SymbolsOfDeclarations) {
  const CheckedProgram checked(
      "couler 1\nimport \"./b.cwl\" { half as h, C }\nimport \"./b.cwl\" as b\n"
      "fn twice(n: int) = h(n) + b.half(n)\nfn c() -> C = two\n",
      {{"b.cwl", "couler 1\nfn half(n: int) -> int = n div 2\nenum C { one, two }\n"}});
  ASSERT_EQ(checked.summary(), "");
  const Program& program = checked.program();
  const FileInfo& file = program.files[0];
  EXPECT_EQ(file.names.at("h"), program.files[1].names.at("half"));
  EXPECT_EQ(program.at(file.names.at("b")).kind, SymbolKind::Namespace);
  EXPECT_EQ(program.at(file.names.at("b")).file, FileId(1U));
  const Symbol& twice = program.at(file.names.at("twice"));
  EXPECT_EQ(twice.kind, SymbolKind::Fn);
  EXPECT_EQ(twice.signature->result, TypeTable::kInt);
  const auto* fn = declOf<FnDecl>(checked, "c");
  const ExprInfo& body = program.info(FileId(0U), *fn->body);
  ASSERT_TRUE(body.symbol.valid());
  EXPECT_EQ(program.at(body.symbol).kind, SymbolKind::EnumCase);
  EXPECT_EQ(program.at(body.symbol).name, "two");
}

TEST(Sema, OneMistakeIsOneMessage) {
  const CheckedProgram checked(
      std::string(kStep) +
      "workflow main(n: int) -> (x: int) {\n"
      "let a = stpe(n)\nlet b = a.a + 1\nlet c = [b, \"x\", b.y]\n"
      "let d = if b > 2 { b } else { \"x\" }\nlet e = for i in b { i }\n"
      "let f = step(b, zz(1)).f.g\nreturn b + length(e) + c[0] ?? d.z\n}\n");
  const std::string summary = checked.summary();
  EXPECT_EQ(checked.errorCount(), 3U) << summary;  // stpe, zz, and the file's field g
}

TEST(Sema, LongChainsNeedNoStack) {
  // 100,000 steps, each using the one before; a chain of fns whose types come from each other.
  std::string text = kStep;
  text += "workflow main(n: int) -> (x: int) {\nlet x0 = step(n)\n";
  for (int i = 1; i < 100000; ++i) {
    text += "let x" + std::to_string(i) + " = step(x" + std::to_string(i - 1) + ".a)\n";
  }
  text += "return x99999.a\n}\n";
  for (int i = 0; i < 20000; ++i) {
    text += "fn f" + std::to_string(i) + "(n: int) = f" + std::to_string(i + 1) + "(n)\n";
  }
  text += "fn f20000(n: int) = n\n";
  const CheckedProgram checked(text);
  EXPECT_EQ(checked.summary(), "");
  const Program& program = checked.program();
  EXPECT_EQ(program.at(program.files[0].names.at("f0")).signature->result, TypeTable::kInt);
}

TEST(Sema, LongCirclesAndManyErrorsAreBounded) {
  std::string text = "couler 1\n";
  for (int i = 0; i < 3000; ++i) {
    text += "workflow w" + std::to_string(i) + "() { w" + std::to_string((i + 1) % 3000) + "() }\n";
  }
  for (int i = 0; i < 3000; ++i) {
    text += "fn g" + std::to_string(i) + "() -> int = nowhere" + std::to_string(i) + "\n";
  }
  const CheckedProgram checked(text);
  EXPECT_EQ(checked.errorCount(), 3001U);
}

TEST(Sema, DeepSpinesOfMembersAndCalls) {
  std::string text = "couler 1\nfn f(xs: list<list<int>>) -> int = xs";
  for (int i = 0; i < 5000; ++i) text += "[0]";
  text += "\nfn g(n: int) -> int = n";
  for (int i = 0; i < 5000; ++i) text += "(1)";
  text += "\nfn h(n: int) -> int = n";
  for (int i = 0; i < 2000; ++i) text += " + n";
  text += "\nfn b(a: bool) -> bool = a";
  for (int i = 0; i < 2000; ++i) text += " and a != none";
  text += "\n";
  const CheckedProgram checked(text);
  EXPECT_GT(checked.errorCount(), 0U);  // too many indexes, and a call of an int
}

/// Half-written programs, as an editor sees them, are checked without harm.
TEST(Sema, DamagedProgramsAreChecked) {
  std::ifstream in(std::string(COULER_SOURCE_DIR) + "/tests/golden/check/ok_everything.cwl");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  ASSERT_GT(text.size(), 1000U);
  std::size_t programs = 0;
  std::size_t damaged = 0;
  const auto tryOne = [&](const std::string& changed) {
    const CheckedProgram checked(changed);
    ++programs;
    if (checked.errorCount() != 0) ++damaged;
  };
  for (std::size_t cut = 0; cut < text.size(); cut += 61) {
    tryOne(text.substr(0, cut));
    tryOne(text.substr(0, cut) + text.substr(std::min(cut + 7, text.size())));
  }
  const std::string_view marks = "(){}[],:=.\"";
  for (std::size_t i = 0; i < text.size(); i += 13) {
    std::string changed = text;
    changed[i] = marks[i % marks.size()];
    tryOne(changed);
  }
  EXPECT_GT(damaged, programs / 2);
}

TEST(Sema, TablesOfSettingsHaveNoRepeats) {
  for (const EngineSpec& engine : engineTable()) {
    EXPECT_EQ(findEngine(engine.name), &engine);
    for (std::size_t i = 0; i < engine.settings.size(); ++i) {
      EXPECT_FALSE(engine.settings[i].doc.empty());
      for (std::size_t j = 0; j < i; ++j) {
        EXPECT_NE(engine.settings[i].name, engine.settings[j].name);
      }
    }
  }
  for (const std::string_view planned : plannedEngines()) EXPECT_EQ(findEngine(planned), nullptr);
}

}  // namespace
}  // namespace couler::sema
