#include "driver/statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/text_table.h"
#include "ir/value.h"
#include "support/text.h"

namespace couler::driver {

using column::ColumnSummary;
using column::Kind;
using column::NumberSummary;
using column::Profile;

namespace {

std::string distinctText(const ColumnSummary& column) {
  return (column.distinctExact ? "" : "~") + grouped(column.distinct);
}

nlohmann::ordered_json numberJson(const ColumnSummary& column, double value) {
  if (!std::isfinite(value)) return nullptr;
  if (column.kind == Kind::Timestamp) {
    return ir::timestampText({static_cast<std::int64_t>(std::llround(value))});
  }
  return value;
}
nlohmann::ordered_json extremeJson(const ColumnSummary& column, bool greatest) {
  const NumberSummary& n = column.numbers;
  const std::int64_t exact = greatest ? n.greatestInt : n.leastInt;
  if (column.kind == Kind::Float) return numberJson(column, greatest ? n.max : n.min);
  if (column.kind == Kind::Timestamp) return ir::timestampText({exact});
  return exact;
}
nlohmann::ordered_json bucketsJson(const ColumnSummary& column,
                                   const std::vector<column::Bucket>& buckets) {
  auto out = nlohmann::ordered_json::array();
  for (const column::Bucket& bucket : buckets) {
    out.push_back({{"low", numberJson(column, bucket.low)},
                   {"high", numberJson(column, bucket.high)},
                   {"count", bucket.count}});
  }
  return out;
}

}  // namespace

std::string typeName(const Profile& profile, std::size_t column) {
  const column::Field& field = profile.schema.fields[column];
  return profile.schema.types->print(field.type);
}

std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') out += ',';
    out += digits[i];
  }
  return out;
}

std::string shareText(std::int64_t part, std::int64_t whole) {
  if (part == 0 || whole == 0) return "0 %";
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (share < 0.1) return "<0.1 %";
  return share < 10 ? fmt::format("{:.1f} %", share) : fmt::format("{:.0f} %", share);
}

std::string numberText(Kind kind, double value) {
  const auto whole = [value] {
    constexpr double kMost = 9.2e18;
    return static_cast<std::int64_t>(std::clamp(std::round(value), -kMost, kMost));
  };
  switch (kind) {
    case Kind::Timestamp:
      // Means and quantiles: below a second there is nothing to see.
      return ir::timestampText({whole() - (whole() % 1'000'000 + 1'000'000) % 1'000'000});
    case Kind::Duration:
      return humanSeconds(value / 1e6);
    case Kind::Size:
      return value < 0 ? ir::sizeText({whole()})
                       : humanBytes(static_cast<std::uint64_t>(whole()));
    default:
      return fmt::format("{:.6g}", value);
  }
}

std::string extremeText(const ColumnSummary& column, bool greatest) {
  const NumberSummary& n = column.numbers;
  if (column.kind == Kind::Int) return std::to_string(greatest ? n.greatestInt : n.leastInt);
  return numberText(column.kind, greatest ? n.max : n.min);
}

