#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/column/operators.h"
#include "runtime/column/row_store.h"
#include "runtime/column/stream.h"

/// Rows put aside in files, for operators whose rows do not fit in memory.
namespace couler::column {

/// A file of rows: written first, then read any number of times, removed at the end.
class SpillFile {
 public:
  SpillFile(Schema schema, const Limits& limits);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  bool write(const Batch& batch, std::optional<StreamError>& error);
  /// Ends writing and opens the file for reading; null on failure. The file must outlive it.
  [[nodiscard]] std::unique_ptr<Source> read(std::optional<StreamError>& error);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] const Schema& schema() const { return schema_; }

 private:
  Schema schema_;
  std::string path_;
  std::unique_ptr<Sink> sink_;
  bool opened_ = false;
  std::int64_t rows_ = 0;
  AnomalyLog log_;
};

/// Rows dealt out to files by their hash, a few thousand at a time.
class Partitions {
 public:
  static constexpr std::size_t kCount = 16;
  /// `depth`: which four bits of the hash decide, from the top.
  Partitions(const Schema& schema, const Limits& limits, std::uint32_t depth);
  bool write(const Batch& batch, std::span<const std::int64_t> take,
             const std::vector<std::uint64_t>& hashes, std::optional<StreamError>& error);
  bool finish(std::optional<StreamError>& error);
  [[nodiscard]] SpillFile& at(std::size_t i) { return *files_[i]; }

 private:
  bool flush(std::size_t i, std::optional<StreamError>& error);
  std::uint32_t shift_;
  std::vector<std::unique_ptr<SpillFile>> files_;
  std::vector<RowStore> pending_;
};

/// Streams that are each in order, as one. Equal rows: the earlier stream's first.
class MergeSource final : public Source {
 public:
  /// `keys`: the last columns; they are left out of the rows given unless `keepKeys`.
  MergeSource(std::vector<std::unique_ptr<Source>> inputs, std::size_t keys,
              std::uint32_t descending, Schema out);
  [[nodiscard]] const Schema& schema() const override { return out_; }
  std::optional<Batch> next() override;

 private:
  struct Input {
    std::unique_ptr<Source> source;
    std::optional<Batch> batch;
    std::int64_t row = 0;
  };
  struct Pick {
    std::uint32_t input;
    std::uint32_t row;
  };
  /// The next batch of an input; false after an error.
  bool fetch(Input& input);
  [[nodiscard]] bool before(std::uint32_t a, std::uint32_t b) const;
  void siftDown(std::size_t at);
  [[nodiscard]] Batch taken() const;

  std::vector<Input> inputs_;
  std::size_t keys_;
  std::uint32_t descending_;
  Schema out_;
  std::vector<std::uint32_t> heap_;  ///< inputs with rows left, the least row's first
  std::vector<Pick> picks_;
  std::int64_t rows_ = 0;
  bool started_ = false;
};

/// A source of one stored block of rows, given a batch at a time.
[[nodiscard]] std::unique_ptr<Source> storedRows(Schema schema, std::shared_ptr<RowStore> rows,
                                                 std::vector<std::int64_t> order);
/// One stream after the other.
[[nodiscard]] std::unique_ptr<Source> concatenate(std::vector<std::unique_ptr<Source>> inputs);

/// The schema with a column `#row` of ints at its end.
[[nodiscard]] Schema withRowNumber(Schema schema);

}  // namespace couler::column
