// libcouler_arrow.so: what needs Arrow's own library. Nothing else sees its headers; the rest of
// the program opens this when a file asks for it.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "runtime/column/library/entry.h"

namespace {

using arrow::DataType;
using arrow::Result;
using arrow::Status;
using arrow::Type;

char* copyOf(const std::string& text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

template <class Body>
int guarded(char** error, Body body) {
  try {
    const Status status = body();
    if (status.ok()) return CoulerArrowOk;
    std::string message = status.message();
    if (status.detail() != nullptr) message += ": " + status.detail()->ToString();
    *error = copyOf(message);
    return status.IsKeyError() ? CoulerArrowNoColumn : CoulerArrowFailed;
  } catch (const std::exception& thrown) {
    *error = copyOf(thrown.what());
    return CoulerArrowFailed;
  }
}

bool isText(const DataType& type) {
  return arrow::is_base_binary_like(type.id())
             ? arrow::is_string(type.id()) || type.id() == Type::LARGE_STRING
             : type.id() == Type::STRING_VIEW;
}

/// Whether the one is a form of the other, so that a cast changes no value that it lets through.
bool sameKind(const DataType& from, const DataType& to) {
  if (from.id() == Type::DICTIONARY) {
    return sameKind(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  }
  switch (to.id()) {
    case Type::INT64:
      return arrow::is_integer(from.id());
    case Type::DOUBLE:
      return arrow::is_integer(from.id()) || arrow::is_floating(from.id());
    case Type::STRING:
      return isText(from);
    case Type::TIMESTAMP:
      return from.id() == Type::TIMESTAMP || arrow::is_date(from.id());
    default:
      return from.id() == to.id();
  }
}

using Batches = std::shared_ptr<arrow::RecordBatchReader>;

Result<Batches> openIpc(std::shared_ptr<arrow::io::RandomAccessFile> file) {
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(const auto magic, file->ReadAt(0, 6));
  ARROW_RETURN_NOT_OK(file->Seek(0));
  if (magic->ToString() != "ARROW1") {
    ARROW_ASSIGN_OR_RAISE(auto stream,
                          arrow::ipc::RecordBatchStreamReader::Open(std::move(file), options));
    return stream;
  }
  class FileBatches final : public arrow::RecordBatchReader {
   public:
    explicit FileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
        : file_(std::move(file)) {}
    [[nodiscard]] std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
    Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
      out->reset();
      if (next_ < file_->num_record_batches()) {
        ARROW_ASSIGN_OR_RAISE(*out, file_->ReadRecordBatch(next_++));
      }
      return Status::OK();
    }

   private:
    std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
    int next_ = 0;
  };
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        arrow::ipc::RecordBatchFileReader::Open(std::move(file), options));
  return std::make_shared<FileBatches>(std::move(reader));
}

/// `names`: the columns to read, if the file has them.
Result<Batches> openParquet(std::shared_ptr<arrow::io::RandomAccessFile> file,
                            const std::vector<std::string>& names, std::int64_t batchRows,
                            std::shared_ptr<arrow::Schema>* schema) {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(batchRows);
  properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
  builder.properties(properties);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<parquet::arrow::FileReader> reader, builder.Build());
  ARROW_RETURN_NOT_OK(reader->GetSchema(schema));
  const parquet::SchemaDescriptor& columns = *reader->parquet_reader()->metadata()->schema();
  std::vector<int> leaves;
  for (const std::string& name : names) {
    for (int i = 0; i < columns.num_columns(); ++i) {
      if (columns.GetColumnRoot(i)->name() == name) leaves.push_back(i);
    }
  }
  std::vector<int> groups;
  for (int i = 0; i < reader->num_row_groups(); ++i) groups.push_back(i);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches,
                        reader->GetRecordBatchReader(groups, leaves));
  class Holding final : public arrow::RecordBatchReader {  // the file as long as its batches
   public:
    Holding(std::shared_ptr<parquet::arrow::FileReader> file, Batches batches)
        : file_(std::move(file)), batches_(std::move(batches)) {}
    [[nodiscard]] std::shared_ptr<arrow::Schema> schema() const override {
      return batches_->schema();
    }
    Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
      return batches_->ReadNext(out);
    }

   private:
    std::shared_ptr<parquet::arrow::FileReader> file_;
    Batches batches_;
  };
  return std::make_shared<Holding>(std::move(reader), std::move(batches));
}

