#include "lsp/features/completion_place.h"

#include <algorithm>
#include <array>

#include "frontend/parse/words.h"
#include "lsp/workspace/scan.h"
#include "support/text.h"

namespace couler::lsp {
namespace {

using What = Place::What;

bool isOne(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// An open bracket and what stands before it.
struct Open {
  char mark = 0;
  std::size_t piece = 0;
  std::string_view before;  // the nearest word
  std::string_view decl;    // the keyword of the declaration that it is in
};

class Reader {
 public:
  Reader(std::string_view text, std::uint32_t offset)
      : text_(text), offset_(offset), pieces_(scan(text, offset)) {}

  Place run() {
    if (inText()) return std::move(place_);
    std::size_t count = pieces_.size();
    place_.word = offset_;
    if (count > 0 && pieces_.back().kind == Piece::Kind::Word && pieces_.back().end == offset_) {
      place_.word = pieces_[--count].begin;
    }
    readBrackets(count);
    place_.parenFollows = offset_ < text_.size() && text_[offset_] == '(';
    previous_ = count;
    place_.what = decide();
    return std::move(place_);
  }

 private:
  std::string_view piece(std::size_t back) const {  // 1: the one before the word at the place
    return back <= previous_ ? pieces_[previous_ - back].in(text_) : std::string_view();
  }
  Piece::Kind kind(std::size_t back) const {
    return back <= previous_ ? pieces_[previous_ - back].kind : Piece::Kind::Comment;
  }
  /// Whether the place is the first on its line.
  bool atLineStart() const {
    if (previous_ == 0) return true;
    const std::uint32_t end = pieces_[previous_ - 1].end;
    return text_.substr(end, offset_ - end).find('\n') != std::string_view::npos;
  }

  /// Comments, strings, numbers that run up to the place.
  bool inText() {
    if (pieces_.empty()) return false;
    const Piece& last = pieces_.back();
    switch (last.kind) {
      case Piece::Kind::Comment:
      case Piece::Kind::Doc:
        return text_.substr(last.begin, offset_ - last.begin).find('\n') == std::string_view::npos;
      case Piece::Kind::Raw:
        if (last.open) place_.what = What::Script;
        return last.open;
      case Piece::Kind::Number: {
        return last.end == offset_;
      }
      case Piece::Kind::String: {
        if (!last.open || text_.substr(last.begin, offset_ - last.begin).find('\n') != std::string_view::npos)
          return false;
        const std::size_t n = pieces_.size();
        place_.head = text_.substr(last.begin + 1, offset_ - last.begin - 1);
        if (n >= 2 && pieces_[n - 2].in(text_) == "import") place_.what = What::ImportPath;
        const bool call = n >= 3 && pieces_[n - 2].in(text_) == "(" &&
                          isOne(pieces_[n - 3].in(text_), {"file", "dir", "glob"});
        if (call || (n >= 2 && isOne(pieces_[n - 2].in(text_), {"=", ":", "("}))) {
          if (place_.what == What::Nothing) place_.what = What::FilePath;
        }
        return true;
      }
      default:
        return false;
    }
  }

  void readBrackets(std::size_t count) {
    std::string_view word;
    std::string_view decl;
    for (std::size_t i = 0; i < count; ++i) {
      const Piece& one = pieces_[i];
      if (one.kind == Piece::Kind::Word) {
        word = one.in(text_);
        const bool starts = open_.empty() && parse::find(parse::declarationWords(), word) != 0;
        if (starts) decl = word;
      }
      if (one.kind != Piece::Kind::Mark) continue;
      const char c = text_[one.begin];
      if (c == '(' || c == '[' || c == '{') {
        open_.push_back({c, i, word, decl});
      } else if ((c == ')' || c == ']' || c == '}') && !open_.empty()) {
        open_.pop_back();
      }
    }
    decl_ = decl;
  }

  What decide() {
    const std::string_view last = piece(1);
    if (last == "." || last == "?.") return member();
    if (kind(1) == Piece::Kind::Number && !atLineStart() && offset_ > pieces_[previous_ - 1].end)
      return What::Unit;
    if (open_.empty()) return atTop(last);
    const Open& inner = open_.back();
    if (last == "<") return piece(2) == "file" ? What::Format : What::Type;
    // Heads of declarations.
    const bool head = inner.mark == '(' && open_.size() == 1 &&
                      (isOne(wordBefore(inner.piece, 2), {"task", "workflow", "fn", "transform", "labeler"}) ||
                       markBefore(inner.piece) == "->");
    if (head) return last == ":" ? What::Type : last == "=" ? What::Value : What::Nothing;
    if (inner.decl == "schema") return inSchema(last);
    if (inner.decl == "import") return importName(inner);
    if (inner.decl == "enum") return What::Nothing;
    if (last == ":" && piece(3) == "let") return What::Type;
    if (inner.mark == '{') return inBraces(inner, last);
    const bool setting = inner.mark == '(' && isOne(last, {"(", ","}) &&
                         (inner.before == "s3" || wordBefore(inner.piece, 2) == "using" ||
                          isPrior(inner.piece, 2));
    if (setting) {
      place_.head = inner.before;
      return What::Settings;
    }
    if (last == "let" || last == "for") return What::Nothing;
    return value();
  }

  What atTop(std::string_view last) {
    if (atLineStart()) return What::Declaration;
    if (decl_ == "import") {
      if (last == "import") return What::ImportModule;
      return What::Nothing;
    }
    if (decl_ == "target" && last == "=") return What::Engine;
    if (decl_ == "fn" && last == "=") return value();
    if (decl_ == "fn" || decl_ == "labeler") {
      if (last == "->") return What::Type;
      return decl_ == "fn" && seenAssign() ? value() : What::Nothing;
    }
    return What::Nothing;
  }
  bool seenAssign() const {
    for (std::size_t i = previous_; i-- > 0;) {
      if (pieces_[i].in(text_) == "=") return true;
      if (pieces_[i].in(text_) == "fn") return false;
    }
    return false;
  }

  What inSchema(std::string_view last) {
    if (last == ":") return What::Type;
    bool where = false;
    for (std::size_t i = previous_; i-- > open_.back().piece;) {
      const std::string_view one = pieces_[i].in(text_);
      if (one == "," || one == "{") break;
      where = where || one == "where" || one == "=";
    }
    return where ? What::Value : What::Nothing;
  }

  What importName(const Open& inner) {
    // `import "path" {` or `import std.name {`.
    if (inner.piece == 0) return What::Nothing;
    const Piece& path = pieces_[inner.piece - 1];
    if (path.kind == Piece::Kind::String && path.end - path.begin >= 2) {
      place_.head = text_.substr(path.begin + 1, path.end - path.begin - 2);
    } else {
      place_.head = "std." + std::string(path.in(text_));
    }
    return piece(1) == "as" ? What::Nothing : What::ImportName;
  }

  What inBraces(const Open& inner, std::string_view last) {
    const bool starts = atLineStart() || last == "{" || last == ",";
    if (inner.decl == "target" || isOne(inner.before, {"resources", "retry"})) {
      if (starts) {
        place_.head = inner.before;
        return What::Settings;
      }
      return value();
    }
    if (inner.before == "env") return starts ? What::Nothing : value();
    if (last == "using") return What::TuneMethod;
    if (isPrior(previous_, 1)) return What::TunePrior;
    if (open_.size() == 1 && inner.decl == "task") return starts ? What::TaskBody : value();
    if (open_.size() == 1 && inner.decl == "transform") return starts ? What::TransformBody : value();
    if (last == "let" || last == "for") return What::Nothing;
    return starts ? What::Statement : value();
  }

  What value() {
    if (piece(1) == "using") return What::TuneMethod;
    if (isPrior(previous_, 1)) return What::TunePrior;
    place_.call = openCallAt(text_, offset_);
    if (place_.call) {
      int depth = 0;
      for (std::size_t i = 0; i + 1 < previous_; ++i) {
        if (pieces_[i].begin < place_.call->open) continue;
        const std::string_view one = pieces_[i].in(text_);
        if (isOne(one, {"(", "[", "{"})) ++depth;
        if (isOne(one, {")", "]", "}"})) --depth;
        if (depth == 1 && pieces_[i].kind == Piece::Kind::Word && pieces_[i + 1].in(text_) == ":")
          place_.given.emplace(one);
      }
    }
    return What::Value;
  }

  std::string_view wordBefore(std::size_t at, std::size_t back) const {
    return at >= back && pieces_[at - back].kind == Piece::Kind::Word ? pieces_[at - back].in(text_)
                                                                     : std::string_view();
  }
  /// Whether `prior from` stands `back` pieces before.
  bool isPrior(std::size_t at, std::size_t back) const {
    return wordBefore(at, back) == "from" && wordBefore(at, back + 1) == "prior";
  }
  std::string_view markBefore(std::size_t at) const {
    return at >= 1 ? pieces_[at - 1].in(text_) : std::string_view();
  }

  /// The links before the dot, read backwards.
  What member() {
    if (decl_ == "import" && open_.empty()) {
      return piece(2) == "std" ? What::StdModule : What::Nothing;
    }
    std::size_t at = previous_ - 1;  // the dot
    while (at > 0) {
      Place::Link link;
      std::size_t i = at - 1;
      while (pieces_[i].kind == Piece::Kind::Mark && isOne(pieces_[i].in(text_), {")", "]"})) {
        const bool call = pieces_[i].in(text_) == ")";
        if (call) link.called = true;
        if (!call) ++link.indexes;
        int depth = 0;
        for (;; --i) {
          const std::string_view one = pieces_[i].in(text_);
          if (isOne(one, {")", "]", "}"})) ++depth;
          if (isOne(one, {"(", "[", "{"})) --depth;
          if (depth == 0 || i == 0) break;
        }
        if (i == 0) return What::Nothing;
        --i;
      }
      if (pieces_[i].kind != Piece::Kind::Word) return What::Nothing;
      link.name = pieces_[i].in(text_);
      place_.chain.insert(place_.chain.begin(), std::move(link));
      place_.begin = pieces_[i].begin;
      if (i == 0 || !isOne(pieces_[i - 1].in(text_), {".", "?."})) break;
      at = i - 1;
    }
    return place_.chain.empty() ? What::Nothing : What::Member;
  }

  std::string_view text_;
  std::uint32_t offset_;
  std::vector<Piece> pieces_;
  std::vector<Open> open_;
  std::string_view decl_;
  std::size_t previous_ = 0;
  Place place_;
};

}  // namespace

Place placeAt(std::string_view text, std::uint32_t offset) { return Reader(text, offset).run(); }

}  // namespace couler::lsp
