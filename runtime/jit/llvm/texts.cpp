#include <cstring>

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>

#include "runtime/jit/llvm/emitter.h"

// Texts. A text may be read up to 64 bytes past its end (Buffer), but one of no bytes has no
// address: where there may be none, the address is replaced by that of `nowhere`.
namespace couler::jit {

using ir::Builtin;
using llvm::Value;

namespace {

constexpr const char* kTexts = R"(
!0 = !{}
@nowhere = private unnamed_addr constant [64 x i8] zeroinitializer, align 64
declare i32 @couler_jit_bytes(ptr, ptr, i64) nounwind willreturn memory(argmem: read)
declare void @couler_jit_trim(ptr, i64, ptr) nounwind
declare i32 @llvm.ctpop.i32(i32)
declare i32 @llvm.cttz.i32(i32, i1)
declare i64 @llvm.bswap.i64(i64)
declare i64 @llvm.umin.i64(i64, i64)
declare i64 @llvm.umax.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.smin.i64(i64, i64)

; Whether two texts are the same. The first eight bytes decide nearly always.
define internal i1 @text_equal(ptr %a, i64 %n, ptr %b, i64 %m) nounwind {
entry:
  %long = icmp eq i64 %n, %m
  br i1 %long, label %sized, label %no
sized:
  %empty = icmp eq i64 %n, 0
  br i1 %empty, label %yes, label %first
first:
  %x = load i64, ptr %a, align 1
  %y = load i64, ptr %b, align 1
  %short = icmp ult i64 %n, 8
  %bits = shl i64 %n, 3
  %left = sub i64 64, %bits
  %shift = select i1 %short, i64 %left, i64 0
  %mask = lshr i64 -1, %shift
  %d = xor i64 %x, %y
  %e = and i64 %d, %mask
  %differs = icmp ne i64 %e, 0
  br i1 %differs, label %no, label %rest
rest:
  %more = icmp ugt i64 %n, 8
  br i1 %more, label %all, label %yes
all:
  %order = call i32 @couler_jit_bytes(ptr %a, ptr %b, i64 %n)
  %same = icmp eq i32 %order, 0
  ret i1 %same
yes:
  ret i1 true
no:
  ret i1 false
}

; Below zero, zero or above: which text comes first by its bytes.
define internal i32 @text_order(ptr %a, i64 %n, ptr %b, i64 %m) nounwind {
entry:
  %emptyA = icmp eq i64 %n, 0
  %emptyB = icmp eq i64 %m, 0
  %p = select i1 %emptyA, ptr @nowhere, ptr %a
  %q = select i1 %emptyB, ptr @nowhere, ptr %b
  %x0 = load i64, ptr %p, align 1
  %y0 = load i64, ptr %q, align 1
  %x1 = call i64 @llvm.bswap.i64(i64 %x0)
  %y1 = call i64 @llvm.bswap.i64(i64 %y0)
  %na = call i64 @llvm.umin.i64(i64 %n, i64 8)
  %nb = call i64 @llvm.umin.i64(i64 %m, i64 8)
  %ba = shl i64 %na, 3
  %bb = shl i64 %nb, 3
  %sa = sub i64 64, %ba
  %sb = sub i64 64, %bb
  %ma = shl i64 -1, %sa
  %mb = shl i64 -1, %sb
  %za = select i1 %emptyA, i64 0, i64 %ma
  %zb = select i1 %emptyB, i64 0, i64 %mb
  %x = and i64 %x1, %za
  %y = and i64 %y1, %zb
  %less = icmp ult i64 %x, %y
  %side = select i1 %less, i32 -1, i32 1
  %differs = icmp ne i64 %x, %y
  br i1 %differs, label %decided, label %rest
decided:
  ret i32 %side
rest:
  %common = call i64 @llvm.umin.i64(i64 %n, i64 %m)
  %more = icmp ugt i64 %common, 8
  br i1 %more, label %all, label %sizes
all:
  %order = call i32 @couler_jit_bytes(ptr %p, ptr %q, i64 %common)
  %tied = icmp eq i32 %order, 0
  br i1 %tied, label %sizes, label %told
told:
  ret i32 %order
sizes:
  %shorter = icmp slt i64 %n, %m
  %longer = icmp sgt i64 %n, %m
  %l = zext i1 %longer to i32
  %by = select i1 %shorter, i32 -1, i32 %l
  ret i32 %by
}

; Code points: the bytes that continue none.
define internal i64 @text_length(ptr %start, i64 %n) nounwind {
entry:
  %empty = icmp eq i64 %n, 0
  %p = select i1 %empty, ptr @nowhere, ptr %start, !unpredictable !0
  br label %loop
loop:
  %at = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi i64 [ 0, %entry ], [ %total, %loop ]
  %q = getelementptr inbounds i8, ptr %p, i64 %at
  %x = load <32 x i8>, ptr %q, align 1
  %starts = icmp sgt <32 x i8> %x, splat (i8 -65)
  %bits = bitcast <32 x i1> %starts to i32
  %left = sub i64 %n, %at
  %most = call i64 @llvm.umin.i64(i64 %left, i64 32)
  %some = shl i64 1, %most
  %mask = sub i64 %some, 1
  %mask32 = trunc i64 %mask to i32
  %kept = and i32 %bits, %mask32
  %count = call i32 @llvm.ctpop.i32(i32 %kept)
  %wide = zext i32 %count to i64
  %total = add i64 %sum, %wide
  %next = add i64 %at, 32
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 %total
}

define internal i1 @is_space(i8 %c) alwaysinline nounwind {
  %low = sub i8 %c, 9
  %control = icmp ult i8 %low, 5
  %blank = icmp eq i8 %c, 32
  %space = or i1 %control, %blank
  ret i1 %space
}

; The text without white space at its ends, without copying. Beyond ASCII, a helper knows what is.
define internal { ptr, i64 } @text_trim(ptr %start, i64 %size) nounwind {
entry:
  %slot = alloca [3 x i64], align 8
  %any = icmp sgt i64 %size, 0
  %safe = select i1 %any, ptr %start, ptr @nowhere
  %most = call i64 @llvm.umax.i64(i64 %size, i64 1)
  %offset = sub i64 %most, 1
  %end = getelementptr inbounds i8, ptr %safe, i64 %offset
  %f = load i8, ptr %safe, align 1
  %l = load i8, ptr %end, align 1
  %f1 = sub i8 %f, 33
  %l1 = sub i8 %l, 33
  %f2 = icmp ult i8 %f1, 95
  %l2 = icmp ult i8 %l1, 95
  %seen = and i1 %f2, %l2
  %bare = xor i1 %any, true
  %asis = or i1 %seen, %bare
  br i1 %asis, label %whole, label %front
whole:
  %w0 = insertvalue { ptr, i64 } undef, ptr %start, 0
  %w1 = insertvalue { ptr, i64 } %w0, i64 %size, 1
  ret { ptr, i64 } %w1
front:
  %p = phi ptr [ %start, %entry ], [ %p2, %skip ]
  %n = phi i64 [ %size, %entry ], [ %n2, %skip ]
  %empty = icmp sle i64 %n, 0
  br i1 %empty, label %nothing, label %look
look:
  %c = load i8, ptr %p, align 1
  %space = call i1 @is_space(i8 %c)
  br i1 %space, label %skip, label %inner
skip:
  %p2 = getelementptr inbounds i8, ptr %p, i64 1
  %n2 = sub i64 %n, 1
  br label %front
inner:
  %beyond = icmp slt i8 %c, 0
  br i1 %beyond, label %slow, label %back
back:
  %m = phi i64 [ %n, %inner ], [ %last, %drop ]
  %last = sub i64 %m, 1
  %q = getelementptr inbounds i8, ptr %p, i64 %last
  %d = load i8, ptr %q, align 1
  %ends = call i1 @is_space(i8 %d)
  br i1 %ends, label %drop, label %stop
drop:
  br label %back
stop:
  %far = icmp slt i8 %d, 0
  br i1 %far, label %slow, label %done
slow:
  %left = phi i64 [ %n, %inner ], [ %m, %stop ]
  call void @couler_jit_trim(ptr %p, i64 %left, ptr %slot)
  %sp = load ptr, ptr %slot, align 8
  %ss = getelementptr inbounds i8, ptr %slot, i64 8
  %sn = load i64, ptr %ss, align 8
  %s0 = insertvalue { ptr, i64 } undef, ptr %sp, 0
  %s1 = insertvalue { ptr, i64 } %s0, i64 %sn, 1
  ret { ptr, i64 } %s1
nothing:
  ret { ptr, i64 } zeroinitializer
done:
  %r0 = insertvalue { ptr, i64 } undef, ptr %p, 0
  %r1 = insertvalue { ptr, i64 } %r0, i64 %m, 1
  ret { ptr, i64 } %r1
}
)";

bool parseInto(llvm::Module& module, const std::string& text, std::string& why) {
  llvm::SMDiagnostic problem;
  if (!llvm::parseAssemblyInto(llvm::MemoryBufferRef(text, "texts"), &module, nullptr, problem)) {
    return true;
  }
  why = problem.getMessage().str() + ": " + problem.getLineContents().str();
  return false;
}

}  // namespace

