#include <algorithm>
#include <array>

#include "frontend/parse/words.h"
#include "lsp/features/features.h"
#include "lsp/workspace/scan.h"

namespace couler::lsp {

using sema::SymbolKind;

namespace {

constexpr std::array<std::string_view, 15> kTypes = {
    "namespace", "type",   "class",  "enum",    "enumMember", "struct",  "parameter", "variable",
    "property",  "function", "keyword", "comment", "string",   "number",  "regexp"};
constexpr std::array<std::string_view, 3> kModifiers = {"declaration", "readonly", "defaultLibrary"};

std::uint32_t type(std::string_view name) {
  return static_cast<std::uint32_t>(std::find(kTypes.begin(), kTypes.end(), name) - kTypes.begin());
}

std::string_view typeOf(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::Namespace:
      return "namespace";
    case SymbolKind::Enum:
      return "enum";
    case SymbolKind::EnumCase:
      return "enumMember";
    case SymbolKind::Schema:
      return "struct";
    case SymbolKind::Fn:
    case SymbolKind::Task:
    case SymbolKind::Transform:
    case SymbolKind::Labeler:
    case SymbolKind::BuiltinFn:
    case SymbolKind::Workflow:
      return "function";
    case SymbolKind::Target:
      return "class";
    case SymbolKind::Param:
      return "parameter";
    case SymbolKind::Output:
    case SymbolKind::Column:
      return "property";
    case SymbolKind::Local:
    case SymbolKind::LoopVariable:
      return "variable";
  }
  return "variable";
}

/// Words that are keywords in their place; a name that the checker knows is none.
bool isKeyword(std::string_view word) {
  constexpr std::array<std::string_view, 49> kWords = {
      "and",   "or",     "not",    "div",       "in",       "if",       "else",   "for",
      "loop",  "until",  "try",    "after",     "finally",  "return",   "let",    "import",
      "fn",    "true",   "false",  "none",      "enum",     "schema",   "task",   "volatile",
      "workflow", "transform", "labeler", "target", "test", "as",      "where",  "max",
      "tune",  "maximize", "minimize", "using", "run",      "sh",      "python", "without", "prior", "from",
      "group", "order",  "by",     "limit",     "distinct", "join",    "expect"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

bool isFunction(std::string_view word) {
  static const std::vector<std::string_view> kNames = ir::callableNames();
  return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
}

struct Token {
  std::uint32_t begin, end, type, modifiers;
};

/// Tokens do not cross lines.
class Encoder {
 public:
  Encoder(const View& view) : view_(view), text_(view.snapshot().text()) {}

  void add(const Token& token) {
    for (std::uint32_t begin = token.begin; begin < token.end;) {
      const std::size_t newline = text_.find('\n', begin);
      const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(newline, token.end));
      if (end > begin) one(begin, end, token);
      begin = end + 1;
    }
  }
  Json take() { return {{"data", std::move(data_)}}; }

 private:
  void one(std::uint32_t begin, std::uint32_t end, const Token& token) {
    const Range range = view_.range({view_.snapshot().root(), begin, end});
    const std::uint32_t down = range.start.line - last_.line;
    data_.push_back(down);
    data_.push_back(range.start.character - (down == 0 ? last_.character : 0));
    data_.push_back(range.end.character - range.start.character);
    data_.push_back(token.type);
    data_.push_back(token.modifiers);
    last_ = range.start;
  }

  const View& view_;
  std::string_view text_;
  Position last_;
  Json data_ = Json::array();
};

}  // namespace

Json semanticTokensLegend() {
  return {{"tokenTypes", kTypes}, {"tokenModifiers", kModifiers}};
}

Json semanticTokens(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const std::string_view text = snapshot.text();
  std::uint32_t from = 0;
  std::uint32_t to = static_cast<std::uint32_t>(text.size());
  if (const auto range = params.find("range"); range != params.end() && range->is_object()) {
    from = view.offset(positionIn(range->value("start", Json())));
    to = view.offset(positionIn(range->value("end", Json())));
  }
  Encoder out(view);
  const std::vector<Occurrence>& names = snapshot.occurrences(snapshot.root());
  std::size_t next = 0;
  for (const Piece& piece : scan(text, to)) {
    while (next < names.size() && names[next].span.begin < piece.begin) ++next;
    if (piece.end <= from) continue;
    const auto add = [&](std::string_view name, std::uint32_t modifiers = 0) {
      out.add({piece.begin, piece.end, type(name), modifiers});
    };
    switch (piece.kind) {
      case Piece::Kind::Word: {
        if (next < names.size() && names[next].span.begin == piece.begin) {
          const sema::Symbol& symbol = snapshot.program().at(names[next].symbol);
          const bool library = symbol.declared.valid() && snapshot.builtIn(symbol.declared.file);
          const std::uint32_t modifiers =
              (names[next].declares ? 1U : 0U) |
              (symbol.phase == ir::Phase::Compile && symbol.kind == SymbolKind::Local ? 2U : 0U) |
              (library ? 4U : 0U);
          add(typeOf(symbol.kind), modifiers);
          break;
        }
        const std::string_view word = piece.in(text);
        const bool called = piece.end < text.size() && text[piece.end] == '(';
        if (called && isFunction(word)) {  // `max(a, b)`, though `max` bounds a loop as well
          add("function", 4);
        } else if (isKeyword(word)) {
          add("keyword");
        }
        break;
      }
      case Piece::Kind::Number:
        add("number");
        break;
      case Piece::Kind::String:
        add(text[piece.begin] == 'r' ? "regexp" : "string");
        break;
      case Piece::Kind::Raw:
        add("string");
        break;
      case Piece::Kind::Comment:
      case Piece::Kind::Doc:
        add("comment");
        break;
      case Piece::Kind::Mark:
        break;
    }
  }
  return out.take();
}

}  // namespace couler::lsp
