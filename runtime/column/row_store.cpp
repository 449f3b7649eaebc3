#include "runtime/column/row_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace couler::column {

namespace {

constexpr std::size_t kHeap = std::size_t{1} << 20;
constexpr std::size_t kPast = 64;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  // The finaliser of MurmurHash3 over both (https://github.com/aappleby/smhasher, public domain).
  std::uint64_t h = hash ^ (value + 0x9e3779b97f4a7c15ULL + (hash << 6U) + (hash >> 2U));
  h ^= h >> 33U;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33U;
  h *= 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33U);
}

std::uint64_t hashOfText(const Text& text) {
  std::uint64_t hash = static_cast<std::uint64_t>(text.size) * 0x9e3779b97f4a7c15ULL;
  const char* at = text.data;
  std::int64_t left = text.size;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = mix(hash, word);
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, static_cast<std::size_t>(left));
    hash = mix(hash, word);
  }
  return hash;
}

std::uint64_t bitsOf(double x) {
  if (std::isnan(x)) return 0x7ff8000000000000ULL;
  if (x == 0) return 0;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

bool isValid(const Column& column, std::int64_t row) {
  return column.valid == nullptr || column.valid->as<std::uint8_t>()[row] != 0;
}

template <class T>
const T& cell(const Column& column, std::int64_t row) {
  return column.values->as<T>()[row];
}

constexpr std::uint64_t kNoneHash = 0x6e6f6e65ULL;

template <class T, class Hash>
void hashColumn(const Column& column, std::int64_t rows, std::vector<std::uint64_t>& hashes,
                Hash hash) {
  const T* values = column.values->as<T>();
  const std::uint8_t* valid = column.valid == nullptr ? nullptr : column.valid->as<std::uint8_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    hashes[at] = mix(hashes[at], valid != nullptr && valid[i] == 0 ? kNoneHash : hash(values[i]));
  }
}

template <class T>
int order(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

void hashRows(const Schema& schema, const Batch& batch, std::span<const std::uint32_t> columns,
              std::vector<std::uint64_t>& hashes) {
  hashes.assign(static_cast<std::size_t>(batch.rows), 0);
  for (const std::uint32_t c : columns) {
    const Column& column = batch.columns[c];
    switch (schema.fields[c].kind) {
      case Kind::Bool:
        hashColumn<std::uint8_t>(column, batch.rows, hashes,
                                 [](std::uint8_t v) { return std::uint64_t{v}; });
        break;
      case Kind::Enum:
        hashColumn<std::int32_t>(column, batch.rows, hashes,
                                 [](std::int32_t v) { return static_cast<std::uint64_t>(v); });
        break;
      case Kind::Float:
        hashColumn<double>(column, batch.rows, hashes, bitsOf);
        break;
      case Kind::String:
        hashColumn<Text>(column, batch.rows, hashes, hashOfText);
        break;
      case Kind::Int:
      case Kind::Timestamp:
      case Kind::Duration:
      case Kind::Size:
        hashColumn<std::int64_t>(column, batch.rows, hashes,
                                 [](std::int64_t v) { return static_cast<std::uint64_t>(v); });
        break;
      case Kind::Value:
        break;  // the plan has refused it
    }
  }
}

bool sameCell(Kind kind, const Column& a, std::int64_t rowA, const Column& b, std::int64_t rowB) {
  const bool there = isValid(a, rowA);
  if (there != isValid(b, rowB)) return false;
  if (!there) return true;
  switch (kind) {
    case Kind::Bool:
      return cell<std::uint8_t>(a, rowA) == cell<std::uint8_t>(b, rowB);
    case Kind::Enum:
      return cell<std::int32_t>(a, rowA) == cell<std::int32_t>(b, rowB);
    case Kind::Float:
      return bitsOf(cell<double>(a, rowA)) == bitsOf(cell<double>(b, rowB));
    case Kind::String:
      return cell<Text>(a, rowA).view() == cell<Text>(b, rowB).view();
    case Kind::Value:
      return false;
    default:
      return cell<std::int64_t>(a, rowA) == cell<std::int64_t>(b, rowB);
  }
}

int compareCells(Kind kind, const Column& a, std::int64_t rowA, const Column& b, std::int64_t rowB,
                 bool descending) {
  const auto rank = [kind](const Column& column, std::int64_t row) {
    if (!isValid(column, row)) return 2;
    return kind == Kind::Float && std::isnan(cell<double>(column, row)) ? 1 : 0;
  };
  const int rankA = rank(a, rowA);
  const int rankB = rank(b, rowB);
  if (rankA != rankB) return rankA - rankB;
  if (rankA != 0) return 0;
  int result = 0;
  switch (kind) {
    case Kind::Bool:
      result = order(cell<std::uint8_t>(a, rowA), cell<std::uint8_t>(b, rowB));
      break;
    case Kind::Enum:
      result = order(cell<std::int32_t>(a, rowA), cell<std::int32_t>(b, rowB));
      break;
    case Kind::Float:
      result = order(cell<double>(a, rowA), cell<double>(b, rowB));
      break;
    case Kind::String:
      result = cell<Text>(a, rowA).view().compare(cell<Text>(b, rowB).view());
      break;
    case Kind::Value:
      break;
    default:
      result = order(cell<std::int64_t>(a, rowA), cell<std::int64_t>(b, rowB));
  }
  return descending ? -result : result;
}

namespace {

template <class T>
void gatherInto(const std::byte* from, std::span<const std::int64_t> take, std::byte* to) {
  const T* values = reinterpret_cast<const T*>(from);
  T* out = reinterpret_cast<T*>(to);
  for (std::size_t i = 0; i < take.size(); ++i) out[i] = values[take[i]];
}

void gatherCells(Kind kind, const std::byte* from, std::span<const std::int64_t> take,
                 std::byte* to) {
  switch (widthOf(kind)) {
    case 1:
      return gatherInto<std::uint8_t>(from, take, to);
    case 4:
      return gatherInto<std::int32_t>(from, take, to);
    case 8:
      return gatherInto<std::int64_t>(from, take, to);
    case sizeof(Text):
      return gatherInto<Text>(from, take, to);
    default:
      return;
  }
}

}  // namespace

Batch gather(const Schema& schema, const Batch& batch, std::span<const std::int64_t> take) {
  Batch out;
  out.rows = static_cast<std::int64_t>(take.size());
  for (std::size_t c = 0; c < schema.fields.size(); ++c) {
    const Column& from = batch.columns[c];
    Column& to = out.columns.emplace_back();
    if (from.boxed != nullptr) {
      auto boxed = std::make_shared<std::vector<ir::Value>>();
      for (const std::int64_t row : take) {
        boxed->push_back((*from.boxed)[static_cast<std::size_t>(row)]);
      }
      to.boxed = std::move(boxed);
      continue;
    }
    if (from.values == nullptr) continue;
    const Kind kind = schema.fields[c].kind;
    auto values = Buffer::make(take.size() * widthOf(kind));
    gatherCells(kind, from.values->data(), take, values->data());
    to.values = std::move(values);
    to.heaps = from.heaps;
    if (from.valid == nullptr) continue;
    auto valid = Buffer::make(take.size());
    gatherInto<std::uint8_t>(from.valid->data(), take, valid->data());
    to.valid = std::move(valid);
  }
  return out;
}

RowStore::RowStore(Schema schema) : schema_(std::move(schema)), columns_(schema_.fields.size()) {}

char* RowStore::textRoom(std::size_t bytes) {
  if (heaps_.empty() || heapUsed_ + bytes > heaps_.back()->size()) {
    heaps_.push_back(Buffer::make(std::max(kHeap, bytes)));
    heapUsed_ = 0;
    bytes_ += heaps_.back()->size();
  }
  char* room = heaps_.back()->as<char>() + heapUsed_;
  heapUsed_ += bytes;
  return room;
}

void RowStore::append(const Batch& batch) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(batch.rows));
  std::iota(all.begin(), all.end(), 0);
  append(batch, all);
}

