#include "runtime/column/bad_rows.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "runtime/column/cells.h"
#include "support/text.h"

namespace couler::column {

namespace {

constexpr std::size_t kExcerpt = 80;

std::string_view kindName(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return "bool";
    case Kind::Int:
      return "int";
    case Kind::Float:
      return "float";
    case Kind::String:
      return "string";
    case Kind::Timestamp:
      return "timestamp";
    case Kind::Duration:
      return "duration";
    case Kind::Size:
      return "size";
    default:
      return {};
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// What the user may do about it; empty if there is nothing to say.
std::string hintFor(const Anomaly& anomaly, const Field& field) {
  switch (anomaly.kind) {
    case AnomalyKind::NotOfType: {
      double number = 0;
      if (trimmed(anomaly.value).size() != anomaly.value.size()) {
        return "there are spaces around the value";
      }
      if (field.kind == Kind::Int && readFloat(anomaly.value, number) == CellStatus::Ok) {
        return "is the column one of `float`?";
      }
      return {};
    }
    case AnomalyKind::Missing: {
      const std::string_view type = kindName(field.kind);
      return type.empty() ? "a column that may lack values is declared with a `?`"
                          : fmt::format("declare it `{}?` if cells may be empty", type);
    }
    case AnomalyKind::NotACase: {
      const std::vector<std::string_view> cases(field.cases.begin(), field.cases.end());
      if (const auto near = nearest(anomaly.value, cases)) {
        return fmt::format("did you mean `{}`?", *near);
      }
      constexpr std::size_t kListed = 8;
      return fmt::format(
          "its cases are {}{}",
          fmt::join(cases.begin(),
                    cases.begin() + static_cast<std::ptrdiff_t>(std::min(kListed, cases.size())),
                    ", "),
          cases.size() > kListed ? ", …" : "");
    }
    case AnomalyKind::NotUtf8:
      return "convert the file to UTF-8, for instance with `iconv -f latin1 -t utf-8`";
    default:
      return {};
  }
}

std::string factOf(const Anomaly& anomaly, const Field* field) {
  switch (anomaly.kind) {
    case AnomalyKind::RaggedRow:
      return fmt::format("the row has {}", anomaly.value);
    case AnomalyKind::Malformed:
      return fmt::format("the line is not a JSON object: `{}`", anomaly.value);
    case AnomalyKind::Missing:
      return fmt::format("column `{}` has no value", anomaly.column);
    case AnomalyKind::NotUtf8:
      return fmt::format("column `{}` holds `{}`, which is not UTF-8", anomaly.column,
                         anomaly.value);
    case AnomalyKind::OutOfRange:
      return fmt::format("column `{}` holds `{}`, which is beyond the range of {}", anomaly.column,
                         anomaly.value, kindPhrase(field->kind));
    default:
      return fmt::format("column `{}` holds `{}`, which is not {}", anomaly.column, anomaly.value,
                         kindPhrase(field->kind));
  }
}

}  // namespace

std::string_view kindPhrase(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return "a bool";
    case Kind::Int:
      return "an int";
    case Kind::Float:
      return "a float";
    case Kind::String:
      return "a string";
    case Kind::Timestamp:
      return "a timestamp";
    case Kind::Duration:
      return "a duration";
    case Kind::Size:
      return "a size";
    case Kind::Enum:
      return "a case of its enum";
    case Kind::Value:
      break;
  }
  return "a value of its type";
}

std::string baseName(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::string BadRowPolicy::excerpt(std::string_view value) {
  const bool cut = value.size() > kExcerpt;
  value = value.substr(0, kExcerpt);
  std::string out;
  while (!value.empty()) {
    const auto first = static_cast<unsigned char>(value.front());
    const std::optional<std::size_t> bad = findInvalidUtf8(value.substr(0, 4));
    if (bad == 0U) {
      if (cut && value.size() < 4) break;  // a letter that the cut went through
      out += fmt::format("\\x{:02X}", first);
    } else if (first == '\n') {
      out += "\\n";
    } else if (first < 0x20) {
      out += fmt::format("\\x{:02X}", first);
    } else {
      out += value.front();
    }
    value.remove_prefix(1);
    while (bad != 0U && first >= 0xC0 && !value.empty() && isUtf8Tail(value.front())) {
      out += value.front();
      value.remove_prefix(1);
    }
  }
  return out;
}

StreamError BadRowPolicy::failure() const {
  const int index = first_->column.empty() ? -1 : schema_.find(first_->column);
  const Field* field = index < 0 ? nullptr : &schema_.fields[static_cast<std::size_t>(index)];
  std::string message = path_;
  message += first_->line > 0 ? fmt::format(":{}: ", first_->line)
                              : fmt::format(": row {}: ", first_->row + 1);
  message += factOf(*first_, field);
  if (field != nullptr) {
    if (const std::string hint = hintFor(*first_, *field); !hint.empty()) message += "; " + hint;
  }
  if (count_ > 1) {
    message += fmt::format(" ({} anomalies in all)", count_);
  }
  return {message};
}

}  // namespace couler::column
