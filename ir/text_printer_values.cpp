#include <utility>

#include "ir/text_lexer.h"
#include "ir/text_printer.h"
#include "ir/text_words.h"

namespace couler::ir::text {

/// Text of a type; enums and schemas met for the first time are declared at the top.
const std::string& Printer::type(TypeId id) {
  static const std::string kBad = "\"?\"";
  if (id.index() >= typeTexts_.size()) return kBad;
  std::string& text = typeTexts_[id.index()];
  if (text.empty()) {
    // A copy first: what makeType asks for may be this type again only if types could recur,
    // which they cannot, since a type is interned after its parts.
    std::string made = makeType(id);
    text = std::move(made);
  }
  return text;
}

std::string Printer::makeType(TypeId id) {
  const Type& t = module_.types[id];
  switch (t.kind) {
    case TypeKind::File:
      if (t.name.empty()) return "file";
      return "file<" + quotedUnlessWord(t.name) + ">";
    case TypeKind::Enum:
    case TypeKind::Schema:
      return declare(t);
    case TypeKind::Table:
      return "table<" + type(t.element) + ">";
    case TypeKind::List:
      return "list<" + type(t.element) + ">";
    case TypeKind::Map:
      return "map<string, " + type(t.element) + ">";
    case TypeKind::Optional:
      return type(t.element) + "?";
    case TypeKind::Record:
      return fields(t, "(", ")");
    default:
      return std::string(kPlainTypes[id.index()]);
  }
}

std::string Printer::fields(const Type& t, std::string_view open, std::string_view close) {
  std::string text(open);
  for (std::size_t i = 0; i < t.fields.size(); ++i) {
    if (i != 0) text += ", ";
    text += quotedUnlessWord(t.fields[i].name) + ": " + type(t.fields[i].type);
  }
  text += close;
  return text;
}

std::string Printer::quotedUnlessWord(std::string_view name) {
  if (isWord(name)) return std::string(name);
  std::string quoted;
  appendQuoted(quoted, name);
  return quoted;
}

std::string Printer::declare(const Type& t) {
  std::string alias = t.name;
  for (int n = 2; !aliases_.insert(alias).second; ++n) alias = t.name + "~" + std::to_string(n);
  bool plain = isWord(alias);
  for (const std::string_view word : kPlainTypes) plain = plain && word != alias;
  for (const std::string_view word : {"list", "map", "table"}) plain = plain && word != alias;
  std::string reference;
  if (plain) {
    reference = alias;
  } else {
    appendQuoted(reference, alias);
  }
  // The parts are declared before what uses them.
  const std::string body = t.kind == TypeKind::Schema ? fields(t, " { ", " }") : cases(t);
  std::string line = (t.kind == TypeKind::Enum ? "enum " : "schema ") + reference;
  if (alias != t.name) {
    line += " named ";
    appendQuoted(line, t.name);
  }
  line += " from ";
  appendQuoted(line, bare_ ? std::string_view() : t.origin);
  nominals_ += line + body + '\n';
  return reference;
}

void Printer::value(const Value& v) {
  std::visit(
      Overloaded{[&](None) { out_ += "none"; }, [&](bool b) { out_ += b ? "true" : "false"; },
                 [&](std::int64_t n) { number(n); }, [&](double x) { number(x); },
                 [&](const std::string& s) { appendQuoted(out_, s); },
                 [&](Duration d) {
                   out_ += "duration ";
                   number(d.micros);
                 },
                 [&](Size s) {
                   out_ += "size ";
                   number(s.bytes);
                 },
                 [&](Timestamp t) {
                   out_ += "timestamp ";
                   number(t.micros);
                 },
                 [&](const EnumCase& c) {
                   out_ += "case ";
                   name(c.name);
                 },
                 [&](const FileRef& f) {
                   out_ += f.isDir ? "dir " : "file ";
                   appendQuoted(out_, f.path);
                   if (f.digest.empty()) return;
                   out_ += " digest ";
                   appendQuoted(out_, f.digest);
                 },
                 [&](const SecretRef& s) {
                   out_ += "secret ";
                   appendQuoted(out_, s.source);
                 },
                 [&](const ListValue& list) {
                   out_ += '[';
                   bool first = true;
                   if (list.items != nullptr) {
                     for (const Value& item : *list.items) {
                       if (!std::exchange(first, false)) out_ += ", ";
                       value(item);
                     }
                   }
                   out_ += ']';
                 },
                 [&](const MapValue& map) { named(map.entries.get(), '{', '}'); },
                 [&](const RecordValue& record) { named(record.fields.get(), '(', ')'); }},
      v.data());
}

void Printer::named(const NamedItems* items, char open, char close) {
  out_ += open;
  bool first = true;
  if (items != nullptr) {
    for (const auto& [key, item] : *items) {
      if (!std::exchange(first, false)) out_ += ", ";
      name(key);
      out_ += ": ";
      value(item);
    }
  }
  out_ += close;
}

void Printer::constant(ConstId id) {
  if (id.index() < module_.constantCount()) {
    value(module_.at(id));
  } else {
    out_ += '?';
  }
}

std::string Printer::cases(const Type& t) {
  std::string text = " { ";
  for (std::size_t i = 0; i < t.cases.size(); ++i) {
    if (i != 0) text += ", ";
    text += quotedUnlessWord(t.cases[i]);
  }
  return text + " }";
}

}  // namespace couler::ir::text
