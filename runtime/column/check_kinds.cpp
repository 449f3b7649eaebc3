#include "runtime/column/check_kinds.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace couler::column {

namespace {

using ir::Builtin;
using ir::NodeId;

class Reader {
 public:
  Reader(const ir::Module& module, Check& check) : module_(module), check_(check) {}

  void read(NodeId condition) {
    std::vector<NodeId> parts = {inner(condition)};
    double low = -INFINITY;
    double high = INFINITY;
    for (std::size_t i = 0; i < parts.size(); ++i) {  // conjuncts; `parts` grows
      const NodeId part = inner(parts[i]);
      if (is(part, Builtin::And)) {
        const auto sides = module_.operands(module_.at(part));
        parts.insert(parts.end(), sides.begin(), sides.end());
        continue;
      }
      if (isTrue(part)) continue;
      if (parts.size() == 1 && is(part, Builtin::InList)) {
        check_.listed = isColumn(module_.operands(module_.at(part))[0]);
        return;
      }
      if (!bound(part, low, high)) return;
    }
    if (std::isfinite(low) || std::isfinite(high)) check_.range = {low, high};
  }

 private:
  [[nodiscard]] bool is(NodeId id, Builtin op) const {
    const auto* payload = module_.payload<ir::Op>(id);
    return payload != nullptr && payload->op == op;
  }
  [[nodiscard]] bool isTrue(NodeId id) const {
    const ir::Value* value = module_.constant(id);
    return value != nullptr && value->as<bool>() != nullptr && *value->as<bool>();
  }
  [[nodiscard]] bool isColumn(NodeId id) const {
    const auto* field = module_.payload<ir::Field>(id);
    return field != nullptr && module_.at(field->name) == check_.column;
  }
  /// Without what makes a condition hold of none: `column == none or …`, `… ?? true`.
  [[nodiscard]] NodeId inner(NodeId id) const {
    for (;;) {
      if (is(id, Builtin::Coalesce)) {
        id = module_.operands(module_.at(id))[0];
        continue;
      }
      if (!is(id, Builtin::Or)) return id;
      const auto sides = module_.operands(module_.at(id));
      if (!is(sides[0], Builtin::Equal)) return id;
      const auto equal = module_.operands(module_.at(sides[0]));
      const ir::Value* none = module_.constant(equal[1]);
      if (!isColumn(equal[0]) || none == nullptr || !none->isNone()) return id;
      id = sides[1];
    }
  }
  [[nodiscard]] std::optional<double> number(NodeId id) const {
    const ir::Value* value = module_.constant(id);
    if (value == nullptr) return std::nullopt;
    if (const auto* whole = value->as<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto* real = value->as<double>()) return *real;
    return std::nullopt;
  }
  /// Narrows the range by a comparison of the column with a number.
  bool bound(NodeId id, double& low, double& high) const {
    const auto* op = module_.payload<ir::Op>(id);
    if (op == nullptr) return false;
    const bool less = op->op == Builtin::Less || op->op == Builtin::LessEqual;
    if (!less && op->op != Builtin::Greater && op->op != Builtin::GreaterEqual) return false;
    const auto sides = module_.operands(module_.at(id));
    const bool columnFirst = isColumn(sides[0]);
    if (!columnFirst && !isColumn(sides[1])) return false;
    const auto end = number(sides[columnFirst ? 1 : 0]);
    if (!end) return false;
    if (less == columnFirst) {
      high = std::min(high, *end);
    } else {
      low = std::max(low, *end);
    }
    return true;
  }

  const ir::Module& module_;
  Check& check_;
};

}  // namespace

void tellKind(const ir::Module& module, NodeId condition, Check& check) {
  Reader(module, check).read(condition);
}

}  // namespace couler::column
