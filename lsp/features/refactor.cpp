#include "lsp/features/refactor.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "frontend/sema/walk.h"
#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/features/statements.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolId;
using sema::SymbolKind;

std::string edited(std::string_view text, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& a, const Edit& b) { return a.at.begin < b.at.begin; });
  std::string made;
  std::uint32_t done = 0;
  for (const Edit& edit : edits) {
    made += text.substr(done, edit.at.begin - done);
    made += edit.text;
    done = edit.at.end;
  }
  return made += text.substr(done);
}

Refactoring::Refactoring(const View& view, std::uint32_t from, std::uint32_t to, Json& actions)
    : view_(view),
      snapshot_(view.snapshot()),
      program_(snapshot_.program()),
      text_(snapshot_.text()),
      from_(from),
      to_(to),
      actions_(actions) {}

void Refactoring::run() {
  decl_ = declAt(snapshot_, from_);
  // What is wrong may be wrong in another way behind it.
  if (decl_ == nullptr || errorsWithin(decl_->span)) return;
  const auto* workflow =
      decl_->kind == DeclKind::Workflow ? static_cast<const WorkflowDecl*>(decl_) : nullptr;
  const Expr* selected = from_ == to_ ? nullptr : selection();
  if (selected != nullptr) extractFunction(*selected);
  if (workflow != nullptr && workflow->body != nullptr) {
    if (selected != nullptr) {
      extractLet(*workflow, *selected);
      makeParameter(*workflow, *selected);
    }
    if (from_ == to_) {
      inlineLet(*workflow);
    } else {
      extractWorkflow(*workflow);
    }
  }
  convert();
}

bool Refactoring::errorsWithin(Span span) const {
  const auto& all = snapshot_.diagnostics();
  return std::any_of(all.begin(), all.end(), [&](const Diagnostic& one) {
    return one.severity == Severity::Error && one.at.valid() && one.at.file == span.file &&
           one.at.begin >= span.begin && one.at.end <= span.end;
  });
}

void Refactoring::add(std::string title, const char* kind, const std::vector<Edit>& edits) {
  actions_.push_back(
      {{"title", std::move(title)}, {"kind", kind}, {"edit", workspaceEdit(view_, edits)}});
}

void Refactoring::addChecked(std::string title, const char* kind, const std::vector<Edit>& edits) {
  constexpr double kPatience = 0.25;  // seconds; a program that takes longer is not checked again
  if (snapshot_.seconds() > kPatience) return;
  const auto errors = [](const Snapshot& of) {
    const auto& all = of.diagnostics();
    return std::count_if(all.begin(), all.end(), [](const Diagnostic& one) {
      return one.severity == Severity::Error;
    });
  };
  const Snapshot made = snapshot_.with(edited(text_, edits));
  if (errors(made) <= errors(snapshot_)) add(std::move(title), kind, edits);
}

/// The expression that is selected, but for white space at its ends.
const Expr* Refactoring::selection() const {
  std::uint32_t from = from_;
  std::uint32_t to = to_;
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (from < to && blank(text_[from])) ++from;
  while (to > from && blank(text_[to - 1])) --to;
  const Expr* found = nullptr;
  forEachExpr(snapshot_.tree(snapshot_.root()), [&](const Expr& e) {
    if (e.span.begin == from && e.span.end == to && found == nullptr) found = &e;
  });
  return found;
}

std::string Refactoring::freshName(std::string_view base) const {
  std::set<std::string_view> taken;
  for (const auto& [name, id] : program_.files[snapshot_.root().index()].names) taken.insert(name);
  // Wherever in the file: those of other places would be hidden by it, or hide it.
  for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
    if (one.declares) taken.insert(program_.at(one.symbol).name);
  }
  std::string name(base);
  for (int n = 2; taken.contains(name); ++n) name = fmt::format("{}_{}", base, n);
  return name;
}

std::string Refactoring::indentAt(std::uint32_t at) const {
  const std::size_t line = text_.rfind('\n', at == 0 ? 0 : at - 1);
  const std::size_t begin = line == std::string_view::npos ? 0 : line + 1;
  std::string indent;
  for (std::size_t i = begin; i < at && (text_[i] == ' ' || text_[i] == '\t'); ++i) {
    indent += text_[i];
  }
  return indent;
}

std::string Refactoring::operand(const Expr& e) const {
  const bool simple = e.kind != ExprKind::Binary && e.kind != ExprKind::Unary &&
                      e.kind != ExprKind::If && e.kind != ExprKind::For &&
                      e.kind != ExprKind::Loop && e.kind != ExprKind::Try &&
                      e.kind != ExprKind::After && e.kind != ExprKind::Tune;
  return simple ? std::string(source(e.span)) : fmt::format("({})", source(e.span));
}

