#include <algorithm>

#include "runtime/jit/llvm/emitter.h"

// Searching for a sequence of bytes in a text: 32 places at a time are tried for all bytes at once
// (after "SIMD-friendly algorithms for substring searching", Wojciech Muła). A text of up to 32
// bytes takes no branch that depends on what is in it.
namespace couler::jit {

using llvm::Value;

namespace {

constexpr std::size_t kAtOnce = 8;  // of a literal

constexpr const char* kSearch = R"(
!0 = !{}
define internal i1 @NAME(ptr %start, i64 %n) nounwind {
entry:
  %empty = icmp eq i64 %n, 0
  %address = select i1 %empty, ptr @nowhere, ptr %start, !unpredictable !0
  %fitting = sub i64 %n, BEFORE
BOUNDS
  br label %loop
loop:
  %at = phi i64 [ 0, %entry ], [ %next, %AGAIN ]
  %q = getelementptr inbounds i8, ptr %p, i64 %at
COMPARE
  %bits0 = bitcast <32 x i1> %same to i32
  %rest = sub i64 %places, %at
  %few = call i64 @llvm.smax.i64(i64 %rest, i64 0)
  %left = call i64 @llvm.umin.i64(i64 %few, i64 32)
  %upto = shl i64 1, %left
  %mask = sub i64 %upto, 1
  %mask32 = trunc i64 %mask to i32
  %bits = and i32 %bits0, %mask32
  %next = add i64 %at, 32
  %more = icmp slt i64 %next, %places
  %none = icmp eq i32 %bits, 0
)";
// The places that are tried.
constexpr const char* kAnywhere = R"(
  %p = getelementptr inbounds i8, ptr %address, i64 0
  %places = add i64 %fitting, 0
)";
constexpr const char* kAtStart = R"(
  %p = getelementptr inbounds i8, ptr %address, i64 0
  %places = call i64 @llvm.smin.i64(i64 %fitting, i64 1)
)";
constexpr const char* kAtEnd = R"(
  %last = sub i64 %fitting, 1
  %back = call i64 @llvm.smax.i64(i64 %last, i64 0)
  %p = getelementptr inbounds i8, ptr %address, i64 %back
  %places = call i64 @llvm.smin.i64(i64 %fitting, i64 1)
)";
constexpr const char* kWhole = R"(
  %p = getelementptr inbounds i8, ptr %address, i64 0
  %one = icmp eq i64 %fitting, 1
  %places = zext i1 %one to i64
)";
constexpr const char* kByte = R"(
  %q# = getelementptr inbounds i8, ptr %q, i64 PLACE
  %x# = load <32 x i8>, ptr %q#, align 1
)";
constexpr const char* kRange = R"(
  %y#_K = sub <32 x i8> %x#, splat (i8 LOW)
  %r#_K = icmp ule <32 x i8> %y#_K, splat (i8 SPAN)
)";
constexpr const char* kAll = R"(
  %on = and i1 %more, %none
  br i1 %on, label %loop, label %done
done:
  %found = xor i1 %none, true
  ret i1 %found
}
)";
constexpr const char* kRest = R"(
  br i1 %none, label %over, label %try
try:
  %b = phi i32 [ %bits, %loop ], [ %b1, %miss ]
  %i = call i32 @llvm.cttz.i32(i32 %b, i1 true)
  %wide = zext i32 %i to i64
  %place = getelementptr inbounds i8, ptr %q, i64 %wide
  br label %compare
compare:
  br label %miss
miss:
  %less = sub i32 %b, 1
  %b1 = and i32 %b, %less
  %gone = icmp eq i32 %b1, 0
  br i1 %gone, label %over, label %try
over:
  br i1 %more, label %loop, label %no
no:
  ret i1 false
yes:
  ret i1 true
}
)";
constexpr const char* kCompare = R"(
  %q# = getelementptr inbounds i8, ptr %q, i64 PLACE
  %x# = load <32 x i8>, ptr %q#, align 1
  %y# = xor <32 x i8> %x#, splat (i8 BYTE)
  %d# = or <32 x i8> %d$, %y#
)";

struct Tried {
  std::size_t place = 0;
  std::vector<ByteSequence::Range> ranges;
};

