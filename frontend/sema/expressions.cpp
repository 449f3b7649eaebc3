// Names, literals, members and indexes.
#include <algorithm>
#include <array>
#include <cmath>

#include <re2/re2.h>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

TypeId Checker::set(const Expr& expr, TypeId type, Phase phase) {
  ExprInfo& info = file_->exprs[expr.id];
  info.type = type;
  info.phase = phase;
  return type;
}

bool Checker::isFreeName(const Expr* expr) const {
  return expr != nullptr && expr->kind == ExprKind::Name &&
         !findLocal(static_cast<const NameExpr*>(expr)->name.text).valid();
}

/// The operand that a flat chain of operators or members goes on in, for `check` to walk without
/// recursion; null when the node checks its operands itself.
const Expr* Checker::spineOf(const Expr* expr) const {
  switch (expr->kind) {
    case ExprKind::Binary: {
      const auto* node = static_cast<const BinaryExpr*>(expr);
      const bool compares = node->op >= BinaryOp::Equal && node->op <= BinaryOp::In;
      return compares && isFreeName(node->left) ? nullptr : node->left;
    }
    case ExprKind::Member: {
      const Expr* object = static_cast<const MemberExpr*>(expr)->object;
      return object != nullptr && object->kind == ExprKind::Name ? nullptr : object;
    }
    case ExprKind::Index:
      return static_cast<const IndexExpr*>(expr)->object;
    case ExprKind::Call: {
      const Expr* callee = static_cast<const CallExpr*>(expr)->callee;
      if (callee == nullptr || callee->kind == ExprKind::Name) return nullptr;
      if (callee->kind == ExprKind::Member && spineOf(callee) == nullptr) return nullptr;
      return callee;
    }
    default:
      return nullptr;
  }
}

TypeId Checker::check(const Expr* expr, TypeId expected, bool used) {
  if (expr == nullptr) return TypeTable::kError;
  const bool secretAllowed = std::exchange(secretAllowed_, false);
  const Expr* left = spineOf(expr);
  if (left == nullptr) return checkNode(expr, expected, used, secretAllowed);
  const std::size_t base = spine_.size();
  spine_.push_back({expr, expected});
  while (left != nullptr) {
    const SpineNode above = spine_.back();
    TypeId wanted;
    if (above.expr->kind == ExprKind::Binary && above.expected.valid() &&
        static_cast<const BinaryExpr*>(above.expr)->op == BinaryOp::Coalesce) {
      wanted = types().optional(above.expected);
    }
    spine_.push_back({left, wanted});
    left = spineOf(left);
  }
  const std::string_view place = std::exchange(secretPlace_, "is used in an expression");
  TypeId type = TypeTable::kError;
  while (spine_.size() > base) {
    const SpineNode node = spine_.back();
    spine_.pop_back();
    type = checkNode(node.expr, node.expected, true, false);
  }
  secretPlace_ = place;
  return type;
}

