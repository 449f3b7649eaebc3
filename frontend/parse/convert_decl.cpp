#include <algorithm>
#include <string>

#include "frontend/parse/convert.h"
#include "frontend/parse/literals.h"
#include "frontend/parse/slice_parser.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {

using P = grammar::CoulerParser;
using namespace syntax;

TypeExpr* Converter::typeExpr(Context* c) {
  const bool optional = type(c->children.back()) == P::OpQuestion;
  const Tok& start = first(c);
  const std::uint32_t end = optional ? token(c->children.back())->begin : last(c).end;
  const Span at = log_.span(start.begin, end);
  TypeExpr* inner = nullptr;
  if (start.type == P::Ident) {
    auto* named = tree_.arena.make<NamedType>();
    named->kind = TypeKind::Named;
    named->name = name(start);
    std::vector<TypeExpr*> args;
    for (std::size_t i = 1; i < c->children.size(); ++i) {
      const Tok* t = token(c->children[i]);
      if (t == nullptr) {
        args.push_back(typeExpr(context(c->children[i])));
      } else if (t->type == P::Ident) {
        named->module = named->name;
        named->name = name(*t);
      }
    }
    named->args = tree_.arena.copy(args);
    inner = named;
  } else if (start.type == P::OpOpenParen) {
    auto* record = tree_.arena.make<RecordType>();
    record->kind = TypeKind::Record;
    record->fields = fields(c);
    inner = record;
  } else {
    inner = tree_.arena.make<TypeExpr>();
    inner->kind = TypeKind::Error;
  }
  inner->span = at;
  if (!optional) return inner;
  auto* result = tree_.arena.make<OptionalType>();
  result->kind = TypeKind::Optional;
  result->span = span(c);
  result->inner = inner;
  return result;
}

Field Converter::field(Context* c) {
  Field f{};
  f.span = span(c);
  f.doc = docBefore(firstIndex(c));
  f.name = name(*token(c->children[0]));
  f.type = typeExpr(context(c->children[2]));
  if (!oursFor(f.name.text).empty()) declared_.push_back(f.name.text);
  for (std::size_t i = 3; i + 1 < c->children.size(); i += 2) {
    if (type(c->children[i]) == P::KwFrom) {
      const Tok& literal = *token(c->children[i + 1]);
      f.from = textPart(literal.begin + 1, literal.end - 1).text;
      f.fromSpan = span(literal);
      continue;
    }
    Expr* value = expr(c->children[i + 1]);
    (type(c->children[i]) == P::OpAssign ? f.value : f.where) = value;
  }
  return f;
}

/// The parameter of a transform or labeler, which there is even where it could not be read.
Field Converter::soleField(Context* c) {
  if (first(c).type != P::Bad) return field(c);
  Field f{};
  f.span = span(c);
  f.name.span = f.span;
  f.type = tree_.arena.make<TypeExpr>();
  f.type->kind = TypeKind::Error;
  f.type->span = f.span;
  return f;
}

/// All fields among the children of a rule; those that could not be read are left out.
std::span<Field> Converter::fields(Context* c) {
  std::vector<Field> result;
  for (Node* child : c->children) {
    if (rule(child) == P::RuleField && type(context(child)->children[0]) != P::Bad) {
      result.push_back(field(context(child)));
    }
  }
  return tree_.arena.copy(result);
}

std::span<Setting> Converter::settings(Context* c) {
  std::vector<Setting> result;
  for (Node* child : c->children) {
    if (rule(child) != P::RuleSetting) continue;
    Context* s = context(child);
    if (s->children.size() < 3) continue;
    result.push_back({name(*token(s->children[0])), expr(s->children[2])});
  }
  return tree_.arena.copy(result);
}

template <class T>
T* Converter::makeDecl(DeclKind kind, Context* c) {
  T* decl = tree_.arena.make<T>();
  decl->kind = kind;
  decl->span = span(c);
  decl->doc = docBefore(firstIndex(c));
  for (Node* child : c->children) {
    if (type(child) != P::Ident) continue;
    decl->name = name(*token(child));
    break;
  }
  return decl;
}

