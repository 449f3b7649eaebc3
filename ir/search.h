#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ir/value.h"

/// What `tune` searches, and ways to do it: pure functions of their arguments and a seed. A point
/// is a record; inside, it is a place in the unit cube, one number a parameter.
namespace couler::ir::search {

// Where the operands of the builtins stand.
namespace drawn {  ///< `#random`, `#sobol`; `#grid` has its own
enum : std::size_t { kSample, kFirst, kTrials, kSeed, kSpaces };
}
namespace every {  ///< `#grid`
enum : std::size_t { kSample, kPoints, kSpaces };
}
namespace next {  ///< `#tpe`
enum : std::size_t {
  kSample,
  kFirst,
  kTried,
  kScores,
  kMaximize,
  kTrials,
  kSeed,
  kStartup,
  kParallel,
  kSpaces
};
}
namespace promoted {
enum : std::size_t { kScores, kTrial, kStarts, kRung, kReduction, kMaximize };
}
namespace best {
enum : std::size_t { kMaximize, kScores };  // of the last rung, then of those before
}

/// One parameter. Of a range the upper bound is left out; an int range has `count` values.
struct Dimension {
  enum class Kind : std::uint8_t { Int, Float, Choice };
  Kind kind{};
  bool log = false;
  double low = 0;
  double high = 0;
  std::uint64_t count = 0;             ///< Int, Choice; of a Float 0
  const ListItems* choices = nullptr;  ///< Choice
};

class Space {
 public:
  /// `sample` is a record that has the names of the parameters; each space is a list of values or
  /// a record of `low`, `high` and `log`. What is wrong with them, instead. The values must outlive
  /// the space.
  static std::variant<Space, std::string> of(const Value& sample,
                                             std::span<const Value* const> spaces);

  [[nodiscard]] std::span<const Dimension> dimensions() const { return dimensions_; }
  [[nodiscard]] std::span<const std::string> names() const { return names_; }
  /// The point at that place; each coordinate is in [0, 1).
  [[nodiscard]] Value point(std::span<const double> place) const;
  /// The place of a point; of an int or a choice the middle of its share. A value that is not in
  /// the space, which a condition may bring about, is at 0.5.
  [[nodiscard]] std::vector<double> place(const Value& point) const;
  /// How many points there are; 0 when there is no end to them.
  [[nodiscard]] std::uint64_t size() const;

 private:
  friend std::variant<std::vector<Value>, std::string> grid(const Space&, std::int64_t);
  [[nodiscard]] Value record(std::span<const Value> values) const;

  std::vector<std::string> names_;
  std::vector<Dimension> dimensions_;
};

/// All points, the last parameter changing fastest. `points` values of each range, from end to end,
/// evenly or by even ratios; of an int range with no more values than that, or with `points` 0,
/// all. At most 4 million.
[[nodiscard]] std::variant<std::vector<Value>, std::string> grid(const Space& space,
                                                                 std::int64_t points);

/// The places of points `from` to `to`: point i is the same whatever the others are, so a longer
/// search begins with a shorter one's points.
[[nodiscard]] std::vector<std::vector<double>> randomPlaces(std::size_t dimensions,
                                                            std::int64_t seed, std::uint64_t from,
                                                            std::uint64_t to);
/// The same of Sobol's sequence with the direction numbers of Joe and Kuo (Boost.Random),
/// scrambled as Owen does, by the hash of Burley ("Practical hash-based Owen scrambling", JCGT
/// 2020). At most 3,667 dimensions.
[[nodiscard]] std::vector<std::vector<double>> sobolPlaces(std::size_t dimensions,
                                                           std::int64_t seed, std::uint64_t from,
                                                           std::uint64_t to);

/// On which rung, from 0 on, each of 25 trials starts, of those that follow the same again. As in
/// Hyperband (Li et al., JMLR 2018) those of each of `brackets` get about as much of the resource:
/// the later they start, the fewer they are. In no order, so that no part of the space is favoured.
[[nodiscard]] std::vector<std::int64_t> startingRungs(std::int64_t brackets, std::int64_t rungs,
                                                      std::int64_t reduction);

/// How many of so many trials that start on a rung come to that rung: of those on each the best,
/// one in `reduction`, rounded up, go on to the next.
[[nodiscard]] std::int64_t placesOn(std::int64_t rung, std::int64_t start, std::int64_t trials,
                                    std::int64_t reduction);

/// A trial that has ended; none: it failed.
struct Trial {
  std::vector<double> place;
  std::optional<double> loss;  ///< less is better
};

// The card that `#prior` takes beside the spaces says what a model is told that proposes the first
// points: a record of the texts `name` and `doc` (of the task or workflow), `objective` and
// `objective_doc`, `data` and `model` (the cards), of `maximize`, of `points`, how many to propose,
// and of `params`, a record for each space: its `doc` and the condition `when` it counts, as written
// (or empty).

/// The next point by the tree-structured Parzen estimator (Bergstra et al., NIPS 2011) with one
/// kernel over all parameters a trial (as in BOHB, Falkner et al., ICML 2018), as wide as the trials
/// beside it are far: of some candidates
/// drawn near the better trials the one that is most likelier there than near the others. Failed
/// trials are among the others. A point that was tried is not proposed again where there are
/// others. O(candidates × trials × dimensions).
[[nodiscard]] std::vector<double> parzen(const Space& space, std::span<const Trial> trials,
                                         std::int64_t seed);

/// Random numbers that depend on nothing but what they are asked for with.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream);
  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] double unit();    ///< in [0, 1)
  [[nodiscard]] double normal();  ///< mean 0, deviation 1

 private:
  std::uint64_t state_;
};

}  // namespace couler::ir::search
