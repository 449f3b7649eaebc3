// In which order signatures are resolved and bodies of fns and transforms checked: a fn without a
// written result type and a transform, which names its row type, come before what uses them.
#include "frontend/sema/checker.h"
#include "frontend/sema/walk.h"

namespace couler::sema {

using namespace syntax;

namespace {

std::span<const Field> paramsOf(const Decl& decl) {
  switch (decl.kind) {
    case DeclKind::Fn:
      return static_cast<const FnDecl&>(decl).params;
    case DeclKind::Task:
      return static_cast<const TaskDecl&>(decl).params;
    case DeclKind::Workflow:
      return static_cast<const WorkflowDecl&>(decl).params;
    case DeclKind::Transform:
      return static_cast<const TransformDecl&>(decl).params;
    default:
      return {};
  }
}

std::span<const Field> outputsOf(const Decl& decl) {
  if (decl.kind == DeclKind::Task) return static_cast<const TaskDecl&>(decl).outputs;
  if (decl.kind == DeclKind::Workflow) return static_cast<const WorkflowDecl&>(decl).outputs;
  return {};
}

}  // namespace

SymbolId Checker::namedFrom(FileId file, std::string_view space, std::string_view name) const {
  if (space.empty()) return findTop(file, name);
  const SymbolId module = findTop(file, space);
  if (!module.valid() || program_->at(module).kind != SymbolKind::Namespace ||
      extras_[module.index()].poisoned) {
    return {};
  }
  return findTop(program_->at(module).file, name);
}

/// The declarations that a body may call: by name, so some that it does not call may be among them.
void Checker::addCallees(FileId file, std::vector<const Expr*> open,
                         std::vector<SymbolId>& into) const {
  while (!open.empty()) {
    const Expr* expr = open.back();
    open.pop_back();
    if (expr == nullptr) continue;
    if (expr->kind == ExprKind::Call) {
      const Expr* callee = static_cast<const CallExpr*>(expr)->callee;
      SymbolId target;
      if (callee != nullptr && callee->kind == ExprKind::Name) {
        target = findTop(file, static_cast<const NameExpr*>(callee)->name.text);
      } else if (callee != nullptr && callee->kind == ExprKind::Member) {
        const auto* member = static_cast<const MemberExpr*>(callee);
        if (member->object != nullptr && member->object->kind == ExprKind::Name) {
          const auto* space = static_cast<const NameExpr*>(member->object);
          target = namedFrom(file, space->name.text, member->member.text);
        }
      }
      if (target.valid()) into.push_back(target);
    }
    forEachChild(expr, [&](const Expr* child) { open.push_back(child); });
  }
}

/// The transforms whose rows a written type names.
void Checker::addRowTypes(FileId file, const TypeExpr* type, std::vector<SymbolId>& into) const {
  if (type == nullptr) return;
  switch (type->kind) {
    case syntax::TypeKind::Error:
      return;
    case syntax::TypeKind::Optional:
      return addRowTypes(file, static_cast<const OptionalType*>(type)->inner, into);
    case syntax::TypeKind::Record:
      for (const Field& field : static_cast<const RecordType*>(type)->fields) {
        addRowTypes(file, field.type, into);
      }
      return;
    case syntax::TypeKind::Named: {
      const auto* named = static_cast<const NamedType*>(type);
      const SymbolId symbol = namedFrom(file, named->module.text, named->name.text);
      if (symbol.valid() && program_->at(symbol).kind == SymbolKind::Transform) {
        into.push_back(symbol);
      }
      for (const TypeExpr* arg : named->args) addRowTypes(file, arg, into);
      return;
    }
  }
}

std::vector<Checker::Stage> Checker::stagesBefore(Stage stage) const {
  const Symbol& symbol = program_->at(stage.symbol);
  const Decl& decl = *symbol.decl;
  std::vector<SymbolId> named;
  std::vector<Stage> before;
  if (!stage.body) {
    for (const Field& field : paramsOf(decl)) addRowTypes(symbol.file, field.type, named);
    for (const Field& field : outputsOf(decl)) addRowTypes(symbol.file, field.type, named);
    if (decl.kind == DeclKind::Fn) {
      addRowTypes(symbol.file, static_cast<const FnDecl&>(decl).result, named);
    }
    for (const SymbolId one : named) before.push_back({one, true});
    return before;
  }
  before.push_back({stage.symbol, false});
  std::vector<const Expr*> open;
  if (decl.kind == DeclKind::Fn) {
    open.push_back(static_cast<const FnDecl&>(decl).body);
  } else {
    for (const TransformStmt& stmt : static_cast<const TransformDecl&>(decl).statements) {
      open.push_back(stmt.value);
      for (const TransformKey& key : stmt.keys) open.push_back(key.value);
    }
  }
  addCallees(symbol.file, std::move(open), named);
  for (const SymbolId one : named) {
    const SymbolKind kind = program_->at(one).kind;
    if (kind == SymbolKind::Fn || kind == SymbolKind::Transform) before.push_back({one, true});
    if (kind == SymbolKind::Task || kind == SymbolKind::Workflow) before.push_back({one, false});
  }
  return before;
}

void Checker::finishStage(Stage stage) {
  enter(program_->at(stage.symbol).file);
  if (!stage.body) return resolveSignature(stage.symbol);
  if (program_->at(stage.symbol).kind == SymbolKind::Fn) return checkFn(stage.symbol);
  checkTransform(stage.symbol);
}

/// A depth-first walk with a stack of its own. Circles are reported elsewhere.
void Checker::checkInOrder() {
  std::vector<Stage> order;
  eachDecl([&](const Decl* decl, SymbolId symbol) {
    if (!symbol.valid()) return;
    if (decl->kind == DeclKind::Fn || decl->kind == DeclKind::Transform) {
      order.push_back({symbol, true});
    }
    if (decl->kind == DeclKind::Task || decl->kind == DeclKind::Workflow) {
      order.push_back({symbol, false});
    }
  });
  std::vector<bool> seen(program_->symbols.size() * 2, false);
  const auto isNew = [&](Stage stage) {
    const std::size_t at = stage.symbol.index() * 2 + (stage.body ? 1 : 0);
    if (seen[at]) return false;
    seen[at] = true;
    return true;
  };
  struct Visit {
    Stage stage;
    std::vector<Stage> before;
    std::size_t next = 0;
  };
  std::vector<Visit> path;
  for (const Stage first : order) {
    if (!isNew(first)) continue;
    path.push_back({first, stagesBefore(first)});
    while (!path.empty()) {
      Visit& top = path.back();
      if (top.next < top.before.size()) {
        const Stage next = top.before[top.next++];
        if (isNew(next)) path.push_back({next, stagesBefore(next)});
        continue;
      }
      finishStage(top.stage);
      path.pop_back();
    }
  }
}

}  // namespace couler::sema