Decl* Converter::importDecl(Context* c) {
  auto* d = makeDecl<ImportDecl>(DeclKind::Import, c);
  d->name = {};
  const Tok& start = *token(c->children[1]);
  std::size_t i = 2;
  if (start.type == P::LitString) {
    d->pathSpan = span(start);
    const StringPart path = textPart(start.begin + 1, start.end - 1);
    d->path = path.text;
  } else {
    const Tok& module = *token(c->children[3]);
    d->isStd = text(start) == "std";
    d->path = text(module);
    d->pathSpan = cover(span(start), span(module));
    i = 4;
    if (!d->isStd) {
      log_.report(diagnose<Diag::SyntaxError>(
                      span(start),
                      fmt::format("expected `std` or a path in quotes, found `{}`", text(start)))
                      .note("a file is imported by its path: `import \"./train.cwl\"`"));
    }
  }
  for (; i < c->children.size(); ++i) {
    if (const Tok* t = token(c->children[i])) {
      if (t->type == P::Ident) d->alias = name(*t);
      continue;
    }
    d->hasNames = true;
    std::vector<ImportedName> names;
    for (Node* child : context(c->children[i])->children) {
      if (rule(child) != P::RuleImportName) continue;
      Context* n = context(child);
      const Tok& word = *token(n->children[0]);
      if (word.type == P::Bad) continue;
      ImportedName imported{name(word), {}};
      if (n->children.size() > 1) imported.alias = name(*token(n->children[2]));
      if (!oursFor(word.type == P::Ident ? text(word) : "").empty())
        declared_.push_back(text(word));
      names.push_back(imported);
    }
    d->names = tree_.arena.copy(names);
  }
  return d;
}

Decl* Converter::enumDecl(Context* c) {
  auto* d = makeDecl<EnumDecl>(DeclKind::Enum, c);
  std::vector<EnumCase> cases;
  for (Node* child : c->children) {
    if (rule(child) != P::RuleEnumCase) continue;
    Context* item = context(child);
    if (first(item).type == P::Bad) continue;
    cases.push_back({name(first(item)), docBefore(firstIndex(item))});
    if (!oursFor(cases.back().name.text).empty()) declared_.push_back(cases.back().name.text);
  }
  d->cases = tree_.arena.copy(cases);
  return d;
}

Decl* Converter::schemaDecl(Context* c) {
  auto* d = makeDecl<SchemaDecl>(DeclKind::Schema, c);
  d->columns = fields(c);
  return d;
}

Decl* Converter::fnDecl(Context* c) {
  auto* d = makeDecl<FnDecl>(DeclKind::Fn, c);
  d->params = fields(context(c->children[2]));
  d->result = type(c->children[3]) == P::OpArrow ? typeExpr(context(c->children[4])) : nullptr;
  d->body = expr(c->children.back());
  return d;
}

Decl* Converter::taskDecl(Context* c) {
  auto* d = makeDecl<TaskDecl>(DeclKind::Task, c);
  d->isVolatile = type(c->children[0]) == P::KwVolatile;
  givenAttributes_.clear();
  for (Node* child : c->children) {
    if (token(child) != nullptr) continue;
    Context* part = context(child);
    switch (part->getRuleIndex()) {
      case P::RuleParams:
        d->params = fields(part);
        break;
      case P::RuleOutputs:
        d->outputs = fields(part);
        d->outputsSpan = span(part);
        break;
      default:
        taskItem(*d, part);
        break;
    }
  }
  return d;
}

