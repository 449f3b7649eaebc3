#include "runtime/jit/llvm/emitter.h"

#include <bit>

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

// Loops, and the expressions that decide what is evaluated. Columns are told apart by their place in
// the frame; every pointer is read once, before the loops.
namespace couler::jit {

using ir::Builtin;
using llvm::BasicBlock;
using llvm::Value;

namespace {
// Members of Frame, in their order.
enum : unsigned {
  kRows,
  kKept,
  kColumns,
  kValid,
  kOuter,
  kPicked,
  kMask,
  kOutputs,
  kOutputValid,
  kSpilled,
  kSpilledFlags,
  kContext
};
constexpr std::uint64_t kCellBytes = sizeof(Cell);
}  // namespace

Emitter::Emitter(llvm::Module& module, const Program& program, bool wideProducts)
    : context_(module.getContext()),
      module_(module),
      program_(program),
      schedule_(scheduleOf(program)),
      wideProducts_(wideProducts),
      b_(module.getContext()),
      spilled_(program.exprs.size()),
      spillSlots_(program.exprs.size()),
      spillFlags_(program.exprs.size()) {}

bool Emitter::run(std::string& why) {
  if (!parseTexts(why)) return false;
  emitFilters();
  emitProject();
  return true;
}

// ---- loops

void Emitter::beginFunction(const char* name) {
  auto* type = llvm::FunctionType::get(b_.getInt64Ty(), {b_.getPtrTy()}, false);
  function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module_);
  frame_ = function_->getArg(0);
  b_.SetInsertPoint(BasicBlock::Create(context_, "entry", function_));
  scratch_.clear();
  dense_ = true;
  const auto member = [&](unsigned index) { return frameField(index, b_.getPtrTy()); };
  const auto entries = [&](unsigned index, std::size_t count, std::vector<Value*>& into) {
    into.clear();
    if (count == 0) return;
    Value* table = member(index);
    for (std::size_t i = 0; i < count; ++i) {
      into.push_back(
          b_.CreateLoad(b_.getPtrTy(), b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, i)));
    }
  };
  entries(kColumns, program_.inputs.size(), columns_);
  entries(kValid, program_.inputs.size(), columnValid_);
  picked_ = member(kPicked);
  mask_ = member(kMask);
  outer_.clear();
  Value* outer = member(kOuter);
  std::vector<Kind> kinds(program_.outerCount + program_.literals.size(), Kind::String);
  for (const Expr& expr : program_.exprs) {
    if (expr.code == Code::Outer) kinds[expr.index] = expr.kind;
  }
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    Value* cell = b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), outer, i * kCellBytes);
    outer_.push_back(loadCell(cell, kinds[i]));
    if (i >= program_.outerCount) outer_.back().valid = nullptr;
  }
}

Emitter::Loop Emitter::beginLoop(Value* rows, Value* error, bool vector, bool keeps) {
  Loop loop;
  loop.vector = vector;
  loop.before = b_.GetInsertBlock();
  loop.rows = rows;
  loop.body = BasicBlock::Create(context_, "row", function_);
  loop.exit = BasicBlock::Create(context_, "done", function_);
  b_.CreateCondBr(b_.CreateICmpSGT(rows, integer(0)), loop.body, loop.exit);
  b_.SetInsertPoint(loop.body);
  loop.position = b_.CreatePHI(b_.getInt64Ty(), 2, "position");
  loop.error = b_.CreatePHI(b_.getInt1Ty(), 2, "error");
  loop.position->addIncoming(integer(0), loop.before);
  loop.error->addIncoming(error, loop.before);
  if (keeps) {
    loop.kept = b_.CreatePHI(b_.getInt64Ty(), 2, "kept");
    loop.kept->addIncoming(integer(0), loop.before);
  }
  vector_ = vector;
  accesses_ = vector ? llvm::MDNode::getDistinct(context_, {}) : nullptr;
  memo_.assign(program_.exprs.size(), std::nullopt);
  order_.clear();
  return loop;
}

