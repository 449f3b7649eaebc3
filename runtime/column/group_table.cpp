#include "runtime/column/group_table.h"

#include <algorithm>
#include <numeric>

namespace couler::column {

GroupTable::GroupTable(Schema keys)
    : keys_(std::move(keys)), columns_(keys_.schema().fields.size()), slots_(1024, kNone) {
  std::iota(columns_.begin(), columns_.end(), 0U);
}

void GroupTable::rehash(std::size_t slots) {
  slots_.assign(slots, kNone);
  for (std::size_t group = 0; group < hashes_.size(); ++group) {
    std::size_t at = hashes_[group] & (slots - 1);
    while (slots_[at] != kNone) at = (at + 1) & (slots - 1);
    slots_[at] = static_cast<std::uint32_t>(group);
  }
}

/// `same(group, isFresh, row)`: whether that group's key is the row's; a fresh group's key is that
/// of row `fresh_[group - stored]`.
template <class Same>
void GroupTable::findWith(const Batch& batch, const std::vector<std::uint64_t>& hashes, bool grow,
                          std::vector<std::uint32_t>& groups, const Same& same) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  groups.resize(rows);
  if ((hashes_.size() + rows) * 2 > slots_.size()) {
    std::size_t slots = slots_.size();
    while ((hashes_.size() + rows) * 2 > slots) slots *= 2;
    rehash(slots);
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t at = hashes[row] & mask;
    while (true) {
      const std::uint32_t group = slots_[at];
      if (group == kNone) {
        if (!grow) {
          groups[row] = kNone;
          break;
        }
        groups[row] = slots_[at] = static_cast<std::uint32_t>(hashes_.size());
        hashes_.push_back(hashes[row]);
        fresh_.push_back(static_cast<std::int64_t>(row));
        break;
      }
      if (hashes_[group] == hashes[row] && same(group, static_cast<std::int64_t>(row))) {
        groups[row] = group;
        break;
      }
      at = (at + 1) & mask;
    }
  }
  if (!fresh_.empty()) keys_.append(batch, fresh_);
  fresh_.clear();
}

void GroupTable::find(const Batch& batch, const std::vector<std::uint64_t>& hashes, bool grow,
                      std::vector<std::uint32_t>& groups) {
  const Batch stored = keys_.view();
  const auto before = static_cast<std::uint32_t>(stored.rows);
  const std::vector<Field>& fields = keys_.schema().fields;
  const bool oneInt = fields.size() == 1 && widthOf(fields[0].kind) == 8 &&
                      fields[0].kind != Kind::Float && batch.columns[0].valid == nullptr &&
                      stored.columns[0].valid == nullptr;
  if (oneInt) {
    const std::int64_t* kept = stored.columns[0].values->as<std::int64_t>();
    const std::int64_t* given = batch.columns[0].values->as<std::int64_t>();
    findWith(batch, hashes, grow, groups, [&](std::uint32_t group, std::int64_t row) {
      return (group < before ? kept[group] : given[fresh_[group - before]]) == given[row];
    });
    return;
  }
  findWith(batch, hashes, grow, groups, [&](std::uint32_t group, std::int64_t row) {
    for (std::size_t c = 0; c < fields.size(); ++c) {
      const bool old = group < before;
      const Column& other = old ? stored.columns[c] : batch.columns[c];
      const std::int64_t at = old ? group : fresh_[group - before];
      if (!sameCell(fields[c].kind, other, at, batch.columns[c], row)) return false;
    }
    return true;
  });
}

}  // namespace couler::column
