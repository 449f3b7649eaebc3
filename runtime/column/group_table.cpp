#include "runtime/column/group_table.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace couler::column {

namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kAhead = 24;  // rows whose slots are fetched before they are looked at

bool isWord(const Schema& keys) {
  return keys.fields.size() == 1 && keys.fields[0].kind != Kind::String &&
         keys.fields[0].kind != Kind::Value;
}

}  // namespace

GroupTable::GroupTable(Schema keys, std::uint64_t hashMask)
    : keys_(std::move(keys)),
      exact_(isWord(keys_.schema())),
      hashMask_(hashMask),
      shift_(64U - static_cast<unsigned>(std::countr_zero(kFirstSlots))),
      slots_(kFirstSlots, Slot{0, kNone}),
      columns_(keys_.schema().fields.size()) {
  std::iota(columns_.begin(), columns_.end(), 0U);
}

/// Slots for as many new groups as there are rows, at most half of them taken.
void GroupTable::makeRoom(std::size_t rows) {
  const std::size_t wanted = (size_ + rows) * 2;
  if (wanted <= slots_.size()) return;
  const std::size_t count = std::bit_ceil(wanted);
  std::vector<Slot> old(count, Slot{0, kNone});
  old.swap(slots_);
  shift_ = 64U - static_cast<unsigned>(std::countr_zero(count));
  for (const Slot& slot : old) {
    if (slot.group == kNone) continue;
    std::size_t at = place(slot.word);
    while (slots_[at].group != kNone) at = (at + 1) & (count - 1);
    slots_[at] = slot;
  }
}

const std::uint64_t* GroupTable::wordsOf(const Batch& batch,
                                         std::vector<std::uint64_t>& made) const {
  const auto rows = static_cast<std::size_t>(batch.rows);
  if (!exact_) {
    hashRows(keys_.schema(), batch, columns_, made);
    if (hashMask_ != ~std::uint64_t{0}) {
      for (std::uint64_t& word : made) word &= hashMask_;
    }
    return made.data();
  }
  const Kind kind = keys_.schema().fields[0].kind;
  const Buffer& values = *batch.columns[0].values;
  if (widthOf(kind) == 8 && kind != Kind::Float) return values.as<std::uint64_t>();
  made.resize(rows);
  if (kind == Kind::Float) {
    std::transform(values.as<double>(), values.as<double>() + rows, made.begin(), canonicalBits);
  } else if (kind == Kind::Enum) {
    std::copy_n(values.as<std::uint32_t>(), rows, made.begin());
  } else {
    std::copy_n(values.as<std::uint8_t>(), rows, made.begin());
  }
  return made.data();
}

template <bool kOptional, bool kAll, class Slots, class Fresh>
void GroupTable::probeRows(const std::uint8_t* valid, const std::uint64_t* words,
                           const Selection& rows, Slots* slots, std::uint32_t* groups,
                           std::uint32_t& noneGroup, Fresh& fresh) const {
  const std::size_t mask = slots_.size() - 1;
  const auto rowAt = [&](std::size_t i) { return kAll ? i : std::size_t{rows.rows[i]}; };
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (i + kAhead < rows.count) __builtin_prefetch(slots + place(words[rowAt(i + kAhead)]));
    const std::size_t row = rowAt(i);
    if (kOptional && valid[row] == 0) {
      if (noneGroup == kNone) noneGroup = fresh(row, nullptr);
      groups[i] = noneGroup;
      continue;
    }
    const std::uint64_t word = words[row];
    std::size_t at = place(word);
    while (slots[at].group != kNone && slots[at].word != word) at = (at + 1) & mask;
    groups[i] = slots[at].group != kNone ? slots[at].group : fresh(row, slots + at);
  }
}

template <class Slots, class Fresh>
void GroupTable::probe(const Batch& batch, const std::uint64_t* words, const Selection& rows,
                       Slots* slots, std::uint32_t* groups, std::uint32_t& noneGroup,
                       Fresh&& fresh) const {
  const bool optional = exact_ && batch.columns[0].valid != nullptr;
  const std::uint8_t* valid = optional ? batch.columns[0].valid->as<std::uint8_t>() : nullptr;
  const bool all = rows.rows == nullptr;
  if (optional) {
    if (all) return probeRows<true, true>(valid, words, rows, slots, groups, noneGroup, fresh);
    return probeRows<true, false>(valid, words, rows, slots, groups, noneGroup, fresh);
  }
  if (all) return probeRows<false, true>(valid, words, rows, slots, groups, noneGroup, fresh);
  return probeRows<false, false>(valid, words, rows, slots, groups, noneGroup, fresh);
}

/// The slot of a row's key, or the empty one in which it would be.
std::size_t GroupTable::placeOf(const Batch& batch, std::uint64_t word, std::int64_t row) const {
  const Batch stored = keys_.view();
  const std::vector<Field>& fields = keys_.schema().fields;
  for (std::size_t at = place(word);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.group == kNone) return at;
    bool same = slot.word == word;
    for (std::size_t c = 0; same && c < fields.size(); ++c) {
      same = sameCell(fields[c].kind, stored.columns[c], slot.group, batch.columns[c], row);
    }
    if (same) return at;
  }
}

std::vector<std::uint8_t> GroupTable::collisions(const Batch& batch, const Selection& rows,
                                                 const std::vector<std::uint32_t>& groups) const {
  std::vector<std::uint8_t> differs(groups.size());
  const Batch stored = keys_.view();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    markDifferent(keys_.schema().fields[c].kind, stored.columns[c], groups, batch.columns[c], rows,
                  differs);
  }
  return differs;
}

void GroupTable::add(const Batch& batch, const std::uint64_t* words, const Selection& rows,
                     std::vector<std::uint32_t>& groups) {
  groups.resize(rows.count);
  fresh_.clear();
  if (rows.count == 0) return;
  makeRoom(rows.count);
  const auto fresh = [&](std::size_t row, Slot* slot) {
    fresh_.push_back(static_cast<std::int64_t>(row));
    const auto group = static_cast<std::uint32_t>(size_++);
    if (slot != nullptr) *slot = {words[row], group};
    return group;
  };
  probe(batch, words, rows, slots_.data(), groups.data(), noneGroup_, fresh);
  if (!fresh_.empty()) keys_.append(batch, fresh_);
  if (exact_) return;
  const std::vector<std::uint8_t> differs = collisions(batch, rows, groups);
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (differs[i] == 0) continue;
    const auto row = static_cast<std::int64_t>(rows.at(i));
    Slot& slot = slots_[placeOf(batch, words[row], row)];
    if (slot.group == kNone) {
      fresh(rows.at(i), &slot);
      keys_.append(batch, {&row, 1});
      inOrder_ = false;
    }
    groups[i] = slot.group;
  }
}

void GroupTable::find(const Batch& batch, const std::uint64_t* words, const Selection& rows,
                      std::vector<std::uint32_t>& groups) const {
  groups.assign(rows.count, kNone);
  if (rows.count == 0 || size_ == 0) return;
  std::uint32_t noneGroup = noneGroup_;
  probe(batch, words, rows, slots_.data(), groups.data(), noneGroup,
        [](std::size_t, const Slot*) { return kNone; });
  if (exact_) return;
  const std::vector<std::uint8_t> differs = collisions(batch, rows, groups);
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (differs[i] == 0 || groups[i] == kNone) continue;
    const auto row = static_cast<std::int64_t>(rows.at(i));
    groups[i] = slots_[placeOf(batch, words[row], row)].group;
  }
}

}  // namespace couler::column