TypeId Checker::checkNode(const Expr* expr, TypeId expected, bool used, bool secretAllowed) {
  switch (expr->kind) {
    case ExprKind::Error:
      return set(*expr, TypeTable::kError, Phase::Compile);
    case ExprKind::Int:
      return set(*expr, TypeTable::kInt, Phase::Compile);
    case ExprKind::Float:
      return set(*expr, TypeTable::kFloat, Phase::Compile);
    case ExprKind::Bool:
      return set(*expr, TypeTable::kBool, Phase::Compile);
    case ExprKind::None:
      return set(*expr, TypeTable::kNone, Phase::Compile);
    case ExprKind::RawString:
      return set(*expr, TypeTable::kString, Phase::Compile);
    case ExprKind::Quantity:
      return checkQuantity(*static_cast<const QuantityExpr*>(expr));
    case ExprKind::String:
      return checkString(*static_cast<const StringExpr*>(expr), expected);
    case ExprKind::Regex:
      return checkRegex(*static_cast<const RegexExpr*>(expr));
    case ExprKind::Name:
      return checkName(*static_cast<const NameExpr*>(expr), expected, secretAllowed);
    case ExprKind::Member:
      return checkMember(*static_cast<const MemberExpr*>(expr));
    case ExprKind::Index:
      return checkIndex(*static_cast<const IndexExpr*>(expr));
    case ExprKind::Call:
      return checkCall(*static_cast<const CallExpr*>(expr), expected);
    case ExprKind::List:
      return checkList(*static_cast<const ListExpr*>(expr), expected);
    case ExprKind::Map:
      return checkMap(*static_cast<const MapExpr*>(expr), expected);
    case ExprKind::Record:
      return checkRecord(*static_cast<const RecordExpr*>(expr), expected);
    case ExprKind::Unary:
      return checkUnary(*static_cast<const UnaryExpr*>(expr));
    case ExprKind::Binary:
      return checkBinary(*static_cast<const BinaryExpr*>(expr));
    case ExprKind::If:
      return checkIf(*static_cast<const IfExpr*>(expr), expected, used);
    case ExprKind::For:
      return checkFor(*static_cast<const ForExpr*>(expr), expected, used);
    case ExprKind::Loop:
      return checkLoop(*static_cast<const LoopExpr*>(expr), expected);
    case ExprKind::Try:
      return checkTry(*static_cast<const TryExpr*>(expr), expected, used);
    case ExprKind::After:
      return checkAfter(*static_cast<const AfterExpr*>(expr));
    case ExprKind::Tune:
      return checkTune(*static_cast<const TuneExpr*>(expr));
  }
  return TypeTable::kError;
}

SymbolId Checker::caseOf(TypeId expected, std::string_view name) const {
  if (!expected.valid()) return {};
  if (types().kind(expected) == IrKind::Optional) expected = types()[expected].element;
  if (types().kind(expected) != IrKind::Enum) return {};
  const auto owner = nominal_.find(expected);
  if (owner == nominal_.end()) return {};
  for (const SymbolId one : cases_.at(owner->second)) {
    if (program_->at(one).name == name) return one;
  }
  return {};
}

TypeId Checker::checkName(const NameExpr& expr, TypeId expected, bool secretAllowed) {
  const std::string_view name = expr.name.text;
  if (const SymbolId local = findLocal(name); local.valid()) {
    return valueOf(expr, local, secretAllowed);
  }
  SymbolId symbol = caseOf(expected, name);
  if (symbol.valid()) {
    use(symbol);
  } else {
    symbol = useTop(name);
  }
  if (symbol.valid()) return valueOf(expr, symbol, secretAllowed);
  // Where the expected type is itself wrong, this may well be a case of the enum that was meant.
  if (expected.valid() && isError(expected)) return set(expr, TypeTable::kError, Phase::Compile);
  std::string hint;
  if (const std::string column = columnNamed(name); !column.empty()) {
    Diagnostic diagnostic = diagnose<Diag::UnknownName>(expr.name.span, "name", name);
    report(std::move(diagnostic).fix(fmt::format("write `{}`", column), expr.span, column));
    return set(expr, TypeTable::kError, Phase::Compile);
  }
  if (builtins_.contains(name)) {
    hint = fmt::format("`{}` is a function: call it, as in `{}(…)`", name, name);
  } else if (place_ == Place::Default) {
    hint = "a default is a constant and cannot use other parameters";
  } else if (suggestions_ < kMaxSuggestions) {
    for (const auto& [top, entry] : top_[fileId_.index()]) {
      if (program_->at(entry.symbol).kind != SymbolKind::Enum) continue;
      const auto& cases = types()[program_->at(entry.symbol).type].cases;
      if (std::find(cases.begin(), cases.end(), name) == cases.end()) continue;
      const std::string full = fmt::format("{}.{}", top, name);
      if (hint.empty() || full < hint) hint = full;
    }
    if (!hint.empty()) hint = fmt::format("a case of an enum is written `{}` here", hint);
  }
  const bool isExact = !hint.empty() && place_ != Place::Default;
  unknownName("name", expr.name,
              isExact ? std::vector<std::string_view>{} : visibleNames(false, expected),
              std::move(hint));
  return set(expr, TypeTable::kError, Phase::Compile);
}

