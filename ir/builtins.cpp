#include "ir/builtins.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace couler::ir {

namespace {

constexpr BuiltinInfo kTable[] = {
#define BUILTIN(Name, text, signature, doc) {Builtin::Name, #Name, text, signature, doc},
#include "ir/builtins.def"
};
constexpr std::size_t kCount = std::size(kTable);

/// A type in a signature.
struct Pattern {
  enum class Kind : std::uint8_t { Fixed, Any, Letter, List, Map, Table, Optional, Record };
  Kind kind = Kind::Any;
  TypeId fixed;
  std::uint8_t letter = 0;  ///< index into kLetters
  std::vector<Pattern> inner;
  std::vector<std::string> names;  ///< Record: of `inner`
};
constexpr std::string_view kLetters = "TUOP";
using Letters = std::array<TypeId, kLetters.size()>;

enum class Repeat : std::uint8_t { None, Last, All };

struct Signature {
  std::vector<Pattern> params;
  Repeat repeat = Repeat::None;
  Pattern result;
};

/// Reads the table's own signatures, which tests/unit/ir/builtins_test.cpp checks one by one; on a
/// malformed one it just stops, and the row then matches nothing.
class SignatureReader {
 public:
  explicit SignatureReader(std::string_view text) : text_(text) {}

  Signature read() {
    Signature result;
    take("(");
    while (!take(")") && !text_.empty()) {
      word();
      take(":");
      result.params.push_back(type());
      if (take("...")) result.repeat = Repeat::Last;
      take(",");
    }
    if (take("...")) result.repeat = Repeat::All;
    take("->");
    result.result = type();
    return result;
  }

