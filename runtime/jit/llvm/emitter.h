#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "runtime/jit/program.h"
#include "runtime/jit/schedule.h"

/// Machine code for a program, as LLVM's intermediate form.
namespace couler::jit {

/// Members of Frame, in their order.
enum FrameMember : unsigned {
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
  kContext,
  kArena
};

/// A value of a row in registers. Where a part is null: `valid`, it is never none; `error`, it
/// never has one.
struct Cells {
  llvm::Value* value = nullptr;
  llvm::Value* size = nullptr;  ///< of a text, whose address `value` is
  llvm::Value* valid = nullptr;
  llvm::Value* error = nullptr;
};

void replaceAll(std::string& text, std::string_view what, const std::string& with);

/// The function that looks for a sequence of bytes (search.cpp).
std::string sequenceText(const std::string& name, const ByteSequence& sequence);

class Emitter {
 public:
  /// `wideProducts`: the machine multiplies and converts vectors of 64-bit ints.
  Emitter(llvm::Module& module, const Program& program, bool wideProducts);
  /// Both functions. False with a reason where the text functions do not parse: a bug.
  bool run(std::string& why);

 private:
  // The loops (loops.cpp).
  struct Loop {
    llvm::BasicBlock* body = nullptr;
    llvm::BasicBlock* exit = nullptr;
    llvm::BasicBlock* before = nullptr;
    llvm::Value* rows = nullptr;
    llvm::PHINode* position = nullptr;
    llvm::PHINode* error = nullptr;
    llvm::PHINode* kept = nullptr;
    bool vector = false;
  };
  void beginFunction(const char* name);
  Loop beginLoop(llvm::Value* rows, llvm::Value* error, bool vector, bool keeps);
  void endLoop(Loop& loop, llvm::Value* error, llvm::Value* kept);
  void emitFilters();
  void emitProject();
  void beginRow(llvm::Value* position);
  void countUsers(const std::vector<ExprId>& roots);
  bool isDear(const std::vector<ExprId>& roots) const;
  void spill(ExprId id);

  // Expressions (expressions.cpp).
  Cells emit(ExprId id);
  Cells emitNew(ExprId id, const Expr& expr);
  Cells column(const Expr& expr);
  Cells unspill(ExprId id, const Expr& expr);
  Cells constant(const Expr& expr);
  Cells none(Kind kind);
  Cells select(ExprId id, const Expr& expr);
  Cells logic(ExprId id, const Expr& expr);
  Cells coalesce(ExprId id, const Expr& expr);
  Cells equality(const Expr& expr);
  Cells same(const Expr& expr);
  Cells strict(ExprId id, const Expr& expr);
  /// A way around a helper: what the value is where it need not be asked.
  struct Shortcut {
    llvm::Value* asks = nullptr;
    Cells otherwise;
  };
  std::optional<Shortcut> shortcut(const Expr& expr, const std::vector<Cells>& in);
  Shortcut mapped(const Cells& text, const std::string& name, const std::string& map, bool ascii);
  Cells choose(llvm::Value* condition, const Cells& yes, const Cells& no, Kind kind);
  /// `otherwise` where the condition is false: by a branch around `operand`, where that saves
  /// something, else both.
  bool worthBranch(ExprId owner, std::size_t operand);
  void hoist(ExprId owner, std::size_t operand);
  Cells inBranch(llvm::Value* condition, Kind kind, const std::function<Cells()>& yes,
                 const std::function<Cells()>& no);

