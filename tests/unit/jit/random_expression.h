#pragma once

#include <algorithm>
#include <optional>

#include "row_fixture.h"

namespace couler::jit::test {

struct Operation {
  Builtin op{};
  Kind result{};
  std::vector<Kind> operands;
  bool optionalResult = false;
};
/// Operations whose operands have kinds of their own; those for any kind are made by hand.
inline const std::vector<Operation>& operations() {
  constexpr Kind B = Kind::Bool, I = Kind::Int, F = Kind::Float, S = Kind::String,
                 T = Kind::Timestamp, D = Kind::Duration, Z = Kind::Size;
  static const std::vector<Operation> kOperations = {
      {Builtin::Or, B, {B, B}}, {Builtin::And, B, {B, B}}, {Builtin::Not, B, {B}},
      {Builtin::InString, B, {S, S}}, {Builtin::AddInt, I, {I, I}}, {Builtin::AddFloat, F, {F, F}},
      {Builtin::AddDuration, D, {D, D}}, {Builtin::AddSize, Z, {Z, Z}},
      {Builtin::AddTimestamp, T, {T, D}}, {Builtin::AddString, S, {S, S}},
      {Builtin::SubInt, I, {I, I}}, {Builtin::SubFloat, F, {F, F}},
      {Builtin::SubDuration, D, {D, D}}, {Builtin::SubSize, Z, {Z, Z}},
      {Builtin::SubTimestamp, T, {T, D}}, {Builtin::TimeBetween, D, {T, T}},
      {Builtin::NegInt, I, {I}}, {Builtin::NegFloat, F, {F}}, {Builtin::NegDuration, D, {D}},
      {Builtin::MulInt, I, {I, I}}, {Builtin::MulFloat, F, {F, F}},
      {Builtin::MulDurationInt, D, {D, I}}, {Builtin::MulDurationFloat, D, {D, F}},
      {Builtin::MulIntDuration, D, {I, D}}, {Builtin::MulFloatDuration, D, {F, D}},
      {Builtin::MulSizeInt, Z, {Z, I}}, {Builtin::MulSizeFloat, Z, {Z, F}},
      {Builtin::MulIntSize, Z, {I, Z}}, {Builtin::MulFloatSize, Z, {F, Z}},
      {Builtin::DivFloat, F, {F, F}}, {Builtin::DivDuration, F, {D, D}},
      {Builtin::DivSize, F, {Z, Z}}, {Builtin::DivDurationFloat, D, {D, F}},
      {Builtin::DivSizeFloat, Z, {Z, F}}, {Builtin::DivInt, I, {I, I}},
      {Builtin::RemInt, I, {I, I}}, {Builtin::RemFloat, F, {F, F}}, {Builtin::PowInt, I, {I, I}},
      {Builtin::PowFloat, F, {F, F}}, {Builtin::IntToFloat, F, {I}},
      {Builtin::StringToFloat, F, {S}}, {Builtin::FloatToInt, I, {F}},
      {Builtin::StringToInt, I, {S}}, {Builtin::BoolToInt, I, {B}}, {Builtin::Round, I, {F}},
      {Builtin::RoundTo, F, {F, I}}, {Builtin::Floor, I, {F}}, {Builtin::Ceil, I, {F}},
      {Builtin::Trunc, I, {F}}, {Builtin::AbsInt, I, {I}}, {Builtin::AbsFloat, F, {F}},
      {Builtin::AbsDuration, D, {D}}, {Builtin::Sqrt, F, {F}}, {Builtin::Exp, F, {F}},
      {Builtin::Log, F, {F}}, {Builtin::Log2, F, {F}}, {Builtin::Log10, F, {F}},
      {Builtin::Sin, F, {F}}, {Builtin::Cos, F, {F}}, {Builtin::Pow, F, {F, F}},
      {Builtin::IsNan, B, {F}}, {Builtin::LengthString, I, {S}}, {Builtin::Lower, S, {S}},
      {Builtin::Upper, S, {S}}, {Builtin::Trim, S, {S}}, {Builtin::Replace, S, {S, S, S}},
      {Builtin::Contains, B, {S, S}}, {Builtin::StartsWith, B, {S, S}},
      {Builtin::EndsWith, B, {S, S}}, {Builtin::CountText, I, {S, S}},
      {Builtin::Substring, S, {S, I, I}}, {Builtin::SubstringFrom, S, {S, I}},
      {Builtin::PadLeft, S, {S, I}}, {Builtin::PadRight, S, {S, I}},
      {Builtin::PadLeftWith, S, {S, I, S}}, {Builtin::ReverseString, S, {S}},
      {Builtin::Repeat, S, {S, I}}, {Builtin::Matches, B, {S, S}},
      {Builtin::Find, S, {S, S}, true}, {Builtin::Extract, S, {S, S}, true},
      {Builtin::ReplaceAll, S, {S, S, S}}, {Builtin::Basename, S, {S}}, {Builtin::Stem, S, {S}},
      {Builtin::Extension, S, {S}}, {Builtin::Parent, S, {S}},
      {Builtin::StringToTimestamp, T, {S}}, {Builtin::FormatTimestamp, S, {T, S}},
      {Builtin::Seconds, F, {D}}, {Builtin::Bytes, I, {Z}}, {Builtin::Concat, S, {S, S, S}}};
  return kOperations;
}
inline const std::vector<Builtin>& dateParts() {
  static const std::vector<Builtin> kParts = {Builtin::Year, Builtin::Month,  Builtin::Day,
                                              Builtin::Hour, Builtin::Minute, Builtin::Second};
  return kParts;
}

/// Makes well-typed expressions in the body of a stage.
class Expressions {
 public:
  Expressions(Rows& rows, ir::RegionId body, NodeId row)
      : rows_(rows), m_(rows.module), r_(rows.random), region_(body), row_(row) {}

