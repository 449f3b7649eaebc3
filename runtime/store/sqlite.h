#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "support/hash.h"

struct sqlite3;
struct sqlite3_stmt;

/// A thin cover over SQLite, so that nothing else in this layer sees its C interface.
namespace couler::runtime {

/// One prepared statement, bound and stepped again and again. Text and blobs that are bound must
/// live until `reset`.
class Statement {
 public:
  enum class Outcome : std::uint8_t { Row, Done, Failed };

  Statement() = default;
  explicit Statement(sqlite3_stmt* raw) : raw_(raw) {}
  Statement(Statement&& other) noexcept : raw_(other.raw_) { other.raw_ = nullptr; }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  [[nodiscard]] bool valid() const { return raw_ != nullptr; }
  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, double value);
  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, const Digest& digest);
  Statement& bindBlob(int at, std::string_view bytes);
  Statement& bindNull(int at);
  Outcome step();
  /// Steps to the end and resets; true when nothing failed.
  bool run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  /// Of a text or blob; good until the next step or reset. Empty for NULL.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool isNull(int column) const;
  [[nodiscard]] Digest digest(int column) const;

 private:
  sqlite3_stmt* raw_ = nullptr;
};

/// One connection. Errors are kept: `error()` is the text of the last one.
class Database {
 public:
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Opens or, when `create`, makes the file. False with `error()` set when that does not work.
  bool open(const std::string& path, bool create, bool readOnly);
  /// Reads, and makes no file, not even the log's index beside the database; so it does not work
  /// where there is a log without its index, as in a copy of a folder.
  bool openToRead(const std::string& path);
  bool exec(const char* sql);
  [[nodiscard]] Statement prepare(const char* sql);
  [[nodiscard]] std::string error() const;
  /// Whether the last error was a full disk.
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::int64_t lastRowId() const;
  /// Copies the log into the database file and empties it, as far as no other process is in the
  /// way; never waits for one.
  void checkpoint();
  /// Pages in the log, as of this connection's last commit. While it runs, the log is copied into
  /// the database whenever it has 8,000; closing copies nothing.
  [[nodiscard]] int logPages() const { return logPages_; }
  void close();

 private:
  static int committed(void* self, sqlite3* raw, const char* name, int pages);

  sqlite3* raw_ = nullptr;
  int logPages_ = 0;
};

}  // namespace couler::runtime
