#include "runtime/column/arrow_library.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "runtime/column/arrow_records.h"
#include "runtime/column/arrow_rows.h"
#include "runtime/column/bytes.h"
#include "runtime/column/header_check.h"
#include "runtime/column/library/entry.h"
#include "runtime/column/parquet.h"

namespace couler::column {

namespace {

struct Library {
  CoulerArrowRead* read = nullptr;
  CoulerArrowSchema* schema = nullptr;
  CoulerArrowCreate* create = nullptr;
  CoulerArrowWrite* write = nullptr;
  CoulerArrowFinish* finish = nullptr;
  CoulerArrowFree* free = nullptr;
  CoulerParquetOpen* parquet = nullptr;
  std::string problem;

  [[nodiscard]] std::string take(char* text) const {
    std::string taken = text == nullptr ? "out of memory" : text;
    free(text);
    return taken;
  }
};

/// Never unloaded: what it allocated may live as long as the program.
const Library& library() {
  static const Library loaded = [] {
    Library made;
    std::error_code failed;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
    const char* own = std::getenv("COULER_ARROW_LIBRARY");
    const bool named = own != nullptr && *own != '\0';
    const std::filesystem::path path =
        (named ? std::filesystem::path(own) : self.parent_path().parent_path() / "lib" / "couler") /
        "libcouler_arrow.so";
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      made.problem = ::dlerror();
      return made;
    }
    const auto find = [&](auto*& to, const char* name) {
      to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(::dlsym(handle, name));
      if (to == nullptr) made.problem = fmt::format("{} lacks {}", path.string(), name);
    };
    find(made.read, "couler_arrow_read");
    find(made.schema, "couler_arrow_schema");
    find(made.create, "couler_arrow_create");
    find(made.write, "couler_arrow_write");
    find(made.finish, "couler_arrow_finish");
    find(made.free, "couler_arrow_free");
    find(made.parquet, "couler_parquet_open");
    return made;
  }();
  return loaded;
}

bool isLoaded(std::string_view path, std::string_view what, StreamError& error) {
  if (library().problem.empty()) return true;
  error = {fmt::format(
      "{}: {} need Arrow's library, which this build of couler lacks: build it again where "
      "`python3 -m pip` can fetch pyarrow, or use csv, jsonl or uncompressed arrow ({})",
      path, what, library().problem)};
  return false;
}

/// Arrow's type of a column as a format string of the C data interface.
const char* formatOf(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return "b";
    case Kind::Int:
    case Kind::Size:
      return "l";
    case Kind::Float:
      return "g";
    case Kind::Timestamp:
      return "tsu:UTC";
    case Kind::Duration:
      return "tDu";
    default:
      return "u";
  }
}

/// The schema as a struct of the C data interface; lives as long as this does.
class SchemaExport {
 public:
  explicit SchemaExport(const Schema& schema) : children_(schema.fields.size()) {
    constexpr std::int64_t kNullable = 2;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      const Field& field = schema.fields[i];
      children_[i] = {formatOf(field.kind),
                      field.name.c_str(),
                      nullptr,
                      field.optional ? kNullable : 0,
                      0,
                      nullptr,
                      nullptr,
                      release,
                      nullptr};
      pointers_.push_back(&children_[i]);
    }
    top_ = {
        "+s",    "",      nullptr, 0, static_cast<std::int64_t>(children_.size()), pointers_.data(),
        nullptr, release, nullptr};
  }
  [[nodiscard]] ArrowSchema* get() { return &top_; }

 private:
  static void release(ArrowSchema* schema) { schema->release = nullptr; }
  std::vector<ArrowSchema> children_;
  std::vector<ArrowSchema*> pointers_;
  ArrowSchema top_{};
};

class LibrarySource final : public ArrowRows {
 public:
  LibrarySource(std::string path, const Schema& schema, const ReadOptions& options, AnomalyLog& log)
      : ArrowRows(std::move(path), schema, options, log) {}
  ~LibrarySource() override {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }
  LibrarySource(const LibrarySource&) = delete;
  LibrarySource& operator=(const LibrarySource&) = delete;
  bool open(std::string_view format);

 private:
  Load load() override;
  bool loadDeferred(std::size_t) override { return false; }
  [[nodiscard]] bool defers() const override { return false; }
  bool copyColumn(std::size_t field, const ArrowArray& from);
  bool failed(std::string_view what) {
    return fail(file_.changed() ? "was changed while it was read" : what);
  }

  FileHandle file_;
  ArrowArrayStream stream_{};
};

