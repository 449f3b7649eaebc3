// A piece of a program becomes a declaration of its own.
#include <algorithm>

#include <fmt/format.h>

#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/features/refactor.h"
#include "lsp/features/statements.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolKind;

namespace {

bool isValue(SymbolKind kind) {
  return kind == SymbolKind::Local || kind == SymbolKind::Param ||
         kind == SymbolKind::LoopVariable;
}

/// `a, b: b` as parameters, arguments, or what is returned.
template <class Text>
std::string joined(const auto& all, Text&& text) {
  std::string result;
  for (const auto& one : all) result += (result.empty() ? "" : ", ") + text(one);
  return result;
}

}  // namespace

std::vector<Refactoring::Captured> Refactoring::captures(Span moved) const {
  std::vector<Captured> result;
  for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
    if (one.declares || one.span.begin < moved.begin || one.span.end > moved.end) continue;
    const sema::Symbol& symbol = program_.at(one.symbol);
    const bool inside = symbol.declared.valid() && symbol.declared.begin >= moved.begin &&
                        symbol.declared.end <= moved.end;
    // Names of arguments are occurrences of parameters, those of others.
    const bool around = symbol.decl == decl_ && isValue(symbol.kind) && !inside;
    const auto known = std::find_if(result.begin(), result.end(),
                                    [&](const Captured& c) { return c.name == symbol.name; });
    if (!around || known != result.end()) continue;
    result.push_back({std::string(symbol.name), program_.types.print(symbol.type)});
  }
  return result;
}

/// An expression that runs nothing becomes a `fn`.
void Refactoring::extractFunction(const Expr& e) {
  const bool plain = e.kind == ExprKind::Name || e.kind == ExprKind::Int ||
                     e.kind == ExprKind::Float || e.kind == ExprKind::String ||
                     e.kind == ExprKind::Bool || e.kind == ExprKind::Quantity;
  const bool place = decl_->kind == DeclKind::Workflow || decl_->kind == DeclKind::Fn;
  const sema::ExprInfo& info = program_.info(snapshot_.root(), e);
  if (plain || !place || hasSteps(e) || !known(snapshot_, info.type)) return;
  const std::vector<Captured> names = captures(e.span);
  const std::string name = freshName("made");
  const std::string params =
      joined(names, [](const Captured& c) { return fmt::format("{}: {}", c.name, c.type); });
  const std::string made = fmt::format("fn {}({}) -> {} = {}\n\n", name, params,
                                       program_.types.print(info.type), source(e.span));
  const std::string call =
      fmt::format("{}({})", name, joined(names, [](const Captured& c) { return c.name; }));
  // Before the declaration, and before its doc comment.
  std::uint32_t before = decl_->span.begin;
  while (before > 0) {
    const std::size_t line = before < 2 ? std::string_view::npos : text_.rfind('\n', before - 2);
    const std::uint32_t begin =
        line == std::string_view::npos ? 0 : static_cast<std::uint32_t>(line) + 1;
    if (!text_.substr(begin).starts_with("///")) break;
    before = begin;
  }
  addChecked("extract into a `fn`", "refactor.extract", {{at(before), made}, {e.span, call}});
}

/// Statements that stand together become a workflow, which this one calls. What they make and others
/// use are its outputs.
void Refactoring::extractWorkflow(const WorkflowDecl& workflow) {
  // The statements of one block that are selected whole.
  const Block* block = nullptr;
  std::vector<const Stmt*> moved;
  bool cut = false;
  forEachStatement(workflow.body, [&](const StatementAt& one) {
    const Span span = one.stmt->span;
    if (span.end <= from_ || span.begin >= to_) return;
    const bool whole = span.begin >= from_ && span.end <= to_;
    if (whole && (block == nullptr || block == one.block)) {
      block = one.block;
      moved.push_back(one.stmt);
    } else if (!whole && block != nullptr) {
      cut = true;  // a later one is selected in part
    } else if (!whole) {
      const Expr* value = valueOf(*one.stmt);
      const bool around = span.begin <= from_ && span.end >= to_;
      cut = cut || (!around && value != nullptr);
    }
  });
  if (cut || moved.empty()) return;
  const bool last = moved.back() == block->statements.back() && moved.back()->kind == StmtKind::Expr;
  const bool ends = std::any_of(moved.begin(), moved.end(), [](const Stmt* one) {
    return one->kind == StmtKind::Return || one->kind == StmtKind::Finally;
  });
  if (last || ends) return;
  const Span whole = cover(moved.front()->span, moved.back()->span);
  const std::string_view body = source(whole);
  if (body.find("\"\"\"") != std::string_view::npos) return;  // its lines are its own

  std::vector<Captured> outputs;
  std::vector<Edit> edits;
  const std::string name = freshName("part");
  const std::string step = freshName("parts");
  for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
    const sema::Symbol& symbol = program_.at(one.symbol);
    const bool made = symbol.declared.valid() && symbol.declared.file == snapshot_.root() &&
                      symbol.declared.begin >= whole.begin && symbol.declared.end <= whole.end;
    const bool inside = one.span.begin >= whole.begin && one.span.end <= whole.end;
    if (!made || inside) continue;
    const auto there = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const Captured& c) { return c.name == symbol.name; });
    if (there == outputs.end()) {
      outputs.push_back({std::string(symbol.name), program_.types.print(symbol.type)});
    }
    edits.push_back({one.span, fmt::format("{}.{}", step, symbol.name)});
  }
  const std::vector<Captured> inputs = captures(whole);
  const auto typed = [](const Captured& c) { return fmt::format("{}: {}", c.name, c.type); };
  std::string made = fmt::format("\n\nworkflow {}({})", name, joined(inputs, typed));
  if (!outputs.empty()) made += fmt::format(" -> ({})", joined(outputs, typed));
  made += " {\n";
  const std::string indent = indentAt(whole.begin);
  for (std::string_view rest = body, line; !rest.empty();
       rest.remove_prefix(std::min(line.size() + 1, rest.size()))) {
    line = rest.substr(0, rest.find('\n'));
    std::string_view text = line;
    if (text.starts_with(indent)) text.remove_prefix(indent.size());
    made += text.empty() ? "\n" : fmt::format("    {}\n", text);
  }
  if (!outputs.empty()) {
    made += fmt::format("    return ({})\n", joined(outputs, [](const Captured& c) {
                          return fmt::format("{}: {}", c.name, c.name);
                        }));
  }
  made += "}";
  const std::string call =
      fmt::format("{}({})", name, joined(inputs, [](const Captured& c) { return c.name; }));
  edits.push_back({whole, outputs.empty() ? call : fmt::format("let {} = {}", step, call)});
  edits.push_back({at(workflow.span.end), made});
  addChecked("extract into a workflow", "refactor.extract", edits);
}

}  // namespace couler::lsp
