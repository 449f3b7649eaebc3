#pragma once

#include <string>
#include <vector>

#include "lsp/protocol/convert.h"
#include "lsp/workspace/names.h"

namespace couler::lsp {

/// Changes that keep what a program means, for what is selected, as code actions.
class Refactoring {
 public:
  Refactoring(const View& view, std::uint32_t from, std::uint32_t to, Json& actions);
  void run();

 private:
  // refactor.cpp
  [[nodiscard]] std::string_view source(Span span) const { return snapshot_.sources().text(span); }
  void add(std::string title, const char* kind, const std::vector<Edit>& edits);
  /// Where the program has no error more with them. O(program).
  void addChecked(std::string title, const char* kind, const std::vector<Edit>& edits);
  [[nodiscard]] bool errorsWithin(Span span) const;
  [[nodiscard]] const syntax::Expr* selection() const;
  /// `base`, or with a number where that is taken; so it is nowhere else in the file.
  [[nodiscard]] std::string freshName(std::string_view base) const;
  [[nodiscard]] std::string indentAt(std::uint32_t at) const;
  [[nodiscard]] Span at(std::uint32_t offset) const { return {snapshot_.root(), offset, offset}; }
  /// In parentheses where it could mean something else beside an operator.
  [[nodiscard]] std::string operand(const syntax::Expr& e) const;
  [[nodiscard]] bool hasSteps(const syntax::Expr& e) const;
  void extractLet(const syntax::WorkflowDecl& workflow, const syntax::Expr& e);
  void makeParameter(const syntax::WorkflowDecl& workflow, const syntax::Expr& e);
  void inlineLet(const syntax::WorkflowDecl& workflow);

  // refactor_extract.cpp
  /// A name that stands in what is moved and means something around it.
  struct Captured {
    std::string name, type;
  };
  [[nodiscard]] std::vector<Captured> captures(Span moved) const;
  void extractFunction(const syntax::Expr& e);
  void extractWorkflow(const syntax::WorkflowDecl& workflow);

  // refactor_convert.cpp
  void convert();
  void turnRound(const syntax::IfExpr& e);
  void ifToDefault(const syntax::IfExpr& e);
  void defaultToIf(const syntax::BinaryExpr& e);
  void forToList(const syntax::ForExpr& e);
  void listToFor(const syntax::ListExpr& e);

  const View& view_;
  const Snapshot& snapshot_;
  const sema::Program& program_;
  std::string_view text_;
  std::uint32_t from_, to_;
  Json& actions_;
  const syntax::Decl* decl_ = nullptr;
};

/// A text with edits of one file made in it; they do not overlap.
[[nodiscard]] std::string edited(std::string_view text, std::vector<Edit> edits);

/// What an error asks for and no one text would be: arguments that are missing, a task that is not
/// there, an import (repairs.cpp). Adds code actions to `actions`. `names` as for completion.
void addRepairs(const View& view, const Diagnostic& diagnostic,
                const std::vector<ExportedName>* names, Json& actions);

}  // namespace couler::lsp
