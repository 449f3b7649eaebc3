#include "runtime/column/bytes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace couler::column {

namespace {

std::int64_t nanoseconds(const struct stat& info) {
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

StreamError systemError(std::string_view path, std::string_view what) {
  return {fmt::format("{}: {}: {}", path, what, std::strerror(errno))};
}

/// The first four bytes; zeros where the file is shorter, or is no regular file.
std::array<unsigned char, 4> magicOf(const FileHandle& file) {
  std::array<unsigned char, 4> first{};
  const auto size = static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 4));
  if (size > 0 && !file.readAt(0, first.data(), size)) first = {};
  return first;
}

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(std::string path) : path_(std::move(path)) {}

  bool open(StreamError& error) {
    if (!file_.open(path_, error)) return false;
    ::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
  }
  [[nodiscard]] const FileHandle& file() const { return file_; }
  std::size_t read(char* to, std::size_t size) override {
    if (error_) return 0;
    for (;;) {
      const ssize_t got = ::read(file_.fd(), to, size);
      if (got > 0) {
        at_ += got;
        return static_cast<std::size_t>(got);
      }
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        error_ = systemError(path_, "cannot be read");
      } else if (at_ < file_.size()) {
        error_ = StreamError{fmt::format("{}: shrank from {} to {} bytes while it was read", path_,
                                         file_.size(), at_)};
      } else if (file_.changed()) {
        error_ = StreamError{fmt::format("{}: was changed while it was read", path_)};
      }
      return 0;
    }
  }

 private:
  std::string path_;
  FileHandle file_;
  std::int64_t at_ = 0;
};

class RangeSource final : public ByteSource {
 public:
  RangeSource(std::string path, const FileRange& range)
      : path_(std::move(path)), range_(range), hasher_(rangeHasher(range)) {}

  bool open(StreamError& error) { return file_.open(path_, error); }
  [[nodiscard]] const FileHandle& file() const { return file_; }
  std::size_t read(char* to, std::size_t size) override {
    if (error_ || ended_) return 0;
    if (at_ == range_.head) at_ = std::max(at_, range_.from);
    const std::int64_t end = at_ < range_.head ? range_.head : range_.to;
    size = static_cast<std::size_t>(std::min(static_cast<std::int64_t>(size), end - at_));
    if (size == 0) {
      ended_ = true;
      if (hasher_.finish().hex() != range_.digest) changed();
      return 0;
    }
    if (!file_.readAt(at_, to, size)) {
      changed();
      return 0;
    }
    hasher_.update({to, size});
    at_ += static_cast<std::int64_t>(size);
    return size;
  }

 private:
  void changed() {
    error_ = StreamError{fmt::format("{}: is not what it was when it was cut into ranges", path_)};
  }

  std::string path_;
  FileRange range_;
  FileHandle file_;
  Hasher hasher_;
  std::int64_t at_ = 0;
  bool ended_ = false;
};

/// What compressed sources share: a buffer of compressed bytes.
class CompressedSource : public ByteSource {
 public:
  CompressedSource(std::string path, std::unique_ptr<ByteSource> from)
      : path_(std::move(path)), from_(std::move(from)), in_(std::size_t{128} << 10) {}

 protected:
  /// False at the end of the compressed bytes or after an error.
  bool refill() {
    at_ = 0;
    end_ = from_->read(in_.data(), in_.size());
    if (from_->error()) error_ = from_->error();
    return end_ > 0;
  }
  void fail(std::string_view what) { error_ = StreamError{fmt::format("{}: {}", path_, what)}; }

  std::string path_;
  std::unique_ptr<ByteSource> from_;
  std::vector<char> in_;
  std::size_t at_ = 0, end_ = 0;
};

