#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <antlr4-runtime.h>

#include "frontend/parse/token.h"

namespace couler::parse {

/// Where and how a slice is not what the grammar says.
struct Failure {
  std::size_t token = 0;                ///< index of the first token that cannot be
  std::vector<std::uint16_t> expected;  ///< what could stand there, when known
  std::vector<std::size_t> rules;       ///< the rules being read, innermost first
  bool tooDeep = false;
};

/// What ANTLR calls a token: a view of ours.
class SliceToken final : public antlr4::Token {
 public:
  SliceToken(const Tok& tok, std::size_t index) : tok_(&tok), index_(index) {}
  std::string getText() const override { return {}; }
  std::size_t getType() const override {
    return tok_->type == kEndOfSlice ? antlr4::Token::EOF : std::size_t{tok_->type};
  }
  std::size_t getLine() const override { return 0; }
  std::size_t getCharPositionInLine() const override { return 0; }
  std::size_t getChannel() const override { return DEFAULT_CHANNEL; }
  std::size_t getTokenIndex() const override { return index_; }
  std::size_t getStartIndex() const override { return tok_->begin; }
  std::size_t getStopIndex() const override { return tok_->end; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  antlr4::CharStream* getInputStream() const override { return nullptr; }
  std::string toString() const override { return {}; }
  [[nodiscard]] const Tok& tok() const { return *tok_; }

 private:
  const Tok* tok_;
  std::size_t index_;
};

/// The ANTLR parser over one slice at a time. First SLL prediction that gives up at the first
/// error; when it fails, full LL, which either succeeds (counted: no program of ours should need
/// it) or tells where the error is. ANTLR's own recovery is never used: the caller replaces what is
/// wrong by `Bad` tokens and parses again, so that every tree that comes out is whole.
class SliceParser {
 public:
  explicit SliceParser(std::uint32_t maxDepth);
  ~SliceParser();
  SliceParser(const SliceParser&) = delete;
  SliceParser& operator=(const SliceParser&) = delete;

  /// The declaration's tree, or null and `failure()`. Tree and `tokens` must not be used after the
  /// next call.
  antlr4::ParserRuleContext* parse(const std::vector<Tok>& tokens);
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] std::uint64_t llFallbacks() const { return llFallbacks_; }
  /// Frees tree and tokens.
  void clear();

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
  Failure failure_;
  std::uint64_t llFallbacks_ = 0;
};

}  // namespace couler::parse
