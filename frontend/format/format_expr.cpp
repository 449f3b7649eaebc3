#include <algorithm>
#include <string>
#include <utility>

#include "frontend/format/formatter.h"
#include "frontend/parse/literals.h"
#include "frontend/syntax/print.h"

namespace couler::format {

using namespace syntax;

int Formatter::levelOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::Pipe:
      return kPipe;
    case BinaryOp::Coalesce:
      return kCoalesce;
    case BinaryOp::Or:
      return kOr;
    case BinaryOp::And:
      return kAnd;
    case BinaryOp::Equal:
    case BinaryOp::NotEqual:
    case BinaryOp::Less:
    case BinaryOp::LessEqual:
    case BinaryOp::Greater:
    case BinaryOp::GreaterEqual:
    case BinaryOp::In:
      return kCompare;
    case BinaryOp::Range:
      return kRange;
    case BinaryOp::Add:
    case BinaryOp::Subtract:
      return kAdd;
    case BinaryOp::Multiply:
    case BinaryOp::Divide:
    case BinaryOp::IntDivide:
    case BinaryOp::Remainder:
      return kMultiply;
    case BinaryOp::Power:
      return kPower;
  }
  return kPrimary;
}

int Formatter::leftLevel(BinaryOp op) {
  const int level = levelOf(op);
  return op == BinaryOp::Power || level == kCompare ? level + 1 : level;
}

int Formatter::rightLevel(BinaryOp op) { return op == BinaryOp::Power ? kPower : levelOf(op) + 1; }

int Formatter::levelOf(const Expr& e) {
  switch (e.kind) {
    case ExprKind::Binary:
      return levelOf(static_cast<const BinaryExpr&>(e).op);
    case ExprKind::Unary:
      return static_cast<const UnaryExpr&>(e).op == UnaryOp::Not ? kNot : kPrefix;
    case ExprKind::Try:
      return kPrefix;
    case ExprKind::Int:
      return static_cast<const IntExpr&>(e).value < 0 ? kPrefix : kPrimary;
    case ExprKind::After:
      return kAfter;
    case ExprKind::Member:
    case ExprKind::Index:
    case ExprKind::Call:
      return kPostfix;
    case ExprKind::If:
    case ExprKind::For:
    case ExprKind::Loop:
    case ExprKind::Tune:
      return kOpen;
    default:
      return kPrimary;
  }
}

void Formatter::flat(Flat& f, const Expr& e, int level) const {
  if (!f.ok) return;
  if (levelOf(e) >= level) {
    flatInner(f, e);
    return;
  }
  f.put("(");
  flatInner(f, e);
  f.put(")");
}

void Formatter::flatArguments(Flat& f, std::span<const Argument> args) const {
  f.put("(");
  for (std::size_t i = 0; i < args.size() && f.ok; ++i) {
    if (i > 0) f.put(", ");
    if (!args[i].name.text.empty()) {
      f.put(args[i].name.text);
      f.put(args[i].inSpace ? ": in " : ": ");
    }
    if (args[i].spread) f.put("...");
    flat(f, *args[i].value, kOpen);
    if (args[i].when == nullptr) continue;
    f.put(" if ");
    flat(f, *args[i].when, kOpen);
  }
  f.put(")");
}

/// A block of one expression can stand on a line, where it was written so.
void Formatter::flatBlock(Flat& f, const Block& b) const {
  if (b.statements.empty()) {
    f.put("{}");
    return;
  }
  if (b.statements.size() > 1 || b.statements[0]->kind != StmtKind::Expr ||
      source(b.span).find('\n') != std::string_view::npos) {
    f.fail();
    return;
  }
  f.put("{ ");
  flat(f, *static_cast<const ExprStmt*>(b.statements[0])->value, kOpen);
  f.put(" }");
}

bool Formatter::isElseIf(const Block* b) const {
  return b != nullptr && b->statements.size() == 1 && b->span.begin < text_.size() &&
         text_[b->span.begin] != '{';
}

void Formatter::flatIf(Flat& f, const IfExpr& start) const {
  const IfExpr* e = &start;
  for (;;) {
    f.put("if ");
    flat(f, *e->condition, kPipe);
    f.put(" ");
    flatBlock(f, *e->then);
    if (e->otherwise == nullptr || !f.ok) return;
    f.put(" else ");
    if (!isElseIf(e->otherwise)) break;
    e = static_cast<const IfExpr*>(
        static_cast<const ExprStmt*>(e->otherwise->statements[0])->value);
  }
  flatBlock(f, *e->otherwise);
}

