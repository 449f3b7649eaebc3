#include <llvm/IR/Constants.h>

#include "runtime/jit/llvm/emitter.h"

// Automata as functions of a text.
namespace couler::jit {

using llvm::Value;

namespace {

constexpr unsigned kField = 6;  // bits of a state that is a place in a word

/// Few states: what a byte makes of each is in one word, a field a state, and a step is a shift
/// ("Shift-based DFAs", Per Vognsen), so that a byte takes a cycle. Two words of text at a time;
/// what is past its end is replaced by 0xff, which no text has and which changes nothing. Long
/// texts are left as soon as no byte matters.
constexpr const char* kShiftFunction = R"(
define internal i1 @NAME(ptr %p, i64 %n) nounwind {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %at = phi i64 [ 0, %entry ], [ %next, %loop ]
  %s0 = phi i64 [ 0, %entry ], [ %s16, %loop ]
  %q = getelementptr inbounds i8, ptr %p, i64 %at
  %r = getelementptr inbounds i8, ptr %q, i64 8
  %left = sub i64 %n, %at
  %x = load i64, ptr %q, align 1
  %y = load i64, ptr %r, align 1
  %nx = call i64 @llvm.umin.i64(i64 %left, i64 8)
  %most = call i64 @llvm.umin.i64(i64 %left, i64 16)
  %sx = shl i64 %nx, 3
  %wholex = icmp eq i64 %nx, 8
  %overx = shl i64 -1, %sx
  %mx = select i1 %wholex, i64 0, i64 %overx
  %ny = sub i64 %most, %nx
  %sy = shl i64 %ny, 3
  %wholey = icmp eq i64 %ny, 8
  %overy = shl i64 -1, %sy
  %my = select i1 %wholey, i64 0, i64 %overy
  %word0 = or i64 %x, %mx
  %word1 = or i64 %y, %my
STEPS
  %next = add i64 %at, 16
  %more = icmp slt i64 %next, %n
  %long = icmp ugt i64 %at, 63
  %bits = lshr i64 SETTLED, %s16
  %fixed = trunc i64 %bits to i1
  %over = and i1 %long, %fixed
  %needed = xor i1 %over, true
  %on = and i1 %more, %needed
  br i1 %on, label %loop, label %done
done:
  %last = phi i64 [ 0, %entry ], [ %s16, %loop ]
  %told = lshr i64 ACCEPTS, %last
  %accepted = trunc i64 %told to i1
  ret i1 %accepted
}
)";
constexpr const char* kShiftStep = R"(
  %bFROM = lshr i64 %wordWORD, BITS
  %kFROM = and i64 %bFROM, 255
  %tFROM = getelementptr inbounds i64, ptr @steps_NAME, i64 %kFROM
  %wFROM = load i64, ptr %tFROM, align 8
  %vFROM = lshr i64 %wFROM, %sFROM
  %sTO = and i64 %vFROM, 63
)";

std::string shiftFunction(const std::string& name, const Automaton& automaton) {
  std::uint64_t accepts = 0;
  std::uint64_t settled = 0;
  for (std::uint32_t state = 0; state < automaton.states; ++state) {
    accepts |= std::uint64_t{automaton.accepts[state]} << (kField * state);
    settled |= std::uint64_t{automaton.settled[state]} << (kField * state);
  }
  std::string steps;
  for (int i = 0; i < 16; ++i) {
    std::string step = kShiftStep;
    replaceAll(step, "WORD", std::to_string(i / 8));
    replaceAll(step, "BITS", std::to_string(i % 8 * 8));
    replaceAll(step, "FROM", std::to_string(i));
    replaceAll(step, "TO", std::to_string(i + 1));
    steps += step;
  }
  std::string text = kShiftFunction;
  replaceAll(text, "STEPS", steps);
  replaceAll(text, "SETTLED", std::to_string(settled));
  replaceAll(text, "ACCEPTS", std::to_string(accepts));
  replaceAll(text, "NAME", name);
  return text;
}

