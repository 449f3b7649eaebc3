#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/tree.h"

namespace couler::format {

/// Writes a tree back as text. Everything is first tried on one line; what is too long, holds a
/// comment, or is a block of statements is broken, the outermost first. Comments are written where
/// an item (statement, argument, field, …) begins or ends, which is where nearly all of them stand;
/// one from the middle of an expression moves behind it. O(nodes × width). For one use.
class Formatter {
 public:
  Formatter(const SourceManager& sources, const syntax::Tree& tree);
  [[nodiscard]] std::string run();
  /// Whether a comment stands in another place than in the source. Its lines were broken for a
  /// reason that has gone, so that only the layout of the result is final.
  [[nodiscard]] bool moved() const { return moved_; }

 private:
  /// How tightly an expression binds; an operand that binds more loosely than its place needs
  /// parentheses.
  enum Level : int {
    kOpen = 0,
    kPipe,
    kCoalesce,
    kOr,
    kAnd,
    kNot,
    kCompare,
    kRange,
    kAdd,
    kMultiply,
    kPrefix,
    kPower,
    kAfter,
    kPostfix,
    kPrimary
  };
  /// A line in the making; gives up when it cannot be one line, or none that fits.
  struct Flat {
    std::string text;
    std::size_t room = 0;  ///< columns left
    bool ok = true;
    void put(std::string_view piece);
    void fail() { ok = false; }
  };
  struct Item {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::function<void()> write;
    bool documented = false;  ///< `///` lines above it are its own, not comments
  };

  // formatter.cpp: the page
  void put(std::string_view text);
  void newline();
  void blankLine();
  [[nodiscard]] std::size_t column() const;
  [[nodiscard]] std::size_t room(std::size_t reserve) const;
  [[nodiscard]] std::string_view source(Span span) const;
  [[nodiscard]] bool blankBefore(std::uint32_t at) const;
  [[nodiscard]] std::uint32_t docStart(std::uint32_t at) const;
  [[nodiscard]] bool hasComment(std::uint32_t begin, std::uint32_t end) const;
  void comment(const syntax::Comment& c, bool ownLine, bool elsewhere = false);
  void commentsBefore(std::uint32_t at, bool& first);
  void trailing(std::uint32_t from);
  void doc(std::string_view text);
  void items(std::vector<Item> list, std::string_view separator, std::uint32_t bodyBegin,
             std::uint32_t bodyEnd);
  void braced(std::vector<Item> list, std::string_view separator, Span braces);
  void body(std::vector<Item> list, std::string_view separator, Span braces);

  // format_expr.cpp
  static int levelOf(const syntax::Expr& e);
  static int levelOf(syntax::BinaryOp op);
  static int leftLevel(syntax::BinaryOp op);
  static int rightLevel(syntax::BinaryOp op);
  static bool isPlain(const syntax::Expr& e);
  void flat(Flat& f, const syntax::Expr& e, int level) const;
  void flatInner(Flat& f, const syntax::Expr& e) const;
  void flatArguments(Flat& f, std::span<const syntax::Argument> args) const;
  void flatBlock(Flat& f, const syntax::Block& b) const;
  void flatIf(Flat& f, const syntax::IfExpr& e) const;
  bool tryFlat(const syntax::Expr& e, int level, std::size_t reserve);
  void expr(const syntax::Expr& e, int level = kOpen, std::size_t reserve = 0);
  void broken(const syntax::Expr& e, std::size_t reserve);
  void chain(const syntax::BinaryExpr& e, std::size_t reserve);
  void arguments(std::span<const syntax::Argument> args, Span parens);
  void ifExpr(const syntax::IfExpr& e);
  void rawString(const syntax::RawStringExpr& e);
  [[nodiscard]] bool isElseIf(const syntax::Block* b) const;

  // format_fields.cpp: types, parameters, columns, settings
  void flatType(Flat& f, const syntax::TypeExpr& t) const;
  void typeExpr(const syntax::TypeExpr& t);
  void flatField(Flat& f, const syntax::Field& field) const;
  void flatFields(Flat& f, std::span<const syntax::Field> fields) const;
  void field(const syntax::Field& f, std::size_t pad = 0);
  void fieldList(std::span<const syntax::Field> fields, std::uint32_t end);
  [[nodiscard]] std::uint32_t closingParen(std::span<const syntax::Field> fields) const;
  void header(std::string_view start, std::span<const syntax::Field> params,
              std::span<const syntax::Field> outputs, bool hasOutputs, Span declSpan,
              std::string_view end);
  [[nodiscard]] Span bracesAfter(std::uint32_t at) const;
  void settings(std::span<const syntax::Setting> list, Span braces);
  void nameList(std::vector<Item> list, std::string_view flatText, Span braces, bool breakIt);

  // format_decl.cpp: declarations and statements
  void decl(const syntax::Decl& d);
  void importDecl(const syntax::ImportDecl& d);
  void taskDecl(const syntax::TaskDecl& d);
  /// How wide the words of such settings are, with a space.
  [[nodiscard]] static std::size_t widthOf(const syntax::StepSettings& s);
  /// Adds them to `list`, values in column `pad`.
  void stepSettings(std::vector<Item>& list, const syntax::StepSettings& s, std::size_t pad);
  Item valueItem(const syntax::Expr& e, std::string_view name, std::size_t pad);
  Item groupItem(std::span<const syntax::Setting> s, std::string_view name, std::size_t pad);
  void padded(std::string_view word, std::size_t pad);
  void workflowDecl(const syntax::WorkflowDecl& d);
  void transformDecl(const syntax::TransformDecl& d);
  void transformStmt(const syntax::TransformStmt& s);
  void block(const syntax::Block& b, bool onOneLine = false);
  void stmt(const syntax::Stmt& s);

  const SourceManager& sources_;
  const syntax::Tree& tree_;
  std::string_view text_;
  std::string out_;
  std::size_t indent_ = 0;
  std::size_t nextComment_ = 0;
  std::uint32_t written_ = 0;  ///< the source up to here has been written
  bool moved_ = false;
};

}  // namespace couler::format