/// The comparisons of a block, up to `%same`.
std::string comparisons(const std::vector<Tried>& bytes) {
  std::string text;
  std::string all;
  const auto named = [](const char* what, std::size_t i, std::size_t k) {
    return "%" + std::string(what) + std::to_string(i) + "_" + std::to_string(k);
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string one = kByte;
    std::string any;
    for (std::size_t k = 0; k < bytes[i].ranges.size(); ++k) {
      const auto [low, high] = bytes[i].ranges[k];
      std::string range = kRange;
      replaceAll(range, "_K", "_" + std::to_string(k));
      replaceAll(range, "LOW", std::to_string(static_cast<signed char>(low)));
      replaceAll(range, "SPAN", std::to_string(high - low));
      one += range;
      const std::string now = named("r", i, k);
      if (k > 0) one += "  " + named("o", i, k) + " = or <32 x i1> " + any + ", " + now + "\n";
      any = k > 0 ? named("o", i, k) : now;
    }
    replaceAll(one, "PLACE", std::to_string(bytes[i].place));
    replaceAll(one, "#", std::to_string(i));
    text += one;
    const std::string both = "%a" + std::to_string(i);
    if (i > 0) text += "  " + both + " = and <32 x i1> " + all + ", " + any + "\n";
    all = i > 0 ? both : any;
  }
  return text + "  %same = and <32 x i1> " + all + ", " + all + "\n";
}

std::string searchText(const std::string& name, std::size_t size, const std::vector<Tried>& bytes,
                       const char* bounds, bool all) {
  std::string text = kSearch;
  text += all ? kAll : kRest;
  replaceAll(text, "BOUNDS", bounds);
  replaceAll(text, "COMPARE", comparisons(bytes));
  replaceAll(text, "BEFORE", std::to_string(size - 1));
  replaceAll(text, "AGAIN", all ? "loop" : "over");
  replaceAll(text, "NAME", name);
  return text;
}

}  // namespace

std::string sequenceText(const std::string& name, const ByteSequence& sequence) {
  std::vector<Tried> bytes;
  for (std::size_t i = 0; i < sequence.bytes.size(); ++i) bytes.push_back({i, sequence.bytes[i]});
  const char* bounds = sequence.fromStart ? (sequence.toEnd ? kWhole : kAtStart)
                       : sequence.toEnd   ? kAtEnd
                                          : kAnywhere;
  return searchText(name, bytes.size(), bytes, bounds, true);
}

llvm::Function* Emitter::containsFunction(const std::string& literal) {
  llvm::Function*& known = contains_[literal];
  if (known != nullptr) return known;
  const std::size_t size = literal.size();
  const bool all = size <= kAtOnce;
  std::vector<Tried> bytes;
  for (std::size_t i = 0; i < std::min(size, kAtOnce); ++i) {
    const std::size_t place = all || i < kAtOnce / 2 ? i : size - kAtOnce + i;
    const auto byte = static_cast<std::uint8_t>(literal[place]);
    bytes.push_back({place, {{byte, byte}}});
  }
  const std::string name = "contains_" + std::to_string(contains_.size());
  known = addFunction(name, searchText(name, size, bytes, kAnywhere, all));
  if (all) return known;
  // The comparison of the bytes between.
  llvm::BasicBlock* between = nullptr;
  llvm::BasicBlock* miss = nullptr;
  llvm::BasicBlock* yes = nullptr;
  Value* place = nullptr;
  for (llvm::BasicBlock& block : *known) {
    if (block.getName() == "compare") between = &block;
    if (block.getName() == "miss") miss = &block;
    if (block.getName() == "yes") yes = &block;
    for (llvm::Instruction& instruction : block) {
      if (instruction.getName() == "place") place = &instruction;
    }
  }
  const llvm::IRBuilder<>::InsertPointGuard guard(b_);
  between->getTerminator()->eraseFromParent();
  b_.SetInsertPoint(between);
  llvm::MDNode* accesses = accesses_;
  accesses_ = nullptr;
  const std::string_view middle = std::string_view(literal).substr(kAtOnce / 2, size - kAtOnce);
  Value* after = b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), place, kAtOnce / 2);
  b_.CreateCondBr(bytesAre(nullptr, after, middle), yes, miss);
  accesses_ = accesses;
  return known;
}

}  // namespace couler::jit
