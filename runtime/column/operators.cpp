#include "runtime/column/operators.h"

#include "runtime/column/workers.h"

namespace couler::column {

namespace {

class MapWork final : public Work {
 public:
  MapWork(std::unique_ptr<Kernel> kernel, std::string name)
      : kernel_(std::move(kernel)), name_(std::move(name)) {}
  bool run(Batch& batch, std::optional<StreamError>& error) override {
    Batch made;
    RowError failure;
    if (!kernel_->run(batch, made, failure)) {
      error = rowError(name_, failure.row, failure);
      return false;
    }
    batch = std::move(made);
    return true;
  }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::string name_;
};

class KeyWork final : public Work {
 public:
  KeyWork(std::unique_ptr<Kernel> kernel, std::vector<std::uint32_t> kept, std::string name)
      : kernel_(std::move(kernel)), kept_(std::move(kept)), name_(std::move(name)) {}
  bool run(Batch& batch, std::optional<StreamError>& error) override {
    Batch keys;
    RowError failure;
    if (!kernel_->run(batch, keys, failure)) {
      error = rowError(name_, failure.row, failure);
      return false;
    }
    std::vector<Column> columns;
    for (const std::uint32_t c : kept_) columns.push_back(std::move(batch.columns[c]));
    for (Column& column : keys.columns) columns.push_back(std::move(column));
    batch.columns = std::move(columns);
    return true;
  }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::vector<std::uint32_t> kept_;
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

class ConcatSource final : public Source {
 public:
  using Open = std::function<std::unique_ptr<Source>(const std::string&, StreamError&)>;
  ConcatSource(Schema schema, std::vector<std::string> paths, Open open)
      : schema_(std::move(schema)), paths_(std::move(paths)), open_(std::move(open)) {}
  [[nodiscard]] const Schema& schema() const override { return schema_; }

  std::optional<Batch> next() override {
    while (!error_ && (part_ || next_ < paths_.size())) {
      if (!part_) {
        StreamError error;
        part_ = open_(paths_[next_++], error);
        if (!part_) error_ = std::move(error);
        continue;
      }
      if (std::optional<Batch> batch = part_->next()) {
        batch->rowIds.clear();
        batch->firstRow = rows_;
        rows_ += batch->rows;
        return batch;
      }
      error_ = part_->error();
      part_.reset();
    }
    return std::nullopt;
  }

 private:
  Schema schema_;
  std::vector<std::string> paths_;
  Open open_;
  std::unique_ptr<Source> part_;
  std::size_t next_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Source> concatRows(
    Schema schema, std::vector<std::string> paths,
    std::function<std::unique_ptr<Source>(const std::string& path, StreamError& error)> open) {
  return std::make_unique<ConcatSource>(std::move(schema), std::move(paths), std::move(open));
}

std::unique_ptr<Source> mapRows(std::unique_ptr<Source> in, Kernels kernels, Schema out,
                                const std::string& name) {
  std::vector<std::unique_ptr<Work>> works;
  for (auto& kernel : kernels) works.push_back(std::make_unique<MapWork>(std::move(kernel), name));
  return through(std::move(in), std::move(works), std::move(out));
}

std::unique_ptr<Source> withKeys(std::unique_ptr<Source> in, Kernels kernels, const Schema& keys,
                                 const std::vector<std::uint32_t>& kept, const std::string& name) {
  Schema out;
  out.types = in->schema().types;
  for (const std::uint32_t c : kept) out.fields.push_back(in->schema().fields[c]);
  out.fields.insert(out.fields.end(), keys.fields.begin(), keys.fields.end());
  std::vector<std::unique_ptr<Work>> works;
  for (auto& kernel : kernels) {
    works.push_back(std::make_unique<KeyWork>(std::move(kernel), kept, name));
  }
  return through(std::move(in), std::move(works), std::move(out));
}

std::unique_ptr<Source> placeColumns(std::unique_ptr<Source> in, Schema out,
                                     std::vector<std::uint32_t> places) {
  return std::make_unique<PlacedSource>(std::move(in), std::move(out), std::move(places));
}

std::unique_ptr<Source> limitRows(std::unique_ptr<Source> in, std::int64_t rows) {
  return std::make_unique<LimitSource>(std::move(in), rows);
}

}  // namespace couler::column
