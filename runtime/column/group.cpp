// Grouping. Groups that come after memory is full are put aside, dealt out by their keys' hashes to
// files that are grouped one after the other; the results are merged by the groups' first rows.
#include "runtime/column/group_deal.h"
#include "runtime/column/grouper.h"

namespace couler::column {

namespace {

class GroupSource final : public Source {
 public:
  GroupSource(std::unique_ptr<Source> in, GroupPlan plan)
      : in_(std::move(in)), plan_(std::move(plan)) {}
  [[nodiscard]] const Schema& schema() const override { return plan_.out; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    if (!groups_) {
      groups_ = plan_.limits.threads > 1 ? groupAtOnce() : group(*in_, 0);
      if (!groups_) return std::nullopt;
    }
    std::optional<Batch> batch = groups_->next();
    if (batch) {
      batch->columns.pop_back();
    } else {
      error_ = groups_->error();
    }
    return batch;
  }

 private:
  std::unique_ptr<Source> group(Source& in, std::uint32_t depth) {
    Grouper grouper(plan_, depth, depth != 0);
    GroupFailure failure;
    while (std::optional<Batch> batch = in.next()) {
      if (grouper.add(*batch, failure)) continue;
      error_ = std::move(failure.error);
      return nullptr;
    }
    if (in.error()) {
      error_ = in.error();
      return nullptr;
    }
    return finish(grouper, depth);
  }

  /// By several threads, each key's rows by one at a time and in their order.
  std::unique_ptr<Source> groupAtOnce() {
    const std::size_t threads = plan_.limits.threads;
    const std::size_t parts = plan_.keys == 0 ? 1 : threads;
    plan_.limits.memory /= parts;
    std::vector<std::unique_ptr<Grouper>> groupers;
    for (std::size_t i = 0; i < parts; ++i) {
      groupers.push_back(std::make_unique<Grouper>(plan_, 0, false));
    }
    error_ = dealGroups(takeApart(std::move(in_), threads), groupers);
    if (error_) return nullptr;
    std::vector<std::unique_ptr<Source>> results;
    for (const auto& grouper : groupers) {
      results.push_back(finish(*grouper, 0));
      if (!results.back()) return nullptr;
    }
    if (parts == 1) return std::move(results[0]);
    return std::make_unique<MergeSource>(std::move(results), 1, 0, withRowNumber(plan_.out));
  }

  /// The groups in memory, then those of the rows put aside.
  std::unique_ptr<Source> finish(Grouper& grouper, std::uint32_t depth) {
    std::unique_ptr<Source> first = grouper.results();
    std::unique_ptr<Partitions> aside = grouper.takeAside();
    if (!aside) return first;
    if (!aside->finish(error_)) return nullptr;
    // Each part's groups go to a file of their own, since they too may be more than memory holds.
    std::vector<std::unique_ptr<Source>> parts;
    for (std::size_t i = 0; i < Partitions::kCount; ++i) {
      if (aside->at(i).rows() == 0) continue;
      std::unique_ptr<Source> part = aside->at(i).read(error_);
      std::unique_ptr<Source> grouped = part ? group(*part, depth + 1) : nullptr;
      if (!grouped) return nullptr;
      auto& file =
          files_.emplace_back(std::make_unique<SpillFile>(withRowNumber(plan_.out), plan_.limits));
      while (std::optional<Batch> batch = grouped->next()) {
        if (!file->write(*batch, error_)) return nullptr;
      }
      if (grouped->error()) {
        error_ = grouped->error();
        return nullptr;
      }
      parts.push_back(file->read(error_));
      if (!parts.back()) return nullptr;
    }
    std::vector<std::unique_ptr<Source>> all;
    all.push_back(std::move(first));
    if (!parts.empty()) {
      all.push_back(
          std::make_unique<MergeSource>(std::move(parts), 1, 0, withRowNumber(plan_.out)));
    }
    return concatenate(std::move(all));
  }

  std::unique_ptr<Source> in_;
  GroupPlan plan_;
  std::vector<std::unique_ptr<SpillFile>> files_;
  std::unique_ptr<Source> groups_;
};

}  // namespace

std::unique_ptr<Source> groupRows(std::unique_ptr<Source> in, std::size_t keys,
                                  std::vector<AggregateSpec> aggregates, Schema out,
                                  const Limits& limits, std::string name) {
  GroupPlan plan{keys, std::move(aggregates), in->schema(), std::move(out), limits,
                 std::move(name)};
  return std::make_unique<GroupSource>(std::move(in), std::move(plan));
}

std::unique_ptr<Source> distinctRows(std::unique_ptr<Source> in, const Limits& limits,
                                     std::string name) {
  const Schema schema = in->schema();
  return groupRows(std::move(in), schema.fields.size(), {}, schema, limits, std::move(name));
}

}  // namespace couler::column
