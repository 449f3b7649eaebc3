#include "runtime/jit/llvm/emitter.h"

// Operations that are calls.
namespace couler::jit {

using ir::Builtin;
using llvm::Value;

namespace {

/// As the helpers are named (helpers.cpp). Nothing of ir/ is linked here.
constexpr const char* kEnumerators[] = {
#define BUILTIN(Name, ...) #Name,
#include "ir/builtins.def"
};
std::string symbolOf(Builtin op) {
  return std::string("couler_jit_") + kEnumerators[static_cast<std::size_t>(op)];
}

}  // namespace

/// The functions of the C library, under names of our own, so that none is replaced by what is only
/// about equal.
Cells Emitter::math(const Expr& expr, const std::vector<Cells>& in) {
  const std::string name = symbolOf(expr.op);
  std::vector<llvm::Type*> types(in.size(), b_.getDoubleTy());
  auto* type = llvm::FunctionType::get(b_.getDoubleTy(), types, false);
  llvm::FunctionCallee callee = module_.getOrInsertFunction(name, type);
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotAccessMemory();
  function->setDoesNotThrow();
  function->setWillReturn();
  std::vector<Value*> arguments;
  for (const Cells& cells : in) arguments.push_back(cells.value);
  Cells out;
  out.value = b_.CreateCall(callee, arguments);
  return out;
}

Cells Emitter::helper(const Expr& expr, const std::vector<Cells>& in) {
  const std::string name = expr.via == Via::Any ? "couler_jit_Any" : symbolOf(expr.op);
  auto* type = llvm::FunctionType::get(
      b_.getInt64Ty(), {b_.getPtrTy(), b_.getInt64Ty(), b_.getPtrTy(), b_.getPtrTy()}, false);
  llvm::FunctionCallee callee = module_.getOrInsertFunction(name, type);
  llvm::cast<llvm::Function>(callee.getCallee())->setDoesNotThrow();
  Value* room = scratch(static_cast<unsigned>(in.size()) + 1);
  const auto part = [&](std::size_t cell, unsigned i) {
    return b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), room, 3 * cell + i);
  };
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Kind kind = program_.exprs[expr.operands[i]].kind;
    Value* value = in[i].value;
    if (kind == Kind::Bool) value = b_.CreateZExt(value, b_.getInt64Ty());
    if (kind == Kind::Enum) value = b_.CreateSExt(value, b_.getInt64Ty());
    b_.CreateStore(value, part(i, 0));
    if (kind == Kind::String) b_.CreateStore(in[i].size, part(i, 1));
    b_.CreateStore(b_.CreateZExt(orTrue(in[i].valid), b_.getInt64Ty()), part(i, 2));
  }
  Value* context = frameField(kContext, b_.getPtrTy());
  Value* status = b_.CreateCall(
      callee, {context, integer(static_cast<std::int64_t>(expr.index)), room, part(in.size(), 0)});
  Cells out = loadCell(part(in.size(), 0), expr.kind);
  if (expr.op != Builtin::Find && expr.op != Builtin::Extract) out.valid = nullptr;
  out.error = b_.CreateICmpNE(status, integer(0));
  if (expr.kind == Kind::String) {
    // What is not there may yet be looked at, where a branch costs more than that.
    const Cells nothing = none(expr.kind);
    out.value = b_.CreateSelect(out.error, nothing.value, out.value);
    out.size = b_.CreateSelect(out.error, nothing.size, out.size);
  }
  return out;
}

}  // namespace couler::jit
