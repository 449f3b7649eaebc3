// `tune` becomes lists of points, trials in loops, and a choice among them; no pass knows it.
#include <algorithm>

#include "frontend/lower/tune_lowering.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;
using ir::TypeTable;
using sema::TuneMethod;
using sema::TuneSpace;

NodeId Lowerer::TuneLowering::run() {
  lowerArguments();
  lowerSpaces();
  if (plan_.method != TuneMethod::Grid) {
    first_ = plan_.card.empty() ? op(Builtin::MakeList, pointList(), {}) : prior();
  }
  switch (plan_.method) {
    case TuneMethod::Tpe:
      learn();
      break;
    case TuneMethod::Asha:
      points_ = effective(op(Builtin::TuneSobol, pointList(), sampled("trials")));
      halve();
      break;
    case TuneMethod::Grid: {
      std::vector<NodeId> operands{sample_, setting("points", 0)};
      operands.insert(operands.end(), spaces_.begin(), spaces_.end());
      points_ = effective(op(Builtin::TuneGrid, pointList(), operands));
      tryAll();
      break;
    }
    default: {
      const bool sobol = plan_.method == TuneMethod::Sobol;
      points_ = effective(op(sobol ? Builtin::TuneSobol : Builtin::TuneRandom, pointList(),
                             sampled("trials")));
      tryAll();
    }
  }
  return finish();
}

void Lowerer::TuneLowering::lowerArguments() {
  for (std::size_t i = 0; i < signature_.params.size(); ++i) {
    const sema::FieldInfo& param = signature_.params[i];
    NodeId value;
    const std::int32_t from = binding_.argument[i];
    if (from == sema::CallBinding::kDefault) {
      value = fallback(i);
    } else if (from >= 0 && !expr_.call->args[static_cast<std::size_t>(from)].inSpace) {
      const Argument& arg = expr_.call->args[static_cast<std::size_t>(from)];
      value = l_.convert(l_.lowerAs(*arg.value, param.type), l_.paramType(param, callee_.file),
                         span_);
    }
    arguments_.push_back(value);
  }
}

void Lowerer::TuneLowering::lowerSpaces() {
  std::vector<NodeId> first;
  for (const TuneSpace& space : plan_.spaces) {
    TypeId inner = space.type;
    if (l_.kind(inner) == IrKind::Optional) inner = types()[inner].element;
    if (space.low == nullptr) {
      spaces_.push_back(bound(*space.arg->value, types().list(inner)));
      first.push_back(item(spaces_.back(), number(0)));
      continue;
    }
    const NodeId low = bound(*space.low, inner);
    const NodeId high = bound(*space.high, inner);
    const TypeId bounds =
        types().record({{"low", inner}, {"high", inner}, {"log", TypeTable::kBool}});
    spaces_.push_back(record(bounds, {{low, high, truth(space.log)}}));
    first.push_back(low);
  }
  sample_ = record(plan_.point, first);
}

NodeId Lowerer::TuneLowering::effective(NodeId points) {
  const bool conditional =
      std::any_of(plan_.spaces.begin(), plan_.spaces.end(),
                  [](const TuneSpace& space) { return space.arg->when != nullptr; });
  if (!conditional) return points;
  const NodeId all = forEach(points, plan_.point, [&](NodeId point) {
    std::vector<NodeId> fields;
    for (const TuneSpace& space : plan_.spaces) {
      const NodeId drawn = field(point, signature_.params[space.param].name, space.type);
      NodeId value = drawn;
      if (space.arg->when != nullptr) {
        const NodeId holds = l_.lowerAs(*space.arg->when, TypeTable::kBool);
        value = choose(holds, space.type, [&] { return drawn; },
                       [&] { return fallback(space.param); });
      }
      l_.values_[space.symbol] = value;
      fields.push_back(value);
    }
    return record(plan_.point, fields);
  });
  // A search that learns counts its trials, so it keeps them all.
  if (plan_.method == TuneMethod::Tpe) return all;
  return op(Builtin::Distinct, pointList(), {{all}});
}

NodeId Lowerer::TuneLowering::attempt(NodeId point, ir::NameId name, NodeId resource, NodeId checkpoint) {
  ir::Module& m = l_.m_;
  const NodeId node = m.add(l_.region_, ir::Try{}, maybeResult_, {}, {}, span_);
  const RegionId region = m.addRegion(node);
  l_.inRegion(region, [&] {
    std::vector<NodeId> operands = arguments_;
    const auto give = [&](std::size_t param, NodeId value) {
      const sema::FieldInfo& info = signature_.params[param];
      operands[param] =
          l_.convert(l_.convert(value, info.type, span_), l_.paramType(info, callee_.file), span_);
    };
    for (const TuneSpace& space : plan_.spaces) {
      give(space.param, field(point, signature_.params[space.param].name, space.type));
    }
    if (resource.valid()) give(static_cast<std::size_t>(plan_.resource), resource);
    if (checkpoint.valid()) give(static_cast<std::size_t>(plan_.resume), checkpoint);
    const NodeId step =
        callee_.kind == SymbolKind::Task
            ? m.add(l_.region_, ir::Step{l_.requireTask(binding_.callee)}, signature_.result,
                    operands, {}, span_, name)
            : m.add(l_.region_, ir::Call{l_.requireFunc(binding_.callee)}, signature_.result,
                    operands, {}, span_, name);
    m.at(region).results = {step};
  });
  m.at(node).payload = ir::Try{region};
  m.updateAttributes(node);
  return node;
}