  /// Of that kind; of `T?` only where that is allowed.
  NodeId make(Kind kind, bool mayBeNone, int depth) {
    if (depth <= 0 || r_.oneIn(5)) return leaf(kind, mayBeNone);
    const auto optional = [&] { return mayBeNone && r_.oneIn(2); };
    switch (r_.below(8)) {
      case 0: {  // if
        const NodeId condition = make(Kind::Bool, false, depth - 1);
        ir::If branch;
        branch.then = m_.addRegion();
        branch.otherwise = m_.addRegion();
        const bool none = optional();
        const NodeId a = inside(branch.then, [&] { return make(kind, none, depth - 1); });
        const NodeId b = inside(branch.otherwise, [&] { return make(kind, none, depth - 1); });
        const bool either = isOptional(a) || isOptional(b);
        return own(m_.add(region_, branch, typed(kind, either), std::vector<NodeId>{condition}),
                   {branch.then, branch.otherwise});
      }
      case 1: {  // ??
        const NodeId a = make(kind, true, depth - 1);
        if (!isOptional(a)) return a;
        const bool none = optional();
        const NodeId b = make(kind, none, depth - 1);
        const bool still = isOptional(b);
        return op(still ? Builtin::CoalesceOptional : Builtin::Coalesce, typed(kind, still), {a, b});
      }
      case 2:  // min, max, clamp
        if (kind != Kind::Bool && kind != Kind::Enum) {
          const std::size_t which = r_.below(3);
          std::vector<NodeId> in;
          for (std::size_t i = 0; i < (which == 2 ? 3U : 2U); ++i) {
            in.push_back(make(kind, optional(), depth - 1));
          }
          const Builtin ops[] = {Builtin::Min, Builtin::Max, Builtin::Clamp};
          return lifted(ops[which], kind, in, false);
        }
        break;
      case 3:  // try
        if (mayBeNone) {
          ir::Try attempt;
          attempt.body = m_.addRegion();
          ++tries_;
          inside(attempt.body, [&] { return make(kind, true, depth - 1); });
          --tries_;
          return own(m_.add(region_, attempt, typed(kind, true), {}), {attempt.body});
        }
        break;
      case 4:  // what a condition would have shown not to be none
        if (mayBeNone && r_.oneIn(2)) {
          const NodeId a = make(kind, true, depth - 1);
          return isOptional(a) ? op(Builtin::Unwrap, typed(kind, false), {a}) : a;
        }
        break;
      default:
        break;
    }
    if (kind == Kind::Bool && r_.oneIn(2)) return comparison(mayBeNone, depth);
    if (kind == Kind::String && r_.oneIn(4)) {
      const NodeId a = make(r_.pick(kinds()), mayBeNone, depth - 1);
      return lifted(r_.oneIn(3) ? Builtin::Hash : Builtin::ToString, kind, {a}, false);
    }
    if (kind == Kind::Int && tries_ == 0 && r_.oneIn(6)) {
      return lifted(r_.pick(dateParts()), kind, {make(Kind::Timestamp, mayBeNone, 0)}, false);
    }
    std::vector<const Operation*> fits;
    for (const Operation& operation : operations()) {
      if (operation.result == kind && (mayBeNone || !operation.optionalResult)) {
        fits.push_back(&operation);
      }
    }
    if (fits.empty()) return leaf(kind, mayBeNone);
    return apply(*r_.pick(fits), mayBeNone, depth);
  }

