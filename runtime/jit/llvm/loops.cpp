#include "runtime/jit/llvm/emitter.h"

// Loops. Columns are told apart by their place in the frame; every pointer is read once, before
// the loops.
namespace couler::jit {

using llvm::BasicBlock;
using llvm::Value;

namespace {
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
  why = problem_;
  return problem_.empty();
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

/// Whether there is something yet to compute that is worth a branch.
bool Emitter::isDear(const std::vector<ExprId>& roots) const {
  std::vector<ExprId> left = roots;
  std::vector<bool> seen(program_.exprs.size());
  while (!left.empty()) {
    const ExprId id = left.back();
    left.pop_back();
    if (seen[id] || memo_[id] || spilled_[id]) continue;
    seen[id] = true;
    if (program_.exprs[id].dear) return true;
    const auto& operands = program_.exprs[id].operands;
    left.insert(left.end(), operands.begin(), operands.end());
  }
  return false;
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
      Value* keep =
          load(b_.getInt8Ty(), b_.CreateInBoundsGEP(b_.getInt8Ty(), mask_, pick.position), 1);
      endLoop(pick, pick.error, b_.CreateAdd(pick.kept, b_.CreateZExt(keep, b_.getInt64Ty())));
      kept = pick.kept;
    } else {
      BasicBlock* latch = BasicBlock::Create(context_, "latch", function_);
      auto* errorOut = llvm::PHINode::Create(b_.getInt1Ty(), 2, "error", latch);
      auto* keep = llvm::PHINode::Create(b_.getInt1Ty(), 2, "keep", latch);
      Value* alive = nullptr;
      for (const std::uint32_t index : plan.steps) {
        const Step& step = program_.steps[index];
        if (alive != nullptr && isDear(step.exprs)) {
          BasicBlock* next = BasicBlock::Create(context_, "kept", function_, latch);
          errorOut->addIncoming(rowError, b_.GetInsertBlock());
          keep->addIncoming(b_.getFalse(), b_.GetInsertBlock());
          b_.CreateCondBr(alive, next, latch);
          b_.SetInsertPoint(next);
          alive = nullptr;
        }
        for (const ExprId id : step.exprs) {
          const Cells cells = emit(id);
          if (cells.error != nullptr) rowError = b_.CreateOr(rowError, both(alive, cells.error));
          if (step.filter) alive = both(alive, orTrue(both(cells.valid, cells.value)));
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
      return b_.CreateLoad(b_.getPtrTy(), b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, id));
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
        return b_.CreateLoad(b_.getPtrTy(), b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table, i));
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
        Value* slot =
            b_.CreateInBoundsGEP(llvm::ArrayType::get(b_.getInt64Ty(), 2), into[k], loop.position);
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
  Value* flags =
      b_.CreateOr(b_.CreateZExt(orTrue(cells.valid), b_.getInt8Ty()),
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

}  // namespace couler::jit
