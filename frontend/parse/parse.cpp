#include "frontend/parse/parse.h"

#include <algorithm>
#include <string>
#include <utility>

#include "frontend/parse/check_text.h"
#include "frontend/parse/convert.h"
#include "frontend/parse/layout.h"
#include "frontend/parse/literals.h"
#include "frontend/parse/messages.h"
#include "frontend/parse/recover.h"
#include "frontend/parse/slice_parser.h"
#include "frontend/parse/token_reader.h"
#include "frontend/parse/words.h"
#include "grammar/CoulerLexer.h"

namespace couler {
namespace {

using namespace parse;
using L = grammar::CoulerLexer;

class FileParser {
 public:
  FileParser(ErrorLog& log, std::uint32_t start, const ParseLimits& limits, syntax::Tree& tree)
      : log_(log),
        limits_(limits),
        tree_(tree),
        reader_(log, start, tree.comments),
        parser_(limits.maxDepth),
        converter_(tree, log),
        start_(start) {}

  void run(ParseStats* stats) {
    edition();
    while (reader_.peek().type != kEndOfSlice) {
      declaration(cut());
      if (log_.full()) break;
    }
    converter_.finish();
    std::stable_sort(tree_.comments.begin(), tree_.comments.end(),
                     [](const auto& a, const auto& b) { return a.span.begin < b.span.begin; });
    if (stats == nullptr) return;
    stats->tokens += reader_.count();
    stats->declarations += tree_.decls.size();
    stats->llFallbacks += parser_.llFallbacks();
  }

 private:
  [[nodiscard]] std::string_view text(const Tok& t) const {
    return log_.text().substr(t.begin, t.end - t.begin);
  }

  /// `couler 1`, the first line that is no comment.
  void edition() {
    const Tok first = reader_.peek(0);
    const Tok second = reader_.peek(1);
    const bool word = first.type == L::Ident && text(first) == "couler";
    if (word && !second.newline && (second.type == L::LitInt || second.type == L::LitFloat)) {
      reader_.next();
      reader_.next();
      const std::optional<std::uint64_t> number = readInt(text(second)).value;
      if (second.type != L::LitInt || number != 1) {
        log_.report(
            diagnose<Diag::UnknownEdition>(log_.span(second.begin, second.end), text(second))
                .fix("write `couler 1`", log_.span(second.begin, second.end), "1"));
      }
      tree_.edition = second.type == L::LitInt && number && *number < 1'000'000
                          ? static_cast<std::int64_t>(*number)
                          : 0;
      const Tok& rest = reader_.peek();
      if (rest.type != kEndOfSlice && !rest.newline) {
        log_.report(diagnose<Diag::SyntaxError>(
            log_.span(rest.begin, rest.end),
            fmt::format("the edition stands alone on its line: unexpected `{}`", text(rest))));
        while (reader_.peek().type != kEndOfSlice && !reader_.peek().newline) reader_.next();
      }
      return;
    }
    if (word && (second.newline || second.type == kEndOfSlice)) {
      log_.report(diagnose<Diag::MissingEdition>(log_.span(first.begin, first.end))
                      .fix("write `couler 1`", log_.span(first.end, first.end), " 1"));
      reader_.next();
      return;
    }
    const bool empty = first.type == kEndOfSlice;
    const Span at = empty ? log_.span(start_, start_) : log_.span(first.begin, first.end);
    log_.report(diagnose<Diag::MissingEdition>(at).fix("insert `couler 1`",
                                                       log_.span(start_, start_), "couler 1\n\n"));
  }

