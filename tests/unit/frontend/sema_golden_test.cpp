// Runs the checker over tests/golden/check/*.cwl. A line says what it must produce in comments at
// its end, `//! CW0301 part of the message`; one comment for each message, and no other messages.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "frontend/sema/walk.h"
#include "tests/unit/frontend/sema_program.h"

namespace couler::sema {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(COULER_SOURCE_DIR) / "tests/golden/check";

std::vector<fs::path> goldenFiles() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".cwl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string readText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Expected {
  std::uint32_t line;
  std::string code;
  std::string fragment;
};

std::vector<Expected> expectedOf(std::string_view text) {
  std::vector<Expected> expected;
  std::uint32_t line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::size_t mark = rest.find("//! ");
    while (mark != std::string_view::npos) {
      rest.remove_prefix(mark + 4);
      mark = rest.find("//! ");
      std::string_view one = rest.substr(0, mark);
      while (one.ends_with(' ')) one.remove_suffix(1);
      const std::size_t space = std::min(one.find(' '), one.size());
      expected.push_back({line, std::string(one.substr(0, space)),
                          std::string(one.substr(std::min(space + 1, one.size())))});
    }
  }
  return expected;
}

/// All that a person may see of a message.
std::string wholeText(const Diagnostic& one) {
  std::string text = one.message + "\n" + one.caret + "\n";
  for (const Label& label : one.labels) text += label.text + "\n";
  for (const std::string& note : one.notes) text += note + "\n";
  for (const Fix& fix : one.fixes) text += fix.title + "\n";
  return text;
}

std::string applied(std::string text, const Fix& fix) {
  std::vector<Edit> edits = fix.edits;
  std::sort(edits.begin(), edits.end(),
            [](const Edit& a, const Edit& b) { return a.at.begin > b.at.begin; });
  for (const Edit& edit : edits) text.replace(edit.at.begin, edit.at.size(), edit.text);
  return text;
}

class CheckGolden : public testing::TestWithParam<fs::path> {};

TEST_P(CheckGolden, SaysWhatItsCommentsSay) {
  const std::string text = readText(GetParam());
  const CheckedProgram checked(text, {}, kFolder);
  std::vector<std::vector<Expected>> expected;
  for (std::size_t i = 0; i < checked.fileCount(); ++i) {
    expected.push_back(expectedOf(checked.sources().text(FileId(i))));
  }
  for (const Diagnostic& one : checked.diagnostics()) {
    const std::uint32_t line = checked.sources().lineColumn(one.at.file, one.at.begin).line;
    auto& open = expected[one.at.file.index()];
    const auto it = std::find_if(open.begin(), open.end(), [&](const Expected& e) {
      return e.line == line && e.code == one.code() &&
             wholeText(one).find(e.fragment) != std::string::npos;
    });
    if (it == open.end()) {
      ADD_FAILURE() << "unexpected at " << checked.sources().path(one.at.file) << ":" << line
                    << ": " << one.code() << " " << wholeText(one);
    } else {
      open.erase(it);
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (const Expected& e : expected[i]) {
      ADD_FAILURE() << "missing at " << checked.sources().path(FileId(i)) << ":" << e.line << ": "
                    << e.code << " " << e.fragment;
    }
  }
}

TEST_P(CheckGolden, FixesMendAndBreakNothing) {
  const std::string text = readText(GetParam());
  const CheckedProgram before(text, {}, kFolder);
  for (const Diagnostic& one : before.diagnostics()) {
    if (one.at.file != FileId(0U)) continue;
    for (const Fix& fix : one.fixes) {
      const CheckedProgram after(applied(text, fix), {}, kFolder);
      if (one.severity == Severity::Error) {
        EXPECT_LT(after.errorCount(), before.errorCount()) << one.code() << " " << fix.title;
      } else {
        EXPECT_LT(after.diagnostics().size(), before.diagnostics().size())
            << one.code() << " " << fix.title << "\n"
            << after.summary();
      }
    }
  }
}

/// Every expression of a right program that stands for a value has a type.
TEST_P(CheckGolden, RightProgramsHaveFullTables) {
  const CheckedProgram checked(readText(GetParam()), {}, kFolder);
  if (checked.errorCount() != 0) return;
  using namespace syntax;
  const FileInfo& file = checked.program().files[0];
  std::vector<const Expr*> open;
  for (const Decl* decl : checked.tree().decls) {
    if (decl->kind == DeclKind::Fn) open.push_back(static_cast<const FnDecl*>(decl)->body);
    if (decl->kind == DeclKind::Workflow) {
      forEachInBlock(static_cast<const WorkflowDecl*>(decl)->body,
                     [&](const Expr* expr) { open.push_back(expr); });
    }
    if (decl->kind == DeclKind::Task) {
      const auto* task = static_cast<const TaskDecl*>(decl);
      open.push_back(task->runBody);
      for (const Setting& setting : task->env) open.push_back(setting.value);
    }
    if (decl->kind == DeclKind::Transform) {
      for (const TransformStmt& stmt : static_cast<const TransformDecl*>(decl)->statements) {
        if (stmt.value != nullptr) open.push_back(stmt.value);
        for (const TransformKey& key : stmt.keys) open.push_back(key.value);
      }
    }
    if (decl->kind == DeclKind::Test) {
      for (const Expr* expr : static_cast<const TestDecl*>(decl)->expectations) {
        open.push_back(expr);
      }
    }
  }
  while (!open.empty()) {
    const Expr* expr = open.back();
    open.pop_back();
    const ExprInfo& info = file.exprs[expr->id];
    EXPECT_NE(info.type, ir::TypeTable::kError) << checked.sources().text(expr->span);
    if (expr->kind == ExprKind::Call) {
      EXPECT_TRUE(file.calls.contains(expr->id)) << checked.sources().text(expr->span);
      for (const Argument& arg : static_cast<const CallExpr*>(expr)->args) {
        if (arg.name.text != "on_bad") open.push_back(arg.value);
      }
      continue;
    }
    if (expr->kind == ExprKind::Binary &&
        static_cast<const BinaryExpr*>(expr)->op == BinaryOp::Pipe) {
      EXPECT_TRUE(file.calls.contains(expr->id)) << checked.sources().text(expr->span);
      open.push_back(static_cast<const BinaryExpr*>(expr)->left);
      continue;
    }
    if (expr->kind == ExprKind::Member && info.symbol.valid()) continue;  // a case or module member
    if (expr->kind == ExprKind::Unary || expr->kind == ExprKind::Binary ||
        expr->kind == ExprKind::Index) {
      EXPECT_TRUE(info.hasBuiltin) << checked.sources().text(expr->span);
    }
    EXPECT_TRUE(expr->kind != ExprKind::Name || info.symbol.valid());
    forEachChild(expr, [&](const Expr* child) { open.push_back(child); });
  }
}

INSTANTIATE_TEST_SUITE_P(Files, CheckGolden, testing::ValuesIn(goldenFiles()),
                         [](const auto& instance) { return instance.param.stem().string(); });

}  // namespace
}  // namespace couler::sema
