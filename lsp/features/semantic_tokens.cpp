#include <algorithm>
#include <array>
#include <map>

#include "frontend/parse/words.h"
#include "frontend/scripts.h"
#include "lsp/features/features.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/script_scan.h"

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

/// A word that the checker knows no name for. `before` and `after`: the marks beside it. A word that
/// is one of the language's in its place only is none as a member or as what is set or named.
bool isKeyword(std::string_view word, std::string_view before, std::string_view after) {
  if (before == "." || before == "?.") return false;
  if (parse::isReservedWord(word)) return true;
  const auto placed = parse::placedWords();
  const bool names = after == ":" || after == "=" || after == "." || after == "?.";
  return !names && std::find(placed.begin(), placed.end(), word) != placed.end();
}

bool isFunction(std::string_view word) {
  static const std::vector<std::string_view> kNames = ir::callableNames();
  return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
}

std::string_view scriptType(ScriptPiece::Kind kind) {
  switch (kind) {
    case ScriptPiece::Kind::Comment:
      return "comment";
    case ScriptPiece::Kind::String:
      return "string";
    case ScriptPiece::Kind::Number:
      return "number";
    case ScriptPiece::Kind::Keyword:
      return "keyword";
    case ScriptPiece::Kind::Name:
      return "variable";
  }
  return "variable";
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
  // Scripts have colours of their own: a text of one colour would hide those of an editor's grammar.
  std::map<std::uint32_t, syntax::RunKind> scripts;
  for (const Script& one : scriptsOf(snapshot.tree(snapshot.root()))) {
    scripts.emplace(one.span.begin, one.language);
  }
  const auto symbolToken = [&](std::uint32_t begin, std::uint32_t end, const Occurrence& name) {
    const sema::Symbol& symbol = snapshot.program().at(name.symbol);
    const bool library = symbol.declared.valid() && snapshot.builtIn(symbol.declared.file);
    const std::uint32_t modifiers =
        (name.declares ? 1U : 0U) |
        (symbol.phase == ir::Phase::Compile && symbol.kind == SymbolKind::Local ? 2U : 0U) |
        (library ? 4U : 0U);
    out.add({begin, end, type(typeOf(symbol.kind)), modifiers});
  };
  const auto script = [&](syntax::RunKind language, const Piece& piece) {
    constexpr std::uint32_t kQuotes = 3;
    const std::uint32_t begin = piece.begin + kQuotes;
    const std::uint32_t size = piece.end - begin - (piece.open ? 0 : kQuotes);
    for (const ScriptPiece& one : scanScript(language, text.substr(begin, size))) {
      const Token token{begin + one.begin, begin + one.end, type(scriptType(one.kind)), 0};
      if (one.kind != ScriptPiece::Kind::Name) {
        out.add(token);
        continue;
      }
      while (next < names.size() && names[next].span.begin < token.begin) ++next;
      if (next < names.size() && names[next].span.begin == token.begin) {
        symbolToken(token.begin, token.end, names[next]);
      }
    }
  };
  const std::vector<Piece> pieces = scan(text, to);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    while (next < names.size() && names[next].span.begin < piece.begin) ++next;
    if (piece.end <= from) continue;
    const auto add = [&](std::string_view name, std::uint32_t modifiers = 0) {
      out.add({piece.begin, piece.end, type(name), modifiers});
    };
    switch (piece.kind) {
      case Piece::Kind::Word: {
        if (next < names.size() && names[next].span.begin == piece.begin) {
          symbolToken(piece.begin, piece.end, names[next]);
          break;
        }
        const std::string_view word = piece.in(text);
        const bool called = piece.end < text.size() && text[piece.end] == '(';
        if (called && isFunction(word)) {  // `max(a, b)`, though `max` bounds a loop as well
          add("function", 4);
        } else if (isKeyword(word, i == 0 ? "" : pieces[i - 1].in(text),
                             i + 1 == pieces.size() ? "" : pieces[i + 1].in(text))) {
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
        if (const auto language = scripts.find(piece.begin); language != scripts.end()) {
          script(language->second, piece);
        } else {
          add("string");
        }
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

/// What lies between the equal front and the equal rear.
Json semanticTokenEdits(const std::vector<std::uint32_t>& before,
                        const std::vector<std::uint32_t>& now) {
  const std::size_t least = std::min(before.size(), now.size());
  std::size_t front = 0;
  while (front < least && now[front] == before[front]) ++front;
  std::size_t rear = 0;
  while (rear + front < least && now[now.size() - rear - 1] == before[before.size() - rear - 1]) {
    ++rear;
  }
  Json edits = Json::array();
  if (front + rear == now.size() && front + rear == before.size()) return edits;
  edits.push_back({{"start", front},
                   {"deleteCount", before.size() - front - rear},
                   {"data", std::vector<std::uint32_t>(
                                now.begin() + static_cast<std::ptrdiff_t>(front),
                                now.end() - static_cast<std::ptrdiff_t>(rear))}});
  return edits;
}

}  // namespace couler::lsp
