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

void GroupTable::wordsOf(const Batch& batch, Scratch& scratch) const {
  const auto rows = static_cast<std::size_t>(batch.rows);
  std::vector<std::uint64_t>& made = scratch.made;
  if (!exact_) {
    hashRows(keys_.schema(), batch, columns_, made);
    if (hashMask_ != ~std::uint64_t{0}) {
      for (std::uint64_t& word : made) word &= hashMask_;
    }
    scratch.words = made.data();
    return;
  }
  const Kind kind = keys_.schema().fields[0].kind;
  const Buffer& values = *batch.columns[0].values;
  if (widthOf(kind) == 8 && kind != Kind::Float) {
    scratch.words = values.as<std::uint64_t>();
    return;
  }
  made.resize(rows);
  scratch.words = made.data();
  if (kind == Kind::Float) {
    std::transform(values.as<double>(), values.as<double>() + rows, made.begin(), canonicalBits);
  } else if (kind == Kind::Enum) {
    std::copy_n(values.as<std::uint32_t>(), rows, made.begin());
  } else {
    std::copy_n(values.as<std::uint8_t>(), rows, made.begin());
  }
}

template <bool kOptional, class Slots, class Fresh>
void GroupTable::probe(const Batch& batch, const Scratch& scratch, Slots* slots,
                       std::uint32_t* groups, std::uint32_t& noneGroup, Fresh&& fresh) const {
  const auto rows = static_cast<std::size_t>(batch.rows);
  const std::uint8_t* valid = kOptional ? batch.columns[0].valid->as<std::uint8_t>() : nullptr;
  const std::size_t mask = slots_.size() - 1;
  const std::uint64_t* words = scratch.words;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row + kAhead < rows) __builtin_prefetch(slots + place(words[row + kAhead]));
    if (kOptional && valid[row] == 0) {
      if (noneGroup == kNone) noneGroup = fresh(row, nullptr);
      groups[row] = noneGroup;
      continue;
    }
    const std::uint64_t word = words[row];
    std::size_t at = place(word);
    while (slots[at].group != kNone && slots[at].word != word) at = (at + 1) & mask;
    groups[row] = slots[at].group != kNone ? slots[at].group : fresh(row, slots + at);
  }
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

/// Marks the rows that were given the group of another key with their hash.
void GroupTable::compare(const Batch& batch, Scratch& scratch,
                         const std::vector<std::uint32_t>& groups) const {
  scratch.differs.assign(groups.size(), 0);
  const Batch stored = keys_.view();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    markDifferent(keys_.schema().fields[c].kind, stored.columns[c], groups, batch.columns[c],
                  scratch.differs);
  }
}

void GroupTable::add(const Batch& batch, std::vector<std::uint32_t>& groups) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  groups.resize(rows);
  fresh_.clear();
  if (rows == 0) return;
  makeRoom(rows);
  wordsOf(batch, scratch_);
  const auto fresh = [this](std::size_t row, Slot* slot) {
    fresh_.push_back(static_cast<std::int64_t>(row));
    const auto group = static_cast<std::uint32_t>(size_++);
    if (slot != nullptr) *slot = {scratch_.words[row], group};
    return group;
  };
  if (exact_ && batch.columns[0].valid != nullptr) {
    probe<true>(batch, scratch_, slots_.data(), groups.data(), noneGroup_, fresh);
  } else {
    probe<false>(batch, scratch_, slots_.data(), groups.data(), noneGroup_, fresh);
  }
  if (!fresh_.empty()) keys_.append(batch, fresh_);
  if (exact_) return;
  compare(batch, scratch_, groups);
  for (std::size_t row = 0; row < rows; ++row) {
    if (scratch_.differs[row] == 0) continue;
    const auto at = static_cast<std::int64_t>(row);
    Slot& slot = slots_[placeOf(batch, scratch_.words[row], at)];
    if (slot.group == kNone) {
      fresh(row, &slot);
      keys_.append(batch, {&at, 1});
      inOrder_ = false;
    }
    groups[row] = slot.group;
  }
}

void GroupTable::find(const Batch& batch, Scratch& scratch,
                      std::vector<std::uint32_t>& groups) const {
  const auto rows = static_cast<std::size_t>(batch.rows);
  groups.assign(rows, kNone);
  if (rows == 0 || size_ == 0) return;
  wordsOf(batch, scratch);
  const auto fresh = [](std::size_t, const Slot*) { return kNone; };
  std::uint32_t noneGroup = noneGroup_;
  if (exact_ && batch.columns[0].valid != nullptr) {
    probe<true>(batch, scratch, slots_.data(), groups.data(), noneGroup, fresh);
  } else {
    probe<false>(batch, scratch, slots_.data(), groups.data(), noneGroup, fresh);
  }
  if (exact_) return;
  compare(batch, scratch, groups);
  for (std::size_t row = 0; row < rows; ++row) {
    if (scratch.differs[row] == 0 || groups[row] == kNone) continue;
    groups[row] =
        slots_[placeOf(batch, scratch.words[row], static_cast<std::int64_t>(row))].group;
  }
}

}  // namespace couler::column
