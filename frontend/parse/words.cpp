#include "frontend/parse/words.h"

#include <algorithm>
#include <string>

#include <antlr4-runtime.h>

#include "grammar/CoulerLexer.h"

namespace couler::parse {
namespace {

using L = grammar::CoulerLexer;

constexpr Word kDeclarations[] = {
    {"import", L::KwImport},     {"enum", L::KwEnum},
    {"schema", L::KwSchema},     {"fn", L::KwFn},
    {"task", L::KwTask},         {"volatile", L::KwVolatile},
    {"workflow", L::KwWorkflow}, {"transform", L::KwTransform},
    {"labeler", L::KwLabeler},   {"target", L::KwTarget},
    {"test", L::KwTest},
};
constexpr Word kTask[] = {
    {"image", L::KwImage},     {"resources", L::KwResources}, {"env", L::KwEnv},
    {"timeout", L::KwTimeout}, {"retry", L::KwRetry},         {"cache", L::KwCache},
    {"run", L::KwRun},
};
constexpr Word kTransform[] = {
    {"where", L::KwWhere}, {"group", L::KwGroup},       {"order", L::KwOrder},
    {"limit", L::KwLimit}, {"distinct", L::KwDistinct}, {"join", L::KwJoin},
    {"left", L::KwLeft},   {"semi", L::KwSemi},         {"anti", L::KwAnti},
    {"resources", L::KwResources}, {"timeout", L::KwTimeout}, {"retry", L::KwRetry},
};
constexpr Word kStatements[] = {
    {"let", L::KwLet},   {"return", L::KwReturn}, {"if", L::KwIf},           {"for", L::KwFor},
    {"loop", L::KwLoop}, {"try", L::KwTry},       {"finally", L::KwFinally},
};
constexpr std::string_view kUnits[] = {"us", "ms", "s",  "min", "h",   "d",   "B",  "kB",
                                       "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"};

/// The words of the grammar, from its tokens: `Kw` and the word; reserved ones have a text there.
struct Lexed {
  std::vector<std::string> texts;
  std::vector<std::string_view> reserved, placed;

  Lexed() {
    antlr4::ANTLRInputStream nothing("");
    const L lexer(&nothing);
    const antlr4::dfa::Vocabulary& vocabulary = lexer.getVocabulary();
    const std::size_t most = vocabulary.getMaxTokenType();
    texts.reserve(most);
    for (std::size_t type = 1; type <= most; ++type) {
      const std::string name = vocabulary.getSymbolicName(type);
      if (!name.starts_with("Kw")) continue;
      std::string& text = texts.emplace_back(name.substr(2));
      text[0] = static_cast<char>(text[0] - 'A' + 'a');
      (vocabulary.getLiteralName(type).empty() ? placed : reserved).push_back(text);
    }
  }
};
const Lexed& lexed() {
  static const Lexed words;
  return words;
}

}  // namespace

std::span<const Word> declarationWords() { return kDeclarations; }
std::span<const Word> taskWords() { return kTask; }
std::span<const Word> transformWords() { return kTransform; }
std::span<const Word> statementWords() { return kStatements; }
std::span<const std::string_view> unitWords() { return kUnits; }
std::span<const std::string_view> reservedWords() { return lexed().reserved; }
std::span<const std::string_view> placedWords() { return lexed().placed; }

std::uint16_t find(std::span<const Word> table, std::string_view text) {
  for (const Word& word : table) {
    if (word.text == text) return word.type;
  }
  return 0;
}

std::vector<std::string_view> texts(std::span<const Word> table) {
  std::vector<std::string_view> result;
  for (const Word& word : table) result.push_back(word.text);
  return result;
}

bool isUnit(std::string_view text) {
  return text.size() <= 3 &&
         std::find(std::begin(kUnits), std::end(kUnits), text) != std::end(kUnits);
}

bool isReservedWord(std::uint16_t type) { return type >= L::KwAnd && type <= L::KwNone; }

bool isReservedWord(std::string_view text) {
  const auto& words = lexed().reserved;
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool isOpener(std::uint16_t type) {
  return type == L::OpOpenParen || type == L::OpOpenSquare || type == L::OpOpenBrace ||
         type == L::InterpOpen;
}

bool isCloser(std::uint16_t type) {
  return type == L::OpCloseParen || type == L::OpCloseSquare || type == L::OpCloseBrace ||
         type == L::InterpClose;
}

bool goesOn(std::uint16_t type) {
  switch (type) {
    case L::KwReturn:
    case L::KwTrue:
    case L::KwFalse:
    case L::KwNone:
    case L::OpQuestion:
      return false;
    case L::KwFrom:
    case L::KwWhere:
    case L::KwMax:
    case L::KwTune:
    case L::KwMaximize:
    case L::KwMinimize:
    case L::KwUsing:
    case L::KwPrior:
    case L::KwWhen:
    case L::KwAs:
    case L::KwOn:
    case L::KwBy:
    case L::KwWithout:
    case L::AfterComma:
    case L::TypeOpen:
    case L::SlipAnd:
    case L::SlipOr:
    case L::SlipNot:
    case L::SlipColonEqual:
    case L::SlipFatArrow:
      return true;
    default:
      if (isReservedWord(type)) return true;
      return type >= L::OpOpenBrace && type <= L::OpPercent && !isCloser(type) && type != L::OpSemi;
  }
}

bool endsOperand(std::uint16_t type) {
  return isPlainOperand(type) || type == L::StringClose || type == L::Unit ||
         type == L::OpCloseParen || type == L::OpCloseSquare || type == L::OpCloseBrace;
}

bool isPlainOperand(std::uint16_t type) {
  switch (type) {
    case L::Ident:
    case L::LitInt:
    case L::LitFloat:
    case L::LitString:
    case L::LitRaw:
    case L::LitRegex:
    case L::StringOpen:
    case L::KwTrue:
    case L::KwFalse:
    case L::KwNone:
    case L::Bad:
      return true;
    default:
      return false;
  }
}

}  // namespace couler::parse
