#include <bit>

#include "runtime/jit/llvm/emitter.h"

// The expressions that decide what is evaluated, and what all others have in common.
namespace couler::jit {

using ir::Builtin;
using llvm::BasicBlock;
using llvm::Value;

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
    Value* slot =
        b_.CreateInBoundsGEP(llvm::ArrayType::get(b_.getInt64Ty(), 2), columns_[expr.index], row_);
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
    if (program_.exprs[id].dear && !memo_[id] && !spilled_[id]) return true;
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
    Value* otherDecides = both(second.valid, isOr ? second.value : b_.CreateNot(second.value));
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
  Cells otherwise = none(expr.kind);
  otherwise.valid = nullptr;
  if (const auto around = shortcut(expr, in)) {
    asks = both(asks, around->asks);
    otherwise = around->otherwise;
  }
  Cells cells;
  if (asks != nullptr) {
    cells = inBranch(asks, expr.kind, [&] { return helper(expr, in); }, [&] { return otherwise; });
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

}  // namespace couler::jit
