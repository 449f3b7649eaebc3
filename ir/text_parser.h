#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/module.h"
#include "ir/text_lexer.h"
#include "ir/text_words.h"
#include "support/diagnostic.h"

/// Reads the text form (docs/ir.md). Private to ir/: `parseText` of ir/print.h is its face.
namespace couler::ir::text {

/// A parser by hand, one function a construct. It stops at the first mistake: from then on
/// `failed()` holds, `take…` give empty values and every loop ends.
class Parser {
 public:
  Parser(FileId file, std::string_view source, DiagnosticSink& diags)
      : file_(file), source_(source), lexer_(source), diags_(diags) {}

  std::optional<Module> run();

 private:
  // ---- tokens
  void advance();
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string_view spelling() const { return lexer_.spelling(token_); }
  [[nodiscard]] Span here() const { return {file_, token_.begin, token_.end}; }
  [[nodiscard]] bool atPunct(char c) const;
  [[nodiscard]] bool atWord(std::string_view word) const;
  [[nodiscard]] bool nextIsPunct(char c) const;
  bool acceptPunct(char c);
  bool acceptWord(std::string_view word);
  template <class T>
  std::optional<T> acceptNumber();
  void expectPunct(char c);
  void expectWord(std::string_view word);
  /// Reports `expected …, found …` here, once.
  void expected(std::string_view what);
  void unknown(std::string_view kind, std::string_view name,
               const std::vector<std::string_view>& candidates = {});
  void duplicate(std::string_view kind, std::string_view name);
  std::string takeName(std::string_view what);    ///< a word or a string
  std::string takeString(std::string_view what);  ///< one or more strings, joined
  std::int64_t takeInt(std::string_view what);
  std::uint32_t takeIndex(std::string_view what);
  double takeFloat(std::string_view what);
  /// The index of a word in a list of words.
  std::size_t takeChoice(std::string_view what, std::span<const std::string_view> words);

  // ---- types and values (text_parser_values.cpp)
  void parseNominal(TypeKind kind);
  std::vector<TypeField> parseFields(char close, int depth);
  TypeId parseType(int depth = 0);
  TypeId parseTypeBase(int depth);
  Value parseValue(int depth = 0);
  NamedItems parseNamed(char close, int depth);

  // ---- nodes (text_parser_nodes.cpp)
  struct Frame {
    RegionId region;
    NodeId owner;
  };
  RegionId parseRegion();
  bool openRegion(std::vector<Frame>& stack, RegionId region, NodeId owner);
  /// True when the node owns a region that was opened.
  bool parseNode(std::vector<Frame>& stack);
  void parseYield(RegionId region);
  Rows parseRows();
  bool parsePayload(NodeId id, std::string_view kind);
  void parseTail(NodeId id);
  std::optional<std::uint64_t> atNode();
  NodeId defineNode(RegionId region);
  NodeId useNode();
  void useNodes(std::vector<NodeId>& into, char close);

  // ---- definitions (text_parser.cpp)
  void collectNames();
  void parseDefinition();
  void parseTask();
  void parseTaskLine(TaskDef& task);
  void parseRun(TaskDef& task);
  void parseRetry(RetryPolicy& retry);
  void parseFunc(FuncKind kind);
  ParamDef parseParam();
  OutputDef parseOutput();
  void parseTarget();
  void parseTest();

  FileId file_;
  std::string_view source_;
  Lexer lexer_;
  DiagnosticSink& diags_;
  Module module_;
  Token token_;
  Token next_;
  bool failed_ = false;
  std::unordered_map<std::string, TaskId> tasks_;  ///< all of the file, so that uses may come first
  std::unordered_map<std::string, FuncId> funcs_;
  std::unordered_map<std::string, TypeId> nominals_;  ///< by the name that the text gives them
  std::unordered_map<std::uint64_t, NodeId> nodes_;
  std::vector<NodeId> scratch_;
};

}  // namespace couler::ir::text
