// `tune` becomes lists of points, trials in loops, and a choice among them; no pass knows it.
#include <algorithm>

#include "frontend/lower/lowerer.h"
#include "ir/search.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;
using ir::TypeTable;
using sema::TuneMethod;
using sema::TuneSpace;

class Lowerer::TuneLowering {
 public:
  TuneLowering(Lowerer& lowerer, const TuneExpr& expr)
      : l_(lowerer),
        expr_(expr),
        span_(expr.span),
        plan_(lowerer.program_.files[lowerer.file_.index()].tunes.at(expr.id)),
        binding_(lowerer.program_.files[lowerer.file_.index()].calls.at(expr.call->id)),
        callee_(lowerer.program_.at(binding_.callee)),
        signature_(*callee_.signature),
        maybeResult_(types().optional(signature_.result)),
        name_(callee_.name) {}

  NodeId run() {
    lowerArguments();
    lowerSpaces();
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

 private:
  [[nodiscard]] ir::TypeTable& types() { return l_.m_.types; }
  [[nodiscard]] TypeId pointList() { return types().list(plan_.point); }
  NodeId op(Builtin builtin, TypeId type, std::span<const NodeId> operands) {
    return l_.op(builtin, type, operands, span_);
  }
  NodeId number(std::int64_t value) { return l_.constNode(value, TypeTable::kInt, span_); }
  NodeId truth(bool value) { return l_.constNode(value, TypeTable::kBool, span_); }
  NodeId noneOf(TypeId type) { return l_.constNode(ir::Value(), type, span_); }
  NodeId record(TypeId type, std::span<const NodeId> fields) {
    return op(Builtin::MakeRecord, type, fields);
  }
  NodeId field(NodeId object, std::string_view name, TypeId type, bool optional = false,
               bool ofEach = false) {
    return l_.m_.add(l_.region_, ir::Field{l_.m_.intern(name), ofEach, optional}, type, {{object}},
                     {}, span_);
  }
  NodeId item(NodeId list, NodeId index) {
    const TypeId element = types()[l_.typeOf(list)].element;
    return op(Builtin::Index, element, {{list, index}});
  }
  NodeId setting(std::string_view name, std::int64_t absent) {
    const auto found = plan_.settings.find(name);
    return found == plan_.settings.end() ? number(absent)
                                         : l_.lowerAs(*found->second, TypeTable::kInt);
  }
  /// A setting that must be a constant, `least` at least.
  std::int64_t constant(std::string_view name, std::int64_t absent, std::int64_t least) {
    const auto found = plan_.settings.find(name);
    if (found == plan_.settings.end()) return absent;
    const auto value = l_.constant(l_.file_, *found->second, TypeTable::kInt);
    const std::int64_t* given = value ? value->as<std::int64_t>() : nullptr;
    if (given == nullptr) return absent;
    l_.checkSetting(found->second, *given >= least, name, fmt::format("must be {} or more", least));
    return std::max(*given, least);
  }

  /// A `for` over a list: `body` makes a value of an item.
  template <class Body>
  NodeId forEach(NodeId list, TypeId element, Body&& body) {
    ir::Module& m = l_.m_;
    const NodeId node = m.add(l_.region_, ir::For{}, types().list(element), {{list}}, {}, span_);
    const RegionId region = m.addRegion(node);
    const TypeId type = types()[l_.typeOf(list)].element;
    const NodeId param = m.addParam(region, type, "trial", span_, m.at(list).phase);
    l_.inRegion(region, [&] { m.at(region).results = {body(param)}; });
    m.at(node).payload = ir::For{region};
    m.updateAttributes(node);
    return node;
  }
  template <class Then, class Otherwise>
  NodeId choose(NodeId condition, TypeId type, Then&& then, Otherwise&& otherwise) {
    ir::Module& m = l_.m_;
    const NodeId node = m.add(l_.region_, ir::If{}, type, {{condition}}, {}, span_);
    ir::If payload;
    payload.then = m.addRegion(node);
    l_.inRegion(payload.then, [&] { m.at(payload.then).results = {then()}; });
    payload.otherwise = m.addRegion(node);
    l_.inRegion(payload.otherwise, [&] { m.at(payload.otherwise).results = {otherwise()}; });
    m.at(node).payload = payload;
    m.updateAttributes(node);
    return node;
  }

  NodeId fallback(std::size_t param) {
    const sema::FieldInfo& info = signature_.params[param];
    const ir::ConstId value = l_.fallback(info, callee_.file);
    return l_.m_.add(l_.region_, ir::Const{value}, l_.paramType(info, callee_.file), {}, {}, span_);
  }

  void lowerArguments() {
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

  void lowerSpaces() {
    std::vector<NodeId> first;
    for (const TuneSpace& space : plan_.spaces) {
      TypeId inner = space.type;
      if (l_.kind(inner) == IrKind::Optional) inner = types()[inner].element;
      if (space.low == nullptr) {
        spaces_.push_back(l_.lowerAs(*space.arg->value, types().list(inner)));
        first.push_back(item(spaces_.back(), number(0)));
        continue;
      }
      const NodeId low = l_.lowerAs(*space.low, inner);
      const NodeId high = l_.lowerAs(*space.high, inner);
      const TypeId bounds =
          types().record({{"low", inner}, {"high", inner}, {"log", TypeTable::kBool}});
      spaces_.push_back(record(bounds, {{low, high, truth(space.log)}}));
      first.push_back(low);
    }
    sample_ = record(plan_.point, first);
  }

  /// The operands of what draws so many points.
  std::vector<NodeId> sampled(std::string_view count) {
    std::vector<NodeId> operands{sample_, setting(count, 0), setting("seed", 0)};
    operands.insert(operands.end(), spaces_.begin(), spaces_.end());
    return operands;
  }

  /// The points with defaults where a condition does not hold, each once.
  NodeId effective(NodeId points) {
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

  /// One trial; none when it fails.
  NodeId attempt(NodeId point, ir::NameId name, NodeId resource = {}, NodeId checkpoint = {}) {
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

  NodeId scoresOf(NodeId results) {
    const sema::FieldInfo& objective = signature_.outputs[plan_.objective];
    return field(results, objective.name, types().list(types().optional(objective.type)), true,
                 true);
  }

  void tryAll() {
    const ir::NameId name = l_.newStepName(name_);
    results_ = forEach(points_, maybeResult_, [&](NodeId point) { return attempt(point, name); });
    best_ = op(Builtin::TuneBest, TypeTable::kInt, {{truth(expr_.maximize), scoresOf(results_)}});
  }

  NodeId numbers() {
    const NodeId count = op(Builtin::LengthList, TypeTable::kInt, {{points_}});
    return op(Builtin::RangeTo, types().list(TypeTable::kInt), {{count}});
  }

  /// How much of the resource each rung of `asha` gives.
  std::vector<std::int64_t> amountsOfRungs(std::int64_t reduction) {
    const std::int64_t least = constant("min", 1, 1);
    const std::int64_t most = constant("max", 1, 1);
    if (plan_.settings.contains("max")) {
      l_.checkSetting(plan_.settings.at("max"), least <= most, "max", "must not be less than `min`");
    }
    std::vector<std::int64_t> amounts;
    for (std::int64_t amount = least; amount < most && amount <= most / reduction + 1;
         amount *= reduction) {
      amounts.push_back(amount);
    }
    if (amounts.empty() || amounts.back() < most) amounts.push_back(most);
    return amounts;
  }

  /// Where trials start: a list that is gone through again and again.
  std::vector<std::int64_t> starts(std::size_t rungs, std::int64_t reduction) {
    const std::int64_t brackets = constant("brackets", 1, 1);
    const auto most = static_cast<std::int64_t>(rungs);
    if (brackets == 1) return {0};
    l_.checkSetting(plan_.settings.at("brackets"), brackets <= most, "brackets",
                    fmt::format("must not be more than the rungs, {}", most));
    return ir::search::startingRungs(std::min(brackets, most), most, reduction);
  }
  NodeId startOf(NodeId trial, const std::vector<std::int64_t>& cycle) {
    const auto length = static_cast<std::int64_t>(cycle.size());
    const NodeId place = op(Builtin::RemInt, TypeTable::kInt, {{trial, number(length)}});
    return item(numbersOf(cycle), place);
  }
  NodeId numbersOf(const std::vector<std::int64_t>& values) {
    const ir::ListItems items(values.begin(), values.end());
    return l_.constNode(ir::Value::list(items), types().list(TypeTable::kInt), span_);
  }
  /// How many of the trials start on that rung.
  NodeId startersOf(NodeId trials, std::int64_t rung, const std::vector<std::int64_t>& cycle) {
    std::vector<std::int64_t> before{0};
    for (const std::int64_t start : cycle) before.push_back(before.back() + (start == rung ? 1 : 0));
    const NodeId length = number(static_cast<std::int64_t>(cycle.size()));
    const NodeId whole = op(Builtin::DivInt, TypeTable::kInt, {{trials, length}});
    const NodeId inWhole = op(Builtin::MulInt, TypeTable::kInt, {{whole, number(before.back())}});
    const NodeId rest = op(Builtin::RemInt, TypeTable::kInt, {{trials, length}});
    return op(Builtin::AddInt, TypeTable::kInt, {{inWhole, item(numbersOf(before), rest)}});
  }

  /// Successive halving: each rung gives more to fewer, which go on from where they were.
  void halve() {
    const std::int64_t reduction = constant("reduction", 3, 2);
    const std::vector<std::int64_t> amounts = amountsOfRungs(reduction);
    const std::vector<std::int64_t> cycle = starts(amounts.size(), reduction);
    const bool oneBracket = cycle.size() == 1;

    const NodeId trials = op(Builtin::LengthList, TypeTable::kInt, {{points_}});
    std::vector<NodeId> rungs;
    std::vector<NodeId> scores;
    NodeId there = oneBracket ? trials : startersOf(trials, 0, cycle);  // trials of the rung
    for (std::size_t rung = 0; rung < amounts.size(); ++rung) {
      const ir::NameId name =
          l_.newStepName(rung == 0 ? std::string(name_) : fmt::format("{}-rung{}", name_, rung + 1));
      const bool resumes = plan_.resume >= 0 && plan_.checkpoint >= 0;
      const auto run = [&](NodeId trial) {
        NodeId checkpoint;
        if (resumes) {
          const auto& output = signature_.outputs[static_cast<std::size_t>(plan_.checkpoint)];
          const TypeId type = types().optional(output.type);
          checkpoint = rung == 0 ? noneOf(type)
                                 : field(item(rungs.back(), trial), output.name, type, true);
        }
        return attempt(item(points_, trial), name, number(amounts[rung]), checkpoint);
      };
      const auto startsHere = [&](NodeId trial) {
        const NodeId here = number(static_cast<std::int64_t>(rung));
        return op(Builtin::Equal, TypeTable::kBool, {{startOf(trial, cycle), here}});
      };
      const auto runIf = [&](NodeId condition, NodeId trial) {
        return choose(condition, maybeResult_, [&] { return run(trial); },
                      [&] { return noneOf(maybeResult_); });
      };
      if (rung == 0) {
        rungs.push_back(forEach(numbers(), maybeResult_, [&](NodeId trial) {
          return oneBracket ? run(trial) : runIf(startsHere(trial), trial);
        }));
      } else {
        const NodeId part = op(Builtin::DivInt, TypeTable::kInt, {{there, number(reduction)}});
        const NodeId places = op(Builtin::Max, TypeTable::kInt, {{part, number(1)}});
        rungs.push_back(forEach(numbers(), maybeResult_, [&](NodeId trial) {
          const NodeId goesOn = op(Builtin::TunePromoted, TypeTable::kBool,
                                   {{scores.back(), trial, places, truth(expr_.maximize)}});
          if (oneBracket) return runIf(goesOn, trial);
          return runIf(op(Builtin::Or, TypeTable::kBool, {{startsHere(trial), goesOn}}), trial);
        }));
        there = places;
        if (!oneBracket) {
          const NodeId fresh = startersOf(trials, static_cast<std::int64_t>(rung), cycle);
          there = op(Builtin::AddInt, TypeTable::kInt, {{places, fresh}});
        }
      }
      scores.push_back(scoresOf(rungs.back()));
    }
    std::vector<NodeId> operands{truth(expr_.maximize)};
    operands.insert(operands.end(), scores.rbegin(), scores.rend());
    best_ = op(Builtin::TuneBest, TypeTable::kInt, operands);
    // What each trial came to on the last rung that it reached, and which that was.
    results_ = forEach(numbers(), maybeResult_, [&](NodeId trial) {
      NodeId result = item(rungs.back(), trial);
      for (std::size_t i = rungs.size() - 1; i-- > 0;) {
        result = op(Builtin::CoalesceOptional, maybeResult_, {{result, item(rungs[i], trial)}});
      }
      return result;
    });
    reached_ = forEach(numbers(), TypeTable::kInt, [&](NodeId trial) {
      NodeId amount = oneBracket ? number(amounts.front())
                                 : item(numbersOf(amounts), startOf(trial, cycle));
      for (std::size_t i = 1; i < rungs.size(); ++i) {
        const NodeId score = item(scores[i], trial);
        const NodeId none = noneOf(l_.typeOf(score));
        const NodeId ran = op(Builtin::NotEqual, TypeTable::kBool, {{score, none}});
        amount = choose(ran, TypeTable::kInt, [&] { return number(amounts[i]); },
                        [&, before = amount] { return before; });
      }
      return amount;
    });
  }

  /// A loop whose state is the trials so far; each turn asks for the next points.
  void learn() {
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
      std::vector<NodeId> operands{sample_,   tried, scoresOf(results), truth(expr_.maximize),
                                   trials,    seed,  startup,           number(parallel)};
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

  NodeId finish() {
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

  /// What `trials` says of one.
  NodeId row(NodeId trial) {
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

  Lowerer& l_;
  const TuneExpr& expr_;
  Span span_;
  const sema::TunePlan& plan_;
  const sema::CallBinding& binding_;
  const sema::Symbol& callee_;
  const sema::Signature& signature_;
  TypeId maybeResult_;
  std::string_view name_;
  std::vector<NodeId> arguments_;  ///< by parameter; invalid for what a trial itself gives
  std::vector<NodeId> spaces_;
  NodeId sample_;
  NodeId points_;   ///< list<point>
  NodeId results_;  ///< list<result?>, one a point
  NodeId reached_;  ///< Asha: list<int>
  NodeId best_;
};

NodeId Lowerer::lowerTune(const TuneExpr& expr) { return TuneLowering(*this, expr).run(); }

}  // namespace couler::lower
