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

void GroupTable::wordsOf(const Batch& batch) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  if (!exact_) {
    hashRows(keys_.schema(), batch, columns_, made_);
    if (hashMask_ != ~std::uint64_t{0}) {
      for (std::uint64_t& word : made_) word &= hashMask_;
    }
    words_ = made_.data();
    return;
  }
  const Kind kind = keys_.schema().fields[0].kind;
  const Buffer& values = *batch.columns[0].values;
  if (widthOf(kind) == 8 && kind != Kind::Float) {
    words_ = values.as<std::uint64_t>();
    return;
  }
  made_.resize(rows);
  words_ = made_.data();
  if (kind == Kind::Float) {
    std::transform(values.as<double>(), values.as<double>() + rows, made_.begin(), canonicalBits);
  } else if (kind == Kind::Enum) {
    std::copy_n(values.as<std::uint32_t>(), rows, made_.begin());
  } else {
    std::copy_n(values.as<std::uint8_t>(), rows, made_.begin());
  }
}

template <bool kOptional>
void GroupTable::probe(const Batch& batch, bool grow, std::uint32_t* groups) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  const std::uint8_t* valid =
      kOptional ? batch.columns[0].valid->as<std::uint8_t>() : nullptr;
  const std::size_t mask = slots_.size() - 1;
  const std::uint64_t* words = words_;
  Slot* slots = slots_.data();
  const auto number = [&](std::size_t row) {
    if (!grow) return kNone;
    fresh_.push_back(static_cast<std::int64_t>(row));
    return static_cast<std::uint32_t>(size_++);
  };
  for (std::size_t row = 0; row < rows; ++row) {
    if (row + kAhead < rows) __builtin_prefetch(slots + place(words[row + kAhead]));
    if (kOptional && valid[row] == 0) {
      if (noneGroup_ == kNone) noneGroup_ = number(row);
      groups[row] = noneGroup_;
      continue;
    }
    const std::uint64_t word = words[row];
    std::size_t at = place(word);
    while (slots[at].group != kNone && slots[at].word != word) at = (at + 1) & mask;
    if (slots[at].group == kNone && grow) slots[at] = {word, number(row)};
    groups[row] = slots[at].group;
  }
}

/// The group of a row whose hash is that of another key.
void GroupTable::resolve(const Batch& batch, bool grow, std::int64_t row, std::uint32_t& group) {
  const std::uint64_t word = words_[row];
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = place(word);; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.group == kNone) {
      if (grow) {
        slot = {word, static_cast<std::uint32_t>(size_++)};
        fresh_.push_back(row);
        keys_.append(batch, {&row, 1});
        inOrder_ = false;
      }
      group = slot.group;
      return;
    }
    if (slot.word != word) continue;
    const Batch stored = keys_.view();
    const std::vector<Field>& fields = keys_.schema().fields;
    bool same = true;
    for (std::size_t c = 0; same && c < fields.size(); ++c) {
      same = sameCell(fields[c].kind, stored.columns[c], slot.group, batch.columns[c], row);
    }
    if (!same) continue;
    group = slot.group;
    return;
  }
}

void GroupTable::find(const Batch& batch, bool grow, std::vector<std::uint32_t>& groups) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  groups.resize(rows);
  fresh_.clear();
  if (rows == 0) return;
  if (grow) makeRoom(rows);
  wordsOf(batch);
  if (exact_ && batch.columns[0].valid != nullptr) {
    probe<true>(batch, grow, groups.data());
  } else {
    probe<false>(batch, grow, groups.data());
  }
  if (!fresh_.empty()) keys_.append(batch, fresh_);
  if (exact_ || size_ == 0) return;
  differs_.assign(rows, 0);
  const Batch stored = keys_.view();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    markDifferent(keys_.schema().fields[c].kind, stored.columns[c], groups, batch.columns[c],
                  differs_);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    if (differs_[row] == 0 || groups[row] == kNone) continue;
    resolve(batch, grow, static_cast<std::int64_t>(row), groups[row]);
  }
}

}  // namespace couler::column