/// Goes round while there are rows; after it the builder stands behind the loop, and `loop.error`
/// and `loop.kept` are what they were at its end.
void Emitter::endLoop(Loop& loop, Value* error, Value* kept) {
  Value* next = b_.CreateAdd(loop.position, integer(1), "next", true, true);
  BasicBlock* latch = b_.GetInsertBlock();
  auto* branch = b_.CreateCondBr(b_.CreateICmpEQ(next, loop.rows), loop.exit, loop.body);
  std::vector<llvm::Metadata*> hints{nullptr};
  const auto hint = [&](const char* name, llvm::Metadata* value) {
    std::vector<llvm::Metadata*> parts{llvm::MDString::get(context_, name)};
    if (value != nullptr) parts.push_back(value);
    hints.push_back(llvm::MDNode::get(context_, parts));
  };
  if (loop.vector) {
    hint("llvm.loop.parallel_accesses", accesses_);
  } else {
    hint("llvm.loop.vectorize.enable", llvm::ConstantAsMetadata::get(b_.getFalse()));
    hint("llvm.loop.unroll.disable", nullptr);
  }
  auto* id = llvm::MDNode::getDistinct(context_, hints);
  id->replaceOperandWith(0, id);
  branch->setMetadata(llvm::LLVMContext::MD_loop, id);

  loop.position->addIncoming(next, latch);
  loop.error->addIncoming(error, latch);
  if (loop.kept != nullptr) loop.kept->addIncoming(kept, latch);
  accesses_ = nullptr;
  b_.SetInsertPoint(loop.exit);
  const auto leave = [&](llvm::PHINode*& phi, Value* last) {
    llvm::PHINode* out = b_.CreatePHI(phi->getType(), 2);
    out->addIncoming(phi->getIncomingValueForBlock(loop.before), loop.before);
    out->addIncoming(last, latch);
    phi = out;
  };
  leave(loop.error, error);
  if (loop.kept != nullptr) leave(loop.kept, kept);
}

void Emitter::beginRow(Value* position) {
  row_ = position;
  if (dense_) return;
  Value* address = b_.CreateInBoundsGEP(b_.getInt32Ty(), picked_, position);
  row_ = b_.CreateZExt(load(b_.getInt32Ty(), address, 4), b_.getInt64Ty());
}

void Emitter::countUsers(const std::vector<ExprId>& roots) {
  users_.assign(program_.exprs.size(), {});
  isRoot_.assign(program_.exprs.size(), false);
  std::vector<bool> seen(program_.exprs.size());
  std::vector<ExprId> left = roots;
  for (const ExprId root : roots) isRoot_[root] = true;
  while (!left.empty()) {
    const ExprId id = left.back();
    left.pop_back();
    if (seen[id]) continue;
    seen[id] = true;
    if (spilled_[id]) continue;
    for (const ExprId operand : program_.exprs[id].operands) {
      users_[operand].push_back(id);
      left.push_back(operand);
    }
  }
}