void Formatter::flatInner(Flat& f, const Expr& e) const {
  if (hasComment(e.span.begin, e.span.end)) {
    f.fail();
    return;
  }
  switch (e.kind) {
    case ExprKind::Quantity: {
      const auto& q = static_cast<const QuantityExpr&>(e);
      const std::string_view written = source(e.span);
      std::size_t end = written.size() - q.unit.text.size();
      while (end > 0 && (written[end - 1] == ' ' || written[end - 1] == '\t')) --end;
      f.put(written.substr(0, end));
      f.put(" ");
      f.put(q.unit.text);
      return;
    }
    case ExprKind::Int:
      // The least int is a minus and digits; white space between them goes.
      if (static_cast<const IntExpr&>(e).value < 0) {
        f.put("-");
        f.put(source(e.span).substr(source(e.span).find_first_of("0123456789")));
        return;
      }
      f.put(source(e.span));
      return;
    case ExprKind::Error:
    case ExprKind::Float:
    case ExprKind::Bool:
    case ExprKind::None:
    case ExprKind::String:
    case ExprKind::RawString:
    case ExprKind::Regex:
    case ExprKind::Name:
      f.put(source(e.span));
      return;
    case ExprKind::Member: {
      const auto& m = static_cast<const MemberExpr&>(e);
      flat(f, *m.object, kPostfix);
      f.put(m.optional ? "?." : ".");
      f.put(m.member.text);
      return;
    }
    case ExprKind::Index: {
      const auto& i = static_cast<const IndexExpr&>(e);
      flat(f, *i.object, kPostfix);
      f.put("[");
      flat(f, *i.index, kOpen);
      f.put("]");
      return;
    }
    case ExprKind::Call: {
      const auto& c = static_cast<const CallExpr&>(e);
      flat(f, *c.callee, kPostfix);
      if (c.typeArgument != nullptr) {
        f.put("<");
        flatType(f, *c.typeArgument);
        f.put(">");
      }
      flatArguments(f, c.args);
      return;
    }
    case ExprKind::List: {
      const auto& l = static_cast<const ListExpr&>(e);
      f.put("[");
      for (std::size_t i = 0; i < l.items.size() && f.ok; ++i) {
        if (i > 0) f.put(", ");
        if (l.items[i].spread) f.put("...");
        flat(f, *l.items[i].value, kOpen);
      }
      f.put("]");
      return;
    }
    case ExprKind::Map: {
      const auto& m = static_cast<const MapExpr&>(e);
      f.put(m.entries.empty() ? "[:" : "[");
      for (std::size_t i = 0; i < m.entries.size() && f.ok; ++i) {
        if (i > 0) f.put(", ");
        flat(f, *m.entries[i].key, kOpen);
        f.put(": ");
        flat(f, *m.entries[i].value, kOpen);
      }
      f.put("]");
      return;
    }
    case ExprKind::Record:
      flatArguments(f, static_cast<const RecordExpr&>(e).fields);
      return;
    case ExprKind::Unary: {
      const auto& u = static_cast<const UnaryExpr&>(e);
      f.put(u.op == UnaryOp::Not ? "not " : "-");
      flat(f, *u.operand, u.op == UnaryOp::Not ? kNot : kPrefix);
      return;
    }
    case ExprKind::Try:
      f.put("try ");
      flat(f, *static_cast<const TryExpr&>(e).operand, kPrefix);
      return;
    case ExprKind::Binary: {
      const auto& b = static_cast<const BinaryExpr&>(e);
      flat(f, *b.left, leftLevel(b.op));
      // `0..n`, but `0.1 .. 0.3`
      const bool tight = b.op == BinaryOp::Range && isPlain(*b.left) && isPlain(*b.right);
      if (!tight) f.put(" ");
      f.put(spelling(b.op));
      if (!tight) f.put(" ");
      flat(f, *b.right, rightLevel(b.op));
      return;
    }
    case ExprKind::If:
      flatIf(f, static_cast<const IfExpr&>(e));
      return;
    case ExprKind::For: {
      const auto& l = static_cast<const ForExpr&>(e);
      f.put("for ");
      f.put(l.variable.text);
      f.put(" in ");
      flat(f, *l.items, kPipe);
      f.put(" ");
      flatBlock(f, *l.body);
      return;
    }
    case ExprKind::Loop:
      f.fail();
      return;
    case ExprKind::After: {
      const auto& a = static_cast<const AfterExpr&>(e);
      flat(f, *a.operand, kAfter + 1);
      f.put(" after ");
      for (std::size_t i = 0; i < a.after.size() && f.ok; ++i) {
        if (i > 0) f.put(", ");
        flat(f, *a.after[i], kPostfix);
      }
      return;
    }
    case ExprKind::Tune: {
      const auto& t = static_cast<const TuneExpr&>(e);
      f.put("tune ");
      flat(f, *t.call, kPostfix);
      f.put(t.maximize ? " maximize " : " minimize ");
      f.put(t.objective.text);
      const auto clause = [&](std::string_view words, const TuneClause& c) {
        if (c.name.text.empty()) return;
        f.put(words);
        f.put(c.name.text);
        if (!c.settings.empty()) flatArguments(f, c.settings);
      };
      clause(" using ", t.method);
      clause(" prior from ", t.prior);
      return;
    }
  }
}

