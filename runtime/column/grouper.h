#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/column/aggregates.h"
#include "runtime/column/group_table.h"
#include "runtime/column/operators.h"
#include "runtime/column/spill.h"

/// Groups in memory.
namespace couler::column {

struct GroupPlan {
  std::size_t keys = 0;
  std::vector<AggregateSpec> aggregates;
  Schema in;   ///< keys, values
  Schema out;  ///< keys, results
  Limits limits;
  std::string name;
};

/// Why a row could not be added.
struct GroupFailure {
  std::size_t aggregate = 0;  ///< which; their number: another reason
  std::int64_t row = 0;       ///< its number in the table
  StreamError error;
};

/// Groups rows and gives the groups with the numbers of their first rows in a last column, in that
/// order. When memory is full, rows of later groups go to files.
class Grouper {
 public:
  /// `depth`: how many times the rows were dealt out to files. `numbered`: they have their numbers
  /// in a last column, else as their batches have them.
  Grouper(const GroupPlan& plan, std::uint32_t depth, bool numbered);
  bool add(const Batch& batch, GroupFailure& failure) {
    return add(batch, table_->wordsOf(batch, made_), {static_cast<std::size_t>(batch.rows), nullptr},
               failure);
  }
  /// The rows selected; `words` are the table's (`keys`).
  bool add(const Batch& batch, const std::uint64_t* words, const Selection& rows,
           GroupFailure& failure);
  [[nodiscard]] const GroupTable& keys() const { return *table_; }
  /// The groups in memory.
  [[nodiscard]] std::unique_ptr<Source> results();
  /// The rows of all other groups, with their numbers; null when there are none.
  [[nodiscard]] std::unique_ptr<Partitions> takeAside() { return std::move(aside_); }

 private:
  bool putAside(Batch batch, const Selection& rows, std::optional<StreamError>& error);

  const GroupPlan& plan_;
  std::uint32_t depth_;
  bool numbered_;
  std::unique_ptr<GroupTable> table_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::unique_ptr<AggregateColumn>> aggregates_;
  std::vector<std::int64_t> firstRows_;
  std::unique_ptr<Partitions> aside_;
  std::vector<std::uint64_t> made_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> groups_;
  std::vector<std::int64_t> take_;
};

/// The number of a row in its table: as its last column has it (`numbered`), or its batch.
[[nodiscard]] std::int64_t numberOf(const Batch& batch, bool numbered, std::int64_t row);
/// Adds a column with the numbers of the rows.
void addNumbers(Batch& batch);

}  // namespace couler::column