TypeId Checker::valueOf(const Expr& expr, SymbolId id, bool secretAllowed) {
  file_->exprs[expr.id].symbol = id;
  const Symbol& symbol = program_->at(id);
  switch (symbol.kind) {
    case SymbolKind::EnumCase:
      return set(expr, symbol.type, Phase::Compile);
    case SymbolKind::Param:
    case SymbolKind::Local:
    case SymbolKind::LoopVariable:
    case SymbolKind::Column: {
      use(id);
      if (transform_ != nullptr && symbol.kind == SymbolKind::Column) {
        transform_->uses.push_back({id, {}, &expr});
      }
      if (transform_ != nullptr && symbol.kind == SymbolKind::Param &&
          (sourceOf(id) != nullptr || types().kind(symbol.type) == IrKind::Table)) {
        return checkRowName(expr, id);
      }
      if (symbol.type == TypeTable::kSecret && !secretAllowed) {
        secretMisused(id, expr.span);
        return set(expr, TypeTable::kError, symbol.phase);
      }
      if (place_ == Place::Finally && extra(id).ofBody) {
        report(diagnose<Diag::FinallyUsesBody>(expr.span, symbol.name)
                   .label(symbol.declared, "made by the body, which may have failed before")
                   .note("`finally` may use the workflow's parameters and `status`"));
        return set(expr, TypeTable::kError, symbol.phase);
      }
      return set(expr, narrowed(expr, symbol.type), symbol.phase);
    }
    case SymbolKind::Output:
      use(id);
      if (place_ == Place::Command &&
          (types().kind(symbol.type) == IrKind::File || types().kind(symbol.type) == IrKind::Dir)) {
        return set(expr, TypeTable::kString, Phase::Run);
      }
      if (!isError(symbol.type)) {
        report(diagnose<Diag::OutputNotReady>(expr.span, symbol.name)
                   .label(symbol.declared, "declared here")
                   .note("only the words of `run [ … ]` may use outputs, and of these the paths of "
                         "files and folders"));
      }
      return set(expr, TypeTable::kError, Phase::Run);
    default:
      break;
  }
  if (!extra(id).poisoned && symbol.kind != SymbolKind::Labeler) {
    Diagnostic diagnostic =
        diagnose<Diag::NotAValue>(expr.span, symbol.name, kindWord(symbol.kind));
    if (symbol.kind == SymbolKind::Task || symbol.kind == SymbolKind::Workflow ||
        symbol.kind == SymbolKind::Fn || symbol.kind == SymbolKind::Schema ||
        symbol.kind == SymbolKind::Transform) {
      diagnostic.note(fmt::format("call it, as in `{}(…)`", symbol.name));
    }
    if (symbol.declared.valid()) diagnostic.label(symbol.declared, "declared here");
    report(std::move(diagnostic));
  }
  return set(expr, TypeTable::kError, Phase::Compile);
}

TypeId Checker::checkString(const StringExpr& expr, TypeId expected) {
  Phase phase = Phase::Compile;
  bool plain = true;
  bool lifted = false;
  for (const StringPart& part : expr.parts) {
    if (part.expr == nullptr) continue;
    plain = false;
    lifted |= checkInterpolated(part.expr);
    phase = std::max(phase, phaseOf(part.expr));
  }
  if (plain && expected.valid()) {
    if (types().kind(expected) == IrKind::Optional) expected = types()[expected].element;
    const IrKind kind = types().kind(expected);
    if (kind == IrKind::File || kind == IrKind::Dir) {
      return set(expr, expected, filesConstant_ ? Phase::Compile : Phase::Submit);
    }
  }
  file_->exprs[expr.id].lifted = lifted;
  return set(expr, lifted ? types().optional(TypeTable::kString) : TypeTable::kString, phase);
}

