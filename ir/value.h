#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/types.h"
#include "support/hash.h"

namespace couler::ir {

struct None {
  friend auto operator<=>(None, None) = default;
};
struct Duration {
  std::int64_t micros = 0;
  friend auto operator<=>(Duration, Duration) = default;
};
struct Size {
  std::int64_t bytes = 0;
  friend auto operator<=>(Size, Size) = default;
};
struct Timestamp {
  std::int64_t micros = 0;  ///< since 1970-01-01T00:00:00Z
  friend auto operator<=>(Timestamp, Timestamp) = default;
};
struct EnumCase {
  std::string name;
  friend auto operator<=>(const EnumCase&, const EnumCase&) = default;
};
/// A file or folder: where it lies. `digest` is empty until its content is known (the engine fills
/// it); two refs with digests are equal when the digests and base names are, two without when the
/// paths are.
struct FileRef {
  std::string path;
  std::string digest;  ///< hex BLAKE3 of the content, or of the listing for a folder
  bool isDir = false;
  friend auto operator<=>(const FileRef&, const FileRef&) = default;
};
/// A secret by reference, never its text: `env:NAME` or `file:PATH`.
struct SecretRef {
  std::string source;
  friend auto operator<=>(const SecretRef&, const SecretRef&) = default;
};

class Value;
using ListItems = std::vector<Value>;
using NamedItems = std::vector<std::pair<std::string, Value>>;
struct ListValue {
  std::shared_ptr<const ListItems> items;
};
struct MapValue {  ///< sorted by key
  std::shared_ptr<const NamedItems> entries;
};
struct RecordValue {  ///< in the order of the type's fields
  std::shared_ptr<const NamedItems> fields;
};

/// A value of the language. Cheap to copy: containers are shared and never change.
class Value {
 public:
  using Data =
      std::variant<None, bool, std::int64_t, double, std::string, Duration, Size, Timestamp,
                   EnumCase, FileRef, SecretRef, ListValue, MapValue, RecordValue>;
  Value() = default;
  template <class T>
    requires std::is_constructible_v<Data, T&&>
  Value(T&& data) : data_(std::forward<T>(data)) {}  // NOLINT(google-explicit-constructor)
  Value(const char*) = delete;

  [[nodiscard]] static Value list(ListItems items);
  [[nodiscard]] static Value map(NamedItems entries);  ///< sorts; a later equal key wins
  [[nodiscard]] static Value record(NamedItems fields);

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] const Data& data() const { return data_; }
  [[nodiscard]] bool isNone() const { return std::holds_alternative<None>(data_); }
  [[nodiscard]] const ListItems& items() const;                   ///< pre: a list
  [[nodiscard]] const NamedItems& named() const;                  ///< pre: a map or record
  [[nodiscard]] const Value* field(std::string_view name) const;  ///< of a map or record; or null

  /// Structural; floats by bits but that -0.0 equals 0.0 and NaN equals NaN (so values can be
  /// keys).
  friend bool operator==(const Value& a, const Value& b);

 private:
  Data data_;
};

/// Whether one may stand for the other everywhere: `==`, and 0.0 and -0.0 differ, and so do NaNs of
/// different bits.
[[nodiscard]] bool identical(const Value& a, const Value& b);
/// Agrees with `==` (equal values have equal hashes). For tables in memory: not stable across
/// versions of the program, as `hashInto` is.
[[nodiscard]] std::size_t hashOf(const Value& value);

/// A float as every text form writes it: the shortest that reads back equal, always with a point or
/// an exponent (`1.0`, `1e+300`); `nan`, `inf`, `-inf`.
[[nodiscard]] std::string floatText(double value);
/// A duration or size as source writes it, in the largest unit that is exact: `90 s`, `4 GiB`.
[[nodiscard]] std::string durationText(Duration value);
[[nodiscard]] std::string sizeText(Size value);
/// RFC 3339 in UTC, with a fraction only where there is one: `2024-05-01T12:00:00Z`.
[[nodiscard]] std::string timestampText(Timestamp value);
/// Reads RFC 3339 (`T` or a space between date and time; `Z` or an offset; up to six digits of
/// fraction), or a date alone, which is its midnight in UTC. Years 0001 to 9999.
[[nodiscard]] std::optional<Timestamp> parseTimestamp(std::string_view text);
/// A unit name of a quantity and what it stands for: microseconds or bytes.
struct Unit {
  std::string_view name;
  bool isSize;
  std::int64_t factor;
};
/// All units: us ms s min h d, B kB MB GB TB KiB MiB GiB TiB.
[[nodiscard]] std::span<const Unit> unitTable();
[[nodiscard]] const Unit* findUnit(std::string_view name);

/// As canonical JSON: no spaces, map keys sorted, record fields in order, floats in the shortest
/// form that reads back equal (NaN and infinities as the strings "nan", "inf", "-inf"), durations
/// in microseconds, timestamps as RFC 3339, files as their path, enum cases as their name.
[[nodiscard]] std::string toJson(const Value& value);
/// Reads JSON text as a value of `type`; on failure `error` says what was expected and where.
[[nodiscard]] std::optional<Value> fromJson(std::string_view json, TypeId type,
                                            const TypeTable& types, std::string& error);
/// Reads what a person types on the command line for a parameter of `type`: `16`, `0.5`, `30 min`,
/// `4 GiB`, a path, an enum case, plain text for strings, JSON for lists, maps and records.
/// Secrets are `env:NAME` or `file:PATH`, never the text itself.
[[nodiscard]] std::optional<Value> fromText(std::string_view text, TypeId type,
                                            const TypeTable& types, std::string& error);
/// As it stands in an argument vector, an environment variable or an interpolated string: `true`,
/// `12`, `0.5`, `text`, a path; durations and sizes as in source (`30 min`, `4 GiB`); lists, maps
/// and records as JSON.
[[nodiscard]] std::string toText(const Value& value);
/// As source text that evaluates to it.
[[nodiscard]] std::string toSource(const Value& value);
/// Feeds type tag and content, so that 1 and "1" differ. Files by digest and base name when the
/// digest is known, else by path.
void hashInto(Hasher& hasher, const Value& value);

}  // namespace couler::ir