 private:
  bool take(std::string_view token) {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  std::string_view word() {
    take("");
    std::size_t n = 0;
    while (n < text_.size() && (text_[n] == '_' || (text_[n] >= 'a' && text_[n] <= 'z') ||
                                (text_[n] >= 'A' && text_[n] <= 'Z'))) {
      ++n;
    }
    const std::string_view result = text_.substr(0, n);
    text_.remove_prefix(n);
    return result;
  }

  Pattern type() {
    Pattern result = plain();
    if (take("?")) {
      Pattern whole;
      whole.kind = Pattern::Kind::Optional;
      whole.inner.push_back(std::move(result));
      return whole;
    }
    return result;
  }

  Pattern plain() {
    Pattern result;
    if (take("(")) {
      result.kind = Pattern::Kind::Record;
      while (!take(")") && !text_.empty()) {
        result.names.emplace_back(word());
        take(":");
        result.inner.push_back(type());
        take(",");
      }
      return result;
    }
    const std::string_view name = word();
    if (name == "list" || name == "map" || name == "table") {
      result.kind = name == "list"  ? Pattern::Kind::List
                    : name == "map" ? Pattern::Kind::Map
                                    : Pattern::Kind::Table;
      take("<");
      result.inner.push_back(type());
      take(">");
      return result;
    }
    if (name.size() == 1 && kLetters.find(name.front()) != std::string_view::npos) {
      result.kind = Pattern::Kind::Letter;
      result.letter = static_cast<std::uint8_t>(kLetters.find(name.front()));
      return result;
    }
    static constexpr std::pair<std::string_view, TypeId> kFixed[] = {
        {"bool", TypeTable::kBool},
        {"int", TypeTable::kInt},
        {"float", TypeTable::kFloat},
        {"string", TypeTable::kString},
        {"timestamp", TypeTable::kTimestamp},
        {"duration", TypeTable::kDuration},
        {"size", TypeTable::kSize},
        {"file", TypeTable::kFile},
        {"dir", TypeTable::kDir}};
    for (const auto& [word, id] : kFixed) {
      if (name == word) {
        result.kind = Pattern::Kind::Fixed;
        result.fixed = id;
      }
    }
    return result;
  }

  std::string_view text_;
};

const std::vector<Signature>& signatures() {
  static const std::vector<Signature> all = [] {
    std::vector<Signature> result;
    result.reserve(kCount);
    for (const BuiltinInfo& row : kTable) result.push_back(SignatureReader(row.signature).read());
    return result;
  }();
  return all;
}

bool letterAllows(std::uint8_t letter, TypeId type, const TypeTable& types) {
  const TypeKind kind = types.kind(type);
  if (kind == TypeKind::Error) return true;
  switch (kLetters[letter]) {
    case 'O':
      return kind == TypeKind::Int || kind == TypeKind::Float || kind == TypeKind::String ||
             kind == TypeKind::Timestamp || kind == TypeKind::Duration || kind == TypeKind::Size;
    case 'P':
      return kind == TypeKind::String || kind == TypeKind::File || kind == TypeKind::Dir;
    default:
      return true;
  }
}

/// The type that a pattern stands for once its letters are known.
TypeId fill(const Pattern& pattern, const Letters& letters, TypeTable& types) {
  switch (pattern.kind) {
    case Pattern::Kind::Fixed:
      return pattern.fixed;
    case Pattern::Kind::Any:
      return TypeTable::kError;
    case Pattern::Kind::Letter:
      return letters[pattern.letter].valid() ? letters[pattern.letter] : TypeTable::kError;
    case Pattern::Kind::List:
      return types.list(fill(pattern.inner[0], letters, types));
    case Pattern::Kind::Map:
      return types.map(fill(pattern.inner[0], letters, types));
    case Pattern::Kind::Table:
      return types.table(fill(pattern.inner[0], letters, types));
    case Pattern::Kind::Optional:
      return types.optional(fill(pattern.inner[0], letters, types));
    case Pattern::Kind::Record: {
      std::vector<TypeField> fields;
      for (std::size_t i = 0; i < pattern.inner.size(); ++i) {
        fields.push_back({pattern.names[i], fill(pattern.inner[i], letters, types)});
      }
      return types.record(std::move(fields));
    }
  }
  return TypeTable::kError;
}

/// Finds letters so that `pattern` is the type `arg` (`exact`), or may become one that accepts it.
/// The last word has `accepts`, once all letters are known; this only rules out and collects.
bool collect(const Pattern& pattern, TypeId arg, bool exact, Letters& letters, TypeTable& types) {
  const TypeKind kind = types.kind(arg);
  switch (pattern.kind) {
    case Pattern::Kind::Any:
      return true;
    case Pattern::Kind::Fixed:
      return exact ? arg == pattern.fixed : types.accepts(pattern.fixed, arg);
    case Pattern::Kind::Letter: {
      TypeId& known = letters[pattern.letter];
      if (!known.valid() || known == arg) {
        known = arg;
      } else if (exact) {
        return false;
      } else {
        const std::optional<TypeId> both = types.join(known, arg);
        if (!both) return false;
        known = *both;
      }
      return letterAllows(pattern.letter, known, types);
    }
    case Pattern::Kind::Optional:
      if (kind == TypeKind::Optional) {
        return collect(pattern.inner[0], types[arg].element, exact, letters, types);
      }
      if (kind == TypeKind::None) return true;
      return !exact && collect(pattern.inner[0], arg, exact, letters, types);
    case Pattern::Kind::List:
      if (kind == TypeKind::Error) return true;
      return kind == TypeKind::List &&
             collect(pattern.inner[0], types[arg].element, exact, letters, types);
    case Pattern::Kind::Map:
      if (kind == TypeKind::Error) return true;
      return kind == TypeKind::Map &&
             collect(pattern.inner[0], types[arg].element, exact, letters, types);
    case Pattern::Kind::Table:
      if (kind == TypeKind::Error) return true;
      return kind == TypeKind::Table &&
             collect(pattern.inner[0], types[arg].element, exact, letters, types);
    case Pattern::Kind::Record:
      return kind == TypeKind::Error;  // in results only
  }
  return false;
}

std::optional<BuiltinMatch> match(std::size_t row, std::span<const TypeId> args, bool exact,
                                  TypeTable& types) {
  const Signature& signature = signatures()[row];
  const std::size_t count = signature.params.size();
  std::size_t fixed = count;
  std::size_t group = 0;  // how many of the last parameters repeat
  if (signature.repeat != Repeat::None) {
    group = signature.repeat == Repeat::Last ? 1 : count;
    fixed = count - group;
  }
  if (args.size() < fixed) return std::nullopt;
  if (group == 0 ? args.size() != fixed : (args.size() - fixed) % group != 0) return std::nullopt;
  const auto param = [&](std::size_t i) -> const Pattern& {
    return signature.params[i < fixed ? i : fixed + (i - fixed) % group];
  };

  Letters letters;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!collect(param(i), args[i], exact, letters, types)) return std::nullopt;
  }
  BuiltinMatch result;
  result.id = kTable[row].id;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Pattern& pattern = param(i);
    // `any`, and what holds one, takes the argument as it is.
    const TypeId wanted =
        pattern.kind == Pattern::Kind::Any ? args[i] : fill(pattern, letters, types);
    if (!types.accepts(wanted, args[i])) return std::nullopt;
    result.params.push_back(types.holds(wanted, TypeKind::Error) ? args[i] : wanted);
  }
  result.result = fill(signature.result, letters, types);
  return result;
}