void Refactoring::extractLet(const WorkflowDecl& workflow, const Expr& e) {
  const StatementAt found = statementAt(workflow.body, e.span.begin);
  if (found.stmt == nullptr || e.kind == ExprKind::Record || e.kind == ExprKind::Name) return;
  // The value of a `let` has a name already.
  if (found.stmt->kind == StmtKind::Let && static_cast<const LetStmt*>(found.stmt)->value == &e) return;
  const std::string name = freshName("value");
  const std::uint32_t begin = found.stmt->span.begin;
  addChecked("extract into a `let`", "refactor.extract",
             {{at(begin), fmt::format("let {} = {}\n{}", name, source(e.span), indentAt(begin))},
              {e.span, name}});
}

void Refactoring::makeParameter(const WorkflowDecl& workflow, const Expr& e) {
  const sema::ExprInfo& info = program_.info(snapshot_.root(), e);
  const bool literal = e.kind == ExprKind::Int || e.kind == ExprKind::Float ||
                       e.kind == ExprKind::String || e.kind == ExprKind::Bool ||
                       e.kind == ExprKind::Quantity;
  if (!literal || info.phase != ir::Phase::Compile || !info.type.valid()) return;
  const std::string name = freshName("value");
  std::string made = fmt::format("{}: {} = {}", name, program_.types.print(info.type), source(e.span));
  // Behind the last parameter, or between the parentheses behind the name.
  if (text_.substr(workflow.name.span.end, 1) != "(") return;
  std::uint32_t behind = workflow.name.span.end + 1;
  if (!workflow.params.empty()) {
    behind = workflow.params.back().span.end;
    made = ", " + made;
  }
  addChecked("make a parameter of the workflow", "refactor.extract", {{at(behind), made}, {e.span, name}});
}

/// A `let`'s value in the place of its name, where it is a value and no step: that would run more
/// than once.
void Refactoring::inlineLet(const WorkflowDecl& workflow) {
  const Occurrence* name = snapshot_.at(snapshot_.root(), from_);
  if (name == nullptr || program_.at(name->symbol).kind != SymbolKind::Local) return;
  const Span declared = program_.at(name->symbol).declared;
  if (!declared.valid() || declared.file != snapshot_.root()) return;
  const StatementAt found = statementAt(workflow.body, declared.begin);
  if (found.stmt == nullptr || found.stmt->kind != StmtKind::Let) return;
  const Expr* value = static_cast<const LetStmt*>(found.stmt)->value;
  if (value == nullptr || static_cast<const LetStmt*>(found.stmt)->name.span != declared) return;
  std::vector<Span> uses;
  for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
    if (one.symbol == name->symbol && !one.declares) uses.push_back(one.span);
  }
  if (uses.empty() || hasSteps(*value)) return;  // steps are named after their `let`
  const std::string with = operand(*value);
  std::vector<Edit> edits;
  // The statement goes with its line.
  std::uint32_t begin = found.stmt->span.begin - static_cast<std::uint32_t>(indentAt(found.stmt->span.begin).size());
  std::uint32_t end = found.stmt->span.end;
  while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\r')) ++end;
  if (end < text_.size() && text_[end] == '\n') {
    ++end;
  } else {
    begin = found.stmt->span.begin;
  }
  edits.push_back({{snapshot_.root(), begin, end}, ""});
  for (const Span& use : uses) edits.push_back({use, with});  // `{x}` in text and `x.y` as well
  addChecked(fmt::format("inline `{}`", program_.at(name->symbol).name), "refactor.inline", edits);
}

bool Refactoring::hasSteps(const Expr& e) const {
  bool found = false;
  const std::function<void(const Expr*)> walk = [&](const Expr* one) {
    if (one == nullptr || found) return;
    if (one->kind == ExprKind::Call || one->kind == ExprKind::Binary) {
      const auto& calls = program_.files[snapshot_.root().index()].calls;
      const auto call = calls.find(one->id);
      if (call != calls.end() && !call->second.isBuiltin) {
        const SymbolId callee = call->second.callee;
        found = !callee.valid() || program_.at(callee).kind != SymbolKind::Fn;
      }
    }
    if (one->kind == ExprKind::For || one->kind == ExprKind::Loop || one->kind == ExprKind::Tune)
      found = true;
    sema::forEachChild(one, walk);
  };
  walk(&e);
  return found;
}

}  // namespace couler::lsp
