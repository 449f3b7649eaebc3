#include <algorithm>
#include <string>
#include <utility>

#include "frontend/format/formatter.h"

namespace couler::format {

using namespace syntax;

// ---------------------------------------------------------------- types and fields

void Formatter::flatType(Flat& f, const TypeExpr& t) const {
  switch (t.kind) {
    case TypeKind::Error:
      f.put(source(t.span));
      return;
    case TypeKind::Optional:
      flatType(f, *static_cast<const OptionalType&>(t).inner);
      f.put("?");
      return;
    case TypeKind::Named: {
      const auto& n = static_cast<const NamedType&>(t);
      if (!n.module.text.empty()) {
        f.put(n.module.text);
        f.put(".");
      }
      f.put(n.name.text);
      for (std::size_t i = 0; i < n.args.size(); ++i) {
        f.put(i == 0 ? "<" : ", ");
        flatType(f, *n.args[i]);
      }
      if (!n.args.empty()) f.put(">");
      return;
    }
    case TypeKind::Record:
      flatFields(f, static_cast<const RecordType&>(t).fields);
      return;
  }
}

void Formatter::typeExpr(const TypeExpr& t) {
  Flat f;
  f.room = room(0);
  if (hasComment(t.span.begin, t.span.end)) f.fail();
  flatType(f, t);
  if (f.ok) {
    put(f.text);
    return;
  }
  switch (t.kind) {
    case TypeKind::Optional:
      typeExpr(*static_cast<const OptionalType&>(t).inner);
      put("?");
      return;
    case TypeKind::Record:
      put("(");
      fieldList(static_cast<const RecordType&>(t).fields, t.span.end - 1);
      put(")");
      return;
    case TypeKind::Named: {
      const auto& n = static_cast<const NamedType&>(t);
      if (!n.module.text.empty()) {
        put(n.module.text);
        put(".");
      }
      put(n.name.text);
      for (std::size_t i = 0; i < n.args.size(); ++i) {
        put(i == 0 ? "<" : ", ");
        typeExpr(*n.args[i]);
      }
      if (!n.args.empty()) put(">");
      return;
    }
    case TypeKind::Error:
      put(source(t.span));
      return;
  }
}

void Formatter::flatField(Flat& f, const Field& field) const {
  if (!field.doc.empty()) f.fail();
  f.put(field.name.text);
  f.put(": ");
  flatType(f, *field.type);
  if (field.fromSpan.valid()) {
    f.put(" from ");
    f.put(source(field.fromSpan));
  }
  if (field.value != nullptr) {
    f.put(" = ");
    flat(f, *field.value, kOpen);
  }
  if (field.where != nullptr) {
    f.put(" where ");
    flat(f, *field.where, kOpen);
  }
}

void Formatter::flatFields(Flat& f, std::span<const Field> fields) const {
  f.put("(");
  for (std::size_t i = 0; i < fields.size() && f.ok; ++i) {
    if (i > 0) f.put(", ");
    flatField(f, fields[i]);
  }
  f.put(")");
}

/// `pad`: columns from the name to the type.
void Formatter::field(const Field& f, std::size_t pad) {
  doc(f.doc);
  std::string start = std::string(f.name.text) + ":";
  start.resize(std::max(start.size() + 1, pad), ' ');
  put(start);
  typeExpr(*f.type);
  if (f.fromSpan.valid()) {
    put(" from ");
    put(source(f.fromSpan));
  }
  if (f.value != nullptr) {
    put(" = ");
    expr(*f.value, kOpen, 1);
  }
  if (f.where != nullptr) {
    put(" where ");
    expr(*f.where, kOpen, 1);
  }
}

void Formatter::fieldList(std::span<const Field> fields, std::uint32_t end) {
  std::vector<Item> list;
  for (const Field& f : fields) {
    list.push_back({f.span.begin, f.span.end, [this, &f] { field(f); }, true});
  }
  const std::uint32_t begin = fields.empty() ? end : docStart(fields[0].span.begin);
  std::uint32_t open = begin;  // just behind the `(`
  while (open > 0 && text_[open - 1] != '(' && text_[open - 1] != '\n') --open;
  items(std::move(list), ",", open, end);
}

/// Where the `)` behind the last field stands.
std::uint32_t Formatter::closingParen(std::span<const Field> fields) const {
  std::size_t at = fields.back().span.end;
  while (at < text_.size() && text_[at] != ')') {
    if (text_.substr(at).starts_with("//")) at = std::min(text_.find('\n', at), text_.size() - 1);
    ++at;
  }
  return static_cast<std::uint32_t>(at);
}

/// `start(params) -> (outputs)end`, on one line, or with the outputs on a second, or with one
/// parameter a line.
void Formatter::header(std::string_view start, std::span<const Field> params,
                       std::span<const Field> outputs, bool hasOutputs, Span declSpan,
                       std::string_view end) {
  put(start);
  const std::uint32_t paramsEnd = params.empty() ? declSpan.begin : closingParen(params);
  const std::uint32_t outputsEnd = outputs.empty() ? paramsEnd : closingParen(outputs);
  Flat first;
  first.room = room(0);
  if (hasComment(declSpan.begin, paramsEnd)) first.fail();
  flatFields(first, params);
  Flat second;
  second.room = 96;
  if (!outputs.empty() && hasComment(paramsEnd, outputsEnd)) second.fail();
  if (hasOutputs) {
    second.put("-> ");
    flatFields(second, outputs);
  }
  const std::size_t tail = (hasOutputs ? second.text.size() + 1 : 0) + end.size();
  if (first.ok && second.ok && tail <= first.room) {
    put(first.text);
    if (hasOutputs) put(" " + second.text);
    put(end);
    return;
  }
  if (first.ok && second.ok && hasOutputs && end == " {") {
    put(first.text);
    ++indent_;
    newline();
    put(second.text);
    --indent_;
    newline();
    put("{");
    return;
  }
  const bool breakParams =
      !first.ok || (!hasOutputs && tail > first.room) || (hasOutputs && second.ok);
  if (breakParams && !params.empty()) {
    put("(");
    fieldList(params, closingParen(params));
    put(")");
  } else {
    put(params.empty() ? std::string_view("()") : std::string_view(first.text));
  }
  if (hasOutputs) {
    if (second.ok && second.text.size() + 1 + end.size() <= room(0)) {
      put(" " + second.text);
    } else if (outputs.empty()) {
      put(" -> ()");
    } else {
      put(" -> (");
      fieldList(outputs, closingParen(outputs));
      put(")");
    }
  }
  put(end);
}

// ---------------------------------------------------------------- lists of settings and names

/// The braces that open at or after `at`, which only white space and comments may part from them.
Span Formatter::bracesAfter(std::uint32_t at) const {
  std::size_t begin = at;
  while (begin < text_.size() && text_[begin] != '{') {
    if (text_.substr(begin).starts_with("//"))
      begin = std::min(text_.find('\n', begin), text_.size() - 1);
    ++begin;
  }
  return {tree_.file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin)};
}