bool isOperatorWord(std::string_view name) {
  return name == "or" || name == "and" || name == "not" || name == "in" || name == "div";
}

const std::map<std::string_view, std::vector<const BuiltinInfo*>>& byName() {
  static const auto all = [] {
    std::map<std::string_view, std::vector<const BuiltinInfo*>> result;
    for (const BuiltinInfo& row : kTable) result[row.name].push_back(&row);
    return result;
  }();
  return all;
}

}  // namespace

std::span<const BuiltinInfo> builtinTable() { return kTable; }

const BuiltinInfo& info(Builtin id) { return kTable[static_cast<std::size_t>(id)]; }

bool isAggregate(Builtin id) { return id >= Builtin::AggCount && id <= Builtin::AggLast; }

bool needsValue(Builtin aggregate) {
  return aggregate >= Builtin::AggMean && aggregate <= Builtin::AggLast;
}

const BuiltinInfo* findBuiltin(std::string_view enumerator) {
  static const auto all = [] {
    std::map<std::string_view, const BuiltinInfo*> result;
    for (const BuiltinInfo& row : kTable) result[row.enumerator] = &row;
    return result;
  }();
  const auto it = all.find(enumerator);
  return it == all.end() ? nullptr : it->second;
}

std::optional<BuiltinMatch> matchRow(Builtin id, std::span<const TypeId> args, TypeTable& types) {
  return match(static_cast<std::size_t>(id), args, false, types);
}

std::optional<BuiltinMatch> matchBuiltin(std::string_view name, std::span<const TypeId> args,
                                         TypeTable& types) {
  const auto it = byName().find(name);
  if (it == byName().end()) return std::nullopt;
  for (const bool exact : {true, false}) {
    for (const BuiltinInfo* row : it->second) {
      const auto index = static_cast<std::size_t>(row->id);
      if (std::optional<BuiltinMatch> found = match(index, args, exact, types)) return found;
    }
  }
  return std::nullopt;
}

std::vector<const BuiltinInfo*> overloads(std::string_view name) {
  const auto it = byName().find(name);
  return it == byName().end() ? std::vector<const BuiltinInfo*>{} : it->second;
}

std::vector<std::string_view> callableNames() {
  std::vector<std::string_view> result;
  for (const auto& [name, rows] : byName()) {
    const bool letter = name.front() >= 'a' && name.front() <= 'z';
    if (letter && !isOperatorWord(name)) result.push_back(name);
  }
  return result;
}

}  // namespace couler::ir