void RowStore::append(const Batch& batch, std::span<const std::int64_t> take) {
  if (take.empty()) return;
  const auto before = static_cast<std::size_t>(rows_);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Growing& to = columns_[c];
    const Column& from = batch.columns[c];
    const Kind kind = schema_.fields[c].kind;
    const std::size_t width = widthOf(kind);
    const std::size_t end = (before + take.size()) * width + kPast;
    if (end > to.values.capacity()) {
      const std::size_t grown = std::max(end, to.values.capacity() * 2);
      bytes_ += grown - to.values.capacity();
      to.values.reserve(grown);
    }
    to.values.resize(end);
    std::byte* room = reinterpret_cast<std::byte*>(to.values.data()) + before * width;
    gatherCells(kind, from.values->data(), take, room);
    if (kind == Kind::String) {
      Text* texts = reinterpret_cast<Text*>(room);
      for (std::size_t i = 0; i < take.size(); ++i) {
        if (!isValid(from, take[i])) {
          texts[i] = {"", 0};
          continue;
        }
        char* copy = textRoom(static_cast<std::size_t>(texts[i].size));
        if (texts[i].size != 0) std::memcpy(copy, texts[i].data, static_cast<std::size_t>(texts[i].size));
        texts[i].data = copy;
      }
    }
    if (from.valid == nullptr && to.valid.empty()) continue;
    if (to.valid.empty()) to.valid.assign(before, 1);
    bytes_ += take.size();
    if (from.valid == nullptr) {
      to.valid.resize(before + take.size(), 1);
    } else {
      const std::uint8_t* valid = from.valid->as<std::uint8_t>();
      for (const std::int64_t row : take) to.valid.push_back(valid[row]);
    }
  }
  rows_ += static_cast<std::int64_t>(take.size());
}

Batch RowStore::view() const {
  Batch out;
  out.rows = rows_;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Column& column = out.columns.emplace_back();
    const Growing& from = columns_[c];
    const std::size_t bytes = static_cast<std::size_t>(rows_) * widthOf(schema_.fields[c].kind);
    column.values = Buffer::wrap(from.values.data(), bytes, nullptr);
    if (!from.valid.empty()) column.valid = Buffer::wrap(from.valid.data(), from.valid.size(), nullptr);
  }
  return out;
}

Batch RowStore::gather(std::span<const std::int64_t> take) const {
  Batch out = column::gather(schema_, view(), take);
  for (std::size_t c = 0; c < out.columns.size(); ++c) {
    if (schema_.fields[c].kind != Kind::String) continue;
    out.columns[c].heaps.assign(heaps_.begin(), heaps_.end());
  }
  return out;
}

void RowStore::clear() { *this = RowStore(std::move(schema_)); }

}  // namespace couler::column
