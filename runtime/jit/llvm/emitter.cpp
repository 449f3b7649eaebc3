#include "runtime/jit/llvm/emitter.h"

// Small things.
namespace couler::jit {

using llvm::Value;

Value* Emitter::both(Value* a, Value* b) {
  if (a == nullptr) return b;
  return b == nullptr ? a : b_.CreateAnd(a, b);
}
Value* Emitter::either(Value* a, Value* b) {
  if (a == nullptr) return b;
  return b == nullptr ? a : b_.CreateOr(a, b);
}
Value* Emitter::andNot(Value* a, Value* b) { return b == nullptr ? a : both(a, b_.CreateNot(b)); }

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
