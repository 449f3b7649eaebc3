#include "ir/value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

namespace couler::ir {

Value Value::list(ListItems items) {
  return ListValue{std::make_shared<const ListItems>(std::move(items))};
}

Value Value::map(NamedItems entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].first == entries[i].first) continue;
    if (kept != i) entries[kept] = std::move(entries[i]);
    ++kept;
  }
  entries.resize(kept);
  return MapValue{std::make_shared<const NamedItems>(std::move(entries))};
}

Value Value::record(NamedItems fields) {
  return RecordValue{std::make_shared<const NamedItems>(std::move(fields))};
}

const ListItems& Value::items() const { return *std::get<ListValue>(data_).items; }

const NamedItems& Value::named() const {
  if (const MapValue* map = as<MapValue>()) return *map->entries;
  return *std::get<RecordValue>(data_).fields;
}

const Value* Value::field(std::string_view name) const {
  if (const MapValue* map = as<MapValue>()) {
    const NamedItems& entries = *map->entries;
    const auto it =
        std::lower_bound(entries.begin(), entries.end(), name,
                         [](const auto& entry, std::string_view key) { return entry.first < key; });
    return it != entries.end() && it->first == name ? &it->second : nullptr;
  }
  if (const RecordValue* record = as<RecordValue>()) {
    for (const auto& [key, value] : *record->fields) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

namespace {

std::string_view baseName(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool sameFile(const FileRef& a, const FileRef& b) {
  if (a.isDir != b.isDir) return false;
  if (a.digest.empty() && b.digest.empty()) return a.path == b.path;
  return a.digest == b.digest && baseName(a.path) == baseName(b.path);
}

bool sameFloat(double a, double b) {
  // 0.0 == -0.0 by the first test; bits would tell them apart, and NaNs of different origin too.
  return a == b || (std::isnan(a) && std::isnan(b));
}

/// `exact`: floats by their bits, files by all they say.
bool same(const Value& a, const Value& b, bool exact) {
  if (a.data().index() != b.data().index()) return false;
  const auto sameNamed = [&](const NamedItems& x, const NamedItems& y) {
    return &x == &y ||
           std::equal(x.begin(), x.end(), y.begin(), y.end(), [&](const auto& p, const auto& q) {
             return p.first == q.first && same(p.second, q.second, exact);
           });
  };
  if (const double* x = a.as<double>()) {
    const double y = *b.as<double>();
    if (exact) return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(y);
    return sameFloat(*x, y);
  }
  if (const FileRef* x = a.as<FileRef>()) {
    return exact ? *x == *b.as<FileRef>() : sameFile(*x, *b.as<FileRef>());
  }
  if (a.as<ListValue>() != nullptr) {
    const ListItems& x = a.items();
    const ListItems& y = b.items();
    return &x == &y ||
           std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [&](const Value& p, const Value& q) { return same(p, q, exact); });
  }
  if (a.as<MapValue>() != nullptr || a.as<RecordValue>() != nullptr) {
    return sameNamed(a.named(), b.named());
  }
  if (const std::string* x = a.as<std::string>()) return *x == *b.as<std::string>();
  if (const bool* x = a.as<bool>()) return *x == *b.as<bool>();
  if (const std::int64_t* x = a.as<std::int64_t>()) return *x == *b.as<std::int64_t>();
  if (const Duration* x = a.as<Duration>()) return *x == *b.as<Duration>();
  if (const Size* x = a.as<Size>()) return *x == *b.as<Size>();
  if (const Timestamp* x = a.as<Timestamp>()) return *x == *b.as<Timestamp>();
  if (const EnumCase* x = a.as<EnumCase>()) return *x == *b.as<EnumCase>();
  if (const SecretRef* x = a.as<SecretRef>()) return *x == *b.as<SecretRef>();
  return true;  // none
}

void mix(std::size_t& hash, std::size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
}

std::size_t textHash(std::string_view text) { return std::hash<std::string_view>{}(text); }

template <class... Fs>
struct Visitor : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Visitor(Fs...) -> Visitor<Fs...>;

}  // namespace

bool operator==(const Value& a, const Value& b) { return same(a, b, false); }

bool identical(const Value& a, const Value& b) { return same(a, b, true); }

std::size_t hashOf(const Value& value) {
  std::size_t hash = value.data().index();
  const auto number = [&](std::int64_t n) { mix(hash, std::hash<std::int64_t>{}(n)); };
  const auto named = [&](const NamedItems& items) {
    for (const auto& [name, item] : items) {
      mix(hash, textHash(name));
      mix(hash, hashOf(item));
    }
  };
  std::visit(
      Visitor{[](None) {}, [&](bool b) { number(b ? 1 : 0); }, [&](std::int64_t n) { number(n); },
              [&](double x) {
                if (std::isnan(x)) return number(1);
                mix(hash, std::hash<double>{}(x == 0 ? 0.0 : x));
              },
              [&](const std::string& text) { mix(hash, textHash(text)); },
              [&](Duration d) { number(d.micros); }, [&](Size s) { number(s.bytes); },
              [&](Timestamp t) { number(t.micros); },
              [&](const EnumCase& e) { mix(hash, textHash(e.name)); },
              [&](const FileRef& f) { mix(hash, textHash(f.digest.empty() ? f.path : f.digest)); },
              [&](const SecretRef& s) { mix(hash, textHash(s.source)); },
              [&](const ListValue& list) {
                for (const Value& item : *list.items) mix(hash, hashOf(item));
              },
              [&](const MapValue& map) { named(*map.entries); },
              [&](const RecordValue& record) { named(*record.fields); }},
      value.data());
  return hash;
}

void hashInto(Hasher& hasher, const Value& value) {
  // The tags are part of every cache key: never renumber them.
  enum Tag : std::uint64_t {
    kNone,
    kBool,
    kInt,
    kFloat,
    kString,
    kDuration,
    kSize,
    kTimestamp,
    kEnum,
    kFileContent,
    kFilePath,
    kDirContent,
    kDirPath,
    kSecret,
    kList,
    kMap,
    kRecord
  };
  const auto number = [&](Tag tag, std::int64_t n) {
    hasher.field(tag);
    hasher.field(static_cast<std::uint64_t>(n));
  };
  const auto text = [&](Tag tag, std::string_view content) {
    hasher.field(tag);
    hasher.field(content);
  };
  const auto named = [&](Tag tag, const NamedItems& items) {
    hasher.field(tag);
    hasher.field(static_cast<std::uint64_t>(items.size()));
    for (const auto& [name, item] : items) {
      hasher.field(name);
      hashInto(hasher, item);
    }
  };
  std::visit(
      Visitor{
          [&](None) { hasher.field(static_cast<std::uint64_t>(kNone)); },
          [&](bool b) { number(kBool, b ? 1 : 0); }, [&](std::int64_t n) { number(kInt, n); },
          [&](double x) {
            // One NaN, as their texts are one; but two zeros, whose texts a task can tell apart.
            const double canonical = std::isnan(x) ? std::numeric_limits<double>::quiet_NaN() : x;
            number(kFloat, std::bit_cast<std::int64_t>(canonical));
          },
          [&](const std::string& s) { text(kString, s); },
          [&](Duration d) { number(kDuration, d.micros); }, [&](Size s) { number(kSize, s.bytes); },
          [&](Timestamp t) { number(kTimestamp, t.micros); },
          [&](const EnumCase& e) { text(kEnum, e.name); },
          [&](const FileRef& f) {
            if (f.digest.empty()) return text(f.isDir ? kDirPath : kFilePath, f.path);
            text(f.isDir ? kDirContent : kFileContent, f.digest);
            hasher.field(baseName(f.path));
          },
          [&](const SecretRef& s) { text(kSecret, s.source); },
          [&](const ListValue& list) {
            number(kList, static_cast<std::int64_t>(list.items->size()));
            for (const Value& item : *list.items) hashInto(hasher, item);
          },
          [&](const MapValue& map) { named(kMap, *map.entries); },
          [&](const RecordValue& record) { named(kRecord, *record.fields); }},
      value.data());
}

}  // namespace couler::ir
