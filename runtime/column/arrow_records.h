#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/column/arrow_format.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// The body of a record batch: buffers one after the other, each at a multiple of 64, and what the
/// metadata says of them.
class RecordBody {
 public:
  std::vector<arrow::FieldNode> nodes;
  std::vector<arrow::BufferSpan> buffers;
  std::vector<char> bytes;

  /// Room for a further buffer, zeroed; moves the others.
  template <class T>
  T* add(std::size_t count) {
    const std::size_t at = bytes.size();
    const std::size_t size = count * sizeof(T);
    buffers.push_back({static_cast<std::int64_t>(at), static_cast<std::int64_t>(size)});
    bytes.resize(at + (size + 63) / 64 * 64);
    return reinterpret_cast<T*>(bytes.data() + at);
  }
};

/// Gathers batches into record batches in Arrow's layout: small batches become one, and no string
/// column outgrows its offsets of 32 bits.
class RecordGatherer {
 public:
  using Emit = std::function<bool(RecordBody&& body, std::int64_t rows)>;
  /// `enumsAsText`: cases by their names, not by their indexes in a dictionary.
  RecordGatherer(std::string path, const Schema& schema, bool enumsAsText, Emit emit)
      : path_(std::move(path)),
        schema_(schema),
        enumsAsText_(enumsAsText),
        emit_(std::move(emit)) {}

  [[nodiscard]] bool add(const Batch& batch, std::optional<StreamError>& error) {
    return take({batch, 0, batch.rows}, error);
  }
  /// Emits what is left.
  [[nodiscard]] bool flush();

 private:
  struct Part {  // rows of a batch
    Batch batch;
    std::int64_t from = 0;
    std::int64_t to = 0;
  };
  bool take(Part part, std::optional<StreamError>& error);
  void addColumn(std::size_t field, std::int64_t rows, RecordBody& body) const;
  void addFloats(std::size_t field, std::size_t count, RecordBody& body) const;
  void addTexts(std::size_t field, std::int64_t rows, RecordBody& body) const;
  void addValidity(std::size_t field, RecordBody& body) const;

  std::string path_;
  const Schema& schema_;
  bool enumsAsText_;
  Emit emit_;
  std::vector<Part> pending_;
  std::int64_t rows_ = 0;  // pending
  std::int64_t text_ = 0;
};

}  // namespace couler::column
