#include "frontend/parse/convert.h"

#include <algorithm>
#include <string>
#include <typeinfo>

#include "frontend/parse/slice_parser.h"
#include "frontend/parse/words.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {

using P = grammar::CoulerParser;
using namespace syntax;

const Tok* Converter::token(Node* node) {
  if (typeid(*node) != typeid(antlr4::tree::TerminalNodeImpl)) return nullptr;
  auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(node);
  return &static_cast<SliceToken*>(terminal->getSymbol())->tok();
}

std::uint16_t Converter::type(Node* node) {
  const Tok* t = token(node);
  return t == nullptr ? std::uint16_t{0} : t->type;
}

std::size_t Converter::rule(Node* node) {
  return token(node) != nullptr ? ~std::size_t{0} : context(node)->getRuleIndex();
}

const Tok& Converter::first(Context* c) { return static_cast<SliceToken*>(c->start)->tok(); }
const Tok& Converter::last(Context* c) { return static_cast<SliceToken*>(c->stop)->tok(); }
std::size_t Converter::firstIndex(Context* c) { return c->start->getTokenIndex(); }

Span Converter::span(Context* c) const { return log_.span(first(c).begin, last(c).end); }

std::string_view Converter::docBefore(std::size_t index) {
  const auto found =
      std::lower_bound(slice_->docs.begin(), slice_->docs.end(), index,
                       [](const DocRun& run, std::size_t i) { return run.before < i; });
  if (found == slice_->docs.end() || found->before != index) return {};
  found->used = true;
  std::string doc;
  for (const Span& line : found->lines) {
    std::string_view written = log_.text().substr(line.begin + 3, line.end - line.begin - 3);
    if (written.starts_with(' ')) written.remove_prefix(1);
    while (written.ends_with(' ') || written.ends_with('\t')) written.remove_suffix(1);
    if (!doc.empty() || &line != &found->lines.front()) doc += '\n';
    doc += written;
  }
  return tree_.arena.copy(doc);
}

Decl* Converter::declaration(Context* c, Slice& slice) {
  slice_ = &slice;
  Context* inner = context(c->children[0]);
  Decl* result = nullptr;
  switch (inner->getRuleIndex()) {
    case P::RuleImportDecl:
      result = importDecl(inner);
      break;
    case P::RuleEnumDecl:
      result = enumDecl(inner);
      break;
    case P::RuleSchemaDecl:
      result = schemaDecl(inner);
      break;
    case P::RuleFnDecl:
      result = fnDecl(inner);
      break;
    case P::RuleTaskDecl:
      result = taskDecl(inner);
      break;
    case P::RuleWorkflowDecl:
      result = workflowDecl(inner);
      break;
    case P::RuleTransformDecl:
      result = transformDecl(inner);
      break;
    case P::RuleLabelerDecl:
      result = labelerDecl(inner);
      break;
    case P::RuleTargetDecl:
      result = targetDecl(inner);
      break;
    default:
      result = testDecl(inner);
      break;
  }
  slice_ = nullptr;
  return result;
}

Decl* Converter::error(Slice& slice) {
  slice_ = &slice;
  auto* decl = tree_.arena.make<Decl>();
  decl->kind = DeclKind::Error;
  const std::vector<Tok>& tokens = slice.tokens;
  decl->span = log_.span(tokens.front().begin, tokens.back().end);
  decl->doc = docBefore(0);
  for (std::size_t i = 0; i < tokens.size() && i < 3; ++i) {
    if (tokens[i].type == P::Ident) {
      decl->name = name(tokens[i]);
      break;
    }
  }
  slice_ = nullptr;
  return decl;
}

std::string_view oursFor(std::string_view foreign) {
  if (foreign == "null" || foreign == "nil" || foreign == "None" || foreign == "NULL" ||
      foreign == "undefined" || foreign == "Null") {
    return "none";
  }
  if (foreign == "True" || foreign == "TRUE") return "true";
  if (foreign == "False" || foreign == "FALSE") return "false";
  return {};
}

void Converter::finish() {
  for (NameExpr* e : foreign_) {
    if (std::find(declared_.begin(), declared_.end(), e->name.text) != declared_.end()) continue;
    const std::string_view ours = oursFor(e->name.text);
    log_.report(diagnose<Diag::ForeignConstant>(e->span, e->name.text, ours)
                    .fix(fmt::format("write `{}`", ours), e->span, std::string(ours)));
    e->kind = ExprKind::Error;
  }
}

}  // namespace couler::parse
