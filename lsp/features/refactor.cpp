#include "lsp/features/refactor.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "frontend/sema/walk.h"
#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/workspace/scan.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolId;
using sema::SymbolKind;

namespace {

/// A statement and the block that it stands in.
struct Found {
  const Stmt* stmt = nullptr;
  const Block* block = nullptr;
};

class Refactoring {
 public:
  Refactoring(const View& view, std::uint32_t from, std::uint32_t to, Json& actions)
      : view_(view),
        snapshot_(view.snapshot()),
        program_(snapshot_.program()),
        text_(snapshot_.text()),
        from_(from),
        to_(to),
        actions_(actions) {}

  void run() {
    decl_ = declAt(snapshot_, from_);
    if (decl_ == nullptr || decl_->kind != DeclKind::Workflow) return;
    const auto& workflow = static_cast<const WorkflowDecl&>(*decl_);
    if (workflow.body == nullptr) return;
    // What is wrong may be wrong in another way behind it.
    for (const Diagnostic& one : snapshot_.diagnostics()) {
      if (one.severity == Severity::Error && one.at.valid() && one.at.file == snapshot_.root() &&
          one.at.begin >= decl_->span.begin && one.at.end <= decl_->span.end)
        return;
    }
    if (from_ == to_) {
      inlineLet(workflow);
    } else {
      const Expr* selected = selection();
      if (selected == nullptr) return;
      extract(workflow, *selected);
      makeParameter(workflow, *selected);
    }
  }

 private:
  std::string_view source(Span span) const { return snapshot_.sources().text(span); }

  void add(std::string title, const char* kind, const std::vector<Edit>& edits) {
    actions_.push_back(
        {{"title", std::move(title)}, {"kind", kind}, {"edit", workspaceEdit(view_, edits)}});
  }

  /// The expression that is selected, but for white space at its ends.
  const Expr* selection() const {
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

  /// The innermost statement that holds a place.
  Found statementAt(const Block* block, std::uint32_t at) const {
    Found result;
    while (block != nullptr) {
      const Block* inner = nullptr;
      for (const Stmt* stmt : block->statements) {
        if (stmt->span.begin > at || at >= stmt->span.end) continue;
        result = {stmt, block};
        inner = blockIn(*stmt, at);
      }
      block = inner;
    }
    return result;
  }
  static const Block* blockIn(const Stmt& stmt, std::uint32_t at) {
    const Block* found = nullptr;
    const auto look = [&](const Block* block) {
      if (block != nullptr && block->span.begin <= at && at < block->span.end) found = block;
    };
    const std::function<void(const Expr*)> walk = [&](const Expr* e) {
      if (e == nullptr || e->span.begin > at || at >= e->span.end) return;
      if (e->kind == ExprKind::If) {
        look(static_cast<const IfExpr*>(e)->then);
        look(static_cast<const IfExpr*>(e)->otherwise);
      } else if (e->kind == ExprKind::For) {
        look(static_cast<const ForExpr*>(e)->body);
      } else if (e->kind == ExprKind::Loop) {
        look(static_cast<const LoopExpr*>(e)->body);
      }
      if (found == nullptr) sema::forEachChild(e, [&](const Expr* child) { walk(child); });
    };
    switch (stmt.kind) {
      case StmtKind::Let:
        walk(static_cast<const LetStmt&>(stmt).value);
        break;
      case StmtKind::Expr:
        walk(static_cast<const ExprStmt&>(stmt).value);
        break;
      case StmtKind::Return:
        walk(static_cast<const ReturnStmt&>(stmt).value);
        break;
      case StmtKind::Finally:
        look(static_cast<const FinallyStmt&>(stmt).body);
        break;
    }
    return found;
  }

  std::string freshName(std::string_view base, std::uint32_t at) const {
    std::set<std::string_view> taken;
    for (const SymbolId id : visibleAt(snapshot_, at)) taken.insert(program_.at(id).name);
    for (const auto& [name, id] : program_.files[snapshot_.root().index()].names) taken.insert(name);
    // Those that come later in the body would be hidden by it, or hide it.
    for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
      if (one.declares) taken.insert(program_.at(one.symbol).name);
    }
    std::string name(base);
    for (int n = 2; taken.contains(name); ++n) name = fmt::format("{}_{}", base, n);
    return name;
  }

