#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "frontend/parse/error_log.h"
#include "frontend/parse/token.h"
#include "frontend/syntax/tree.h"

namespace couler::parse {

/// Streams the tokens of one file from the ANTLR lexer, a few at a time. Comments go aside; a
/// string or raw text that is not closed is reported and becomes one `Bad` token, so that all that
/// comes out is whole. Runs over bytes: places are byte offsets and no copy of the text is made.
class TokenReader {
 public:
  TokenReader(ErrorLog& log, std::uint32_t start, std::vector<syntax::Comment>& comments);
  ~TokenReader();
  TokenReader(const TokenReader&) = delete;
  TokenReader& operator=(const TokenReader&) = delete;

  /// The token `ahead` places on; `kEndOfSlice` at and after the end of the file.
  const Tok& peek(std::size_t ahead = 0);
  Tok next();
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  void fill();
  Tok lex();
  void readString(const Tok& open);
  void skipRaw(const Tok& open);

  struct Source;
  std::unique_ptr<Source> source_;
  ErrorLog& log_;
  std::vector<syntax::Comment>& comments_;
  std::deque<Tok> queue_;
  std::uint32_t lastEnd_;  ///< where the last token or comment ended
  bool newline_ = true;
  bool ended_ = false;
  std::uint64_t count_ = 0;
};

}  // namespace couler::parse