void Lowerer::TuneLowering::tryAll() {
  const ir::NameId name = l_.newStepName(name_);
  results_ = forEach(points_, maybeResult_, [&](NodeId point) { return attempt(point, name); });
  best_ = op(Builtin::TuneBest, TypeTable::kInt, {{truth(expr_.maximize), scoresOf(results_)}});
}

void Lowerer::TuneLowering::learn() {
  ir::Module& m = l_.m_;
  const std::int64_t parallel = constant("parallel", 1, 1);
  const NodeId trials = setting("trials", 0);
  const NodeId seed = setting("seed", 0);
  const NodeId startup = setting("startup", 10);
  const TypeId resultList = types().list(maybeResult_);
  const TypeId state = types().record({{"points", pointList()}, {"results", resultList}});
  const NodeId start = record(state, {{op(Builtin::MakeList, pointList(), {}),
                                       op(Builtin::MakeList, resultList, {})}});
  const NodeId padded =
      op(Builtin::AddInt, TypeTable::kInt, {{trials, number(parallel - 1)}});
  const NodeId turns =
      op(Builtin::DivInt, TypeTable::kInt, {{padded, number(parallel)}});
  const ir::NameId name = l_.newStepName(name_);
  const NodeId loop = m.add(l_.region_, ir::Loop{}, state, {{start, turns}}, {}, span_);
  const RegionId body = m.addRegion(loop);
  l_.inRegion(body, [&] {
    const NodeId before = m.addParam(body, state, "trials", span_, ir::Phase::Run);
    const NodeId tried = field(before, "points", pointList());
    const NodeId results = field(before, "results", resultList);
    std::vector<NodeId> operands{sample_, first_, tried,   scoresOf(results), truth(expr_.maximize),
                                 trials,  seed,   startup, number(parallel)};
    operands.insert(operands.end(), spaces_.begin(), spaces_.end());
    const NodeId next = effective(op(Builtin::TuneNext, pointList(), operands));
    NodeId fresh;
    if (parallel == 1) {
      fresh = op(Builtin::MakeList, resultList, {{attempt(item(next, number(0)), name)}});
    } else {
      fresh = forEach(next, maybeResult_, [&](NodeId point) { return attempt(point, name); });
    }
    const NodeId after =
        record(state, {{op(Builtin::ConcatLists, pointList(), {{tried, next}}),
                        op(Builtin::ConcatLists, resultList, {{results, fresh}})}});
    m.at(body).results = {after, truth(false)};
  });
  m.at(loop).payload = ir::Loop{body};
  m.updateAttributes(loop);
  points_ = field(loop, "points", pointList());
  results_ = field(loop, "results", resultList);
  best_ = op(Builtin::TuneBest, TypeTable::kInt, {{truth(expr_.maximize), scoresOf(results_)}});
}

NodeId Lowerer::TuneLowering::finish() {
  std::vector<NodeId> fields;
  for (const sema::FieldInfo& output : signature_.outputs) {
    const TypeId there = types().list(types().optional(output.type));
    NodeId value = item(field(results_, output.name, there, true, true), best_);
    if (l_.typeOf(value) != output.type) value = op(Builtin::Unwrap, output.type, {{value}});
    fields.push_back(value);
  }
  fields.push_back(item(points_, best_));
  fields.push_back(forEach(numbers(), plan_.trial, [&](NodeId trial) { return row(trial); }));
  return record(l_.info(expr_).type, fields);
}

NodeId Lowerer::TuneLowering::row(NodeId trial) {
  const NodeId point = item(points_, trial);
  const NodeId result = item(results_, trial);
  std::vector<NodeId> fields{trial};
  const std::vector<ir::TypeField> columns = types()[plan_.trial].fields;
  for (std::size_t i = 1; i < columns.size(); ++i) {
    if (i <= plan_.spaces.size()) {
      fields.push_back(field(point, columns[i].name, columns[i].type));
    } else if (i == plan_.spaces.size() + 1 && plan_.resource >= 0) {
      fields.push_back(item(reached_, trial));
    } else {
      fields.push_back(field(result, columns[i].name, columns[i].type, true));
    }
  }
  return record(plan_.trial, fields);
}

NodeId Lowerer::lowerTune(const TuneExpr& expr) { return TuneLowering(*this, expr).run(); }

}  // namespace couler::lower