void Emitter::emitFilters() {
  beginFunction(kFilterName);
  // Where values are left for later loops.
  bool spills = false;
  for (const auto& loop : schedule_.filters) spills = spills || !loop.spills.empty();
  const auto slots = [&] {
    Value* values = frameField(kSpilled, b_.getPtrTy());
    Value* flags = frameField(kSpilledFlags, b_.getPtrTy());
    for (const auto& loop : schedule_.filters) {
      for (const ExprId id : loop.spills) {
        const auto slot = [&](Value* table) {
          return b_.CreateLoad(b_.getPtrTy(),
                               b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, id));
        };
        spillSlots_[id] = slot(values);
        spillFlags_[id] = slot(flags);
      }
    }
  };
  if (spills) slots();
  Value* kept = frameField(kRows, b_.getInt64Ty());
  Value* error = b_.getFalse();
  for (const auto& plan : schedule_.filters) {
    std::vector<ExprId> roots;
    for (const std::uint32_t step : plan.steps) {
      const auto& exprs = program_.steps[step].exprs;
      roots.insert(roots.end(), exprs.begin(), exprs.end());
    }
    countUsers(roots);
    Loop loop = beginLoop(kept, error, plan.vector, !plan.vector);
    beginRow(loop.position);
    Value* rowError = loop.error;
    if (plan.vector) {
      Value* alive = nullptr;
      for (const std::uint32_t index : plan.steps) {
        const Step& step = program_.steps[index];
        for (const ExprId id : step.exprs) {
          const Cells cells = emit(id);
          if (cells.error != nullptr) rowError = b_.CreateOr(rowError, both(alive, cells.error));
          if (step.filter) alive = both(alive, both(cells.valid, cells.value));
        }
      }
      store(b_.CreateZExt(orTrue(alive), b_.getInt8Ty()),
            b_.CreateInBoundsGEP(b_.getInt8Ty(), mask_, loop.position), 1);
      endLoop(loop, rowError, nullptr);
      error = loop.error;
      // Then the rows that have it are put together.
      Loop pick = beginLoop(kept, error, false, true);
      beginRow(pick.position);
      store(b_.CreateTrunc(row_, b_.getInt32Ty()),
            b_.CreateInBoundsGEP(b_.getInt32Ty(), picked_, pick.kept), 4);
      Value* keep = load(b_.getInt8Ty(),
                         b_.CreateInBoundsGEP(b_.getInt8Ty(), mask_, pick.position), 1);
      endLoop(pick, pick.error, b_.CreateAdd(pick.kept, b_.CreateZExt(keep, b_.getInt64Ty())));
      kept = pick.kept;
    } else {
      BasicBlock* latch = BasicBlock::Create(context_, "latch", function_);
      auto* errorOut = llvm::PHINode::Create(b_.getInt1Ty(), 2, "error", latch);
      auto* keep = llvm::PHINode::Create(b_.getInt1Ty(), 2, "keep", latch);
      Value* alive = nullptr;
      for (const std::uint32_t index : plan.steps) {
        if (alive != nullptr) {
          BasicBlock* next = BasicBlock::Create(context_, "kept", function_, latch);
          errorOut->addIncoming(rowError, b_.GetInsertBlock());
          keep->addIncoming(b_.getFalse(), b_.GetInsertBlock());
          b_.CreateCondBr(alive, next, latch);
          b_.SetInsertPoint(next);
          alive = nullptr;
        }
        const Step& step = program_.steps[index];
        for (const ExprId id : step.exprs) {
          const Cells cells = emit(id);
          if (cells.error != nullptr) rowError = b_.CreateOr(rowError, cells.error);
          if (step.filter) alive = orTrue(both(cells.valid, cells.value));
        }
      }
      for (const ExprId id : plan.spills) spill(id);
      errorOut->addIncoming(rowError, b_.GetInsertBlock());
      keep->addIncoming(orTrue(alive), b_.GetInsertBlock());
      b_.CreateBr(latch);
      b_.SetInsertPoint(latch);
      store(b_.CreateTrunc(row_, b_.getInt32Ty()),
            b_.CreateInBoundsGEP(b_.getInt32Ty(), picked_, loop.kept), 4);
      endLoop(loop, errorOut, b_.CreateAdd(loop.kept, b_.CreateZExt(keep, b_.getInt64Ty())));
      error = loop.error;
      kept = loop.kept;
      for (const ExprId id : plan.spills) spilled_[id] = true;
    }
    dense_ = false;
  }
  b_.CreateRet(b_.CreateSelect(error, integer(-1), kept));
}