void Formatter::settings(std::span<const Setting> list, Span braces) {
  Flat f;
  f.room = room(0);
  if (hasComment(braces.begin, braces.end)) f.fail();
  f.put("{ ");
  for (std::size_t i = 0; i < list.size() && f.ok; ++i) {
    if (i > 0) f.put(", ");
    f.put(list[i].key.text);
    f.put(": ");
    flat(f, *list[i].value, kOpen);
  }
  f.put(" }");
  if (f.ok) {
    put(list.empty() ? std::string_view("{}") : std::string_view(f.text));
    return;
  }
  std::vector<Item> rows;
  for (const Setting& s : list) {
    rows.push_back({s.key.span.begin, s.value->span.end, [this, &s] {
                      put(s.key.text);
                      put(": ");
                      expr(*s.value, kOpen, 1);
                    }});
  }
  braced(std::move(rows), ",", braces);
}

/// Names in braces: on one line where they fit and nothing is said of them.
void Formatter::nameList(std::vector<Item> list, std::string_view flatText, Span braces,
                         bool breakIt) {
  if (!breakIt && flatText.size() <= room(0) && !hasComment(braces.begin, braces.end)) {
    put(flatText);
    return;
  }
  braced(std::move(list), ",", braces);
}

}  // namespace couler::format
