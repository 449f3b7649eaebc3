#include <algorithm>
#include <string>
#include <utility>

#include "frontend/format/formatter.h"

namespace couler::format {

using namespace syntax;

// ---------------------------------------------------------------- declarations

void Formatter::decl(const Decl& d) {
  doc(d.doc);
  switch (d.kind) {
    case DeclKind::Import:
      importDecl(static_cast<const ImportDecl&>(d));
      return;
    case DeclKind::Enum: {
      const auto& e = static_cast<const EnumDecl&>(d);
      put("enum ");
      put(d.name.text);
      put(" ");
      std::vector<Item> list;
      std::string flatText = "{ ";
      bool docs = false;
      for (const EnumCase& c : e.cases) {
        docs = docs || !c.doc.empty();
        if (flatText.size() > 2) flatText += ", ";
        flatText += c.name.text;
        list.push_back({c.name.span.begin, c.name.span.end,
                        [this, &c] {
                          doc(c.doc);
                          put(c.name.text);
                        },
                        true});
      }
      Span braces = bracesAfter(d.name.span.end);
      braces.end = d.span.end;
      nameList(std::move(list), e.cases.empty() ? "{}" : flatText + " }", braces, docs);
      return;
    }
    case DeclKind::Schema: {
      const auto& s = static_cast<const SchemaDecl&>(d);
      put("schema ");
      put(d.name.text);
      put(" ");
      std::size_t pad = 0;
      for (const Field& f : s.columns) pad = std::max(pad, f.name.text.size() + 2);
      std::vector<Item> list;
      for (const Field& f : s.columns) {
        list.push_back({f.span.begin, f.span.end, [this, &f, pad] { field(f, pad); }, true});
      }
      Span braces = bracesAfter(d.name.span.end);
      braces.end = d.span.end;
      braced(std::move(list), "", braces);
      return;
    }
    case DeclKind::Fn: {
      const auto& f = static_cast<const FnDecl&>(d);
      std::string end = " =";
      if (f.result != nullptr) {
        Flat result;
        result.room = ~std::size_t{0};
        flatType(result, *f.result);
        end = " -> " + (result.ok ? result.text : std::string(source(f.result->span))) + " =";
      }
      header("fn " + std::string(d.name.text), f.params, {}, false, d.span, end);
      put(" ");
      if (tryFlat(*f.body, kOpen, 0)) return;
      const ExprKind kind = f.body->kind;
      if (kind == ExprKind::List || kind == ExprKind::Map || kind == ExprKind::Record ||
          kind == ExprKind::RawString) {
        expr(*f.body);
        return;
      }
      ++indent_;
      newline();
      expr(*f.body);
      --indent_;
      return;
    }
    case DeclKind::Task:
      taskDecl(static_cast<const TaskDecl&>(d));
      return;
    case DeclKind::Workflow:
      workflowDecl(static_cast<const WorkflowDecl&>(d));
      return;
    case DeclKind::Transform:
      transformDecl(static_cast<const TransformDecl&>(d));
      return;
    case DeclKind::Labeler: {
      const auto& l = static_cast<const LabelerDecl&>(d);
      Flat result;
      result.room = ~std::size_t{0};
      flatType(result, *l.result);
      header("labeler " + std::string(d.name.text), {&l.param, 1}, {}, false, d.span,
             " -> " + result.text + " ");
      std::vector<Item> list;
      for (const Vote& v : l.votes) {
        list.push_back({v.span.begin, v.span.end, [this, &v] {
                          put("vote ");
                          put(v.label.text);
                          put(" when ");
                          expr(*v.when, kOpen, v.rule.text.empty() ? 0 : v.rule.text.size() + 4);
                          if (v.rule.text.empty()) return;
                          put(" as ");
                          put(v.rule.text);
                        }});
      }
      Span braces = bracesAfter(l.result->span.end);
      braces.end = d.span.end;
      braced(std::move(list), "", braces);
      return;
    }
    case DeclKind::Target: {
      const auto& t = static_cast<const TargetDecl&>(d);
      put("target ");
      put(d.name.text);
      put(" = ");
      put(t.engine.text);
      Span braces = bracesAfter(t.engine.span.end);
      braces.end = d.span.end;
      if (braces.begin >= d.span.end) return;
      put(" ");
      settings(t.settings, braces);
      return;
    }
    case DeclKind::Test: {
      const auto& t = static_cast<const TestDecl&>(d);
      put("test ");
      put(source(t.titleSpan));
      put(" ");
      std::vector<Item> list;
      for (const Stmt* s : t.body->statements) {
        list.push_back({s->span.begin, s->span.end, [this, s] { stmt(*s); }});
      }
      for (const Expr* e : t.expectations) {
        list.push_back({e->span.begin, e->span.end, [this, e] {
                          put("expect ");
                          expr(*e);
                        }});
      }
      std::stable_sort(list.begin(), list.end(),
                       [](const Item& a, const Item& b) { return a.begin < b.begin; });
      braced(std::move(list), "", t.body->span);
      return;
    }
    case DeclKind::Error:
      put(source(d.span));
      return;
  }
}

void Formatter::importDecl(const ImportDecl& d) {
  put("import ");
  put(source(d.pathSpan));
  if (d.hasNames) {
    put(" ");
    std::vector<Item> list;
    std::string flatText = "{ ";
    for (const ImportedName& n : d.names) {
      std::string text(n.name.text);
      if (!n.alias.text.empty()) text += " as " + std::string(n.alias.text);
      if (flatText.size() > 2) flatText += ", ";
      flatText += text;
      const Span last = n.alias.text.empty() ? n.name.span : n.alias.span;
      list.push_back({n.name.span.begin, last.end, [this, text] { put(text); }});
    }
    Span braces = bracesAfter(d.pathSpan.end);
    braces.end = static_cast<std::uint32_t>(text_.find('}', braces.begin)) + 1;
    nameList(std::move(list), d.names.empty() ? "{}" : flatText + " }", braces, false);
  }
  if (d.alias.text.empty()) return;
  put(" as ");
  put(d.alias.text);
}

void Formatter::taskDecl(const TaskDecl& d) {
  header((d.isVolatile ? "volatile task " : "task ") + std::string(d.name.text), d.params,
         d.outputs, d.outputsSpan.valid(), d.span, " {");
  std::size_t pad = widthOf(d);
  const auto wide = [&](bool has, std::string_view word) {
    if (has) pad = std::max(pad, word.size() + 1);
  };
  wide(d.image != nullptr, "image");
  wide(!d.env.empty(), "env");
  wide(d.cache != nullptr, "cache");
  std::vector<Item> list;
  if (d.image != nullptr) list.push_back(valueItem(*d.image, "image", pad));
  if (!d.env.empty()) list.push_back(groupItem(d.env, "env", pad));
  if (d.cache != nullptr) list.push_back(valueItem(*d.cache, "cache", pad));
  stepSettings(list, d, pad);
  if (d.run != RunKind::None) {
    list.push_back({d.runSpan.begin, d.runSpan.end, [this, &d] {
                      put(d.run == RunKind::Sh       ? "run sh "
                          : d.run == RunKind::Python ? "run python "
                                                     : "run ");
                      expr(*d.runBody);
                    }});
  }
  // The order in which they were written; the tree keeps them by kind.
  std::sort(list.begin(), list.end(),
            [](const Item& a, const Item& b) { return a.begin < b.begin; });
  std::uint32_t from = d.name.span.end;
  if (!d.params.empty()) from = closingParen(d.params);
  if (!d.outputs.empty()) from = closingParen(d.outputs);
  const Span open = bracesAfter(from);
  body(std::move(list), "", {tree_.file, open.begin, d.span.end});
}

std::size_t Formatter::widthOf(const StepSettings& s) {
  if (!s.resources.empty()) return std::string_view("resources ").size();
  if (s.timeout != nullptr) return std::string_view("timeout ").size();
  return s.retryCount != nullptr ? std::string_view("retry ").size() : 0;
}

void Formatter::padded(std::string_view word, std::size_t pad) {
  std::string text(word);
  text.resize(std::max(pad, word.size() + 1), ' ');
  put(text);
}

Formatter::Item Formatter::valueItem(const Expr& e, std::string_view name, std::size_t pad) {
  return {e.span.begin, e.span.end, [this, &e, name, pad] {
            padded(name, pad);
            expr(e);
          }};
}

Formatter::Item Formatter::groupItem(std::span<const Setting> s, std::string_view name,
                                     std::size_t pad) {
  std::uint32_t open = s[0].key.span.begin;
  while (open > 0 && text_[open] != '{') --open;
  std::size_t close = s.back().value->span.end;
  while (close < text_.size() && text_[close] != '}') {
    if (text_.substr(close).starts_with("//")) close = text_.find('\n', close);
    ++close;
  }
  const Span braces{tree_.file, open, static_cast<std::uint32_t>(close) + 1};
  return {braces.begin, braces.end, [this, s, name, pad, braces] {
            if (!name.empty()) padded(name, pad);
            settings(s, braces);
          }};
}

void Formatter::stepSettings(std::vector<Item>& list, const StepSettings& s, std::size_t pad) {
  if (!s.resources.empty()) list.push_back(groupItem(s.resources, "resources", pad));
  if (s.timeout != nullptr) list.push_back(valueItem(*s.timeout, "timeout", pad));
  if (s.retryCount == nullptr) return;
  list.push_back(valueItem(*s.retryCount, "retry", pad));
  if (s.retry.empty()) return;
  Item group = groupItem(s.retry, "", pad);
  list.back().end = group.end;
  list.back().write = [this, count = std::move(list.back().write), write = std::move(group.write)] {
    count();
    put(" ");
    write();
  };
}

void Formatter::workflowDecl(const WorkflowDecl& d) {
  header("workflow " + std::string(d.name.text), d.params, d.outputs, d.outputsSpan.valid(), d.span,
         " {");
  std::vector<Item> list;
  for (const Stmt* s : d.body->statements) {
    list.push_back({s->span.begin, s->span.end, [this, s] { stmt(*s); }});
  }
  body(std::move(list), "", d.body->span);
}

void Formatter::transformDecl(const TransformDecl& d) {
  header("transform " + std::string(d.name.text), d.params, {}, false, d.span, " ");
  std::vector<Item> list;
  stepSettings(list, d, widthOf(d));
  for (const TransformStmt& s : d.statements) {
    list.push_back({s.span.begin, s.span.end, [this, &s] { transformStmt(s); }});
  }
  // The order in which they were written; the tree keeps settings apart.
  std::sort(list.begin(), list.end(),
            [](const Item& a, const Item& b) { return a.begin < b.begin; });
  Span braces = bracesAfter(d.params.empty() ? d.name.span.end : closingParen(d.params));
  braces.end = d.span.end;
  braced(std::move(list), "", braces);
}

void Formatter::transformStmt(const TransformStmt& s) {
  const auto keys = [&] {
    for (std::size_t i = 0; i < s.keys.size(); ++i) {
      const TransformKey& key = s.keys[i];
      if (i > 0) put(", ");
      if (!key.name.text.empty()) {
        put(key.name.text);
        put(" = ");
      }
      expr(*key.value, kOpen, 1);
      if (key.direction == Direction::Ascending) put(" asc");
      if (key.direction == Direction::Descending) put(" desc");
    }
  };
  switch (s.kind) {
    case TransformKind::Where:
      put("where ");
      expr(*s.value);
      return;
    case TransformKind::Derive:
      put(s.name.text);
      put(" = ");
      expr(*s.value);
      return;
    case TransformKind::Spread:
      put("...");
      put(s.name.text);
      for (std::size_t i = 0; i < s.without.size(); ++i) {
        put(i == 0 ? " without " : ", ");
        put(s.without[i].text);
      }
      return;
    case TransformKind::GroupBy:
      put("group by ");
      keys();
      return;
    case TransformKind::OrderBy:
      put("order by ");
      keys();
      return;
    case TransformKind::Limit:
      put("limit ");
      expr(*s.value);
      return;
    case TransformKind::Distinct:
      put("distinct");
      return;
    case TransformKind::Join:
      put(s.join == JoinKind::Left   ? "left join "
          : s.join == JoinKind::Semi ? "semi join "
          : s.join == JoinKind::Anti ? "anti join "
                                     : "join ");
      put(s.name.text);
      put(" on ");
      expr(*s.value);
      return;
  }
}

// ---------------------------------------------------------------- statements

void Formatter::block(const Block& b, bool onOneLine) {
  std::vector<Item> list;
  for (const Stmt* s : b.statements) {
    list.push_back({s->span.begin, s->span.end, [this, s] { stmt(*s); }});
  }
  if (onOneLine || list.empty()) {
    braced(std::move(list), "", b.span);
    return;
  }
  put("{");
  items(std::move(list), "", b.span.begin + 1, b.span.end - 1);
  put("}");
}

void Formatter::stmt(const Stmt& s) {
  switch (s.kind) {
    case StmtKind::Let: {
      const auto& let = static_cast<const LetStmt&>(s);
      put("let ");
      put(let.name.text);
      if (let.type != nullptr) {
        put(": ");
        typeExpr(*let.type);
      }
      put(" = ");
      expr(*let.value);
      return;
    }
    case StmtKind::Expr: {
      const Expr& e = *static_cast<const ExprStmt&>(s).value;
      expr(e);
      return;
    }
    case StmtKind::Return: {
      const Expr* value = static_cast<const ReturnStmt&>(s).value;
      put("return");
      if (value == nullptr) return;
      put(" ");
      expr(*value);
      return;
    }
    case StmtKind::Finally:
      put("finally ");
      block(*static_cast<const FinallyStmt&>(s).body, true);
      return;
  }
}

}  // namespace couler::format