void Emitter::emitProject() {
  beginFunction(kProjectName);
  Value* values = nullptr;
  Value* flags = nullptr;
  for (ExprId id = 0; id < spilled_.size(); ++id) {
    if (!spilled_[id]) continue;
    if (values == nullptr) {
      values = frameField(kSpilled, b_.getPtrTy());
      flags = frameField(kSpilledFlags, b_.getPtrTy());
    }
    const auto slot = [&](Value* table) {
      return b_.CreateLoad(b_.getPtrTy(),
                           b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, id));
    };
    spillSlots_[id] = slot(values);
    spillFlags_[id] = slot(flags);
  }
  Value* error = b_.getFalse();
  Value* kept = frameField(kKept, b_.getInt64Ty());
  dense_ = !program_.filters;
  Value* tables[] = {frameField(kOutputs, b_.getPtrTy()), frameField(kOutputValid, b_.getPtrTy())};
  for (const bool vector : {true, false}) {
    const Schedule::ProjectLoop& plan = vector ? schedule_.vector : schedule_.scalar;
    if (plan.outputs.empty() && plan.checks.empty()) continue;
    std::vector<ExprId> roots = plan.checks;
    std::vector<Value*> into;
    std::vector<Value*> intoValid;
    for (const std::uint32_t i : plan.outputs) {
      roots.push_back(program_.outputs[i].expr);
      const auto slot = [&](Value* table) {
        return b_.CreateLoad(b_.getPtrTy(),
                             b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, i));
      };
      into.push_back(slot(tables[0]));
      intoValid.push_back(program_.outputs[i].optional ? slot(tables[1]) : nullptr);
    }
    countUsers(roots);
    Loop loop = beginLoop(kept, error, vector, false);
    beginRow(loop.position);
    Value* rowError = loop.error;
    for (const ExprId id : plan.checks) rowError = b_.CreateOr(rowError, orFalse(emit(id).error));
    for (std::size_t k = 0; k < plan.outputs.size(); ++k) {
      const Output& output = program_.outputs[plan.outputs[k]];
      const Kind kind = program_.exprs[output.expr].kind;
      Cells cells = emit(output.expr);
      if (cells.error != nullptr) rowError = b_.CreateOr(rowError, cells.error);
      if (cells.valid != nullptr && !output.optional) {
        rowError = b_.CreateOr(rowError, b_.CreateNot(cells.valid));
      }
      const Cells zero = none(kind);
      if (cells.valid != nullptr) {
        cells.value = b_.CreateSelect(cells.valid, cells.value, zero.value);
        if (kind == Kind::String) cells.size = b_.CreateSelect(cells.valid, cells.size, zero.size);
      }
      if (kind == Kind::String) {
        Value* slot = b_.CreateInBoundsGEP(llvm::ArrayType::get(b_.getInt64Ty(), 2), into[k],
                                           loop.position);
        store(cells.value, slot, 8);
        store(cells.size, b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), slot, 1), 8);
      } else {
        llvm::Type* type = storedType(kind);
        Value* value = kind == Kind::Bool ? b_.CreateZExt(cells.value, type) : cells.value;
        store(value, b_.CreateInBoundsGEP(type, into[k], loop.position), 1);
      }
      if (output.optional) {
        store(b_.CreateZExt(orTrue(cells.valid), b_.getInt8Ty()),
              b_.CreateInBoundsGEP(b_.getInt8Ty(), intoValid[k], loop.position), 1);
      }
    }
    endLoop(loop, rowError, nullptr);
    error = loop.error;
  }
  b_.CreateRet(b_.CreateSelect(error, integer(-1), integer(0)));
}

void Emitter::spill(ExprId id) {
  const Cells cells = emit(id);
  const Kind kind = program_.exprs[id].kind;
  Value* flags = b_.CreateOr(
      b_.CreateZExt(orTrue(cells.valid), b_.getInt8Ty()),
      b_.CreateShl(b_.CreateZExt(orFalse(cells.error), b_.getInt8Ty()), b_.getInt8(1)));
  store(flags, b_.CreateInBoundsGEP(b_.getInt8Ty(), spillFlags_[id], row_), 1);
  Value* slot =
      b_.CreateInBoundsGEP(llvm::ArrayType::get(b_.getInt64Ty(), 2), spillSlots_[id], row_);
  Value* value = kind == Kind::Bool ? b_.CreateZExt(cells.value, b_.getInt8Ty()) : cells.value;
  store(value, slot, 8);
  if (kind == Kind::String) {
    store(cells.size, b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), slot, 1), 8);
  }
}

Cells Emitter::unspill(ExprId id, const Expr& expr) {
  Cells cells;
  Value* flags =
      load(b_.getInt8Ty(), b_.CreateInBoundsGEP(b_.getInt8Ty(), spillFlags_[id], row_), 1);
  cells.valid = b_.CreateTrunc(flags, b_.getInt1Ty());
  if (expr.fails) {
    cells.error = b_.CreateTrunc(b_.CreateLShr(flags, b_.getInt8(1)), b_.getInt1Ty());
  }
  Value* slot =
      b_.CreateInBoundsGEP(llvm::ArrayType::get(b_.getInt64Ty(), 2), spillSlots_[id], row_);
  cells.value = load(storedType(expr.kind), slot, 8);
  if (expr.kind == Kind::Bool) cells.value = b_.CreateICmpNE(cells.value, b_.getInt8(0));
  if (expr.kind == Kind::String) {
    cells.size = load(b_.getInt64Ty(), b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), slot, 1), 8);
  }
  return cells;
}

