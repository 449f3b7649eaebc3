#include "bench/bench_rows.h"

#include <filesystem>
#include <functional>

#include <fmt/format.h>

namespace couler::bench {

namespace {

using column::Batch;
using column::Buffer;
using column::Column;
using column::Text;
using ir::TypeTable;

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same numbers with every compiler.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

template <class T, class Make>
Column numbers(std::int64_t rows, Make&& make) {
  auto values = Buffer::make(static_cast<std::size_t>(rows) * sizeof(T));
  for (std::int64_t i = 0; i < rows; ++i) values->as<T>()[i] = make();
  return {std::move(values), nullptr, {}, nullptr};
}

template <class Make>
Column texts(std::int64_t rows, Make&& make) {
  std::string all;
  std::vector<std::size_t> ends;
  for (std::int64_t i = 0; i < rows; ++i) {
    all += make();
    ends.push_back(all.size());
  }
  auto heap = Buffer::make(all.size());
  std::copy(all.begin(), all.end(), heap->as<char>());
  auto values = Buffer::make(static_cast<std::size_t>(rows) * sizeof(Text));
  std::size_t start = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    values->as<Text>()[i] = {heap->as<char>() + start, static_cast<std::int64_t>(ends[i] - start)};
    start = ends[i];
  }
  return {std::move(values), nullptr, {std::move(heap)}, nullptr};
}

/// One cell in `every` has no value.
Column holes(Random& random, std::int64_t rows, std::int64_t every, std::size_t width, Column of) {
  auto valid = Buffer::make(static_cast<std::size_t>(rows));
  auto values = Buffer::make(static_cast<std::size_t>(rows) * width);
  std::copy_n(of.values->as<char>(), static_cast<std::size_t>(rows) * width, values->as<char>());
  for (std::int64_t i = 0; i < rows; ++i) {
    valid->as<std::uint8_t>()[i] = random.below(every) != 0 ? 1 : 0;
    if (valid->as<std::uint8_t>()[i] != 0) continue;
    std::fill_n(values->as<char>() + static_cast<std::size_t>(i) * width, width, '\0');
  }
  of.values = std::move(values);
  of.valid = std::move(valid);
  return of;
}

Column reals(Random& random, std::int64_t rows, double most) {
  return numbers<double>(rows, [&] { return random.unit() * most + 0.01; });
}
Column wholes(Random& random, std::int64_t rows, std::int64_t below, std::int64_t times = 1) {
  return numbers<std::int64_t>(rows, [&] { return random.below(below) * times; });
}

Batch tripsOf(Random& random, std::int64_t rows) {
  Batch batch;
  batch.rows = rows;
  batch.columns.push_back(reals(random, rows, 30));
  batch.columns.push_back(holes(random, rows, 10, 8, reals(random, rows, 80)));
  batch.columns.push_back(holes(random, rows, 4, 8, reals(random, rows, 10)));
  batch.columns.push_back(wholes(random, rows, 6));
  batch.columns.push_back(wholes(random, rows, 7200));
  batch.columns.push_back(wholes(random, rows, 100'000, 7));
  batch.columns.push_back(
      texts(rows, [&] { return fmt::format("city of {}", random.below(10'000) * 13); }));
  return batch;
}

Batch textsOf(Random& random, std::int64_t rows) {
  static constexpr const char* kZones[] = {"us-east-1", "us-west-2", "eu-central-1", "ap-south-1",
                                           "us-"};
  Batch batch;
  batch.rows = rows;
  batch.columns.push_back(
      texts(rows, [&] { return std::string(kZones[static_cast<std::size_t>(random.below(5))]); }));
  batch.columns.push_back(holes(random, rows, 4, sizeof(Text), texts(rows, [&] {
                                  return fmt::format(
                                      " trip {}{}", random.below(100'000),
                                      random.below(3) == 0 ? " Delayed by rain " : " on time");
                                })));
  batch.columns.push_back(reals(random, rows, 30));
  batch.columns.push_back(numbers<std::int64_t>(
      rows, [&] { return 1'700'000'000'000'000 + random.below(31'536'000) * 1'000'000; }));
  return batch;
}

/// Nine in ten of the trips' places, in another order.
Batch placesOf(Random& random, std::int64_t first, std::int64_t rows) {
  std::int64_t at = first;
  Batch batch;
  batch.rows = rows;
  batch.columns.push_back(numbers<std::int64_t>(rows, [&] {
    const std::int64_t place = at++ * 30'011 % 100'000;
    return place * 7 + (place % 10 == 0 ? 1 : 0);
  }));
  batch.columns.push_back(reals(random, rows, 90));
  at = first;
  batch.columns.push_back(texts(rows, [&] { return fmt::format("the place number {}", at++); }));
  return batch;
}

bool writeTable(const std::string& path, const column::Schema& schema, std::int64_t rows,
                const std::function<Batch(std::int64_t first, std::int64_t rows)>& make,
                std::string& error) {
  column::StreamError why;
  const auto sink = column::openSink(path, "arrow", schema, why);
  bool ok = sink != nullptr;
  for (std::int64_t first = 0; ok && first < rows; first += column::kBatchRows) {
    ok = sink->write(make(first, std::min(column::kBatchRows, rows - first)));
  }
  ok = ok && sink->finish();
  if (!ok) error = sink && sink->error() ? sink->error()->message : why.message;
  return ok;
}

}  // namespace

bool makeTables(const std::string& folder, std::int64_t rows, std::string& error) {
  TypeTable types;
  const ir::TypeId maybe = types.optional(TypeTable::kFloat);
  const column::Schema trips = column::schemaOf(
      types, types.record({{"miles", TypeTable::kFloat},
                           {"fare", maybe},
                           {"tip", maybe},
                           {"riders", TypeTable::kInt},
                           {"seconds", TypeTable::kInt},
                           {"place", TypeTable::kInt},
                           {"city", TypeTable::kString}}));
  const column::Schema texts = column::schemaOf(
      types, types.record({{"zone", TypeTable::kString},
                           {"note", types.optional(TypeTable::kString)},
                           {"miles", TypeTable::kFloat},
                           {"at", TypeTable::kTimestamp}}));
  const column::Schema places = column::schemaOf(types, types.record({{"id", TypeTable::kInt},
                                                                      {"lat", TypeTable::kFloat},
                                                                      {"name", TypeTable::kString}}));
  Random random(7);
  return writeTable(folder + "/trips.arrow", trips, rows,
                    [&](std::int64_t, std::int64_t n) { return tripsOf(random, n); }, error) &&
         writeTable(folder + "/texts.arrow", texts, rows / 4,
                    [&](std::int64_t, std::int64_t n) { return textsOf(random, n); }, error) &&
         writeTable(
             folder + "/places.arrow", places, 100'000,
             [&](std::int64_t first, std::int64_t n) { return placesOf(random, first, n); }, error);
}

bool readTable(const std::string& path, const column::Schema& schema, Table& table,
               std::string& error) {
  column::AnomalyLog log;
  column::StreamError why;
  const auto source = column::openSource(path, schema, {}, log, why);
  if (!source) {
    error = why.message;
    return false;
  }
  table.schema = schema;
  while (auto batch = source->next()) {
    table.rows += batch->rows;
    table.batches.push_back(std::move(*batch));
  }
  if (source->error()) error = source->error()->message;
  return !source->error();
}

}  // namespace couler::bench