/// The columns of `target` out of wider batches, each in the type it has there.
class Cast final : public arrow::RecordBatchReader {
 public:
  Cast(Batches from, std::shared_ptr<arrow::Schema> target)
      : from_(std::move(from)), target_(std::move(target)) {}
  [[nodiscard]] std::shared_ptr<arrow::Schema> schema() const override { return target_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(from_->ReadNext(&batch));
    out->reset();
    if (!batch) return Status::OK();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : target_->fields()) {
      std::shared_ptr<arrow::Array> column = batch->GetColumnByName(field->name());
      if (!column->type()->Equals(*field->type())) {
        const auto cast = arrow::compute::Cast(*column, field->type());
        if (!cast.ok()) {
          return Status::Invalid("column `", field->name(), "`: ", cast.status().message());
        }
        column = *cast;
      }
      columns.push_back(std::move(column));
    }
    *out = arrow::RecordBatch::Make(target_, batch->num_rows(), std::move(columns));
    return Status::OK();
  }

 private:
  Batches from_;
  std::shared_ptr<arrow::Schema> target_;
};

Status checkColumns(const arrow::Schema& file, const arrow::Schema& wanted,
                    const unsigned char* flags) {
  for (int i = 0; i < wanted.num_fields(); ++i) {
    const arrow::Field& field = *wanted.field(i);
    const auto found = file.GetAllFieldsByName(field.name());
    if (found.empty()) {
      std::string message = field.name();
      for (const std::string& name : file.field_names()) message += "\n" + name;
      return Status::KeyError(message);
    }
    if (found.size() > 1) return Status::Invalid("has two columns `", field.name(), "`");
    if (flags[i] != 0 && !sameKind(*found[0]->type(), *field.type())) {
      return Status::Invalid("column `", field.name(), "` is of Arrow's type `",
                             found[0]->type()->ToString(), "`, the schema's needs `",
                             field.type()->ToString(), "`");
    }
  }
  return Status::OK();
}

struct Writer {
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> rows;
};

}  // namespace

extern "C" {

#define COULER_EXPORT __attribute__((visibility("default")))

COULER_EXPORT void couler_arrow_free(char* text) { std::free(text); }

COULER_EXPORT int couler_arrow_read(int fd, const char* format, ArrowSchema* schema,
                                    const unsigned char* wanted, long long batchRows,
                                    ArrowArrayStream* out, char** error) {
  return guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(fd));
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::ImportSchema(schema));
    ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
    std::vector<std::string> names;
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (int i = 0; i < all->num_fields(); ++i) {
      if (wanted[i] == 0) continue;
      names.push_back(all->field(i)->name());
      fields.push_back(all->field(i)->WithNullable(true));
    }
    Batches batches;
    std::shared_ptr<arrow::Schema> found;
    if (std::strcmp(format, "parquet") == 0) {
      ARROW_ASSIGN_OR_RAISE(batches, openParquet(file, names, batchRows, &found));
    } else {
      ARROW_ASSIGN_OR_RAISE(batches, openIpc(file));
      found = batches->schema();
    }
    ARROW_RETURN_NOT_OK(checkColumns(*found, *all, wanted));
    return arrow::ExportRecordBatchReader(
        std::make_shared<Cast>(std::move(batches), arrow::schema(std::move(fields))), out);
  });
}

COULER_EXPORT int couler_arrow_schema(int fd, const char* format, ArrowSchema* out, char** error) {
  return guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(fd));
    std::shared_ptr<arrow::Schema> found;
    if (std::strcmp(format, "parquet") == 0) {
      ARROW_ASSIGN_OR_RAISE(const auto batches, openParquet(file, {}, 1, &found));
    } else {
      ARROW_ASSIGN_OR_RAISE(const auto batches, openIpc(file));
      found = batches->schema();
    }
    return arrow::ExportSchema(*found, out);
  });
}

COULER_EXPORT int couler_arrow_create(int fd, ArrowSchema* schema, void** writer, char** error) {
  return guarded(error, [&]() -> Status {
    auto made = std::make_unique<Writer>();
    ARROW_ASSIGN_OR_RAISE(made->file, arrow::io::FileOutputStream::Open(fd));
    ARROW_ASSIGN_OR_RAISE(made->schema, arrow::ImportSchema(schema));
    const auto properties =
        parquet::WriterProperties::Builder().compression(arrow::Compression::SNAPPY)->build();
    const auto forArrow = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    ARROW_ASSIGN_OR_RAISE(
        made->rows, parquet::arrow::FileWriter::Open(*made->schema, arrow::default_memory_pool(),
                                                     made->file, properties, forArrow));
    *writer = made.release();
    return Status::OK();
  });
}

COULER_EXPORT int couler_arrow_write(void* writer, ArrowArray* rows, char** error) {
  return guarded(error, [&]() -> Status {
    auto* to = static_cast<Writer*>(writer);
    ARROW_ASSIGN_OR_RAISE(const auto batch, arrow::ImportRecordBatch(rows, to->schema));
    return to->rows->WriteRecordBatch(*batch);
  });
}

COULER_EXPORT int couler_arrow_finish(void* writer, char** error) {
  const std::unique_ptr<Writer> to(static_cast<Writer*>(writer));
  return guarded(error, [&]() -> Status {
    ARROW_RETURN_NOT_OK(to->rows->Close());
    return to->file->Close();
  });
}

}  // extern "C"