// ---- expressions

Cells Emitter::emit(ExprId id) {
  if (memo_[id]) return *memo_[id];
  const Expr& expr = program_.exprs[id];
  const Cells cells = spilled_[id] ? unspill(id, expr) : emitNew(id, expr);
  memo_[id] = cells;
  order_.push_back(id);
  return cells;
}

Cells Emitter::emitNew(ExprId id, const Expr& expr) {
  switch (expr.code) {
    case Code::Column:
      return column(expr);
    case Code::Outer:
      return outer_[expr.index];
    case Code::Const:
      return constant(expr);
    case Code::None:
      return none(expr.kind);
    case Code::Select:
      return select(id, expr);
    case Code::Same:
      return same(expr);
    case Code::Try: {
      Cells cells = emit(expr.operands[0]);
      cells.valid = andNot(cells.valid, cells.error);
      cells.error = nullptr;
      return cells;
    }
    case Code::Apply:
      break;
  }
  switch (expr.op) {
    case Builtin::And:
    case Builtin::Or:
      return logic(id, expr);
    case Builtin::Coalesce:
    case Builtin::CoalesceOptional:
      return coalesce(id, expr);
    case Builtin::Equal:
    case Builtin::NotEqual:
      if (!expr.lifted) return equality(expr);
      break;
    default:
      break;
  }
  return strict(id, expr);
}

Cells Emitter::column(const Expr& expr) {
  const Program::Input& input = program_.inputs[expr.index];
  Cells cells;
  if (expr.kind == Kind::String) {
    Value* slot = b_.CreateInBoundsGEP(llvm::ArrayType::get(b_.getInt64Ty(), 2),
                                       columns_[expr.index], row_);
    cells.value = load(b_.getPtrTy(), slot, 8);
    cells.size = load(b_.getInt64Ty(), b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), slot, 1), 8);
  } else {
    llvm::Type* type = storedType(expr.kind);
    cells.value = load(type, b_.CreateInBoundsGEP(type, columns_[expr.index], row_), 1);
    if (expr.kind == Kind::Bool) cells.value = b_.CreateICmpNE(cells.value, b_.getInt8(0));
  }
  if (input.optional) {
    Value* valid = load(b_.getInt8Ty(),
                        b_.CreateInBoundsGEP(b_.getInt8Ty(), columnValid_[expr.index], row_), 1);
    cells.valid = b_.CreateICmpNE(valid, b_.getInt8(0));
  }
  return cells;
}

Cells Emitter::constant(const Expr& expr) {
  Cells cells;
  switch (expr.kind) {
    case Kind::Bool:
      cells.value = b_.getInt1(expr.bits != 0);
      break;
    case Kind::Float:
      cells.value = real(std::bit_cast<double>(expr.bits));
      break;
    case Kind::Enum:
      cells.value = b_.getInt32(static_cast<std::uint32_t>(expr.bits));
      break;
    case Kind::String:
      cells = outer_[program_.outerCount + expr.index];
      cells.size = integer(static_cast<std::int64_t>(expr.text.size()));
      break;
    default:
      cells.value = integer(expr.bits);
      break;
  }
  return cells;
}

Cells Emitter::none(Kind kind) {
  Cells cells;
  cells.value = llvm::Constant::getNullValue(typeOf(kind));
  if (kind == Kind::String) cells.size = integer(0);
  cells.valid = b_.getFalse();
  return cells;
}

Cells Emitter::choose(Value* condition, const Cells& yes, const Cells& no, Kind kind) {
  Cells cells;
  cells.value = b_.CreateSelect(condition, yes.value, no.value);
  if (kind == Kind::String) cells.size = b_.CreateSelect(condition, yes.size, no.size);
  if (yes.valid != nullptr || no.valid != nullptr) {
    cells.valid = b_.CreateSelect(condition, orTrue(yes.valid), orTrue(no.valid));
  }
  if (yes.error != nullptr || no.error != nullptr) {
    cells.error = b_.CreateSelect(condition, orFalse(yes.error), orFalse(no.error));
  }
  return cells;
}