  // One value (operations.cpp).
  Cells inlineOperation(const Expr& expr, const std::vector<Cells>& in);
  Cells arithmetic(const Expr& expr, const std::vector<Cells>& in, bool& known);
  Cells quantities(const Expr& expr, const std::vector<Cells>& in, bool& known);
  Cells calendar(ir::Builtin op, llvm::Value* time);
  Cells textOperation(const Expr& expr, const std::vector<Cells>& in, bool& known);
  llvm::Value* equalValues(const Expr& a, const Expr& b, const Cells& x, const Cells& y);
  llvm::Value* compare(ir::Builtin op, Kind kind, const Cells& a, const Cells& b);
  Cells sum(llvm::Value* a, llvm::Value* b);
  Cells difference(llvm::Value* a, llvm::Value* b);
  Cells product(llvm::Value* a, llvm::Value* b);
  Cells wholeOf(llvm::Value* real);
  llvm::Value* floorDivide(llvm::Value* a, llvm::Value* b, bool remainder);
  Cells checkedSize(Cells size);
  Cells checkedTime(Cells time);
  Cells lesser(Kind kind, const Cells& a, const Cells& b, bool greater);
  Cells math(const Expr& expr, const std::vector<Cells>& in);
  Cells helper(const Expr& expr, const std::vector<Cells>& in);

  // Texts (texts.cpp).
  llvm::Value* bytesAre(llvm::Value* condition, llvm::Value* address, std::string_view literal);
  llvm::Value* textEquals(const Expr& a, const Expr& b, const Cells& x, const Cells& y);
  llvm::Value* textPrefix(const Cells& text, std::string_view literal, bool atEnd);
  llvm::Function* textFunction(const std::string& name);
  llvm::Function* addFunction(const std::string& name, const std::string& text);
  llvm::Function* containsFunction(const std::string& literal);
  llvm::Value* matches(std::uint32_t number, const Cells& text);  ///< automata.cpp
  bool parseTexts(std::string& why);

  // Small things.
  llvm::Value* both(llvm::Value* a, llvm::Value* b);    ///< and, where null is true
  llvm::Value* either(llvm::Value* a, llvm::Value* b);  ///< or, where null is false
  llvm::Value* andNot(llvm::Value* a, llvm::Value* b);
  llvm::Value* orTrue(llvm::Value* valid) { return valid == nullptr ? b_.getTrue() : valid; }
  llvm::Value* orFalse(llvm::Value* error) { return error == nullptr ? b_.getFalse() : error; }
  llvm::Type* typeOf(Kind kind);
  llvm::Type* storedType(Kind kind);
  llvm::Value* load(llvm::Type* type, llvm::Value* address, unsigned align);
  void store(llvm::Value* value, llvm::Value* address, unsigned align);
  llvm::Value* frameField(unsigned member, llvm::Type* type);
  llvm::Value* integer(std::int64_t n) { return b_.getInt64(static_cast<std::uint64_t>(n)); }
  llvm::Value* real(double x);
  llvm::Value* intrinsic(unsigned id, llvm::ArrayRef<llvm::Value*> args);
  Cells loadCell(llvm::Value* cell, Kind kind);
  llvm::Value* scratch(unsigned count);

  llvm::LLVMContext& context_;
  llvm::Module& module_;
  const Program& program_;
  Schedule schedule_;
  bool wideProducts_;
  llvm::IRBuilder<> b_;
  llvm::Function* function_ = nullptr;
  llvm::Value* frame_ = nullptr;
  llvm::Value* picked_ = nullptr;
  llvm::Value* mask_ = nullptr;
  std::vector<llvm::Value*> columns_;
  std::vector<llvm::Value*> columnValid_;
  std::vector<Cells> outer_;
  std::vector<std::optional<Cells>> memo_;
  std::vector<ExprId> order_;               ///< of the memo, for leaving a branch
  std::vector<std::vector<ExprId>> users_;  ///< within the loop at hand
  std::vector<bool> isRoot_;
  std::vector<bool> spilled_;
  std::vector<llvm::Value*> spillSlots_;
  std::vector<llvm::Value*> spillFlags_;
  std::map<unsigned, llvm::Value*> scratch_;
  std::map<std::string, llvm::Function*> contains_;
  std::string problem_;               ///< of a function's text: a bug
  llvm::MDNode* accesses_ = nullptr;  ///< of the vectorised loop at hand
  bool vector_ = false;
  llvm::Value* row_ = nullptr;
  bool dense_ = true;  ///< the rows are all rows, not `picked`
};

}  // namespace couler::jit