/// Otherwise a table by state and class of byte. States that no byte leads out of come last, so
/// that one comparison tells them.
constexpr const char* kTableFunction = R"(
define internal i1 @NAME(ptr %p, i64 %n) nounwind {
entry:
  %some = icmp sgt i64 %n, 0
  %starts = icmp ult i64 FIRST, LIMIT
  %any = and i1 %some, %starts
  br i1 %any, label %loop, label %done
loop:
  %at = phi i64 [ 0, %entry ], [ %next, %loop ]
  %s = phi i64 [ FIRST, %entry ], [ %to, %loop ]
  %q = getelementptr inbounds i8, ptr %p, i64 %at
  %b = load i8, ptr %q, align 1
  %z = zext i8 %b to i64
  %k = getelementptr inbounds i8, ptr @classes_NAME, i64 %z
  %c = load i8, ptr %k, align 1
  %w = zext i8 %c to i64
  %place = add i64 %s, %w
  %t = getelementptr inbounds i16, ptr @steps_NAME, i64 %place
  %v = load i16, ptr %t, align 2
  %to = zext i16 %v to i64
  %next = add i64 %at, 1
  %more = icmp slt i64 %next, %n
  %open = icmp ult i64 %to, LIMIT
  %on = and i1 %more, %open
  br i1 %on, label %loop, label %done
done:
  %last = phi i64 [ FIRST, %entry ], [ %to, %loop ]
  %state = udiv i64 %last, CLASSES
  %a = getelementptr inbounds i8, ptr @accepts_NAME, i64 %state
  %told = load i8, ptr %a, align 1
  %accepted = icmp ne i8 %told, 0
  ret i1 %accepted
}
)";

template <class T>
void table(llvm::Module& module, const std::string& name, const std::vector<T>& values) {
  llvm::Constant* data = llvm::ConstantDataArray::get(module.getContext(), values);
  auto* made = new llvm::GlobalVariable(module, data->getType(), true,
                                        llvm::GlobalValue::PrivateLinkage, data, name);
  made->setAlignment(llvm::Align(64));
}

std::string shiftText(llvm::Module& module, const std::string& name, const Automaton& automaton) {
  std::vector<std::uint64_t> steps(256);
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::uint32_t state = 0; state < automaton.states; ++state) {
      const std::uint64_t to =
          byte == 255 ? state : automaton.step(state, static_cast<std::uint8_t>(byte));
      steps[byte] |= (to * kField) << (kField * state);
    }
  }
  table(module, "steps_" + name, steps);
  return shiftFunction(name, automaton);
}

std::string tableText(llvm::Module& module, const std::string& name, const Automaton& automaton) {
  std::vector<std::uint32_t> order;  // of the states, the settled ones last
  for (const bool settled : {false, true}) {
    for (std::uint32_t state = 0; state < automaton.states; ++state) {
      if (automaton.settled[state] == settled) order.push_back(state);
    }
  }
  std::vector<std::uint32_t> place(automaton.states);
  std::size_t open = 0;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i * automaton.classes;
    if (!automaton.settled[order[i]]) ++open;
  }
  std::vector<std::uint16_t> steps;
  std::vector<std::uint8_t> accepts;
  for (const std::uint32_t state : order) {
    accepts.push_back(automaton.accepts[state] ? 1 : 0);
    for (std::uint32_t c = 0; c < automaton.classes; ++c) {
      const std::uint32_t to = automaton.next[state * automaton.classes + c];
      steps.push_back(static_cast<std::uint16_t>(place[to]));
    }
  }
  table(module, "steps_" + name, steps);
  table(module, "accepts_" + name, accepts);
  table(module, "classes_" + name,
        std::vector<std::uint8_t>(automaton.classOf.begin(), automaton.classOf.end()));
  std::string text = kTableFunction;
  replaceAll(text, "NAME", name);
  replaceAll(text, "FIRST", std::to_string(place[0]));
  replaceAll(text, "LIMIT", std::to_string(open * automaton.classes));
  replaceAll(text, "CLASSES", std::to_string(automaton.classes));
  return text;
}

}  // namespace

/// Whether what it is of matches somewhere in a text.
Value* Emitter::matches(std::uint32_t number, const Cells& text) {
  const std::string name = "automaton_" + std::to_string(number);
  llvm::Function* function = textFunction(name);
  if (function == nullptr) {
    const Automaton& automaton = program_.automata[number - 1];
    if (automaton.sequence) {
      function = addFunction(name, sequenceText(name, *automaton.sequence));
    } else if (automaton.states <= Automaton::kShiftStates) {
      function = addFunction(name, shiftText(module_, name, automaton));
    } else {
      function = addFunction(name, tableText(module_, name, automaton));
    }
  }
  return b_.CreateCall(function, {text.value, text.size});
}

}  // namespace couler::jit