  NodeId apply(const Operation& operation, bool mayBeNone, int depth) {
    std::vector<NodeId> in;
    for (std::size_t i = 0; i < operation.operands.size(); ++i) {
      const Builtin op = operation.op;
      const bool pattern = i == 1 && (op == Builtin::Matches || op == Builtin::Find ||
                                      op == Builtin::Extract || op == Builtin::ReplaceAll);
      if (pattern && !r_.oneIn(8)) {
        in.push_back(text(r_.pick(somePatterns())));
      } else if (op == Builtin::ReplaceAll && i == 2 && !r_.oneIn(4)) {
        static const std::vector<std::string> kRewrites = {"", "-", "<\\0>", "\\1\\2", "\\9", "é"};
        in.push_back(text(r_.pick(kRewrites)));
      } else if (op == Builtin::Replace && i > 0 && !r_.oneIn(3)) {
        static const std::vector<std::string> kParts = {"-", "a", "us-", "\u00e4", "", "_", "xyz",
                                                        "a longer text"};
        in.push_back(text(r_.pick(kParts)));
      } else if (op == Builtin::FormatTimestamp && i == 1) {
        in.push_back(text(r_.oneIn(5) ? "%q" : "%Y-%m-%d %H:%M:%S.%f %j"));
      } else if ((op == Builtin::Repeat || op == Builtin::PadLeft || op == Builtin::PadRight ||
                  op == Builtin::PadLeftWith || op == Builtin::Substring ||
                  op == Builtin::SubstringFrom || op == Builtin::PowInt ||
                  op == Builtin::RoundTo) &&
                 operation.operands[i] == Kind::Int && !(op == Builtin::PowInt && i == 0)) {
        in.push_back(m_.addConst(region_, Value(static_cast<std::int64_t>(r_.below(22)) - 1),
                                 TypeTable::kInt));
      } else {
        in.push_back(make(operation.operands[i], mayBeNone && r_.oneIn(2), depth - 1));
      }
    }
    return lifted(operation.op, operation.result, in, operation.optionalResult);
  }

  /// The expression, or none where it has an error.
  template <class F>
  NodeId attempt(Kind kind, F&& make) {
    ir::Try node;
    node.body = m_.addRegion();
    ++tries_;
    inside(node.body, make);
    --tries_;
    return own(m_.add(region_, node, typed(kind, true), {}), {node.body});
  }

  NodeId datePart(Builtin part) {
    return lifted(part, Kind::Int, {column(Kind::Timestamp, r_.oneIn(2))}, false);
  }
  NodeId column(Kind kind, bool optional) {
    const std::string name = "k" + std::to_string(static_cast<int>(kind)) + (optional ? "o" : "");
    return m_.add(region_, ir::Field{m_.intern(name)}, typed(kind, optional),
                  std::vector<NodeId>{row_});
  }
  NodeId record(const std::vector<NodeId>& values) {
    std::vector<ir::TypeField> fields;
    for (std::size_t i = 0; i < values.size(); ++i) {
      fields.push_back({"c" + std::to_string(i), m_.at(values[i]).type});
    }
    return op(Builtin::MakeRecord, m_.types.record(fields), values);
  }

