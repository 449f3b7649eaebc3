#pragma once

#include <span>
#include <vector>

#include <antlr4-runtime.h>

#include "frontend/parse/error_log.h"
#include "frontend/parse/layout.h"
#include "frontend/syntax/tree.h"

namespace couler::parse {

/// Makes the arena tree out of ANTLR's trees, one declaration at a time. The trees are whole (see
/// SliceParser), so no part of them is ever missing. Recursion is as deep as the parse was, which
/// its guard bounds; chains of operators are walked in a loop.
class Converter {
 public:
  /// No expression of the tree has more than this many levels, however it came about (a long chain
  /// of `+` makes a deep tree without being nested); the stages after this one may recurse over it.
  static constexpr std::uint32_t kMaxTreeDepth = 1024;

  Converter(syntax::Tree& tree, ErrorLog& log) : tree_(tree), log_(log) {}

  syntax::Decl* declaration(antlr4::ParserRuleContext* context, Slice& slice);
  /// A declaration of which only the name could be read.
  syntax::Decl* error(Slice& slice);
  /// Reports what can only be told from the whole file.
  void finish();

 private:
  using Context = antlr4::ParserRuleContext;
  using Node = antlr4::tree::ParseTree;

  // convert.cpp
  static const Tok* token(Node* node);
  static std::uint16_t type(Node* node);
  static std::size_t rule(Node* node);
  static Context* context(Node* node) { return static_cast<Context*>(node); }
  [[nodiscard]] std::string_view text(const Tok& t) const {
    return log_.text().substr(t.begin, t.end - t.begin);
  }
  [[nodiscard]] Span span(const Tok& t) const { return log_.span(t.begin, t.end); }
  [[nodiscard]] Span span(Context* context) const;
  [[nodiscard]] syntax::Name name(const Tok& t) const { return {text(t), span(t)}; }
  static const Tok& first(Context* context);
  static const Tok& last(Context* context);
  static std::size_t firstIndex(Context* context);
  std::string_view docBefore(std::size_t token);
  template <class T>
  T* make(syntax::ExprKind kind, Span at) {
    T* e = tree_.arena.make<T>();
    e->kind = kind;
    e->span = at;
    e->id = tree_.exprCount++;
    depth_.push_back(1);
    return e;
  }
  std::uint32_t depthOf(const syntax::Expr* e) const { return e == nullptr ? 0 : depth_[e->id]; }
  void deepen(syntax::Expr* e, std::uint32_t below);

  // convert_expr.cpp: operators, calls
  syntax::Expr* expr(Node* node);
  syntax::Expr* primary(Context* c);
  syntax::Expr* prefix(Context* c);
  syntax::Expr* extend(syntax::Expr* left, Context* c, bool leftCompares);
  syntax::Expr* after(syntax::Expr* operand, std::span<Context* const> levels);
  syntax::Expr* binary(syntax::Expr* left, Context* c, bool leftCompares);
  syntax::CallExpr* call(syntax::Expr* callee, Context* args, syntax::TypeExpr* typeArgument,
                         Span at, bool inTune = false);
  std::span<syntax::Argument> arguments(Context* args, bool inCall, bool inTune);
  syntax::Expr* group(Context* c);
  syntax::Expr* errorExpr(Span at);

  // convert_literals.cpp
  syntax::Expr* token(const Tok& t);
  syntax::StringPart textPart(std::uint32_t begin, std::uint32_t end);
  syntax::Expr* string(Context* c);
  syntax::Expr* number(Context* c, bool negative);
  syntax::Expr* list(Context* c);

  // convert_blocks.cpp: what has bodies, and statements
  syntax::Expr* ifExpr(Context* c);
  syntax::Expr* forExpr(Context* c);
  syntax::Expr* loopExpr(Context* c);
  syntax::Expr* tuneExpr(Context* c);
  std::uint32_t blockDepth(const syntax::Block* block) const;
  syntax::Block* block(Context* c);
  syntax::Stmt* stmt(Context* c);
  syntax::Stmt* letStmt(Context* c);

  // convert_decl.cpp
  syntax::TypeExpr* typeExpr(Context* c);
  syntax::Field field(Context* c);
  syntax::Field soleField(Context* c);
  std::span<syntax::Field> fields(Context* c);
  std::span<syntax::Setting> settings(Context* c);
  syntax::Decl* importDecl(Context* c);
  syntax::Decl* enumDecl(Context* c);
  syntax::Decl* schemaDecl(Context* c);
  syntax::Decl* fnDecl(Context* c);
  syntax::Decl* taskDecl(Context* c);
  void taskItem(syntax::TaskDecl& task, Context* c);
  /// False where an item of its word came before (reported).
  bool firstOfItsKind(const Tok& word);
  /// `resources`, `timeout` or `retry`; false for another item.
  bool stepSetting(syntax::StepSettings& into, Context* c);
  syntax::Decl* workflowDecl(Context* c);
  syntax::Decl* transformDecl(Context* c);
  syntax::TransformStmt transformStmt(Context* c);
  syntax::TransformKey transformKey(Context* c);
  syntax::Decl* labelerDecl(Context* c);
  syntax::Decl* targetDecl(Context* c);
  syntax::Decl* testDecl(Context* c);
  template <class T>
  T* makeDecl(syntax::DeclKind kind, Context* c);

  syntax::Tree& tree_;
  ErrorLog& log_;
  Slice* slice_ = nullptr;
  std::vector<std::uint32_t> depth_;        ///< by Expr::id: levels of expressions below it
  std::vector<syntax::NameExpr*> foreign_;  ///< `None`, `True`, … unless declared somewhere
  std::vector<std::string_view> declared_;  ///< names that could be such a word
  std::vector<std::uint16_t> givenAttributes_;
};

/// Whether a name is what other languages call `none`, `true` or `false`; ours, or nothing.
[[nodiscard]] std::string_view oursFor(std::string_view foreign);

}  // namespace couler::parse
