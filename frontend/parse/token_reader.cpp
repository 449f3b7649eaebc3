#include "frontend/parse/token_reader.h"

#include <cstring>

#include <antlr4-runtime.h>

#include "grammar/CoulerLexer.h"
#include "support/text.h"

namespace couler::parse {
namespace {

using grammar::CoulerLexer;

/// The file's bytes as a character stream. Bytes above 0x7F all read as U+0001: the lexer's cache
/// covers ASCII only, and no rule tells one such byte from another.
class ByteStream final : public antlr4::CharStream {
 public:
  explicit ByteStream(std::string_view text) : text_(text) {}
  void consume() override { ++at_; }
  std::size_t LA(ssize_t i) override {
    const std::size_t place =
        i > 0 ? at_ + static_cast<std::size_t>(i) - 1 : at_ - static_cast<std::size_t>(-i);
    if (place >= text_.size()) return antlr4::IntStream::EOF;
    const auto byte = static_cast<unsigned char>(text_[place]);
    return byte < 0x80 ? byte : 1;
  }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  std::size_t index() override { return at_; }
  void seek(std::size_t index) override { at_ = index; }
  std::size_t size() override { return text_.size(); }
  std::string getSourceName() const override { return {}; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string toString() const override { return {}; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// Runs the rules without making token objects.
class BareLexer final : public CoulerLexer {
 public:
  using CoulerLexer::CoulerLexer;
  std::size_t popMode() override {  // a surplus `}` is the layout's to report
    return modeStack.empty() ? mode : CoulerLexer::popMode();
  }
  antlr4::Token* emit() override {
    // nextToken() goes on while the token is null, so there must be one; it is never looked at.
    if (!spare_) spare_ = std::make_unique<antlr4::CommonToken>(0);
    antlr4::Token* result = spare_.get();
    token = std::move(spare_);
    return result;
  }
  void giveBack(std::unique_ptr<antlr4::Token> used) { spare_ = std::move(used); }

 private:
  std::unique_ptr<antlr4::Token> spare_;
};

bool isSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

struct TokenReader::Source {
  Source(std::string_view fileText, std::uint32_t start)
      : text(fileText), bytes(fileText), lexer(&bytes) {
    lexer.removeErrorListeners();
    bytes.seek(start);
  }
  std::string_view text;
  ByteStream bytes;
  BareLexer lexer;
};

TokenReader::TokenReader(ErrorLog& log, std::uint32_t start, std::vector<syntax::Comment>& comments)
    : source_(std::make_unique<Source>(log.text(), start)),
      log_(log),
      comments_(comments),
      lastEnd_(start) {}

TokenReader::~TokenReader() = default;

const Tok& TokenReader::peek(std::size_t ahead) {
  while (queue_.size() <= ahead) fill();
  return queue_[ahead];
}

Tok TokenReader::next() {
  Tok result = peek();
  if (result.type != kEndOfSlice) queue_.pop_front();
  return result;
}

/// One raw token: no layout, no repair. White space is skipped here rather than by the lexer, which
/// saves it a third of its tokens.
Tok TokenReader::lex() {
  Source& s = *source_;
  if (s.lexer.mode == 0) {
    std::size_t at = s.bytes.index();
    while (at < s.text.size() && isSpace(s.text[at])) {
      if (s.text[at] == '\n') newline_ = true;
      ++at;
    }
    s.bytes.seek(at);
  }
  Tok tok;
  tok.begin = static_cast<std::uint32_t>(s.bytes.index());
  if (tok.begin >= s.text.size()) {
    tok.end = tok.begin;
    tok.type = kEndOfSlice;
    tok.newline = true;
    return tok;
  }
  s.lexer.hitEOF = false;  // set when a token ends the text; we may have gone back since
  s.lexer.giveBack(s.lexer.nextToken());
  tok.type = static_cast<std::uint16_t>(s.lexer.getType());
  tok.end = static_cast<std::uint32_t>(s.bytes.index());
  tok.newline = newline_;
  newline_ = false;
  ++count_;
  return tok;
}

void TokenReader::fill() {
  if (ended_) {
    queue_.push_back(queue_.empty() ? Tok{lastEnd_, lastEnd_, kEndOfSlice, true, false}
                                    : queue_.back());
    return;
  }
  const Tok tok = lex();
  switch (tok.type) {
    case kEndOfSlice:
      ended_ = true;
      queue_.push_back(tok);
      break;
    case CoulerLexer::SlipHash:
      log_.report(diagnose<Diag::HashComment>(log_.span(tok.begin, tok.begin + 1))
                      .fix("write `//`", log_.span(tok.begin, tok.begin + 1), "//"));
      [[fallthrough]];
    case CoulerLexer::Comment:
      comments_.push_back({log_.span(tok.begin, tok.end), tok.newline});
      newline_ = tok.newline;
      break;
    case CoulerLexer::DocComment:
      if (tok.newline) {
        queue_.push_back(tok);
      } else {  // beside code it describes nothing that follows
        comments_.push_back({log_.span(tok.begin, tok.end), false});
        newline_ = tok.newline;
      }
      break;
    case CoulerLexer::StringOpen:
      readString(tok);
      break;
    case CoulerLexer::RawOpen:
      skipRaw(tok);
      break;
    case CoulerLexer::RegexOpen: {
      log_.report(
          diagnose<Diag::UnclosedString>(log_.span(tok.begin, tok.end), "regular expression"));
      queue_.push_back({tok.begin, tok.end, CoulerLexer::Bad, tok.newline, true});
      break;
    }
    case CoulerLexer::SingleQuoted: {
      Diagnostic d = diagnose<Diag::SingleQuotes>(log_.span(tok.begin, tok.end));
      const std::string_view inner = log_.text().substr(tok.begin + 1, tok.end - tok.begin - 2);
      if (inner.find_first_of("\"{}\\") == std::string_view::npos) {
        d.fix("use double quotes", log_.span(tok.begin, tok.end), "\"" + std::string(inner) + "\"");
      }
      log_.report(std::move(d));
      queue_.push_back({tok.begin, tok.end, CoulerLexer::Bad, tok.newline, true});
      break;
    }
    case CoulerLexer::Unknown: {
      Tok bad = tok;  // all of a character, all of a run
      const std::string_view text = log_.text();
      const auto high = [&](std::uint32_t at) {
        return (static_cast<unsigned char>(text[at]) & 0x80) != 0;
      };
      if (high(bad.begin)) {
        while (bad.end < text.size() && high(bad.end)) ++bad.end;
        source_->bytes.seek(bad.end);
      }
      const std::string shown(text.substr(bad.begin, bad.end - bad.begin));
      log_.report(
          high(bad.begin) ? diagnose<Diag::NameNotAscii>(log_.span(bad.begin, bad.end), shown)
          : shown[0] == '\'' || isControl(shown[0])
              ? diagnose<Diag::UnknownCharacter>(
                    log_.span(bad.begin, bad.end),
                    shown[0] == '\'' ? "'"
                                     : fmt::format("\\x{:02x}", static_cast<unsigned>(shown[0])))
              : diagnose<Diag::UnknownCharacter>(log_.span(bad.begin, bad.end), shown));
      // Nothing is put in its place: what stands round it may well be whole.
      newline_ = tok.newline;
      break;
    }
    default:
      queue_.push_back(tok);
      break;
  }
  lastEnd_ = queue_.empty() ? lastEnd_ : queue_.back().end;
}

/// A string with interpolations lies on one line, so all of it is read here, and is whole or `Bad`.
void TokenReader::readString(const Tok& open) {
  Source& s = *source_;
  const std::size_t base = s.lexer.modeStack.size() - 1;
  std::vector<Tok> parts{open};
  for (;;) {
    const Tok tok = lex();
    const bool cut = tok.type == kEndOfSlice || tok.type == CoulerLexer::TextEnd ||
                     tok.type == CoulerLexer::TextUnknown || tok.type == CoulerLexer::RawOpen ||
                     tok.type == CoulerLexer::Comment || tok.type == CoulerLexer::DocComment ||
                     tok.type == CoulerLexer::RegexOpen || tok.newline;
    if (cut) {
      const std::string_view text = log_.text();
      std::uint32_t end = open.begin;
      while (end < text.size() && text[end] != '\n' && text[end] != '\r') ++end;
      log_.report(diagnose<Diag::UnclosedString>(log_.span(open.begin, end), "string"));
      while (s.lexer.modeStack.size() > base) s.lexer.popMode();
      s.bytes.seek(end);
      ended_ = false;
      newline_ = false;
      queue_.push_back({open.begin, end, CoulerLexer::Bad, open.newline, true});
      return;
    }
    if (tok.type == CoulerLexer::SingleQuoted) {
      log_.report(diagnose<Diag::SingleQuotes>(log_.span(tok.begin, tok.end)));
      parts.push_back({tok.begin, tok.end, CoulerLexer::Bad, false, true});
    } else if (tok.type == CoulerLexer::Unknown || tok.type == CoulerLexer::SlipHash) {
      log_.report(diagnose<Diag::UnknownCharacter>(log_.span(tok.begin, tok.begin + 1),
                                                   std::string(log_.text().substr(tok.begin, 1))));
      if (tok.type == CoulerLexer::SlipHash) s.bytes.seek(tok.begin + 1);
    } else {
      parts.push_back(tok);
    }
    if (tok.type == CoulerLexer::StringClose && s.lexer.modeStack.size() <= base) break;
  }
  for (const Tok& part : parts) queue_.push_back(part);
}

/// Raw text without an end takes the rest of the file. To be able to go on, it is taken to end
/// where a line begins in the first column with something other than white space.
void TokenReader::skipRaw(const Tok& open) {
  const std::string_view text = log_.text();
  log_.report(diagnose<Diag::UnclosedRawText>(log_.span(open.begin, open.end)));
  std::size_t at = open.end;
  while ((at = text.find('\n', at)) != std::string_view::npos) {
    ++at;
    if (at < text.size() && !isSpace(text[at])) break;
  }
  const auto end = static_cast<std::uint32_t>(at == std::string_view::npos ? text.size() : at);
  source_->bytes.seek(end);
  newline_ = true;
  queue_.push_back({open.begin, end, CoulerLexer::Bad, open.newline, true});
}

}  // namespace couler::parse
