#include "runtime/column/row_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

namespace couler::column {

namespace {

constexpr std::size_t kHeap = std::size_t{1} << 20;
constexpr std::size_t kPast = 64;

// Folded multiplication, as in wyhash (https://github.com/wangyi-fudan/wyhash, public domain).
__extension__ using Wide = unsigned __int128;
constexpr std::uint64_t kOne = 0xa0761d6478bd642fULL;
constexpr std::uint64_t kTwo = 0xe7037ed1a0b428dbULL;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a ^ kOne) * (b ^ kTwo);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}
/// The first `size` bytes, 1 to 7; reads 8, which texts allow (docs/jit.md).
std::uint64_t loadFew(const char* at, std::int64_t size) {
  return load(at) & (~std::uint64_t{0} >> (64U - 8U * static_cast<unsigned>(size)));
}

std::uint64_t hashOfText(const Text& text) {
  const char* at = text.data;
  const std::int64_t size = text.size;
  const auto seed = static_cast<std::uint64_t>(size);
  if (size <= 16) {
    if (size >= 8) return mix(load(at), load(at + size - 8) ^ seed);
    return mix(size > 0 ? loadFew(at, size) : 0, seed);
  }
  std::uint64_t hash = seed;
  for (std::int64_t i = 0; i + 16 < size; i += 16) hash = mix(load(at + i) ^ hash, load(at + i + 8));
  return mix(load(at + size - 16) ^ hash, load(at + size - 8));
}

bool sameText(const Text& a, const Text& b) {
  if (a.size != b.size) return false;
  if (a.size > 16) return std::memcmp(a.data, b.data, static_cast<std::size_t>(a.size)) == 0;
  if (a.size >= 8) {
    return load(a.data) == load(b.data) && load(a.data + a.size - 8) == load(b.data + b.size - 8);
  }
  return a.size == 0 || loadFew(a.data, a.size) == loadFew(b.data, b.size);
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
void hashColumn(const Column& column, std::vector<std::uint64_t>& hashes, Hash hash) {
  const T* values = column.values->as<T>();
  if (column.valid == nullptr) {
    for (std::size_t i = 0; i < hashes.size(); ++i) hashes[i] = mix(hashes[i], hash(values[i]));
    return;
  }
  const std::uint8_t* valid = column.valid->as<std::uint8_t>();
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    hashes[i] = mix(hashes[i], valid[i] == 0 ? kNoneHash : hash(values[i]));
  }
}

template <class T>
int order(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

std::uint64_t canonicalBits(double x) {
  if (std::isnan(x)) return 0x7ff8000000000000ULL;
  if (x == 0) return 0;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

void hashRows(const Schema& schema, const Batch& batch, std::span<const std::uint32_t> columns,
              std::vector<std::uint64_t>& hashes) {
  hashes.assign(static_cast<std::size_t>(batch.rows), 0);
  for (const std::uint32_t c : columns) {
    const Column& column = batch.columns[c];
    switch (schema.fields[c].kind) {
      case Kind::Bool:
        hashColumn<std::uint8_t>(column, hashes,
                                 [](std::uint8_t v) { return std::uint64_t{v}; });
        break;
      case Kind::Enum:
        hashColumn<std::int32_t>(column, hashes,
                                 [](std::int32_t v) { return static_cast<std::uint64_t>(v); });
        break;
      case Kind::Float:
        hashColumn<double>(column, hashes, canonicalBits);
        break;
      case Kind::String:
        hashColumn<Text>(column, hashes, hashOfText);
        break;
      case Kind::Int:
      case Kind::Timestamp:
      case Kind::Duration:
      case Kind::Size:
        hashColumn<std::int64_t>(column, hashes,
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
      return canonicalBits(cell<double>(a, rowA)) == canonicalBits(cell<double>(b, rowB));
    case Kind::String:
      return sameText(cell<Text>(a, rowA), cell<Text>(b, rowB));
    case Kind::Value:
      return false;
    default:
      return cell<std::int64_t>(a, rowA) == cell<std::int64_t>(b, rowB);
  }
}

namespace {

template <class T, class Same>
void markCells(const Column& kept, std::span<const std::uint32_t> rows, const Column& given,
               const Selection& selection, std::span<std::uint8_t> differs, Same same) {
  const auto last = static_cast<std::uint32_t>(kept.values->size() / sizeof(T) - 1);
  const T* old = kept.values->as<T>();
  const T* now = given.values->as<T>();
  if (kept.valid == nullptr && given.valid == nullptr && selection.rows == nullptr) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!same(old[std::min(rows[i], last)], now[i])) differs[i] = 1;
    }
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t row = std::min(rows[i], last);
    const std::size_t at = selection.at(i);
    const bool there = isValid(given, static_cast<std::int64_t>(at));
    const bool equal = there == isValid(kept, row) && (!there || same(old[row], now[at]));
    if (!equal) differs[i] = 1;
  }
}

}  // namespace

void markDifferent(Kind kind, const Column& kept, std::span<const std::uint32_t> rows,
                   const Column& given, const Selection& selection,
                   std::span<std::uint8_t> differs) {
  switch (kind) {
    case Kind::Bool:
      return markCells<std::uint8_t>(kept, rows, given, selection, differs, std::equal_to<>());
    case Kind::Enum:
      return markCells<std::int32_t>(kept, rows, given, selection, differs, std::equal_to<>());
    case Kind::Float:
      return markCells<double>(kept, rows, given, selection, differs, [](double a, double b) {
        return canonicalBits(a) == canonicalBits(b);
      });
    case Kind::String:
      return markCells<Text>(kept, rows, given, selection, differs, sameText);
    case Kind::Int:
    case Kind::Timestamp:
    case Kind::Duration:
    case Kind::Size:
      return markCells<std::int64_t>(kept, rows, given, selection, differs, std::equal_to<>());
    case Kind::Value:
      return;  // the plan has refused it
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

RowStore::RowStore(Schema schema)
    : schema_(std::move(schema)),
      columns_(schema_.fields.size()),
      heaps_(std::make_shared<std::vector<std::shared_ptr<Buffer>>>()) {}

char* RowStore::textRoom(std::size_t bytes) {
  if (heaps_->empty() || heapUsed_ + bytes > heaps_->back()->size()) {
    heaps_->push_back(Buffer::make(std::max(kHeap, bytes)));
    heapUsed_ = 0;
    bytes_ += heaps_->back()->size();
  }
  char* room = heaps_->back()->as<char>() + heapUsed_;
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

Batch RowStore::gather(std::span<const std::int64_t> take, std::size_t columns) const {
  Schema some;
  some.fields.assign(schema_.fields.begin(),
                     schema_.fields.begin() + static_cast<std::ptrdiff_t>(columns));
  Batch out = column::gather(some, view(), take);
  const auto alive = Buffer::wrap(nullptr, 0, heaps_);
  for (std::size_t c = 0; c < columns; ++c) {
    if (some.fields[c].kind == Kind::String) out.columns[c].heaps = {alive};
  }
  return out;
}

void RowStore::clear() { *this = RowStore(std::move(schema_)); }

}  // namespace couler::column