void Converter::taskItem(TaskDecl& task, Context* c) {
  const Tok& word = *token(c->children[0]);
  if (word.type == P::Bad || first(context(c->children.back())).type == P::Bad) {
    if (word.type == P::KwRun &&
        task.run == RunKind::None) {  // there is one, though not a good one
      task.run = RunKind::Argv;
      task.runSpan = span(c);
      task.runBody = expr(c->children.back());
    }
    return;
  }
  if (!firstOfItsKind(word) || stepSetting(task, c)) return;
  switch (word.type) {
    case P::KwImage:
      task.image = expr(c->children[1]);
      break;
    case P::KwEnv:
      task.env = settings(context(c->children[1]));
      break;
    case P::KwCache:
      task.cache = expr(c->children[1]);
      break;
    default: {
      task.run = type(c->children[1]) == P::KwSh       ? RunKind::Sh
                 : type(c->children[1]) == P::KwPython ? RunKind::Python
                                                       : RunKind::Argv;
      task.runSpan = span(c);
      task.runBody = expr(c->children.back());
      break;
    }
  }
}

bool Converter::firstOfItsKind(const Tok& word) {
  if (std::find(givenAttributes_.begin(), givenAttributes_.end(), word.type) !=
      givenAttributes_.end()) {
    log_.report(diagnose<Diag::RepeatedAttribute>(span(word), text(word)));
    return false;
  }
  givenAttributes_.push_back(word.type);
  return true;
}

bool Converter::stepSetting(StepSettings& into, Context* c) {
  switch (first(c).type) {
    case P::KwResources:
      into.resources = settings(context(c->children[1]));
      return true;
    case P::KwTimeout:
      into.timeout = expr(c->children[1]);
      return true;
    case P::KwRetry:
      into.retryCount = expr(c->children[1]);
      if (c->children.size() > 2) into.retry = settings(context(c->children[2]));
      return true;
    default:
      return false;
  }
}

Decl* Converter::workflowDecl(Context* c) {
  auto* d = makeDecl<WorkflowDecl>(DeclKind::Workflow, c);
  d->params = fields(context(c->children[2]));
  if (rule(c->children[3]) == P::RuleOutputs) {
    d->outputs = fields(context(c->children[3]));
    d->outputsSpan = span(context(c->children[3]));
  }
  d->body = block(context(c->children.back()));
  return d;
}

Decl* Converter::transformDecl(Context* c) {
  auto* d = makeDecl<TransformDecl>(DeclKind::Transform, c);
  std::vector<TransformStmt> statements;
  givenAttributes_.clear();
  for (Node* child : c->children) {
    if (rule(child) == P::RuleParams) {
      std::vector<Field> params;  // a bad one keeps its place: the first is the row
      for (Node* param : context(child)->children) {
        if (rule(param) == P::RuleField) params.push_back(soleField(context(param)));
      }
      d->params = tree_.arena.copy(params);
    } else if (rule(child) == P::RuleTransformStmt && first(context(child)).type != P::Bad) {
      Context* item = context(child);
      const std::uint16_t word = first(item).type;
      if (word != P::KwResources && word != P::KwTimeout && word != P::KwRetry) {
        statements.push_back(transformStmt(item));
      } else if (first(context(item->children.back())).type != P::Bad &&
                 firstOfItsKind(first(item))) {
        stepSetting(*d, item);
      }
    }
  }
  d->statements = tree_.arena.copy(statements);
  return d;
}