void replaceAll(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// Only where the program has texts that are looked into.
bool Emitter::parseTexts(std::string& why) {
  for (const Expr& expr : program_.exprs) {
    for (const ExprId operand : expr.operands) {
      if (program_.exprs[operand].kind == Kind::String) return parseInto(module_, kTexts, why);
    }
  }
  return true;
}

llvm::Function* Emitter::textFunction(const std::string& name) { return module_.getFunction(name); }

/// A function of a text of our own; where that is wrong, `problem_` says why.
llvm::Function* Emitter::addFunction(const std::string& name, const std::string& text) {
  if (problem_.empty() && parseInto(module_, text, problem_)) return module_.getFunction(name);
  auto* type = llvm::FunctionType::get(b_.getInt1Ty(), true);
  return llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module_);
}

/// Whether the bytes at an address are those of a literal; false where the condition is, and then
/// the address is not looked at.
Value* Emitter::bytesAre(Value* condition, Value* address, std::string_view literal) {
  if (literal.empty()) return condition == nullptr ? b_.getTrue() : condition;
  Value* from = condition == nullptr
                    ? address
                    : b_.CreateSelect(condition, address, module_.getNamedValue("nowhere"));
  if (auto* chosen = llvm::dyn_cast<llvm::SelectInst>(from); chosen != nullptr && !vector_) {
    // Else it becomes a branch, where the address is loaded.
    chosen->setMetadata(llvm::LLVMContext::MD_unpredictable, llvm::MDNode::get(context_, {}));
  }
  Value* all = condition;
  for (std::size_t at = 0; at < literal.size();) {
    const std::size_t left = literal.size() - at;
    const std::size_t width = left <= 4 ? 4 : 8;
    const std::size_t taken = std::min(left, width);
    std::uint64_t want = 0;
    std::memcpy(&want, literal.data() + at, taken);
    llvm::Type* type = width == 4 ? b_.getInt32Ty() : b_.getInt64Ty();
    Value* word = load(type, b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), from, at), 1);
    if (taken < width) {
      const std::uint64_t mask = (std::uint64_t{1} << (8 * taken)) - 1;
      word = b_.CreateAnd(word, llvm::ConstantInt::get(type, mask));
    }
    all = both(all, b_.CreateICmpEQ(word, llvm::ConstantInt::get(type, want)));
    at += taken;
  }
  return all;
}

