#include "ir/text_parser.h"

namespace couler::ir::text {

// ---- types

void Parser::parseNominal(TypeKind kind) {
  Type type;
  type.kind = kind;
  const std::string alias = takeName("a type's name");
  if (nominals_.contains(alias)) return duplicate("type", alias);
  type.name = alias;
  if (acceptWord("named")) type.name = takeString("the type's name in its source");
  expectWord("from");
  type.origin = takeString("the path of the declaring file");
  expectPunct('{');
  if (kind == TypeKind::Schema) {
    type.fields = parseFields('}', 0);
  } else {
    while (!failed_ && !acceptPunct('}')) {
      type.cases.push_back(takeName("a case's name"));
      if (!atPunct('}')) expectPunct(',');
    }
  }
  if (failed_) return;
  nominals_.emplace(alias, module_.types.intern(std::move(type)));
}

std::vector<TypeField> Parser::parseFields(char close, int depth) {
  std::vector<TypeField> fields;
  while (!failed_ && !acceptPunct(close)) {
    TypeField field;
    field.name = takeName("a field's name");
    expectPunct(':');
    field.type = parseType(depth + 1);
    fields.push_back(std::move(field));
    if (!atPunct(close)) expectPunct(',');
  }
  return fields;
}

TypeId Parser::parseType(int depth) {
  if (depth > kMaxDepth) {
    expected(fmt::format("a type nested at most {} deep", kMaxDepth));
    return TypeTable::kError;
  }
  TypeId type = parseTypeBase(depth);
  while (acceptPunct('?')) type = module_.types.optional(type);
  return type;
}

TypeId Parser::parseTypeBase(int depth) {
  if (acceptPunct('(')) return module_.types.record(parseFields(')', depth));
  const auto element = [&] {
    expectPunct('<');
    const TypeId inner = parseType(depth + 1);
    expectPunct('>');
    return inner;
  };
  if (acceptWord("list")) return module_.types.list(element());
  if (acceptWord("table")) return module_.types.table(element());
  if (acceptWord("map")) {
    expectPunct('<');
    expectWord("string");
    expectPunct(',');
    const TypeId inner = parseType(depth + 1);
    expectPunct('>');
    return module_.types.map(inner);
  }
  if (acceptWord("file")) {
    if (!acceptPunct('<')) return TypeTable::kFile;
    const std::string format = takeName("a file format");
    expectPunct('>');
    return module_.types.file(format);
  }
  if (!failed_ && token_.kind == TokenKind::Word) {
    for (std::size_t i = 0; i < kPlainTypes.size(); ++i) {
      if (acceptWord(kPlainTypes[i])) return TypeId{i};
    }
  }
  const Token at = token_;
  const std::string name = takeName("a type");
  if (failed_) return TypeTable::kError;
  const auto found = nominals_.find(name);
  if (found != nominals_.end()) return found->second;
  failed_ = true;
  diags_.take(diagnose<Diag::IrUnknown>(Span{file_, at.begin, at.end}, "type", name));
  return TypeTable::kError;
}

// ---- values

NamedItems Parser::parseNamed(char close, int depth) {
  NamedItems items;
  while (!failed_ && !acceptPunct(close)) {
    std::string key = takeName("a key");
    expectPunct(':');
    items.emplace_back(std::move(key), parseValue(depth + 1));
    if (!atPunct(close)) expectPunct(',');
  }
  return items;
}

Value Parser::parseValue(int depth) {
  if (depth > kMaxDepth) {
    expected(fmt::format("a value nested at most {} deep", kMaxDepth));
    return {};
  }
  if (failed_) return {};
  if (token_.kind == TokenKind::String) return takeString("text");
  if (token_.kind == TokenKind::Number) {
    if (spelling().find_first_of(".e") != std::string_view::npos) return takeFloat("a number");
    return takeInt("a whole number of 64 bits");
  }
  if (acceptPunct('[')) {
    ListItems items;
    while (!failed_ && !acceptPunct(']')) {
      items.push_back(parseValue(depth + 1));
      if (!atPunct(']')) expectPunct(',');
    }
    return Value::list(std::move(items));
  }
  if (acceptPunct('{')) return Value::map(parseNamed('}', depth));
  if (acceptPunct('(')) return Value::record(parseNamed(')', depth));
  if (acceptWord("none")) return {};
  if (acceptWord("true")) return true;
  if (acceptWord("false")) return false;
  if (acceptWord("duration")) return Duration{takeInt("microseconds")};
  if (acceptWord("size")) return Size{takeInt("bytes")};
  if (acceptWord("timestamp")) return Timestamp{takeInt("microseconds")};
  if (acceptWord("case")) return EnumCase{takeName("a case's name")};
  if (acceptWord("secret")) return SecretRef{takeString("where the secret lies")};
  if (atWord("file") || atWord("dir")) {
    FileRef ref;
    ref.isDir = atWord("dir");
    advance();
    ref.path = takeString("a path");
    if (acceptWord("digest")) ref.digest = takeString("a digest");
    return ref;
  }
  if (atWord("nan") || atWord("inf") || atWord("neg_inf")) return takeFloat("a number");
  expected("a value");
  return {};
}

}  // namespace couler::ir::text