bool Formatter::isPlain(const Expr& e) {
  return levelOf(e) >= kPostfix && e.kind != ExprKind::Float && e.kind != ExprKind::Quantity;
}

bool Formatter::tryFlat(const Expr& e, int level, std::size_t reserve) {
  Flat f;
  f.room = room(reserve);
  flat(f, e, level);
  if (!f.ok) return false;
  put(f.text);
  return true;
}

void Formatter::expr(const Expr& e, int level, std::size_t reserve) {
  if (tryFlat(e, level, reserve)) return;
  const bool parens = levelOf(e) < level;
  if (parens) put("(");
  broken(e, reserve + (parens ? 1 : 0));
  if (parens) put(")");
}

void Formatter::arguments(std::span<const Argument> args, Span parens) {
  put("(");
  std::vector<Item> list;
  for (const Argument& a : args) {
    list.push_back({a.span.begin, a.span.end, [this, &a] {
                      if (!a.name.text.empty()) {
                        put(a.name.text);
                        put(a.inSpace ? ": in " : ": ");
                      }
                      if (a.spread) put("...");
                      expr(*a.value, kOpen, 1);
                      if (a.when == nullptr) return;
                      put(" if ");
                      expr(*a.when, kOpen, 1);
                    }});
  }
  items(std::move(list), ",", parens.begin + 1, parens.end - 1);
  put(")");
}

/// `a + b + c`: each operand on its own line, operators at the ends; `|>` at the beginnings.
void Formatter::chain(const BinaryExpr& e, std::size_t reserve) {
  const int level = levelOf(e.op);
  std::vector<const BinaryExpr*> links{&e};  // outermost first
  if (e.op != BinaryOp::Power && level != kCompare) {
    for (const Expr* left = e.left; left->kind == ExprKind::Binary &&
                                    levelOf(static_cast<const BinaryExpr*>(left)->op) == level;
         left = static_cast<const BinaryExpr*>(left)->left) {
      links.push_back(static_cast<const BinaryExpr*>(left));
    }
  }
  expr(*links.back()->left, leftLevel(links.back()->op), 4);
  ++indent_;
  for (std::size_t i = links.size(); i-- > 0;) {
    const BinaryExpr& link = *links[i];
    if (link.op == BinaryOp::Pipe) {
      newline();
      put("|> ");
    } else {
      put(" ");
      put(spelling(link.op));
      newline();
    }
    expr(*link.right, rightLevel(link.op), i == 0 ? reserve : 4);
  }
  --indent_;
}

void Formatter::ifExpr(const IfExpr& start) {
  const IfExpr* e = &start;
  for (;;) {
    put("if ");
    expr(*e->condition, kPipe, 2);
    put(" ");
    block(*e->then);
    if (e->otherwise == nullptr) return;
    put(" else ");
    if (!isElseIf(e->otherwise)) break;
    e = static_cast<const IfExpr*>(
        static_cast<const ExprStmt*>(e->otherwise->statements[0])->value);
  }
  block(*e->otherwise);
}

/// Many-line raw text moves with its surroundings, as long as it still means the same.
void Formatter::rawString(const RawStringExpr& e) {
  const std::string_view written = source(e.span);
  const std::string_view inner = written.substr(3, written.size() - 6);
  const std::string margin((indent_ + 1) * 4, ' ');
  std::string moved;
  if (e.text.ends_with('\n') && inner.find('\n') != std::string_view::npos) {
    moved = "\n";
    for (std::size_t at = 0; at < e.text.size();) {
      const std::size_t end = e.text.find('\n', at);
      const std::string_view line = e.text.substr(at, end - at);
      if (!line.empty()) moved += margin;
      moved += line;
      moved += '\n';
      at = end + 1;
    }
    moved += margin;
    if (parse::dedent(moved) != e.text) moved.clear();
  }
  put("\"\"\"");
  out_ += moved.empty() ? inner : std::string_view(moved);
  out_ += "\"\"\"";
}

