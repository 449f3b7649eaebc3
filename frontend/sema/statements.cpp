// Blocks, the bodies of workflows, fns and tests.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "frontend/sema/walk.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

Checker::BlockValue Checker::checkBlock(const Block* block, TypeId expected, bool used,
                                        bool ownScope) {
  BlockValue result{TypeTable::kNone, Phase::Compile, nullptr};
  if (block == nullptr) return result;
  if (ownScope) pushScope();
  for (const Stmt* stmt : block->statements) {
    const bool last = stmt == block->statements.back();
    switch (stmt->kind) {
      case StmtKind::Let:
        if (place_ == Place::Fn) {
          report(diagnose<Diag::LetInFn>(stmt->span)
                     .note("a fn is one expression; make the value a fn of its own"));
        }
        checkLet(*static_cast<const LetStmt*>(stmt));
        break;
      case StmtKind::Expr: {
        const Expr* value = static_cast<const ExprStmt*>(stmt)->value;
        if (!last || !used) {
          checkStatement(value);
          // For a body whose value nobody wants, what it gives still has a type.
          if (last) result = {info(*value).type, phaseOf(value), value};
        } else {
          const TypeId type = check(value, expected);
          result = {type, phaseOf(value), value};
        }
        break;
      }
      case StmtKind::Return:
        report(diagnose<Diag::MisplacedReturn>(stmt->span)
                   .note("a block gives the value of its last expression"));
        check(static_cast<const ReturnStmt*>(stmt)->value);
        if (last) result.type = TypeTable::kError;
        break;
      case StmtKind::Finally:
        report(diagnose<Diag::MisplacedFinally>(stmt->span));
        checkBlock(static_cast<const FinallyStmt*>(stmt)->body, {}, false);
        break;
    }
  }
  if (ownScope) popScope();
  return result;
}

void Checker::checkLet(const LetStmt& stmt) {
  const std::string_view place = std::exchange(secretPlace_, "is given another name");
  TypeId type;
  if (stmt.type != nullptr) {
    type = resolveType(stmt.type);
    if (types().holds(type, IrKind::Secret)) {
      report(diagnose<Diag::SecretPlace>(stmt.type->span, "in a `let`"));
      type = TypeTable::kError;
    }
    checkAs(stmt.value, type);
  } else {
    type = check(stmt.value);
  }
  secretPlace_ = place;
  Phase phase = phaseOf(stmt.value);
  if (stmt.value != nullptr && convertsTable(type, info(*stmt.value).type)) phase = Phase::Run;
  const SymbolId symbol = declareLocal(SymbolKind::Local, stmt.name, type, phase);
  extra(symbol).origin = stmt.value;
  file_->declared[&stmt] = symbol;
}

void Checker::checkStatement(const Expr* value) {
  if (value == nullptr) return;
  const TypeId type = check(value, {}, false);
  const Expr* inner = value;
  while (inner != nullptr && (inner->kind == ExprKind::After || inner->kind == ExprKind::Try)) {
    inner = inner->kind == ExprKind::After ? static_cast<const AfterExpr*>(inner)->operand
                                           : static_cast<const TryExpr*>(inner)->operand;
  }
  if (inner == nullptr || isError(type) || isError(info(*inner).type)) return;
  switch (inner->kind) {
    case ExprKind::If:
    case ExprKind::For:
    case ExprKind::Loop:
    case ExprKind::Error:
    case ExprKind::Tune:
      return;
    case ExprKind::Call: {
      const auto it = file_->calls.find(inner->id);
      if (it == file_->calls.end()) return;
      if (it->second.callee.valid()) {
        const Symbol& callee = program_->at(it->second.callee);
        if (callee.kind == SymbolKind::Workflow) return;
        if (callee.kind == SymbolKind::Task) {
          if (static_cast<const TaskDecl*>(callee.decl)->isVolatile ||
              callee.signature->outputs.empty()) {
            return;
          }
          report(diagnose<Diag::UnusedResult>(inner->span, callee.name)
                     .label(callee.declared, "declared here")
                     .note("nothing needs this step; a task that is run for what it does outside "
                           "is `volatile`"));
          return;
        }
      }
      break;
    }
    default:
      break;
  }
  report(diagnose<Diag::UnusedValue>(inner->span));
}

void Checker::bindParams(SymbolId symbol) {
  for (const FieldInfo& param : program_->at(symbol).signature->params) bindLocal(param.symbol);
}

void Checker::checkWorkflow(SymbolId symbol) {
  const auto& decl = *static_cast<const WorkflowDecl*>(program_->at(symbol).decl);
  if (decl.body == nullptr) return;
  place_ = Place::Workflow;
  owner_ = symbol;
  const bool hasOutputs = !decl.outputs.empty();
  const Stmt* last = nullptr;
  for (const Stmt* stmt : decl.body->statements) {
    if (stmt->kind != StmtKind::Finally) last = stmt;
  }
  const Stmt* returned = nullptr;
  const Stmt* finally = nullptr;
  bool saidAfter = false;
  bool given = false;
  pushScope();
  bindParams(symbol);
  for (const Stmt* stmt : decl.body->statements) {
    if (returned != nullptr && stmt->kind != StmtKind::Finally && !saidAfter) {
      report(
          diagnose<Diag::AfterReturn>(stmt->span).label(returned->span, "the workflow ends here"));
      saidAfter = true;
    }
    switch (stmt->kind) {
      case StmtKind::Let:
        checkLet(*static_cast<const LetStmt*>(stmt));
        break;
      case StmtKind::Expr: {
        const Expr* value = static_cast<const ExprStmt*>(stmt)->value;
        if (stmt == last && hasOutputs && returned == nullptr) {
          checkGiven(value, symbol, false);
          given = true;
        } else {
          checkStatement(value);
        }
        break;
      }
      case StmtKind::Return: {
        const Expr* value = static_cast<const ReturnStmt*>(stmt)->value;
        given = true;
        if (value != nullptr) {
          checkGiven(value, symbol, true);
        } else if (hasOutputs) {
          missingOutputs(symbol, stmt->span, "nothing is returned here");
        }
        if (returned == nullptr) returned = stmt;
        break;
      }
      case StmtKind::Finally:
        if (finally != nullptr) {
          report(
              diagnose<Diag::MisplacedFinally>(stmt->span).label(finally->span, "the first one"));
        }
        finally = stmt;
        checkFinally(*static_cast<const FinallyStmt*>(stmt));
        break;
    }
  }
  popScope();
  if (hasOutputs && !given) missingOutputs(symbol, {}, {});
}