namespace {

/// What is below an operand and used by nothing but it, in the loop at hand.
std::vector<ExprId> exclusiveTo(const Program& program,
                                const std::vector<std::vector<ExprId>>& users,
                                const std::vector<bool>& isRoot, ExprId owner,
                                std::size_t operand) {
  const Expr& expr = program.exprs[owner];
  const ExprId top = expr.operands[operand];
  for (std::size_t i = 0; i < expr.operands.size(); ++i) {
    if (i != operand && expr.operands[i] == top) return {};
  }
  std::vector<bool> exclusive(program.exprs.size());
  std::vector<ExprId> found;
  // Users have greater ids than what they use, so that going down meets them first.
  for (ExprId id = top + 1; id-- > 0;) {
    if (isRoot[id] || users[id].empty()) continue;
    bool only = true;
    for (const ExprId user : users[id]) {
      only = only && (exclusive[user] || (user == owner && id == top));
    }
    if (!only) continue;
    exclusive[id] = true;
    found.push_back(id);
  }
  return found;
}

}  // namespace

bool Emitter::worthBranch(ExprId owner, std::size_t operand) {
  if (vector_ || !program_.exprs[program_.exprs[owner].operands[operand]].cost) return false;
  for (const ExprId id : exclusiveTo(program_, users_, isRoot_, owner, operand)) {
    if (program_.exprs[id].heavy && !memo_[id] && !spilled_[id]) return true;
  }
  return false;
}

/// Emits, before a branch, what is used within it and elsewhere too.
void Emitter::hoist(ExprId owner, std::size_t operand) {
  const std::vector<ExprId> found = exclusiveTo(program_, users_, isRoot_, owner, operand);
  std::vector<bool> exclusive(program_.exprs.size());
  for (const ExprId id : found) exclusive[id] = true;
  const ExprId top = program_.exprs[owner].operands[operand];
  if (!exclusive[top]) emit(top);
  for (const ExprId id : found) {
    for (const ExprId below : program_.exprs[id].operands) {
      if (!exclusive[below] && !spilled_[id]) emit(below);
    }
  }
}

Cells Emitter::inBranch(Value* condition, Kind kind, const std::function<Cells()>& yes,
                        const std::function<Cells()>& no) {
  BasicBlock* thenBlock = BasicBlock::Create(context_, "then", function_);
  BasicBlock* elseBlock = BasicBlock::Create(context_, "else", function_);
  BasicBlock* join = BasicBlock::Create(context_, "join", function_);
  b_.CreateCondBr(condition, thenBlock, elseBlock);
  const std::size_t mark = order_.size();
  const auto arm = [&](BasicBlock*& block, const std::function<Cells()>& make) {
    b_.SetInsertPoint(block);
    const Cells cells = make();
    block = b_.GetInsertBlock();
    for (; order_.size() > mark; order_.pop_back()) memo_[order_.back()].reset();
    b_.CreateBr(join);
    return cells;
  };
  const Cells first = arm(thenBlock, yes);
  const Cells second = arm(elseBlock, no);
  b_.SetInsertPoint(join);
  const auto merge = [&](Value* a, Value* c) -> Value* {
    llvm::PHINode* phi = b_.CreatePHI(a->getType(), 2);
    phi->addIncoming(a, thenBlock);
    phi->addIncoming(c, elseBlock);
    return phi;
  };
  Cells cells;
  cells.value = merge(first.value, second.value);
  if (kind == Kind::String) cells.size = merge(first.size, second.size);
  if (first.valid != nullptr || second.valid != nullptr) {
    cells.valid = merge(orTrue(first.valid), orTrue(second.valid));
  }
  if (first.error != nullptr || second.error != nullptr) {
    cells.error = merge(orFalse(first.error), orFalse(second.error));
  }
  return cells;
}

Cells Emitter::select(ExprId id, const Expr& expr) {
  const Cells condition = emit(expr.operands[0]);
  Value* truth = both(condition.valid, condition.value);
  Cells cells;
  if (worthBranch(id, 1) || worthBranch(id, 2)) {
    hoist(id, 1);
    hoist(id, 2);
    cells = inBranch(
        truth, expr.kind, [&] { return emit(expr.operands[1]); },
        [&] { return emit(expr.operands[2]); });
  } else {
    const Cells yes = emit(expr.operands[1]);
    cells = choose(truth, yes, emit(expr.operands[2]), expr.kind);
  }
  cells.error = either(cells.error, condition.error);
  if (condition.valid != nullptr) {
    cells.error = either(cells.error, b_.CreateNot(condition.valid));
  }
  return cells;
}