/// Whether it may be none where that makes the text none.
bool Checker::checkInterpolated(const Expr* expr) {
  const std::string_view before = std::exchange(secretPlace_, "is put into text");
  const TypeId type = check(expr);
  secretPlace_ = before;
  const IrKind kind = types().kind(type);
  const bool isPath = kind == IrKind::File || kind == IrKind::Dir || kind == IrKind::Table;
  const bool inTask = place_ == Place::Command || place_ == Place::Env;
  if (textable(type) || (isPath && inTask)) return false;
  if (lifts() && kind == IrKind::Optional && textable(types()[type].element)) return true;
  const bool hasFiles = types().holds(type, IrKind::File) || types().holds(type, IrKind::Dir);
  const bool isJson = kind == IrKind::List || kind == IrKind::Map || kind == IrKind::Record ||
                      kind == IrKind::Schema;
  if (isJson && !hasFiles && (kind != IrKind::Record || !types()[type].fields.empty())) {
    return false;
  }
  Diagnostic diagnostic = diagnose<Diag::NoText>(expr->span, print(type));
  if (kind == IrKind::Optional || kind == IrKind::None) {
    diagnostic.note("it may be none: give a default, as in `{x ?? \"nothing\"}`");
  } else if (hasFiles) {
    diagnostic.note(
        "where a file lies is known only inside of a task; pass the file to one, or "
        "take its name with `basename(…)`");
  }
  report(std::move(diagnostic));
  return false;
}

namespace {

struct Unit {
  std::string_view name;
  double factor;
  bool isSize;
};
constexpr std::array kUnits{
    Unit{"us", 1, false},       Unit{"ms", 1e3, false},        Unit{"s", 1e6, false},
    Unit{"min", 60e6, false},   Unit{"h", 3600e6, false},      Unit{"d", 86400e6, false},
    Unit{"B", 1, true},         Unit{"kB", 1e3, true},         Unit{"MB", 1e6, true},
    Unit{"GB", 1e9, true},      Unit{"TB", 1e12, true},        Unit{"KiB", 1024, true},
    Unit{"MiB", 1048576, true}, Unit{"GiB", 1073741824, true}, Unit{"TiB", 1099511627776, true}};

}  // namespace

TypeId Checker::checkQuantity(const QuantityExpr& expr) {
  const auto* unit = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const Unit& u) { return u.name == expr.unit.text; });
  // An unknown unit has been reported by the parser.
  if (unit == kUnits.end()) return set(expr, TypeTable::kError, Phase::Compile);
  const double number = expr.isInt ? static_cast<double>(expr.integer) : expr.number;
  if (!(std::abs(number * unit->factor) < 9.2e18)) {
    report(diagnose<Diag::QuantityRange>(expr.span, text(expr.span)));
  }
  return set(expr, unit->isSize ? TypeTable::kSize : TypeTable::kDuration, Phase::Compile);
}

TypeId Checker::checkRegex(const RegexExpr& expr) {
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern(re2::StringPiece(expr.pattern.data(), expr.pattern.size()), options);
  if (!pattern.ok()) {
    report(diagnose<Diag::BadRegex>(expr.span, pattern.error())
               .note("the syntax is that of RE2: no look-around, no back-references"));
  }
  return set(expr, TypeTable::kString, Phase::Compile);
}

TypeId Checker::checkMember(const MemberExpr& expr) {
  if (expr.object == nullptr) return set(expr, TypeTable::kError, Phase::Compile);
  if (expr.object->kind == ExprKind::Name) {
    const auto& object = *static_cast<const NameExpr*>(expr.object);
    if (!findLocal(object.name.text).valid()) {
      const SymbolId top = findTop(fileId_, object.name.text);
      const SymbolKind kind = top.valid() ? program_->at(top).kind : SymbolKind::Local;
      if (top.valid() && (kind == SymbolKind::Namespace || kind == SymbolKind::Enum)) {
        useTop(object.name.text);
        file_->exprs[object.id].symbol = top;
        if (kind == SymbolKind::Namespace) {
          const SymbolId member = memberOf(top, expr.member, "name");
          return member.valid() ? valueOf(expr, member, false)
                                : set(expr, TypeTable::kError, Phase::Compile);
        }
        const TypeId type = program_->at(top).type;
        if (const SymbolId one = caseOf(type, expr.member.text); one.valid()) {
          use(one);
          return valueOf(expr, one, false);
        }
        std::vector<std::string_view> cases(types()[type].cases.begin(), types()[type].cases.end());
        unknownName(fmt::format("case of enum `{}`:", object.name.text), expr.member, cases);
        return set(expr, TypeTable::kError, Phase::Compile);
      }
    }
    check(expr.object);
  }
  return fieldOf(expr, info(*expr.object).type);
}