TransformStmt Converter::transformStmt(Context* c) {
  TransformStmt s{};
  s.span = span(c);
  const auto keys = [&] {
    std::vector<TransformKey> result;
    for (std::size_t i = 2; i < c->children.size(); i += 2) {
      result.push_back(transformKey(context(c->children[i])));
    }
    return tree_.arena.copy(result);
  };
  switch (first(c).type) {
    case P::KwWhere:
      s.kind = TransformKind::Where;
      s.value = expr(c->children[1]);
      break;
    case P::Ident:
      s.kind = TransformKind::Derive;
      s.name = name(first(c));
      s.value = expr(c->children[2]);
      break;
    case P::OpSpread: {
      s.kind = TransformKind::Spread;
      s.name = name(*token(c->children[1]));
      std::vector<Name> without;
      for (std::size_t i = 3; i < c->children.size(); i += 2)
        without.push_back(name(*token(c->children[i])));
      s.without = tree_.arena.copy(without);
      break;
    }
    case P::KwGroup:
      s.kind = TransformKind::GroupBy;
      s.keys = keys();
      break;
    case P::KwOrder:
      s.kind = TransformKind::OrderBy;
      s.keys = keys();
      break;
    case P::KwLimit:
      s.kind = TransformKind::Limit;
      s.value = expr(c->children[1]);
      break;
    case P::KwJoin:
    case P::KwLeft:
    case P::KwSemi:
    case P::KwAnti: {
      const std::uint16_t word = first(c).type;
      s.kind = TransformKind::Join;
      s.join = word == P::KwLeft   ? JoinKind::Left
               : word == P::KwSemi ? JoinKind::Semi
               : word == P::KwAnti ? JoinKind::Anti
                                   : JoinKind::Inner;
      const std::size_t other = word == P::KwJoin ? 1 : 2;
      s.name = name(*token(c->children[other]));
      s.value = expr(c->children[other + 2]);
      break;
    }
    default:
      s.kind = TransformKind::Distinct;
      break;
  }
  return s;
}

TransformKey Converter::transformKey(Context* c) {
  TransformKey key{};
  const bool named = c->children.size() == 3;
  if (named) key.name = name(first(c));
  key.value = expr(c->children[named ? 2 : 0]);
  const std::uint16_t end = type(c->children.back());
  key.direction = end == P::KwDesc  ? Direction::Descending
                  : end == P::KwAsc ? Direction::Ascending
                                    : Direction::None;
  return key;
}

Decl* Converter::labelerDecl(Context* c) {
  auto* d = makeDecl<LabelerDecl>(DeclKind::Labeler, c);
  std::vector<Vote> votes;
  for (Node* child : c->children) {
    if (token(child) != nullptr) continue;
    Context* part = context(child);
    if (part->getRuleIndex() == P::RuleType) {
      d->result = typeExpr(part);
      continue;
    }
    if (part->getRuleIndex() == P::RuleField) {
      d->param = soleField(part);
      continue;
    }
    if (first(part).type == P::Bad) continue;
    Vote v{};
    v.span = span(part);
    v.label = name(*token(part->children[1]));
    v.when = expr(part->children[3]);
    if (part->children.size() > 4) v.rule = name(*token(part->children[5]));
    votes.push_back(v);
  }
  d->votes = tree_.arena.copy(votes);
  return d;
}

Decl* Converter::targetDecl(Context* c) {
  auto* d = makeDecl<TargetDecl>(DeclKind::Target, c);
  d->engine = name(*token(c->children[3]));
  if (c->children.size() > 4) d->settings = settings(context(c->children[4]));
  return d;
}

Decl* Converter::testDecl(Context* c) {
  auto* d = makeDecl<TestDecl>(DeclKind::Test, c);
  d->name = {};
  const Tok& title = *token(c->children[1]);
  d->titleSpan = span(title);
  d->title = textPart(title.begin + 1, title.end - 1).text;
  std::vector<Stmt*> lets;
  std::vector<Expr*> expectations;
  for (Node* child : c->children) {
    if (token(child) != nullptr) continue;
    Context* s = context(child);
    const std::uint16_t start = type(s->children[0]);
    if (start == P::Bad) continue;
    if (start == P::KwExpect) {
      expectations.push_back(expr(s->children[1]));
    } else {
      lets.push_back(letStmt(context(s->children[0])));
    }
  }
  d->body = tree_.arena.make<Block>();
  d->body->span = log_.span(token(c->children[2])->begin, last(c).end);
  d->body->statements = tree_.arena.copy(lets);
  d->expectations = tree_.arena.copy(expectations);
  return d;
}

}  // namespace couler::parse
