#include "runtime/jit/schedule.h"

#include <algorithm>

namespace couler::jit {

namespace {

/// Marks what `roots` need, but not what is below an expression that is `known`.
void mark(const Program& program, const std::vector<ExprId>& roots, bool strictly,
          const std::vector<bool>& known, std::vector<bool>& into) {
  std::vector<ExprId> left = roots;
  while (!left.empty()) {
    const ExprId id = left.back();
    left.pop_back();
    if (into[id]) continue;
    into[id] = true;
    if (known[id]) continue;
    const Expr& expr = program.exprs[id];
    for (std::size_t i = 0; i < expr.operands.size(); ++i) {
      if (!strictly || !isLazy(expr, i)) left.push_back(expr.operands[i]);
    }
  }
}

}  // namespace

bool isLazy(const Expr& expr, std::size_t i) {
  if (expr.code == Code::Select) return i > 0;
  if (expr.code != Code::Apply || i != 1) return false;
  return expr.op == ir::Builtin::And || expr.op == ir::Builtin::Or ||
         expr.op == ir::Builtin::Coalesce || expr.op == ir::Builtin::CoalesceOptional;
}

Schedule scheduleOf(const Program& program) {
  Schedule made;
  std::size_t lastFilter = program.steps.size();
  while (lastFilter > 0 && !program.steps[lastFilter - 1].filter) --lastFilter;
  for (std::uint32_t i = 0; i < lastFilter; ++i) {
    const std::vector<ExprId>& exprs = program.steps[i].exprs;
    const bool vector =
        std::none_of(exprs.begin(), exprs.end(), [&](ExprId e) { return program.exprs[e].cost; });
    if (made.filters.empty() || made.filters.back().vector != vector) {
      made.filters.push_back({vector, {}, {}});
    }
    made.filters.back().steps.push_back(i);
  }
  const auto place = [&](ExprId expr) -> Schedule::ProjectLoop& {
    const bool scalar = program.exprs[expr].cost || program.exprs[expr].kind == Kind::String;
    return scalar ? made.scalar : made.vector;
  };
  std::vector<bool> isOutput(program.exprs.size());
  for (std::uint32_t i = 0; i < program.outputs.size(); ++i) {
    const Output& output = program.outputs[i];
    if (!output.computed) continue;
    place(output.expr).outputs.push_back(i);
    isOutput[output.expr] = true;
  }
  for (std::size_t i = lastFilter; i < program.steps.size(); ++i) {
    for (const ExprId expr : program.steps[i].exprs) {
      if (!isOutput[expr]) place(expr).checks.push_back(expr);
    }
  }

  std::vector<bool> known(program.exprs.size());
  for (std::size_t i = 0; i < made.filters.size(); ++i) {
    if (made.filters[i].vector) continue;
    std::vector<ExprId> now;
    for (const std::uint32_t step : made.filters[i].steps) {
      const auto& exprs = program.steps[step].exprs;
      now.insert(now.end(), exprs.begin(), exprs.end());
    }
    std::vector<ExprId> later;
    for (std::size_t k = i + 1; k < made.filters.size(); ++k) {
      for (const std::uint32_t step : made.filters[k].steps) {
        const auto& exprs = program.steps[step].exprs;
        later.insert(later.end(), exprs.begin(), exprs.end());
      }
    }
    for (const Schedule::ProjectLoop* loop : {&made.vector, &made.scalar}) {
      later.insert(later.end(), loop->checks.begin(), loop->checks.end());
      for (const std::uint32_t output : loop->outputs) {
        later.push_back(program.outputs[output].expr);
      }
    }
    // From the users down, so that of what is computed now only the last values are kept.
    std::vector<bool> computed(program.exprs.size());
    mark(program, now, true, known, computed);
    std::vector<bool> stop = known;
    for (std::size_t e = 0; e < stop.size(); ++e) {
      stop[e] = stop[e] || (computed[e] && program.exprs[e].heavy);
    }
    std::vector<bool> needed(program.exprs.size());
    mark(program, later, false, stop, needed);
    for (ExprId e = 0; e < needed.size(); ++e) {
      if (!needed[e] || known[e] || !computed[e] || !program.exprs[e].heavy) continue;
      made.filters[i].spills.push_back(e);
      known[e] = true;
    }
  }
  return made;
}

}  // namespace couler::jit
