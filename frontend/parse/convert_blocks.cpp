#include <algorithm>

#include "frontend/parse/convert.h"
#include "frontend/parse/slice_parser.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {

using P = grammar::CoulerParser;
using namespace syntax;

std::uint32_t Converter::blockDepth(const Block* b) const {
  std::uint32_t below = 0;
  if (b == nullptr) return 0;
  for (const Stmt* s : b->statements) {
    switch (s->kind) {
      case StmtKind::Let:
        below = std::max(below, depthOf(static_cast<const LetStmt*>(s)->value));
        break;
      case StmtKind::Expr:
        below = std::max(below, depthOf(static_cast<const ExprStmt*>(s)->value));
        break;
      case StmtKind::Return:
        below = std::max(below, depthOf(static_cast<const ReturnStmt*>(s)->value));
        break;
      case StmtKind::Finally:
        below = std::max(below, blockDepth(static_cast<const FinallyStmt*>(s)->body));
        break;
    }
  }
  return below;
}

/// `if c {…} else if d {…} else {…}` is flat in the grammar and nested in the tree.
Expr* Converter::ifExpr(Context* c) {
  struct Arm {
    std::uint32_t begin;
    Expr* condition;
    Block* then;
  };
  std::vector<Arm> arms;
  Block* otherwise = nullptr;
  for (std::size_t i = 0; i < c->children.size(); ++i) {
    const Tok* t = token(c->children[i]);
    if (t == nullptr) continue;
    if (t->type == P::KwIf) {
      Expr* condition = expr(c->children[i + 1]);
      arms.push_back({t->begin, condition, block(context(c->children[i + 2]))});
    } else if (rule(c->children[i + 1]) == P::RuleBlock) {
      otherwise = block(context(c->children[i + 1]));
    }
  }
  const std::uint32_t end = last(c).end;
  if (arms.size() > kMaxTreeDepth) {
    log_.report(
        diagnose<Diag::ChainTooLong>(log_.span(arms[0].begin, arms[0].begin + 2), kMaxTreeDepth));
    return errorExpr(span(c));
  }
  Expr* result = nullptr;
  for (std::size_t i = arms.size(); i-- > 0;) {
    auto* e = make<IfExpr>(ExprKind::If, log_.span(arms[i].begin, end));
    e->condition = arms[i].condition;
    e->then = arms[i].then;
    if (result != nullptr) {
      auto* only = tree_.arena.make<ExprStmt>();
      only->kind = StmtKind::Expr;
      only->span = result->span;
      only->value = result;
      auto* inner = tree_.arena.make<Block>();
      inner->span = result->span;
      inner->statements = tree_.arena.copy(std::vector<Stmt*>{only});
      otherwise = inner;
    }
    e->otherwise = otherwise;
    deepen(e, std::max({depthOf(e->condition), blockDepth(e->then), blockDepth(otherwise)}));
    result = e;
  }
  return result;
}

Expr* Converter::forExpr(Context* c) {
  Expr* items = expr(c->children[3]);
  Block* body = block(context(c->children[4]));
  auto* e = make<ForExpr>(ExprKind::For, span(c));
  e->variable = name(*token(c->children[1]));
  if (!oursFor(e->variable.text).empty()) declared_.push_back(e->variable.text);
  e->items = items;
  e->body = body;
  deepen(e, std::max(depthOf(items), blockDepth(body)));
  return e;
}

Expr* Converter::loopExpr(Context* c) {
  Expr* start = expr(c->children[3]);
  Expr* max = expr(c->children[5]);
  Block* body = block(context(c->children[6]));
  Expr* until = expr(c->children[8]);
  auto* e = make<LoopExpr>(ExprKind::Loop, span(c));
  e->state = name(*token(c->children[1]));
  e->start = start;
  e->max = max;
  e->body = body;
  e->until = until;
  deepen(e, std::max({depthOf(start), depthOf(max), blockDepth(body), depthOf(until)}));
  return e;
}

Expr* Converter::tuneExpr(Context* c) {
  std::size_t i = 1;
  Expr* callee = token(*token(c->children[i++]));
  if (type(c->children[i]) == P::OpDot) {
    auto* member = make<MemberExpr>(ExprKind::Member, {});
    const Tok& t = *token(c->children[i + 1]);
    member->span = cover(callee->span, span(t));
    member->object = callee;
    member->member = name(t);
    member->optional = false;
    deepen(member, depthOf(callee));
    callee = member;
    i += 2;
  }
  Context* args = context(c->children[i++]);
  CallExpr* called = call(callee, args, nullptr, cover(callee->span, span(args)), true);
  auto* e = make<TuneExpr>(ExprKind::Tune, span(c));
  e->call = called;
  e->maximize = type(c->children[i]) == P::KwMaximize;
  e->objective = name(*token(c->children[i + 1]));
  i += 2;
  // A name and arguments that may be left out.
  const auto clause = [&](TuneClause& into) {
    into.name = name(*token(c->children[i++]));
    if (i < c->children.size() && token(c->children[i]) == nullptr) {
      Context* settings = context(c->children[i++]);
      into.settings = arguments(settings, true, false);
      into.parens = span(settings);
    }
    for (const Argument& a : into.settings) deepen(e, depthOf(a.value));
  };
  deepen(e, depthOf(called));
  if (i < c->children.size() && type(c->children[i]) == P::KwUsing) {
    ++i;
    clause(e->method);
  }
  if (i < c->children.size()) {
    i += 2;
    clause(e->prior);
  }
  return e;
}

Block* Converter::block(Context* c) {
  std::vector<Stmt*> statements;
  for (Node* child : c->children) {
    if (token(child) == nullptr) statements.push_back(stmt(context(child)));
  }
  auto* b = tree_.arena.make<Block>();
  b->span = span(c);
  b->statements = tree_.arena.copy(statements);
  return b;
}

Stmt* Converter::stmt(Context* c) {
  const Tok* t = token(c->children[0]);
  if (t == nullptr) {
    if (rule(c->children[0]) == P::RuleLetStmt) return letStmt(context(c->children[0]));
    auto* s = tree_.arena.make<ExprStmt>();
    s->kind = StmtKind::Expr;
    s->span = span(c);
    s->value = expr(c->children[0]);
    return s;
  }
  if (t->type == P::KwFinally) {
    auto* s = tree_.arena.make<FinallyStmt>();
    s->kind = StmtKind::Finally;
    s->span = span(c);
    s->body = block(context(c->children[1]));
    return s;
  }
  auto* s = tree_.arena.make<ReturnStmt>();
  s->kind = StmtKind::Return;
  s->span = span(c);
  s->value = c->children.size() > 1 ? expr(c->children[1]) : nullptr;
  return s;
}

Stmt* Converter::letStmt(Context* c) {
  auto* s = tree_.arena.make<LetStmt>();
  s->kind = StmtKind::Let;
  s->span = span(c);
  s->name = name(*token(c->children[1]));
  if (!oursFor(s->name.text).empty()) declared_.push_back(s->name.text);
  s->type = type(c->children[2]) == P::OpColon ? typeExpr(context(c->children[3])) : nullptr;
  s->value = expr(c->children.back());
  return s;
}

}  // namespace couler::parse