class GzipSource final : public CompressedSource {
 public:
  using CompressedSource::CompressedSource;
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  bool start() { return inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  std::size_t read(char* to, std::size_t size) override {
    size = std::min(size, std::size_t{1} << 30);
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    while (!error_ && stream_.avail_out == size) {
      if (at_ == end_ && !refill()) {
        if (!error_ && inside_) fail("the gzip data ends in the middle");
        break;
      }
      inside_ = true;
      stream_.next_in = reinterpret_cast<Bytef*>(in_.data() + at_);
      stream_.avail_in = static_cast<uInt>(end_ - at_);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      at_ = end_ - stream_.avail_in;
      if (status == Z_STREAM_END) {  // perhaps another member follows
        inside_ = false;
        inflateReset(&stream_);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail("the gzip data is damaged");
      }
    }
    return error_ ? 0 : size - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool inside_ = false;
};

class ZstdSource final : public CompressedSource {
 public:
  using CompressedSource::CompressedSource;
  std::size_t read(char* to, std::size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (!error_ && out.pos == 0) {
      if (at_ == end_ && !more_ && !refill()) {
        if (!error_ && inside_) fail("the zstd data ends in the middle");
        break;
      }
      ZSTD_inBuffer in{in_.data(), end_, at_};
      const std::size_t status = ZSTD_decompressStream(stream_.get(), &out, &in);
      at_ = in.pos;
      if (ZSTD_isError(status) != 0) {
        fail(fmt::format("the zstd data is damaged: {}", ZSTD_getErrorName(status)));
        break;
      }
      inside_ = status != 0;
      more_ = out.pos == out.size;  // there may be more to hand out without further input
    }
    return error_ ? 0 : out.pos;
  }
  [[nodiscard]] bool ok() const { return stream_ != nullptr; }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  bool inside_ = false;
  bool more_ = false;
};

}  // namespace

Hasher rangeHasher(const FileRange& range) {
  Hasher hasher;
  hasher.field(static_cast<std::uint64_t>(range.head));
  return hasher;
}

std::unique_ptr<ByteSource> openBytes(const std::string& path, StreamError& error,
                                      const std::optional<FileRange>& range, bool* packed) {
  std::unique_ptr<ByteSource> plain;
  std::array<unsigned char, 4> magic{};
  if (range) {
    auto part = std::make_unique<RangeSource>(path, *range);
    if (!part->open(error)) return nullptr;
    const bool whole = range->from == 0 && range->to == part->file().size();
    if (whole) magic = magicOf(part->file());
    plain = std::move(part);
  } else {
    auto all = std::make_unique<PlainSource>(path);
    if (!all->open(error)) return nullptr;
    magic = magicOf(all->file());
    plain = std::move(all);
  }
  constexpr std::array<unsigned char, 4> kZstd = {0x28, 0xB5, 0x2F, 0xFD};
  const bool isGzip = magic[0] == 0x1F && magic[1] == 0x8B;
  if (packed != nullptr) *packed = isGzip || magic == kZstd;
  if (isGzip) {
    auto gzip = std::make_unique<GzipSource>(path, std::move(plain));
    if (gzip->start()) return gzip;
    error = {fmt::format("{}: out of memory", path)};
    return nullptr;
  }
  if (magic == kZstd) {
    auto zstd = std::make_unique<ZstdSource>(path, std::move(plain));
    if (zstd->ok()) return zstd;
    error = {fmt::format("{}: out of memory", path)};
    return nullptr;
  }
  return plain;
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

bool FileHandle::open(const std::string& path, StreamError& error) {
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) {
    error = systemError(path, "cannot be opened");
    return false;
  }
  if (S_ISDIR(info.st_mode)) {
    error = {fmt::format("{}: is a folder, not a file", path)};
    return false;
  }
  size_ = S_ISREG(info.st_mode) ? info.st_size : 0;
  changedAt_ = nanoseconds(info);
  return true;
}

bool FileHandle::changed() const {
  struct stat info{};
  return ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode) &&
         (info.st_size != size_ || nanoseconds(info) != changedAt_);
}

bool FileHandle::readAt(std::int64_t offset, void* to, std::size_t bytes) const {
  char* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(fd_, at, bytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    offset += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

ByteSink::~ByteSink() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

bool ByteSink::create(const std::string& path, StreamError& error) {
  path_ = path;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) error = systemError(path, "cannot be created");
  return fd_ >= 0;
}

bool ByteSink::write(const void* data, std::size_t bytes, std::optional<StreamError>& error) {
  if (error || fd_ < 0) return false;
  const char* at = static_cast<const char*>(data);
  written_ += static_cast<std::int64_t>(bytes);
  while (bytes > 0) {
    const ssize_t put = ::write(fd_, at, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      error = systemError(path_, "cannot be written");
      return false;
    }
    at += put;
    bytes -= static_cast<std::size_t>(put);
  }
  return true;
}

bool ByteSink::finish(std::optional<StreamError>& error) {
  if (error || fd_ < 0) return false;
  if (::close(std::exchange(fd_, -1)) != 0) {
    error = systemError(path_, "cannot be written");
    ::unlink(path_.c_str());
    return false;
  }
  return true;
}

}  // namespace couler::column
