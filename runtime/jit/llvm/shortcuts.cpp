#include "runtime/jit/llvm/emitter.h"
#include "runtime/jit/patterns.h"

// Ways around the helpers of texts: what is usual is done by a few instructions.
namespace couler::jit {

using ir::Builtin;
using llvm::Value;

namespace {

/// Another byte for each, 32 at a time, in memory of the arena; false where there is too little of
/// it or, if that matters, a byte is beyond ASCII. Up to 31 bytes after the text are written, too.
constexpr const char* kMapped = R"(
!0 = !{}
define internal { ptr, i1 } @NAME(ptr %start, i64 %n, ptr %cursor) nounwind {
entry:
  %empty = icmp eq i64 %n, 0
  %p = select i1 %empty, ptr @nowhere, ptr %start, !unpredictable !0
  %to = load ptr, ptr %cursor, align 8
  %limit = getelementptr inbounds i8, ptr %cursor, i64 8
  %end = load ptr, ptr %limit, align 8
  %a = ptrtoint ptr %to to i64
  %e = ptrtoint ptr %end to i64
  %room = sub i64 %e, %a
  %wanted = add i64 %n, 32
  %fits = icmp sge i64 %room, %wanted
  br i1 %fits, label %loop, label %full
loop:
  %at = phi i64 [ 0, %entry ], [ %next, %loop ]
  %seen = phi i32 [ 0, %entry ], [ %high, %loop ]
  %q = getelementptr inbounds i8, ptr %p, i64 %at
  %o = getelementptr inbounds i8, ptr %to, i64 %at
  %x = load <32 x i8>, ptr %q, align 1
MAP
  store <32 x i8> %y, ptr %o, align 1
  %beyond = icmp slt <32 x i8> %x, zeroinitializer
  %bits = bitcast <32 x i1> %beyond to i32
  %left = sub i64 %n, %at
  %most = call i64 @llvm.umin.i64(i64 %left, i64 32)
  %upto = shl i64 1, %most
  %mask = sub i64 %upto, 1
  %mask32 = trunc i64 %mask to i32
  %there = and i32 %bits, %mask32
  %kept = and i32 %there, ASCII
  %high = or i32 %seen, %kept
  %next = add i64 %at, 32
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  %plain = icmp eq i32 %high, 0
  %taken = select i1 %plain, i64 %n, i64 0
  %after = getelementptr inbounds i8, ptr %to, i64 %taken
  store ptr %after, ptr %cursor, align 8
  %r0 = insertvalue { ptr, i1 } undef, ptr %to, 0
  %r1 = insertvalue { ptr, i1 } %r0, i1 %plain, 1
  ret { ptr, i1 } %r1
full:
  ret { ptr, i1 } zeroinitializer
}
)";
constexpr const char* kOtherCase = R"(
  %l = sub <32 x i8> %x, splat (i8 FIRST)
  %u = icmp ult <32 x i8> %l, splat (i8 26)
  %c = select <32 x i1> %u, <32 x i8> splat (i8 32), <32 x i8> zeroinitializer
  %y = xor <32 x i8> %x, %c
)";

constexpr const char* kOtherByte = R"(
  %u = icmp eq <32 x i8> %x, splat (i8 WHAT)
  %y = select <32 x i1> %u, <32 x i8> splat (i8 WITH), <32 x i8> %x
)";

bool isLetter(const Expr& expr) {
  return expr.code == Code::Const && expr.text.size() == 1 && expr.text[0] >= 0;
}
bool isLiteral(const Expr& expr, std::size_t least, std::size_t most) {
  return expr.code == Code::Const && expr.text.size() >= least && expr.text.size() <= most;
}

}  // namespace

Emitter::Shortcut Emitter::mapped(const Cells& text, const std::string& name,
                                  const std::string& map, bool ascii) {
  llvm::Function* function = textFunction(name);
  if (function == nullptr) {
    std::string own = kMapped;
    replaceAll(own, "NAME", name);
    replaceAll(own, "MAP", map);
    replaceAll(own, "ASCII", ascii ? "-1" : "0");
    function = addFunction(name, own);
  }
  Value* made = b_.CreateCall(function, {text.value, text.size, frameField(kArena, b_.getPtrTy())});
  Shortcut around;
  around.asks = b_.CreateNot(b_.CreateExtractValue(made, 1));
  around.otherwise.value = b_.CreateExtractValue(made, 0);
  around.otherwise.size = text.size;
  return around;
}

std::optional<Emitter::Shortcut> Emitter::shortcut(const Expr& expr, const std::vector<Cells>& in) {
  if (expr.via != Via::Text) return std::nullopt;
  Shortcut around;
  if (expr.automaton != 0) around.asks = matches(expr.automaton, in[0]);
  Cells& otherwise = around.otherwise;
  switch (expr.op) {
    case Builtin::Find:
    case Builtin::Extract:
      if (expr.automaton == 0) return std::nullopt;
      otherwise = none(expr.kind);
      return around;
    case Builtin::ReplaceAll:
      if (expr.automaton == 0) return std::nullopt;
      around.asks = b_.CreateOr(around.asks, b_.CreateICmpSGT(in[0].size, integer(kLongText)));
      break;
    case Builtin::Replace: {
      const Expr& what = program_.exprs[expr.operands[1]];
      const Expr& with = program_.exprs[expr.operands[2]];
      if (!isLiteral(what, 1, kInlineText)) return std::nullopt;
      if (isLetter(what) && isLetter(with)) {
        std::string map = kOtherByte;
        replaceAll(map, "WHAT", std::to_string(static_cast<int>(what.text[0])));
        replaceAll(map, "WITH", std::to_string(static_cast<int>(with.text[0])));
        return mapped(
            in[0],
            "replaced_" + std::to_string(expr.operands[1]) + "_" + std::to_string(expr.operands[2]),
            map, false);
      }
      around.asks = b_.CreateCall(containsFunction(what.text), {in[0].value, in[0].size});
      break;
    }
    case Builtin::Lower:
    case Builtin::Upper: {
      std::string map = kOtherCase;
      replaceAll(map, "FIRST", expr.op == Builtin::Lower ? "65" : "97");
      return mapped(in[0], expr.op == Builtin::Lower ? "lower" : "upper", map, true);
    }
    default:
      return std::nullopt;
  }
  // The text as it is.
  otherwise.value = in[0].value;
  otherwise.size = in[0].size;
  return around;
}

}  // namespace couler::jit