Value* Emitter::textPrefix(const Cells& text, std::string_view literal, bool atEnd) {
  Value* size = integer(static_cast<std::int64_t>(literal.size()));
  Value* address = text.value;
  if (atEnd) {
    address = b_.CreateGEP(b_.getInt8Ty(), text.value, b_.CreateSub(text.size, size));
  }
  return bytesAre(b_.CreateICmpSGE(text.size, size), address, literal);
}

Value* Emitter::textEquals(const Expr& a, const Expr& b, const Cells& x, const Cells& y) {
  constexpr std::size_t kInline = 64;
  const bool left = a.code == Code::Const && a.text.size() <= kInline;
  const bool right = b.code == Code::Const && b.text.size() <= kInline;
  if (left || right) {
    const std::string& literal = right ? b.text : a.text;
    const Cells& other = right ? x : y;
    Value* size = integer(static_cast<std::int64_t>(literal.size()));
    return bytesAre(b_.CreateICmpEQ(other.size, size), other.value, literal);
  }
  return b_.CreateCall(textFunction("text_equal"), {x.value, x.size, y.value, y.size});
}

Cells Emitter::textOperation(const Expr& expr, const std::vector<Cells>& in, bool& known) {
  Cells out;
  switch (expr.op) {
    case Builtin::StartsWith:
    case Builtin::EndsWith:
      out.value =
          textPrefix(in[0], program_.exprs[expr.operands[1]].text, expr.op == Builtin::EndsWith);
      return out;
    case Builtin::Contains: {
      const std::string& literal = program_.exprs[expr.operands[1]].text;
      if (literal.empty()) {
        out.value = b_.getTrue();
      } else {
        out.value = b_.CreateCall(containsFunction(literal), {in[0].value, in[0].size});
      }
      return out;
    }
    case Builtin::Matches:
      out.value = matches(expr.automaton, in[0]);
      return out;
    case Builtin::LengthString:
      out.value = b_.CreateCall(textFunction("text_length"), {in[0].value, in[0].size});
      return out;
    case Builtin::Trim: {
      Value* both = b_.CreateCall(textFunction("text_trim"), {in[0].value, in[0].size});
      out.value = b_.CreateExtractValue(both, 0);
      out.size = b_.CreateExtractValue(both, 1);
      return out;
    }
    default:
      known = false;
      return out;
  }
}

}  // namespace couler::jit
