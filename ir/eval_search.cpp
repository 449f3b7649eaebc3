// What `tune` is made of: points to try, and which trials are good.
#include <algorithm>
#include <cmath>

#include "ir/eval_internal.h"
#include "ir/search.h"

namespace couler::ir::eval {

namespace {

using Scores = std::vector<std::optional<double>>;

/// Scores as losses: less is better; of a trial that failed, or whose score is no number, none.
Scores lossesOf(const ListItems& scores, bool maximize) {
  Scores losses;
  losses.reserve(scores.size());
  for (const Value& score : scores) {
    std::optional<double> loss;
    if (const double* real = score.as<double>(); real != nullptr && !std::isnan(*real)) loss = *real;
    if (const std::int64_t* whole = score.as<std::int64_t>()) loss = static_cast<double>(*whole);
    if (loss && maximize) loss = -*loss;
    losses.push_back(loss);
  }
  return losses;
}

/// The space of a sample point, operand 0, and the operands from `first` on.
template <class Make>
EvalResult withSpace(const Operands& in, std::size_t first, Make&& make) {
  std::vector<const Value*> spaces;
  for (std::size_t i = first; i < in.count(); ++i) spaces.push_back(&in[i]);
  const auto space = search::Space::of(in[0], spaces);
  if (const auto* wrong = std::get_if<std::string>(&space)) return fail("{}", *wrong);
  return make(std::get<search::Space>(space));
}

/// `#grid(sample, points, spaces…)`.
EvalResult allTrials(const Operands& in) {
  return withSpace(in, 2, [&](const search::Space& space) {
    auto points = search::grid(space, in.integer(1));
    if (const auto* wrong = std::get_if<std::string>(&points)) return fail("{}", *wrong);
    return EvalResult(Value::list(std::move(std::get<ListItems>(points))));
  });
}

/// `#random(sample, first, trials, seed, spaces…)` and `#sobol`.
EvalResult someTrials(const Operands& in, bool sobol) {
  const std::int64_t trials = in.integer(2);
  if (trials < 0) return fail("`trials` is {}", trials);
  const auto count = static_cast<std::uint64_t>(trials);
  if (count > kMaxItems) return tooLong(count);
  return withSpace(in, 4, [&](const search::Space& space) {
    ListItems points = in.list(1);
    points.resize(std::min<std::size_t>(points.size(), count));
    const std::size_t dimensions = space.dimensions().size();
    const std::uint64_t drawn = count - points.size();
    for (const auto& place : sobol ? search::sobolPlaces(dimensions, in.integer(3), 0, drawn)
                                   : search::randomPlaces(dimensions, in.integer(3), 0, drawn)) {
      points.push_back(space.point(place));
    }
    return EvalResult(Value::list(std::move(points)));
  });
}

/// `#tpe(sample, first, tried, scores, maximize, trials, seed, startup, parallel, spaces…)`.
EvalResult nextTrials(const Operands& in, const search::Space& space) {
  const ListItems& first = in.list(1);
  const ListItems& tried = in.list(2);
  const Scores losses = lossesOf(in.list(3), in.truth(4));
  if (losses.size() != tried.size()) {
    return fail("{} scores of {} trials", losses.size(), tried.size());
  }
  std::vector<search::Trial> trials;
  for (std::size_t i = 0; i < tried.size(); ++i) {
    trials.push_back({space.place(tried[i]), losses[i]});
  }
  const std::int64_t seed = in.integer(6);
  const auto done = static_cast<std::int64_t>(tried.size());
  const std::int64_t end = std::min(in.integer(5), done + in.integer(8));
  const auto given = static_cast<std::int64_t>(first.size());
  ListItems points;
  for (std::int64_t i = done; i < end; ++i) {
    std::vector<double> place;
    if (i < given) {
      points.push_back(first[static_cast<std::size_t>(i)]);
      place = space.place(points.back());
    } else if (i < in.integer(7)) {
      const auto at = static_cast<std::uint64_t>(i - given);
      place = search::sobolPlaces(space.dimensions().size(), seed, at, at + 1).front();
    } else {
      place = search::parzen(space, trials, seed);
    }
    if (i >= given) points.push_back(space.point(place));
    // Until it has a score it counts as a bad one, so that those beside it keep away.
    trials.push_back({std::move(place), std::nullopt});
  }
  return Value::list(std::move(points));
}

/// Whether a trial is among the `most` best; of equal ones the first. O(trials).
EvalResult promoted(const Operands& in) {
  const Scores losses = lossesOf(in.list(0), in.truth(3));
  const std::int64_t trial = in.integer(1);
  if (trial < 0 || trial >= static_cast<std::int64_t>(losses.size())) return Value(false);
  const auto own = static_cast<std::size_t>(trial);
  if (!losses[own]) return Value(false);
  std::int64_t better = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (!losses[i] || i == own) continue;
    if (*losses[i] < *losses[own] || (*losses[i] == *losses[own] && i < own)) ++better;
  }
  return Value(better < in.integer(2));
}

/// The best trial of the first list that has a score.
EvalResult best(const Operands& in) {
  for (std::size_t list = 1; list < in.count(); ++list) {
    const Scores losses = lossesOf(in.list(list), in.truth(0));
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      if (losses[i] && (!found || *losses[i] < *losses[*found])) found = i;
    }
    if (found) return Value(static_cast<std::int64_t>(*found));
  }
  return fail("no trial has a score: all of them failed, or there was none");
}

}  // namespace

bool applySearch(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::TuneGrid:
      out = allTrials(in);
      return true;
    case Builtin::TuneRandom:
    case Builtin::TuneSobol:
      out = someTrials(in, op == Builtin::TuneSobol);
      return true;
    case Builtin::TuneNext:
      out = withSpace(in, 9, [&](const search::Space& space) { return nextTrials(in, space); });
      return true;
    case Builtin::TunePrior:
      out = Value::list({});
      return true;
    case Builtin::TunePromoted:
      out = promoted(in);
      return true;
    case Builtin::TuneBest:
      out = best(in);
      return true;
    default:
      return false;
  }
}

}  // namespace couler::ir::eval
