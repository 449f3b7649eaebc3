#include "runtime/column/operators.h"

#include <algorithm>
#include <numeric>

namespace couler::column {

namespace {

class MapSource final : public Source {
 public:
  MapSource(std::unique_ptr<Source> in, std::unique_ptr<Kernel> kernel, Schema out,
            std::string name)
      : in_(std::move(in)),
        kernel_(std::move(kernel)),
        out_(std::move(out)),
        name_(std::move(name)) {}
  [[nodiscard]] const Schema& schema() const override { return out_; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    while (std::optional<Batch> batch = in_->next()) {
      Batch made;
      RowError failure;
      if (!kernel_->run(*batch, made, failure)) {
        error_ = rowError(name_, failure.row, failure);
        return std::nullopt;
      }
      if (made.rows != 0) return made;
    }
    error_ = in_->error();
    return std::nullopt;
  }

 private:
  std::unique_ptr<Source> in_;
  std::unique_ptr<Kernel> kernel_;
  Schema out_;
  std::string name_;
};

class KeySource final : public Source {
 public:
  KeySource(std::unique_ptr<Source> in, std::unique_ptr<Kernel> kernel, Schema keys,
            std::vector<std::uint32_t> kept, std::string name)
      : in_(std::move(in)),
        kernel_(std::move(kernel)),
        kept_(std::move(kept)),
        name_(std::move(name)) {
    out_.types = in_->schema().types;
    for (const std::uint32_t c : kept_) out_.fields.push_back(in_->schema().fields[c]);
    out_.fields.insert(out_.fields.end(), keys.fields.begin(), keys.fields.end());
  }
  [[nodiscard]] const Schema& schema() const override { return out_; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    std::optional<Batch> batch = in_->next();
    if (!batch) {
      error_ = in_->error();
      return std::nullopt;
    }
    Batch keys;
    RowError failure;
    if (!kernel_->run(*batch, keys, failure)) {
      error_ = rowError(name_, failure.row, failure);
      return std::nullopt;
    }
    std::vector<Column> columns;
    for (const std::uint32_t c : kept_) columns.push_back(std::move(batch->columns[c]));
    for (Column& column : keys.columns) columns.push_back(std::move(column));
    batch->columns = std::move(columns);
    return batch;
  }

 private:
  std::unique_ptr<Source> in_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<std::uint32_t> kept_;
  Schema out_;
  std::string name_;
};

class PlacedSource final : public Source {
 public:
  PlacedSource(std::unique_ptr<Source> in, Schema out, std::vector<std::uint32_t> places)
      : in_(std::move(in)), out_(std::move(out)), places_(std::move(places)) {}
  [[nodiscard]] const Schema& schema() const override { return out_; }

  std::optional<Batch> next() override {
    std::optional<Batch> batch = in_->next();
    if (!batch) {
      error_ = in_->error();
      return std::nullopt;
    }
    std::vector<Column> columns(out_.fields.size());
    for (std::size_t i = 0; i < places_.size(); ++i) {
      columns[places_[i]] = std::move(batch->columns[i]);
    }
    batch->columns = std::move(columns);
    return batch;
  }

 private:
  std::unique_ptr<Source> in_;
  Schema out_;
  std::vector<std::uint32_t> places_;
};

class LimitSource final : public Source {
 public:
  LimitSource(std::unique_ptr<Source> in, std::int64_t rows) : in_(std::move(in)), left_(rows) {}
  [[nodiscard]] const Schema& schema() const override { return in_->schema(); }

  std::optional<Batch> next() override {
    if (left_ == 0 || error_) return std::nullopt;
    std::optional<Batch> batch = in_->next();
    if (!batch) {
      error_ = in_->error();
      return std::nullopt;
    }
    if (batch->rows > left_) {
      batch->rows = left_;
      if (!batch->rowIds.empty()) batch->rowIds.resize(static_cast<std::size_t>(left_));
    }
    left_ -= batch->rows;
    return batch;
  }

 private:
  std::unique_ptr<Source> in_;
  std::int64_t left_;
};

}  // namespace

std::unique_ptr<Source> mapRows(std::unique_ptr<Source> in, std::unique_ptr<Kernel> kernel,
                                Schema out, std::string name) {
  return std::make_unique<MapSource>(std::move(in), std::move(kernel), std::move(out),
                                     std::move(name));
}

std::unique_ptr<Source> withKeys(std::unique_ptr<Source> in, std::unique_ptr<Kernel> kernel,
                                 Schema keys, std::vector<std::uint32_t> kept,
                                 std::string name) {
  return std::make_unique<KeySource>(std::move(in), std::move(kernel), std::move(keys),
                                     std::move(kept), std::move(name));
}

std::unique_ptr<Source> placeColumns(std::unique_ptr<Source> in, Schema out,
                                     std::vector<std::uint32_t> places) {
  return std::make_unique<PlacedSource>(std::move(in), std::move(out), std::move(places));
}

std::unique_ptr<Source> limitRows(std::unique_ptr<Source> in, std::int64_t rows) {
  return std::make_unique<LimitSource>(std::move(in), rows);
}

}  // namespace couler::column
