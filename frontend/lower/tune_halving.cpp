// `asha`: rungs of trials, each with more of the resource for fewer of them.
#include "frontend/lower/tune_lowering.h"
#include "ir/search.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;
using ir::TypeTable;

std::vector<std::int64_t> Lowerer::TuneLowering::amountsOfRungs(std::int64_t reduction) {
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

std::vector<std::int64_t> Lowerer::TuneLowering::starts(std::size_t rungs, std::int64_t reduction) {
  const std::int64_t brackets = constant("brackets", 1, 1);
  const auto most = static_cast<std::int64_t>(rungs);
  if (brackets == 1) return {0};
  l_.checkSetting(plan_.settings.at("brackets"), brackets <= most, "brackets",
                  fmt::format("must not be more than the rungs, {}", most));
  return ir::search::startingRungs(std::min(brackets, most), most, reduction);
}

NodeId Lowerer::TuneLowering::startOf(NodeId trial, const std::vector<std::int64_t>& cycle) {
  const auto length = static_cast<std::int64_t>(cycle.size());
  const NodeId place = op(Builtin::RemInt, TypeTable::kInt, {{trial, number(length)}});
  return item(numbersOf(cycle), place);
}

NodeId Lowerer::TuneLowering::numbersOf(const std::vector<std::int64_t>& values) {
  const ir::ListItems items(values.begin(), values.end());
  return l_.constNode(ir::Value::list(items), types().list(TypeTable::kInt), span_);
}

void Lowerer::TuneLowering::halve() {
  const std::int64_t reduction = constant("reduction", 3, 2);
  const std::vector<std::int64_t> amounts = amountsOfRungs(reduction);
  const std::vector<std::int64_t> cycle = starts(amounts.size(), reduction);
  const bool oneBracket = cycle.size() == 1;

  std::vector<NodeId> rungs;
  std::vector<NodeId> scores;
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
      rungs.push_back(forEach(numbers(), maybeResult_, [&](NodeId trial) {
        const NodeId goesOn = op(
            Builtin::TunePromoted, TypeTable::kBool,
            {{scores.back(), trial, numbersOf(cycle), number(static_cast<std::int64_t>(rung) - 1),
              number(reduction), truth(expr_.maximize)}});
        if (oneBracket) return runIf(goesOn, trial);
        return runIf(op(Builtin::Or, TypeTable::kBool, {{startsHere(trial), goesOn}}), trial);
      }));
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

}  // namespace couler::lower
