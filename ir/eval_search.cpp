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

EvalResult allTrials(const Operands& in) {
  namespace at = search::every;
  return withSpace(in, at::kSpaces, [&](const search::Space& space) {
    auto points = search::grid(space, in.integer(at::kPoints));
    if (const auto* wrong = std::get_if<std::string>(&points)) return fail("{}", *wrong);
    return EvalResult(Value::list(std::move(std::get<ListItems>(points))));
  });
}

EvalResult someTrials(const Operands& in, bool sobol) {
  namespace at = search::drawn;
  const std::int64_t trials = in.integer(at::kTrials);
  const std::int64_t seed = in.integer(at::kSeed);
  if (trials < 0) return fail("`trials` is {}", trials);
  const auto count = static_cast<std::uint64_t>(trials);
  if (count > kMaxItems) return tooLong(count);
  return withSpace(in, at::kSpaces, [&](const search::Space& space) {
    ListItems points = in.list(at::kFirst);
    points.resize(std::min<std::size_t>(points.size(), count));
    const std::size_t dimensions = space.dimensions().size();
    const std::uint64_t drawn = count - points.size();
    for (const auto& place : sobol ? search::sobolPlaces(dimensions, seed, 0, drawn)
                                   : search::randomPlaces(dimensions, seed, 0, drawn)) {
      points.push_back(space.point(place));
    }
    return EvalResult(Value::list(std::move(points)));
  });
}

EvalResult nextTrials(const Operands& in, const search::Space& space) {
  namespace at = search::next;
  const ListItems& first = in.list(at::kFirst);
  const ListItems& tried = in.list(at::kTried);
  const Scores losses = lossesOf(in.list(at::kScores), in.truth(at::kMaximize));
  if (losses.size() != tried.size()) {
    return fail("{} scores of {} trials", losses.size(), tried.size());
  }
  std::vector<search::Trial> trials;
  for (std::size_t i = 0; i < tried.size(); ++i) {
    trials.push_back({space.place(tried[i]), losses[i]});
  }
  const std::int64_t seed = in.integer(at::kSeed);
  const auto done = static_cast<std::int64_t>(tried.size());
  const std::int64_t end = std::min(in.integer(at::kTrials), done + in.integer(at::kParallel));
  const auto given = static_cast<std::int64_t>(first.size());
  ListItems points;
  for (std::int64_t i = done; i < end; ++i) {
    std::vector<double> place;
    if (i < given) {
      points.push_back(first[static_cast<std::size_t>(i)]);
      place = space.place(points.back());
    } else if (i < in.integer(at::kStartup)) {
      const auto drawn = static_cast<std::uint64_t>(i - given);
      place = search::sobolPlaces(space.dimensions().size(), seed, drawn, drawn + 1).front();
    } else {
      place = search::parzen(space, trials, seed);
    }
    if (i >= given) points.push_back(space.point(place));
    // Until it has a score it counts as a bad one, so that those beside it keep away.
    trials.push_back({std::move(place), std::nullopt});
  }
  return Value::list(std::move(points));
}

/// Whether a trial goes on: it competes with those that started on the same rung. O(trials).
EvalResult promoted(const Operands& in) {
  namespace at = search::promoted;
  const Scores losses = lossesOf(in.list(at::kScores), in.truth(at::kMaximize));
  const ListItems& starts = in.list(at::kStarts);
  const std::int64_t trial = in.integer(at::kTrial);
  const std::int64_t reduction = in.integer(at::kReduction);
  if (starts.empty()) return fail("no rung to start on");
  if (reduction < 2) return fail("`reduction` is {}", reduction);
  if (trial < 0 || trial >= static_cast<std::int64_t>(losses.size())) return Value(false);
  const auto startOf = [&](std::size_t i) {
    const std::int64_t* start = starts[i % starts.size()].as<std::int64_t>();
    return start == nullptr ? 0 : *start;
  };
  const auto own = static_cast<std::size_t>(trial);
  if (!losses[own]) return Value(false);
  std::int64_t started = 0, better = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (startOf(i) != startOf(own)) continue;
    ++started;
    if (!losses[i] || i == own) continue;
    if (*losses[i] < *losses[own] || (*losses[i] == *losses[own] && i < own)) ++better;
  }
  return Value(better <
               search::placesOn(in.integer(at::kRung) + 1, startOf(own), started, reduction));
}

/// The best trial of the first list that has a score.
EvalResult best(const Operands& in) {
  namespace at = search::best;
  for (std::size_t list = at::kScores; list < in.count(); ++list) {
    const Scores losses = lossesOf(in.list(list), in.truth(at::kMaximize));
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
      out = withSpace(in, search::next::kSpaces,
                      [&](const search::Space& space) { return nextTrials(in, space); });
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
