#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "frontend/lower/lowerer.h"

namespace couler::lower {

/// The statements of one transform as operators over rows. Derived columns wait until a statement
/// needs them in the rows, so that those that follow each other are made by one Map; a Map keeps
/// only the columns that later statements look at. For one use.
class Lowerer::TransformLowering {
 public:
  TransformLowering(Lowerer& l, SymbolId symbol)
      : l_(l),
        symbol_(symbol),
        decl_(static_cast<const syntax::TransformDecl&>(*l.program_.at(symbol).decl)),
        signature_(*l.program_.at(symbol).signature),
        plan_(l.program_.transforms.at(symbol)) {}

  NodeId run();

 private:
  /// A column of rows (`rows.carrier`), all of them (""), or a derived one.
  using Column = std::pair<SymbolId, std::string>;
  using Body = std::function<std::vector<NodeId>()>;
  struct Derived {
    SymbolId symbol;
    const Expr* value;
  };

  // ---- which statement is the last to look at a column

  void noteUses();
  void noteOutput(const std::vector<sema::OutputColumn>& columns, std::size_t at);
  void noteUses(const Expr& expr, std::size_t at);
  [[nodiscard]] bool neededFrom(SymbolId symbol, const std::string& column, std::size_t at) const;

  // ---- statements

  void statement(std::size_t i);
  void over(ir::Rows payload, TypeId table, Span span, const Body& lower);
  void orderBy(std::size_t i);

  // ---- maps

  /// Puts the derived columns that wait into the rows, if statement `at` is to see any.
  void materialise(std::size_t at);

  /// A Map whose body first makes the derived columns; `fields` gives the parts of the new row and
  /// sets its type.
  void map(const Body& fields);
  void makeDerived();

  /// Whether all columns of the output are there, and no statement from `at` on sees another.
  [[nodiscard]] bool outputFrom(std::size_t at) const;

  /// The names that fields of the rows have in the output, where they are in it; a key may go by two,
  /// and then has the first.
  [[nodiscard]] std::unordered_map<std::string, std::string_view> outputNames() const;

  /// The rows that the transform makes.
  void shape();
  NodeId column(const sema::OutputColumn& one);

  /// The rows with the columns that `distinct` compares, and no other.
  void distinct(std::size_t i);

  // ---- groups

  struct Aggregate {
    const syntax::CallExpr* call;
    const syntax::TransformStmt* derive;  ///< the column that it alone makes; null: a part of one
    std::string field;
    std::size_t statement;
  };
  [[nodiscard]] std::vector<Aggregate> aggregatesFrom(std::size_t at) const;
  void group(std::size_t i);

  // ---- joins

  void join(const syntax::TransformStmt& stmt);
  [[nodiscard]] SymbolId joined(const syntax::TransformStmt& stmt) const;
  std::vector<NodeId> joinKeys(const std::vector<const Expr*>& parts, SymbolId other);
  NodeId key(const Expr& expr, TypeId both);
  [[nodiscard]] TypeId plain(TypeId type) const;
  [[nodiscard]] bool looksAt(const Expr& expr, SymbolId symbol) const;

  Lowerer& l_;
  SymbolId symbol_;
  const syntax::TransformDecl& decl_;
  const sema::Signature& signature_;
  const sema::TransformPlan& plan_;
  RowScope scope_;
  NodeId table_;                   ///< the rows so far
  std::vector<Aggregate> hidden_;  ///< aggregates that are parts of expressions
  bool shaped_ = false;            ///< they are of the type that the transform makes
  std::vector<Derived> derived_;   ///< columns that wait for a Map
  std::map<Column, std::size_t> lastUse_;
};

}  // namespace couler::lower
