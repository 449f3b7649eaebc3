#include "runtime/store/sqlite.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace couler::runtime {
namespace {

/// How long a statement waits for another run that is writing. Writes take well under a
/// millisecond, so this is only reached when the other process is stopped in the middle of one.
constexpr int kBusyMillis = 60'000;

/// About 33 MB.
constexpr int kMostLogPages = 8000;

int lengthOf(std::string_view text) {
  constexpr std::size_t kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  return static_cast<int>(std::min(text.size(), kMost));
}

}  // namespace

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(raw_);
    raw_ = other.raw_;
    other.raw_ = nullptr;
  }
  return *this;
}

Statement::~Statement() { sqlite3_finalize(raw_); }

Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(raw_, at, value);
  return *this;
}

Statement& Statement::bind(int at, double value) {
  sqlite3_bind_double(raw_, at, value);
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  sqlite3_bind_text(raw_, at, text.empty() ? "" : text.data(), lengthOf(text), nullptr);
  return *this;
}

Statement& Statement::bind(int at, const Digest& digest) {
  sqlite3_bind_blob(raw_, at, digest.bytes.data(), static_cast<int>(digest.bytes.size()), nullptr);
  return *this;
}

Statement& Statement::bindBlob(int at, std::string_view bytes) {
  sqlite3_bind_blob(raw_, at, bytes.empty() ? "" : bytes.data(), lengthOf(bytes), nullptr);
  return *this;
}

Statement& Statement::bindNull(int at) {
  sqlite3_bind_null(raw_, at);
  return *this;
}

Statement::Outcome Statement::step() {
  switch (sqlite3_step(raw_)) {
    case SQLITE_ROW:
      return Outcome::Row;
    case SQLITE_DONE:
      return Outcome::Done;
    default:
      return Outcome::Failed;
  }
}

bool Statement::run() {
  Outcome outcome = step();
  while (outcome == Outcome::Row) outcome = step();
  // Not `reset()` first: that would report the same failure again and lose nothing of it.
  reset();
  return outcome == Outcome::Done;
}

void Statement::reset() { sqlite3_reset(raw_); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(raw_, column); }

double Statement::real(int column) const { return sqlite3_column_double(raw_, column); }

std::string_view Statement::text(int column) const {
  const void* data = sqlite3_column_blob(raw_, column);  // text is stored as UTF-8: no conversion
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))};
}

bool Statement::isNull(int column) const {
  return sqlite3_column_type(raw_, column) == SQLITE_NULL;
}

Digest Statement::digest(int column) const {
  Digest result;
  const std::string_view bytes = text(column);
  if (bytes.size() == result.bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), result.bytes.begin());
  }
  return result;
}

Database::~Database() { close(); }

void Database::close() {
  sqlite3_close_v2(raw_);
  raw_ = nullptr;
}

bool Database::open(const std::string& path, bool create, bool readOnly) {
  int flags = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (create) flags |= SQLITE_OPEN_CREATE;
  flags |= SQLITE_OPEN_NOMUTEX;  // a connection is used by one thread
  if (sqlite3_open_v2(path.c_str(), &raw_, flags, nullptr) != SQLITE_OK) return false;
  sqlite3_extended_result_codes(raw_, 1);
  sqlite3_busy_timeout(raw_, kBusyMillis);
  sqlite3_wal_hook(raw_, committed, this);
  sqlite3_db_config(raw_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return true;
}

bool Database::openToRead(const std::string& path) {
  std::string address = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      address += fmt::format("%{:02x}", static_cast<unsigned>(c));
    } else {
      address += c;
    }
  }
  struct stat log{};
  if (access((path + "-shm").c_str(), R_OK) == 0) {
    address += "?mode=ro&readonly_shm=1";
  } else if (stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0) {
    address += "?mode=ro&immutable=1";  // nobody writes it, and there is nothing but the file
  } else {
    return false;
  }
  constexpr int kFlags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(address.c_str(), &raw_, kFlags, nullptr) != SQLITE_OK) return false;
  sqlite3_extended_result_codes(raw_, 1);
  return true;
}

int Database::committed(void* self, sqlite3* raw, const char* /*name*/, int pages) {
  static_cast<Database*>(self)->logPages_ = pages;
  if (pages >= kMostLogPages) {
    sqlite3_wal_checkpoint_v2(raw, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return SQLITE_OK;
}

bool Database::exec(const char* sql) {
  return sqlite3_exec(raw_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

Statement Database::prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v3(raw_, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  return Statement(raw);
}

std::string Database::error() const {
  return raw_ == nullptr ? "out of memory" : sqlite3_errmsg(raw_);
}

bool Database::full() const {
  if (raw_ == nullptr) return false;
  const int code = sqlite3_extended_errcode(raw_);
  return (code & 0xff) == SQLITE_FULL || sqlite3_system_errno(raw_) == ENOSPC;
}

std::int64_t Database::lastRowId() const { return sqlite3_last_insert_rowid(raw_); }

void Database::checkpoint() {
  sqlite3_busy_timeout(raw_, 0);
  sqlite3_wal_checkpoint_v2(raw_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(raw_, kBusyMillis);
}

}  // namespace couler::runtime