void Formatter::broken(const Expr& e, std::size_t reserve) {
  switch (e.kind) {
    case ExprKind::RawString:
      rawString(static_cast<const RawStringExpr&>(e));
      return;
    case ExprKind::Member: {
      const auto& m = static_cast<const MemberExpr&>(e);
      expr(*m.object, kPostfix, reserve + m.member.text.size() + 2);
      put(m.optional ? "?." : ".");
      put(m.member.text);
      return;
    }
    case ExprKind::Index: {
      const auto& i = static_cast<const IndexExpr&>(e);
      expr(*i.object, kPostfix, 1);
      put("[");
      expr(*i.index, kOpen, reserve + 1);
      put("]");
      return;
    }
    case ExprKind::Call: {
      const auto& c = static_cast<const CallExpr&>(e);
      expr(*c.callee, kPostfix, 1);
      if (c.typeArgument != nullptr) {
        put("<");
        typeExpr(*c.typeArgument);
        put(">");
      }
      if (c.args.empty() && !hasComment(c.parens.begin, c.parens.end)) {
        put("()");
      } else {
        arguments(c.args, c.parens);
      }
      return;
    }
    case ExprKind::List: {
      const auto& l = static_cast<const ListExpr&>(e);
      put("[");
      std::vector<Item> list;
      for (const ListItem& item : l.items) {
        list.push_back({item.value->span.begin, item.value->span.end, [this, &item] {
                          if (item.spread) put("...");
                          expr(*item.value, kOpen, 1);
                        }});
      }
      items(std::move(list), ",", e.span.begin + 1, e.span.end - 1);
      put("]");
      return;
    }
    case ExprKind::Map: {
      const auto& m = static_cast<const MapExpr&>(e);
      put(m.entries.empty() ? "[:" : "[");
      std::vector<Item> list;
      for (const MapEntry& entry : m.entries) {
        list.push_back({entry.key->span.begin, entry.value->span.end, [this, &entry] {
                          expr(*entry.key, kOpen, 1);
                          put(": ");
                          expr(*entry.value, kOpen, 1);
                        }});
      }
      items(std::move(list), ",", e.span.begin + 1, e.span.end - 1);
      put("]");
      return;
    }
    case ExprKind::Record:
      arguments(static_cast<const RecordExpr&>(e).fields, e.span);
      return;
    case ExprKind::Unary: {
      const auto& u = static_cast<const UnaryExpr&>(e);
      put(u.op == UnaryOp::Not ? "not " : "-");
      expr(*u.operand, u.op == UnaryOp::Not ? kNot : kPrefix, reserve);
      return;
    }
    case ExprKind::Try:
      put("try ");
      expr(*static_cast<const TryExpr&>(e).operand, kPrefix, reserve);
      return;
    case ExprKind::Binary:
      chain(static_cast<const BinaryExpr&>(e), reserve);
      return;
    case ExprKind::If:
      ifExpr(static_cast<const IfExpr&>(e));
      return;
    case ExprKind::For: {
      const auto& l = static_cast<const ForExpr&>(e);
      put("for ");
      put(l.variable.text);
      put(" in ");
      expr(*l.items, kPipe, 2);
      put(" ");
      block(*l.body);
      return;
    }
    case ExprKind::Loop: {
      const auto& l = static_cast<const LoopExpr&>(e);
      put("loop ");
      put(l.state.text);
      put(" = ");
      expr(*l.start, kPipe, 6);
      put(" max ");
      expr(*l.max, kPipe, 2);
      put(" ");
      block(*l.body);
      put(" until ");
      expr(*l.until, kPipe, reserve);
      return;
    }
    case ExprKind::After: {
      const auto& a = static_cast<const AfterExpr&>(e);
      expr(*a.operand, kAfter + 1, reserve + 8);
      put(" after ");
      for (std::size_t i = 0; i < a.after.size(); ++i) {
        if (i > 0) put(", ");
        expr(*a.after[i], kPostfix, 1);
      }
      return;
    }
    case ExprKind::Tune: {
      const auto& t = static_cast<const TuneExpr&>(e);
      put("tune ");
      expr(*t.call, kPostfix);
      ++indent_;
      newline();
      put(t.maximize ? "maximize " : "minimize ");
      put(t.objective.text);
      const auto clause = [&](std::string_view words, const TuneClause& c) {
        if (c.name.text.empty()) return;
        newline();
        put(words);
        put(c.name.text);
        if (c.settings.empty()) return;
        Flat f;
        f.room = room(reserve);
        flatArguments(f, c.settings);
        if (f.ok) {
          put(f.text);
        } else {
          arguments(c.settings, c.parens);
        }
      };
      clause("using ", t.method);
      clause("prior from ", t.prior);
      --indent_;
      return;
    }
    default: {
      // Nothing to break: too long, but it is what it is.
      Flat f;
      f.room = ~std::size_t{0};
      flatInner(f, e);
      put(f.ok ? std::string_view(f.text) : source(e.span));
      return;
    }
  }
}

}  // namespace couler::format