/// `and`, `or`: the second operand does not matter where the first decides.
Cells Emitter::logic(ExprId id, const Expr& expr) {
  const bool isOr = expr.op == Builtin::Or;
  const Cells a = emit(expr.operands[0]);
  Value* first = isOr ? a.value : b_.CreateNot(a.value);
  Value* decides = both(a.valid, first);
  const auto combined = [&](const Cells& second) {
    Value* otherDecides =
        both(second.valid, isOr ? second.value : b_.CreateNot(second.value));
    Cells cells;
    Value* decided = b_.CreateOr(decides, otherDecides);
    cells.value = isOr ? decided : b_.CreateNot(decided);
    Value* valid = both(a.valid, second.valid);
    if (valid != nullptr) cells.valid = b_.CreateOr(decided, valid);
    if (second.error != nullptr) cells.error = andNot(second.error, decides);
    return cells;
  };
  Cells cells;
  if (worthBranch(id, 1)) {
    hoist(id, 1);
    cells = inBranch(
        decides, Kind::Bool,
        [&] {
          Cells known;
          known.value = b_.getInt1(isOr);
          return known;
        },
        [&] { return combined(emit(expr.operands[1])); });
  } else {
    cells = combined(emit(expr.operands[1]));
  }
  cells.error = either(cells.error, a.error);
  if (!expr.lifted && a.valid != nullptr) {
    cells.error = either(cells.error, b_.CreateNot(a.valid));
  }
  return cells;
}

Cells Emitter::coalesce(ExprId id, const Expr& expr) {
  const Cells a = emit(expr.operands[0]);
  if (a.valid == nullptr) return a;
  Cells present = a;
  present.valid = nullptr;
  present.error = nullptr;
  Cells cells;
  if (worthBranch(id, 1)) {
    hoist(id, 1);
    cells = inBranch(
        a.valid, expr.kind, [&] { return present; }, [&] { return emit(expr.operands[1]); });
  } else {
    cells = choose(a.valid, present, emit(expr.operands[1]), expr.kind);
  }
  cells.error = either(cells.error, a.error);
  return cells;
}

/// `==` and `!=` know none as a value.
Cells Emitter::equality(const Expr& expr) {
  const Expr& left = program_.exprs[expr.operands[0]];
  const Expr& right = program_.exprs[expr.operands[1]];
  const Cells a = emit(expr.operands[0]);
  const Cells c = emit(expr.operands[1]);
  Cells cells;
  Value* present = both(a.valid, c.valid);
  Value* equal = nullptr;
  if (left.code == Code::None || right.code == Code::None) {
    equal = b_.getFalse();
  } else {
    equal = both(present, equalValues(left, right, a, c));
  }
  if (a.valid != nullptr && c.valid != nullptr) {
    equal = b_.CreateOr(equal, b_.CreateNot(b_.CreateOr(a.valid, c.valid)));
  }
  cells.value = expr.op == Builtin::Equal ? equal : b_.CreateNot(equal);
  cells.error = either(a.error, c.error);
  return cells;
}

Cells Emitter::same(const Expr& expr) {
  Expr plain = expr;
  plain.op = Builtin::Equal;
  Cells cells = equality(plain);
  if (program_.exprs[expr.operands[0]].kind == Kind::Float) {
    const Cells a = emit(expr.operands[0]);
    const Cells c = emit(expr.operands[1]);
    const auto isNan = [&](const Cells& x) {
      return both(x.valid, b_.CreateFCmpUNO(x.value, x.value));
    };
    cells.value = b_.CreateOr(cells.value, b_.CreateAnd(isNan(a), isNan(c)));
  }
  return cells;
}