bool LibrarySource::open(std::string_view format) {
  StreamError problem;
  if (!file_.open(path_, problem)) {
    error_ = problem;
    return false;
  }
  const int fd = ::fcntl(file_.fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::vector<unsigned char> wanted;
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    wanted.push_back(batch_.wants(i) ? 1 : 0);
    arrow::FileColumn column;
    const Kind kind = schema_.fields[i].kind;
    column.type = kind == Kind::Bool                                                  ? arrow::Bool
                  : kind == Kind::String || kind == Kind::Enum || kind == Kind::Value ? arrow::Utf8
                                                                                      : arrow::Int;
    columns_.push_back(column);
  }
  SchemaExport schema(schema_);
  char* error = nullptr;
  const int status = library().read(fd, std::string(format).c_str(), schema.get(), wanted.data(),
                                    kBatchRows, &stream_, &error);
  if (status == CoulerArrowOk) return true;
  const std::string message = library().take(error);
  if (status != CoulerArrowNoColumn) return failed(message);
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= message.size();) {
    const std::size_t end = std::min(message.find('\n', at), message.size());
    names.push_back(message.substr(at, end - at));
    at = end + 1;
  }
  const std::string absent = names.front();
  names.erase(names.begin());
  return fail(absentColumn(absent, names));
}

ArrowRows::Load LibrarySource::load() {
  ArrowArray array{};
  if (stream_.get_next(&stream_, &array) != 0) {
    const char* problem = stream_.get_last_error(&stream_);
    failed(problem == nullptr ? "cannot be read" : problem);
    return Load::Failed;
  }
  if (array.release == nullptr) {
    if (!file_.changed()) return Load::End;
    failed({});
    return Load::Failed;
  }
  loaded_.assign(columns_.size(), {});
  std::int64_t child = 0;
  bool ok = true;
  for (std::size_t i = 0; i < columns_.size() && ok; ++i) {
    if (batch_.wants(i)) ok = copyColumn(i, *array.children[child++]);
  }
  loadedRows_ = array.length;
  array.release(&array);
  return ok ? Load::Rows : Load::Failed;
}

/// Into memory that is aligned and padded as ours.
bool LibrarySource::copyColumn(std::size_t field, const ArrowArray& from) {
  const auto rows = static_cast<std::size_t>(from.length);
  const auto offset = static_cast<std::size_t>(from.offset);
  const arrow::Type type = columns_[field].type;
  const auto rounded = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
  const bool hasBits = from.null_count != 0 && from.buffers[0] != nullptr;
  const std::size_t bitBytes = (rows + 7) / 8;
  const std::size_t valueBytes = type == arrow::Bool   ? bitBytes
                                 : type == arrow::Utf8 ? (rows + 1) * 4
                                                       : rows * 8;
  const auto* values = static_cast<const char*>(from.buffers[1]);
  std::int32_t textEnd = 0;
  if (type == arrow::Utf8 && values != nullptr) {
    std::memcpy(&textEnd, values + (offset + rows) * 4, sizeof textEnd);
  }
  const auto text = static_cast<std::size_t>(textEnd);
  Loaded& loaded = loaded_[field];
  loaded.memory = Buffer::make(rounded(bitBytes) + rounded(valueBytes) + rounded(text));
  if (!loaded.memory) return fail("out of memory");
  char* to = loaded.memory->as<char>();
  std::memset(to, 0, loaded.memory->size());
  const auto copyBits = [&](const void* bits, char* out) {
    const auto* in = static_cast<const std::uint8_t*>(bits);
    if (offset % 8 == 0) {
      std::memcpy(out, in + offset / 8, bitBytes);
      return;
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const unsigned bit = (in[(offset + i) / 8] >> ((offset + i) % 8)) & 1U;
      out[i / 8] = static_cast<char>(static_cast<unsigned char>(out[i / 8]) | (bit << (i % 8)));
    }
  };
  if (hasBits) {
    copyBits(from.buffers[0], to);
    loaded.valid = reinterpret_cast<const std::uint8_t*>(to);
  }
  to += rounded(bitBytes);
  loaded.values = to;
  if (values != nullptr && rows > 0) {
    if (type == arrow::Bool) {
      copyBits(values, to);
    } else {
      std::memcpy(to, values + offset * (type == arrow::Utf8 ? 4 : 8), valueBytes);
    }
  }
  to += rounded(valueBytes);
  loaded.text = to;
  loaded.textSize = textEnd;
  if (text > 0) std::memcpy(to, from.buffers[2], text);
  return type != arrow::Utf8 || rows == 0 || checkTexts(columns_[field], from.length, loaded);
}

/// Rows as a struct of the C data interface, which then owns them.
ArrowArray exportRows(RecordBody&& body, std::int64_t rows, const Schema& schema) {
  struct Held {
    RecordBody body;
    std::vector<std::array<const void*, 3>> buffers;
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
    const void* none = nullptr;
  };
  auto* held = new Held{std::move(body), {}, {}, {}, nullptr};
  const std::size_t count = schema.fields.size();
  held->buffers.resize(count);
  held->children.resize(count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Kind kind = schema.fields[i].kind;
    const bool isText = kind == Kind::String || kind == Kind::Enum || kind == Kind::Value;
    const std::size_t buffers = isText ? 3 : 2;
    for (std::size_t k = 0; k < buffers; ++k, ++next) {
      const arrow::BufferSpan& span = held->body.buffers[next];
      const bool none = k == 0 && span.length == 0;
      held->buffers[i][k] = none ? nullptr : held->body.bytes.data() + span.offset;
    }
    held->children[i] = {rows,
                         held->body.nodes[i].nulls,
                         0,
                         static_cast<std::int64_t>(buffers),
                         0,
                         held->buffers[i].data(),
                         nullptr,
                         nullptr,
                         [](ArrowArray* array) { array->release = nullptr; },
                         nullptr};
    held->pointers.push_back(&held->children[i]);
  }
  return {rows,
          0,
          0,
          1,
          static_cast<std::int64_t>(count),
          &held->none,
          held->pointers.data(),
          nullptr,
          [](ArrowArray* array) {
            delete static_cast<Held*>(array->private_data);
            array->release = nullptr;
          },
          held};
}