/// "`tidy` has the columns text: string, words: int": what a schema says, or a transform makes.
std::string Checker::columnsNote(TypeId row) const {
  constexpr std::size_t kListed = 12;
  const std::vector<ir::TypeField>& fields = types()[row].fields;
  std::string list;
  for (std::size_t i = 0; i < fields.size() && i < kListed; ++i) {
    list += fmt::format("{}{}: {}", i == 0 ? "" : ", ", fields[i].name, print(fields[i].type));
  }
  return fmt::format("`{}` has the columns {}{}", print(row), list,
                     fields.size() > kListed ? ", …" : "");
}

/// Reports a field that `owner` has not; `names` are those it may stand for.
void Checker::unknownMember(const Name& member, TypeId owner,
                            const std::vector<std::string_view>& names) {
  Diagnostic diagnostic = diagnose<Diag::UnknownMember>(member.span, print(owner), member.text);
  if (const auto near = nearest(member.text, names)) {
    diagnostic.caret = fmt::format("did you mean `{}`?", *near);
    diagnostic.fix(fmt::format("write `{}`", *near), member.span, *near);
  } else if (types().kind(owner) == IrKind::Schema && !types()[owner].fields.empty()) {
    diagnostic.note(columnsNote(owner));
  }
  report(std::move(diagnostic));
}

TypeId Checker::fieldOf(const MemberExpr& expr, TypeId object) {
  const Phase phase = phaseOf(expr.object);
  if (isError(object)) return set(expr, TypeTable::kError, phase);
  bool optional = false;
  if (types().kind(object) == IrKind::Optional) {
    if (!expr.optional && !isRowInTest(expr.object)) {
      report(diagnose<Diag::MaybeNone>(expr.object->span, print(object))
                 .note(fmt::format("write `?.{}`, or use it inside `if {} != none {{ … }}`",
                                   expr.member.text, text(expr.object->span))));
      return set(expr, TypeTable::kError, phase);
    }
    optional = true;
    object = types()[object].element;
  } else if (expr.optional && object != TypeTable::kNone) {
    const Span dots{expr.span.file, expr.object->span.end, expr.member.span.begin};
    Diagnostic diagnostic = diagnose<Diag::NeverNone>(expr.object->span, print(object));
    if (text(dots) == "?.") diagnostic.fix("write `.`", dots, ".");
    report(std::move(diagnostic));
  }
  const bool ofEach = types().kind(object) == IrKind::List;
  const TypeId owner = ofEach ? types()[object].element : object;
  const IrKind kind = types().kind(owner);
  if (kind == IrKind::Error) return set(expr, TypeTable::kError, phase);
  if (kind != IrKind::Record && kind != IrKind::Schema) {
    Diagnostic diagnostic = diagnose<Diag::NoFields>(expr.member.span, print(object));
    if (builtins_.contains(expr.member.text)) {
      diagnostic.note(fmt::format("`{}` is a function: write `{}({})`", expr.member.text,
                                  expr.member.text, text(expr.object->span)));
    }
    report(std::move(diagnostic));
    return set(expr, TypeTable::kError, phase);
  }
  const auto index = types().fieldIndex(owner, expr.member.text);
  if (!index) {
    std::vector<std::string_view> fields;
    for (const ir::TypeField& field : types()[owner].fields) fields.push_back(field.name);
    unknownMember(expr.member, owner, fields);
    if (transform_ != nullptr) {  // no row is meant
      std::erase_if(transform_->uses, [&](const RowUse& use) { return use.expr == expr.object; });
    }
    return set(expr, TypeTable::kError, phase);
  }
  noteColumnUse(expr);
  TypeId type = types()[owner].fields[*index].type;
  if (ofEach) type = types().list(type);
  if (optional) type = types().optional(type);
  return set(expr, narrowed(expr, type), phase);
}

TypeId Checker::checkIndex(const IndexExpr& expr) {
  const TypeId object = info(*expr.object).type;
  const TypeId operands[] = {object, check(expr.index)};
  const Phase phase = std::max(phaseOf(expr.object), phaseOf(expr.index));
  return finishOperator(expr, "[]", expr.span, operands, phase);
}

}  // namespace couler::sema