std::string statisticsText(const std::string& file, const Profile& profile) {
  TextTable numbers({"number", "type", "missing", "distinct", "zeros", "min", "median", "max",
                     "mean", "std", "not finite"});
  TextTable texts({"text", "type", "missing", "distinct", "length", "most frequent"});
  TextTable others({"other", "type", "missing", "true"});
  bool about = false;
  std::string notes;
  for (std::size_t i = 0; i < profile.columns.size(); ++i) {
    const ColumnSummary column = profile.columns[i].summary();
    const std::string type = typeName(profile, i);
    const std::string missing = shareText(column.missing, column.missing + column.present);
    about = about || !column.distinctExact || !column.numbers.exact || column.texts.error > 0;
    if (profile.notUtf8[i] > 0) {
      notes += fmt::format("{}: {} not UTF-8\n", column.name,
                           countOf(static_cast<std::size_t>(profile.notUtf8[i]), "cell"));
    }
    if (profile.notOfType[i] > 0) {
      notes += fmt::format("{}: {} not of its type\n", column.name,
                           countOf(static_cast<std::size_t>(profile.notOfType[i]), "cell"));
    }
    if (column::isTextual(column.kind)) {
      std::string top;
      for (std::size_t k = 0; k < std::min<std::size_t>(3, column.texts.top.size()); ++k) {
        const auto& [value, count] = column.texts.top[k];
        top += fmt::format("{}{} {}", k == 0 ? "" : ", ", shown(value),
                           shareText(count, column.present));
      }
      texts.add({column.name, type, missing, distinctText(column),
                 fmt::format("{:.1f}", column.texts.meanLength), top});
      continue;
    }
    if (!column::isNumeric(column.kind)) {
      others.add({column.name, type, missing,
                  column.kind == Kind::Bool ? shareText(column.trues, column.present) : ""});
      continue;
    }
    const NumberSummary& n = column.numbers;
    std::vector<std::string> row = {column.name, type, missing, distinctText(column),
                                    shareText(n.zeros, column.present)};
    if (n.finite == 0) {
      row.resize(10);
    } else {
      const bool isTime = column.kind == Kind::Timestamp;
      row.insert(row.end(), {extremeText(column, false),
                             (n.exact ? "" : "~") + numberText(column.kind, n.median),
                             extremeText(column, true), numberText(column.kind, n.mean),
                             isTime ? humanSeconds(n.deviation / 1e6)
                                    : numberText(column.kind, n.deviation)});
    }
    row.push_back(n.nan + n.infinite == 0 ? "" : grouped(n.nan + n.infinite));
    numbers.add(std::move(row));
  }
  std::string out =
      fmt::format("{}: {} rows, {}\n", file, grouped(profile.rows),
                  countOf(profile.columns.size() + profile.leftOut.size(), "column"));
  if (profile.badRows > 0) {
    notes += fmt::format("{} left out: more or fewer cells than the header, or no JSON object\n",
                         countOf(static_cast<std::size_t>(profile.badRows), "row"));
  }
  for (const column::LeftOut& left : profile.leftOut) {
    notes += fmt::format("{}: left out: {}\n", left.column, left.why);
  }
  out += numbers.print(11) + texts.print(5) + others.print(4);
  if (about) {
    notes +=
        "~ about: a count of different values within 2 % or so, a median by a sketch, within 1 % of "
        "the rows\n";
  }
  return notes.empty() ? out : out + "\n" + notes;
}

std::string statisticsJson(const std::string& file, const Profile& profile) {
  nlohmann::ordered_json out = {{"file", file},
                                {"format", profile.format},
                                {"rows", profile.rows},
                                {"badRows", profile.badRows},
                                {"columns", nlohmann::ordered_json::array()},
                                {"leftOut", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < profile.columns.size(); ++i) {
    const ColumnSummary column = profile.columns[i].summary();
    nlohmann::ordered_json one = {{"name", column.name},
                                  {"type", typeName(profile, i)},
                                  {"present", column.present},
                                  {"missing", column.missing},
                                  {"notUtf8", profile.notUtf8[i]},
                                  {"notOfType", profile.notOfType[i]}};
    if (column.kind != Kind::Value) {
      one["distinct"] = column.distinct;
      one["distinctExact"] = column.distinctExact;
    }
    if (column.kind == Kind::Bool) one["true"] = column.trues;
    if (column::isNumeric(column.kind)) {
      const NumberSummary& n = column.numbers;
      one["zeros"] = n.zeros;
      one["nan"] = n.nan;
      one["infinite"] = n.infinite;
      if (n.finite > 0) {
        one["min"] = extremeJson(column, false);
        one["median"] = numberJson(column, n.median);
        one["max"] = extremeJson(column, true);
        one["mean"] = numberJson(column, n.mean);
        one["std"] = std::isfinite(n.deviation) ? nlohmann::ordered_json(n.deviation)
                                                : nlohmann::ordered_json(nullptr);
        one["quantilesExact"] = n.exact;
        one["buckets"] = bucketsJson(column, n.widths);
        one["quantiles"] = bucketsJson(column, n.quantiles);
      }
    }
    if (column::isTextual(column.kind)) {
      one["meanLength"] = column.texts.meanLength;
      one["shortestBytes"] = column.texts.shortest;
      one["longestBytes"] = column.texts.longest;
      one["topError"] = column.texts.error;
      one["top"] = nlohmann::ordered_json::array();
      for (const auto& [value, count] : column.texts.top) {
        one["top"].push_back({{"value", value}, {"count", count}});
      }
    }
    out["columns"].push_back(std::move(one));
  }
  for (const column::LeftOut& left : profile.leftOut) {
    out["leftOut"].push_back({{"name", left.column}, {"why", left.why}});
  }
  return out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace couler::driver