/// The kind that holds a type of Arrow's, by its format string in the C data interface; Value:
/// none. The type of a dictionary is that of its values.
Kind kindOf(const ArrowSchema& type) {
  if (type.dictionary != nullptr) return kindOf(*type.dictionary);
  const std::string_view format = type.format;
  if (format == "b") return Kind::Bool;
  if (format.size() == 1 && std::string_view("cCsSiIlL").find(format[0]) != std::string_view::npos) {
    return Kind::Int;
  }
  if (format == "e" || format == "f" || format == "g") return Kind::Float;
  if (format == "u" || format == "U" || format == "vu") return Kind::String;
  if (format.starts_with("ts") || format.starts_with("tdD") || format.starts_with("tdm")) {
    return Kind::Timestamp;
  }
  return format.starts_with("tD") ? Kind::Duration : Kind::Value;
}

class ParquetSink final : public Sink {
 public:
  ParquetSink(std::string path, Schema schema)
      : path_(std::move(path)),
        schema_(std::move(schema)),
        rows_(path_, schema_, true, [this](RecordBody&& body, std::int64_t rows) {
          ArrowArray array = exportRows(std::move(body), rows, schema_);
          char* error = nullptr;
          const int status = library().write(writer_, &array, &error);
          return check(status, error);
        }) {}
  ~ParquetSink() override {
    if (finished_) return;
    if (writer_ != nullptr) {
      char* error = nullptr;
      if (library().finish(writer_, &error) != CoulerArrowOk) library().free(error);
    }
    if (created_) ::unlink(path_.c_str());
  }
  ParquetSink(const ParquetSink&) = delete;
  ParquetSink& operator=(const ParquetSink&) = delete;

  bool create() {
    const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
      error_ = StreamError{fmt::format("{}: cannot be created: {}", path_, std::strerror(errno))};
      return false;
    }
    created_ = true;
    SchemaExport schema(schema_);
    char* error = nullptr;
    const int status = library().create(fd, schema.get(), &writer_, &error);
    return check(status, error);
  }
  bool write(const Batch& batch) override { return !error_ && rows_.add(batch, error_); }
  bool finish() override {
    if (error_ || !rows_.flush()) return false;
    char* error = nullptr;
    const int status = library().finish(std::exchange(writer_, nullptr), &error);
    finished_ = check(status, error);
    return finished_;
  }

 private:
  bool check(int status, char* error) {
    if (status == CoulerArrowOk) return true;
    error_ = StreamError{fmt::format("{}: cannot be written: {}", path_, library().take(error))};
    return false;
  }

  std::string path_;
  Schema schema_;
  RecordGatherer rows_;
  void* writer_ = nullptr;
  bool created_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> openWithArrow(const std::string& path, std::string_view format,
                                      const Schema& schema, const ReadOptions& options,
                                      AnomalyLog& log, StreamError& error) {
  const std::string_view what =
      format == "parquet" ? "parquet files" : "compressed or nested Arrow files";
  if (!isLoaded(path, what, error)) return nullptr;
  if (format == "parquet") {
    auto source = openParquet(path, schema, options, library().parquet, log, error);
    if (source || !error.message.empty()) return source;
  }
  auto source = std::make_unique<LibrarySource>(path, schema, options, log);
  if (source->open(format)) return source;
  error = *source->error();
  return nullptr;
}

std::optional<std::vector<ArrowColumn>> arrowColumns(const std::string& path,
                                                     std::string_view format, StreamError& error) {
  if (!isLoaded(path, "the types of arrow and parquet files", error)) return std::nullopt;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    error = {fmt::format("{}: cannot be opened: {}", path, std::strerror(errno))};
    return std::nullopt;
  }
  ArrowSchema schema{};
  char* problem = nullptr;
  if (library().schema(fd, std::string(format).c_str(), &schema, &problem) != CoulerArrowOk) {
    error = {fmt::format("{}: {}", path, library().take(problem))};
    return std::nullopt;
  }
  std::vector<ArrowColumn> columns;
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    columns.push_back({child.name == nullptr ? "" : child.name, kindOf(child), child.format});
  }
  schema.release(&schema);
  return columns;
}

std::unique_ptr<Sink> createParquet(const std::string& path, const Schema& schema,
                                    StreamError& error) {
  if (!isLoaded(path, "parquet files", error)) return nullptr;
  auto sink = std::make_unique<ParquetSink>(path, schema);
  if (sink->create()) return sink;
  error = *sink->error();
  return nullptr;
}

}  // namespace couler::column