/// All others: none of none where lifted, an error of an error, whichever operand has it.
Cells Emitter::strict(ExprId, const Expr& expr) {
  std::vector<Cells> in;
  Value* valid = nullptr;
  Value* error = nullptr;
  const bool takesNone = expr.via == Via::Any && !expr.lifted;
  for (const ExprId operand : expr.operands) {
    in.push_back(emit(operand));
    error = either(error, in.back().error);
    if (in.back().valid == nullptr) continue;
    if (expr.lifted) {
      valid = both(valid, in.back().valid);
    } else if (!takesNone && expr.op != Builtin::Unwrap) {
      error = either(error, b_.CreateNot(in.back().valid));
    }
  }
  // A helper is not asked where there is nothing to ask, nor where it would not matter.
  Value* asks = expr.via == Via::Text || expr.via == Via::Any ? andNot(valid, error) : nullptr;
  Cells cells;
  if (asks != nullptr) {
    cells = inBranch(
        asks, expr.kind, [&] { return helper(expr, in); },
        [&] {
          Cells nothing = none(expr.kind);
          nothing.valid = nullptr;
          return nothing;
        });
  } else if (expr.via == Via::Inline) {
    cells = inlineOperation(expr, in);
  } else {
    cells = expr.via == Via::Math ? math(expr, in) : helper(expr, in);
  }
  if (cells.error != nullptr) cells.error = both(valid, cells.error);
  cells.error = either(cells.error, error);
  cells.valid = both(cells.valid, valid);
  return cells;
}

// ---- small things

Value* Emitter::both(Value* a, Value* b) {
  if (a == nullptr) return b;
  return b == nullptr ? a : b_.CreateAnd(a, b);
}
Value* Emitter::either(Value* a, Value* b) {
  if (a == nullptr) return b;
  return b == nullptr ? a : b_.CreateOr(a, b);
}
Value* Emitter::andNot(Value* a, Value* b) {
  return b == nullptr ? a : both(a, b_.CreateNot(b));
}

llvm::Type* Emitter::typeOf(Kind kind) {
  return kind == Kind::Bool ? b_.getInt1Ty() : storedType(kind);
}
llvm::Type* Emitter::storedType(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return b_.getInt8Ty();
    case Kind::Float:
      return b_.getDoubleTy();
    case Kind::String:
      return b_.getPtrTy();
    case Kind::Enum:
      return b_.getInt32Ty();
    default:
      return b_.getInt64Ty();
  }
}

Value* Emitter::load(llvm::Type* type, Value* address, unsigned align) {
  auto* made = b_.CreateAlignedLoad(type, address, llvm::Align(align));
  if (accesses_ != nullptr) made->setMetadata(llvm::LLVMContext::MD_access_group, accesses_);
  return made;
}
void Emitter::store(Value* value, Value* address, unsigned align) {
  auto* made = b_.CreateAlignedStore(value, address, llvm::Align(align));
  if (accesses_ != nullptr) made->setMetadata(llvm::LLVMContext::MD_access_group, accesses_);
}
Value* Emitter::frameField(unsigned member, llvm::Type* type) {
  return b_.CreateLoad(type, b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), frame_, member));
}
Value* Emitter::real(double x) { return llvm::ConstantFP::get(b_.getDoubleTy(), x); }
Value* Emitter::intrinsic(unsigned id, llvm::ArrayRef<Value*> args) {
  return b_.CreateIntrinsic(id, {args[0]->getType()}, args);
}

Cells Emitter::loadCell(Value* cell, Kind kind) {
  const auto part = [&](unsigned i, llvm::Type* type) {
    return b_.CreateLoad(type, b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), cell, i));
  };
  Cells cells;
  if (kind == Kind::Bool) {
    cells.value = b_.CreateICmpNE(part(0, b_.getInt64Ty()), integer(0));
  } else {
    cells.value = part(0, storedType(kind));
  }
  if (kind == Kind::String) cells.size = part(1, b_.getInt64Ty());
  cells.valid = b_.CreateICmpNE(part(2, b_.getInt64Ty()), integer(0));
  return cells;
}

/// Room for that many cells on the stack, in the function's first block: one room a count, since
/// what is in it is done with after the call.
Value* Emitter::scratch(unsigned count) {
  Value*& room = scratch_[count];
  if (room == nullptr) {
    llvm::IRBuilder<> entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
    room = entry.CreateAlloca(llvm::ArrayType::get(b_.getInt64Ty(), 3 * std::uint64_t{count}));
  }
  return room;
}

}  // namespace couler::jit