 private:
  static const std::vector<Kind>& kinds() {
    static const std::vector<Kind> kAll(std::begin(kKinds), std::end(kKinds));
    return kAll;
  }
  [[nodiscard]] TypeId typed(Kind kind, bool optional) {
    return optional ? m_.types.optional(rows_.typeOf(kind)) : rows_.typeOf(kind);
  }
  [[nodiscard]] bool isOptional(NodeId id) const {
    return m_.types.kind(m_.at(id).type) == ir::TypeKind::Optional;
  }
  NodeId text(std::string content) {
    return m_.addConst(region_, Value(std::move(content)), TypeTable::kString);
  }
  NodeId op(Builtin what, TypeId type, const std::vector<NodeId>& in, bool isLifted = false) {
    return m_.add(region_, ir::Op{what, isLifted}, type, in);
  }
  NodeId own(NodeId node, const std::vector<ir::RegionId>& regions) {
    for (const ir::RegionId region : regions) m_.at(region).owner = node;
    return node;
  }
  template <class F>
  NodeId inside(ir::RegionId region, F&& make) {
    const ir::RegionId before = std::exchange(region_, region);
    const NodeId made = make();
    m_.at(region).results = {made};
    region_ = before;
    return made;
  }
  NodeId lifted(Builtin what, Kind kind, const std::vector<NodeId>& in, bool optionalResult) {
    const bool any = std::any_of(in.begin(), in.end(), [&](NodeId id) { return isOptional(id); });
    return op(what, typed(kind, any || optionalResult), in, any);
  }

  NodeId comparison(bool mayBeNone, int depth) {
    const Kind kind = r_.pick(kinds());
    const bool ordered = kind != Kind::Bool && kind != Kind::Enum;
    if (r_.oneIn(5)) {  // x in [...]
      std::vector<NodeId> items;
      for (std::size_t n = r_.below(4); n-- > 0;) items.push_back(literal(kind));
      const NodeId list = op(Builtin::MakeList, m_.types.list(rows_.typeOf(kind)), items);
      const NodeId x = make(kind, mayBeNone, depth - 1);
      const bool none = isOptional(x);
      return op(Builtin::InList, typed(Kind::Bool, none), {x, list}, none);
    }
    const Builtin orders[] = {Builtin::Less, Builtin::LessEqual, Builtin::Greater,
                              Builtin::GreaterEqual};
    if (ordered && r_.oneIn(2)) {
      const NodeId a = make(kind, mayBeNone, depth - 1);
      const NodeId b = r_.oneIn(2) ? literal(kind) : make(kind, mayBeNone, depth - 1);
      return lifted(orders[r_.below(4)], Kind::Bool, {a, b}, false);
    }
    const NodeId a = make(kind, true, depth - 1);
    const NodeId b = r_.oneIn(3)   ? literal(kind)
                     : r_.oneIn(3) ? m_.addConst(region_, Value(), TypeTable::kNone)
                                   : make(kind, true, depth - 1);
    return op(r_.oneIn(2) ? Builtin::Equal : Builtin::NotEqual, TypeTable::kBool, {a, b});
  }

  NodeId literal(Kind kind) {
    return m_.addConst(region_, randomValue(r_, kind, rows_.colours), rows_.typeOf(kind));
  }
  NodeId leaf(Kind kind, bool mayBeNone) {
    if (r_.oneIn(4)) return literal(kind);
    if (mayBeNone && r_.oneIn(10)) return m_.addConst(region_, Value(), typed(kind, true));
    return column(kind, mayBeNone && r_.oneIn(2));
  }

  Rows& rows_;
  ir::Module& m_;
  Random& r_;
  ir::RegionId region_;
  NodeId row_;
  int tries_ = 0;
};

}  // namespace couler::jit::test