  /// The raw tokens of the next declaration: up to where, outside all brackets, a line begins that
  /// does not go on; or where, inside brackets that someone forgot to close, a declaration begins.
  std::vector<Tok> cut() {
    std::vector<Tok> raw = std::move(carried_);
    carried_.clear();
    std::vector<std::uint16_t> open;
    bool onlyDocs = true;
    for (const Tok& t : raw) onlyDocs = onlyDocs && t.type == L::DocComment;
    while (reader_.peek().type != kEndOfSlice) {
      const Tok t = reader_.peek();
      if (!onlyDocs && t.newline) {
        const Tok second = reader_.peek(1);
        const Tok third = reader_.peek(2);
        if (open.empty()
                ? t.type == L::DocComment || !continuesDeclaration(raw.back(), t, log_.text()) ||
                      beginsDeclaration(t, second, third, log_.text(), false)
                : beginsDeclaration(t, second, third, log_.text(), true)) {
          while (!raw.empty() && raw.back().type == L::DocComment) {
            carried_.push_back(raw.back());
            raw.pop_back();
          }
          std::reverse(carried_.begin(), carried_.end());
          break;
        }
      }
      if (isOpener(t.type)) open.push_back(t.type);
      if (isCloser(t.type)) close(open, t.type);
      if (t.type != L::DocComment) onlyDocs = false;
      raw.push_back(reader_.next());
    }
    return raw;
  }

  /// A `}` closes all that stands open in its braces; a `)` or `]` too many closes nothing.
  static void close(std::vector<std::uint16_t>& open, std::uint16_t closer) {
    if (closer == L::OpCloseBrace) {
      while (!open.empty() && (open.back() == L::OpOpenParen || open.back() == L::OpOpenSquare)) {
        open.pop_back();
      }
      if (!open.empty()) open.pop_back();
      return;
    }
    const std::uint16_t opener = closer == L::OpCloseParen ? L::OpOpenParen : L::OpOpenSquare;
    if (!open.empty() && open.back() == opener) open.pop_back();
  }

  void declaration(std::vector<Tok> raw) {
    Slice slice = layOut(std::move(raw), log_);
    if (slice.tokens.size() == 1) {  // doc comments at the end of the file
      keepDocs(slice);
      return;
    }
    if (!slice.isDeclaration) {
      // One message for a run of them: statements outside any workflow come in bunches.
      const Tok& first = slice.tokens.front();
      if (!junk_ && first.type != L::Bad) {
        log_.report(diagnose<Diag::NotADeclaration>(log_.span(first.begin, first.end), text(first))
                        .note("a file holds `import`, `enum`, `schema`, `fn`, `task`, `workflow`, "
                              "`transform`, `labeler`, `target` and `test`"));
      }
      junk_ = true;
      keepDocs(slice);
      return;
    }
    junk_ = false;
    // Every round replaces at least one statement or item by `Bad`, so this ends.
    for (;;) {
      if (antlr4::ParserRuleContext* tree = parser_.parse(slice.tokens)) {
        tree_.decls.push_back(converter_.declaration(tree, slice));
        break;
      }
      log_.report(explain(parser_.failure(), slice.tokens, log_, limits_.maxDepth));
      if (log_.full() || !replaceUnit(slice.tokens, slice.docs, parser_.failure().token)) {
        tree_.decls.push_back(converter_.error(slice));
        break;
      }
    }
    keepDocs(slice);
    parser_.clear();
  }

  /// Doc comments that describe nothing stay as comments, for the formatter.
  void keepDocs(const Slice& slice) {
    for (const DocRun& run : slice.docs) {
      if (run.used) continue;
      for (const Span& line : run.lines) tree_.comments.push_back({line, true});
    }
  }

  ErrorLog& log_;
  const ParseLimits& limits_;
  syntax::Tree& tree_;
  TokenReader reader_;
  SliceParser parser_;
  Converter converter_;
  std::uint32_t start_;
  std::vector<Tok> carried_;
  bool junk_ = false;
};

}  // namespace

std::unique_ptr<syntax::Tree> parseFile(const SourceManager& sources, FileId file,
                                        DiagnosticSink& diags, const ParseLimits& limits,
                                        ParseStats* stats) {
  auto tree = std::make_unique<syntax::Tree>();
  tree->file = file;
  ErrorLog log(sources, file, diags, limits.maxErrors);
  const std::optional<std::uint32_t> start = checkText(log, limits);
  if (start) FileParser(log, *start, limits, *tree).run(stats);
  return tree;
}

}  // namespace couler