  std::string indentAt(std::uint32_t at) const {
    const std::size_t line = text_.rfind('\n', at == 0 ? 0 : at - 1);
    const std::size_t begin = line == std::string_view::npos ? 0 : line + 1;
    std::string indent;
    for (std::size_t i = begin; i < at && (text_[i] == ' ' || text_[i] == '\t'); ++i)
      indent += text_[i];
    return indent;
  }

  void extract(const WorkflowDecl& workflow, const Expr& e) {
    const Found found = statementAt(workflow.body, e.span.begin);
    if (found.stmt == nullptr || e.kind == ExprKind::Record) return;
    // The value of a `let` has a name already.
    if (found.stmt->kind == StmtKind::Let && static_cast<const LetStmt*>(found.stmt)->value == &e) return;
    const std::string name = freshName("value", e.span.begin);
    const std::uint32_t at = found.stmt->span.begin;
    add("extract into a `let`", "refactor.extract",
        {{{snapshot_.root(), at, at}, fmt::format("let {} = {}\n{}", name, source(e.span), indentAt(at))},
         {e.span, name}});
  }

  void makeParameter(const WorkflowDecl& workflow, const Expr& e) {
    const sema::ExprInfo& info = program_.info(snapshot_.root(), e);
    const bool literal = e.kind == ExprKind::Int || e.kind == ExprKind::Float ||
                         e.kind == ExprKind::String || e.kind == ExprKind::Bool ||
                         e.kind == ExprKind::Quantity;
    if (!literal || info.phase != ir::Phase::Compile || !info.type.valid()) return;
    const std::string name = freshName("value", e.span.begin);
    std::string made = fmt::format("{}: {} = {}", name, program_.types.print(info.type), source(e.span));
    // Behind the last parameter, or between the parentheses behind the name.
    Span at{snapshot_.root(), workflow.name.span.end + 1, workflow.name.span.end + 1};
    if (text_.substr(workflow.name.span.end, 1) != "(") return;
    if (!workflow.params.empty()) {
      const std::uint32_t end = workflow.params.back().span.end;
      at = {snapshot_.root(), end, end};
      made = ", " + made;
    }
    add("make a parameter of the workflow", "refactor.extract", {{at, made}, {e.span, name}});
  }

  /// A `let`'s value in the place of its name, where it is a value and no step: that would run more
  /// than once.
  void inlineLet(const WorkflowDecl& workflow) {
    const Occurrence* name = snapshot_.at(snapshot_.root(), from_);
    if (name == nullptr || program_.at(name->symbol).kind != SymbolKind::Local) return;
    const Span declared = program_.at(name->symbol).declared;
    if (!declared.valid() || declared.file != snapshot_.root()) return;
    const Found found = statementAt(workflow.body, declared.begin);
    if (found.stmt == nullptr || found.stmt->kind != StmtKind::Let) return;
    const Expr* value = static_cast<const LetStmt*>(found.stmt)->value;
    if (value == nullptr || static_cast<const LetStmt*>(found.stmt)->name.span != declared) return;
    std::vector<Span> uses;
    for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
      if (one.symbol == name->symbol && !one.declares) uses.push_back(one.span);
    }
    if (uses.empty() || (uses.size() > 1 && hasSteps(*value))) return;
    if (uses.size() == 1 && hasSteps(*value)) return;  // steps are named after their `let`
    const bool simple = value->kind != ExprKind::Binary && value->kind != ExprKind::Unary &&
                        value->kind != ExprKind::If && value->kind != ExprKind::For &&
                        value->kind != ExprKind::Try && value->kind != ExprKind::After;
    const std::string with =
        simple ? std::string(source(value->span)) : fmt::format("({})", source(value->span));
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
    for (const Span& use : uses) {
      // `{x}` in text and `x.y` need no more than this.
      edits.push_back({use, with});
    }
    add(fmt::format("inline `{}`", program_.at(name->symbol).name), "refactor.inline", edits);
  }

  bool hasSteps(const Expr& e) const {
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

  const View& view_;
  const Snapshot& snapshot_;
  const sema::Program& program_;
  std::string_view text_;
  std::uint32_t from_, to_;
  Json& actions_;
  const Decl* decl_ = nullptr;
};

}  // namespace

void addRefactorings(const View& view, std::uint32_t from, std::uint32_t to, Json& actions) {
  Refactoring(view, from, to, actions).run();
}

}  // namespace couler::lsp