void Checker::missingOutputs(SymbolId workflow, Span end, std::string_view why) {
  const Symbol& symbol = program_->at(workflow);
  std::string list;
  for (const FieldInfo& output : symbol.signature->outputs) {
    list += fmt::format("{}`{}`", list.empty() ? "" : ", ", output.name);
  }
  const std::size_t count = symbol.signature->outputs.size();
  Diagnostic diagnostic = diagnose<Diag::MissingReturn>(
      symbol.declared, symbol.name, fmt::format("{} {}", count == 1 ? "output" : "outputs", list));
  if (end.valid()) diagnostic.label(end, std::string(why));
  report(std::move(diagnostic).note("end it with `return (name: value, …)`"));
}

void Checker::checkGiven(const Expr* value, SymbolId workflow, bool isReturn) {
  const Symbol& symbol = program_->at(workflow);
  const std::vector<FieldInfo>& outputs = symbol.signature->outputs;
  const TypeId record = symbol.signature->result;
  const std::string_view place = std::exchange(secretPlace_, "is returned");
  if (outputs.empty()) {
    report(diagnose<Diag::ReturnWithoutOutputs>(value->span, symbol.name)
               .label(symbol.declared, "declared here, without `-> (…)`"));
    check(value);
    secretPlace_ = place;
    return;
  }
  const bool single = outputs.size() == 1;
  TypeId expected = single ? outputs[0].type : record;
  if (value->kind == ExprKind::Record) {
    const auto fields = static_cast<const RecordExpr*>(value)->fields;
    const bool named = std::any_of(fields.begin(), fields.end(), [&](const Argument& arg) {
      return arg.name.text == outputs[0].name;
    });
    if (!single || named || types().kind(expected) != IrKind::Record) expected = record;
  }
  const TypeId type = check(value, expected);
  secretPlace_ = place;
  if (isError(type) || types().accepts(record, type)) return;
  const bool bare = single && (types().accepts(outputs[0].type, type) ||
                               convertsTable(outputs[0].type, type));
  if (isReturn) {
    if (!bare) mismatch(value, expected, type, single ? &outputs[0] : nullptr);
    return;
  }
  if (!bare) {
    return missingOutputs(workflow, value->span,
                          fmt::format("it ends with this, a `{}`", print(type)));
  }
  report(diagnose<Diag::MissingReturn>(value->span, symbol.name,
                                       fmt::format("output `{}`", outputs[0].name))
             .fix("write `return`", Span{value->span.file, value->span.begin, value->span.begin},
                  "return "));
}

void Checker::checkFinally(const FinallyStmt& stmt) {
  place_ = Place::Finally;
  pushScope();
  const Name name{"status", Span{stmt.span.file, stmt.span.begin, stmt.span.begin}};
  const SymbolId status = addSymbol(SymbolKind::Local, name, program_->at(owner_).decl, fileId_,
                                    TypeTable::kString, Phase::Run);
  use(status);  // nobody wrote it, so nobody needs to use it
  bindLocal(status);
  file_->declared[&stmt] = status;
  checkBlock(stmt.body, {}, false);
  popScope();
  place_ = Place::Workflow;
}

void Checker::checkFn(SymbolId symbol) {
  const auto& decl = *static_cast<const FnDecl*>(program_->at(symbol).decl);
  place_ = Place::Fn;
  owner_ = symbol;
  pushScope();
  bindParams(symbol);
  if (decl.result != nullptr) {
    checkAs(decl.body, program_->at(symbol).signature->result);
  } else {
    const TypeId type = check(decl.body);
    program_->at(symbol).signature->result = type;
    program_->at(symbol).type = type;
    extra(symbol).inferring = false;
  }
  popScope();
}

void Checker::checkTest(const TestDecl& test) {
  facts_.clear();
  place_ = Place::Test;
  owner_ = {};
  pushScope();
  if (test.body != nullptr) {
    for (const Stmt* stmt : test.body->statements) {
      switch (stmt->kind) {
        case StmtKind::Let:
          checkLet(*static_cast<const LetStmt*>(stmt));
          break;
        case StmtKind::Expr:
          checkStatement(static_cast<const ExprStmt*>(stmt)->value);
          break;
        case StmtKind::Return:
          report(diagnose<Diag::MisplacedReturn>(stmt->span));
          break;
        case StmtKind::Finally:
          report(diagnose<Diag::MisplacedFinally>(stmt->span));
          break;
      }
    }
  }
  for (const Expr* expectation : test.expectations) {
    checkAs(expectation, TypeTable::kBool);
    needPhase(expectation, Phase::Compile, "what a test expects");
  }
  popScope();
}

}  // namespace couler::sema
