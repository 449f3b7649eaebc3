// The columns of a file that the program names, against the schema that it is read with.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "frontend/session_paths.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

/// The cells of the first line of a CSV file; nothing where it is no text, or is cut short.
std::optional<std::vector<std::string>> headerOf(std::string_view text, bool whole) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0') return std::nullopt;
    if (c == '"') {
      const bool doubled = quoted && i + 1 < text.size() && text[i + 1] == '"';
      if (doubled) cells.back() += text[++i];
      if (!doubled) quoted = !quoted;
    } else if (quoted) {
      cells.back() += c;
    } else if (c == '\n') {
      return cells;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  if (!whole || text.empty()) return std::nullopt;
  return cells;
}

std::optional<std::string_view> plainText(const Expr* expr) {
  if (expr == nullptr || expr->kind != ExprKind::String) return std::nullopt;
  const auto parts = static_cast<const StringExpr*>(expr)->parts;
  if (parts.size() != 1 || parts[0].expr != nullptr) return std::nullopt;
  return parts[0].text;
}

bool isName(std::string_view text) {
  const auto inName = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), inName);
}

/// As a name of ours might be spelled: `Body Mass (g)` as `body_mass`.
std::string asName(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, text.find('('))) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool capital = c >= 'A' && c <= 'Z';
    if (letter) name += c;
    if (capital) name += static_cast<char>(c - 'A' + 'a');
    if (!letter && !capital && !name.empty() && name.back() != '_') name += '_';
  }
  while (name.ends_with('_')) name.pop_back();
  return name;
}

/// The one of `names` that is like `wanted`, or spells it in another way.
std::optional<std::string> nearestColumn(std::string_view wanted,
                                              const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    if (asName(name) == asName(wanted)) return std::string(name);
  }
  return nearest(wanted, names);
}

/// As a literal of ours.
std::string quoted(std::string_view name) {
  std::string text = jsonQuote(name);
  for (std::size_t at = 0; (at = text.find('{', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\\');
  }
  return text;
}

Span after(Span span) { return {span.file, span.end, span.end}; }

}  // namespace

/// The path that a literal gives, directly, by `file("…")` or by a `let`.
std::optional<std::string> Checker::literalPath(const Expr* file) const {
  constexpr int kMaxHops = 8;
  for (int hop = 0; file != nullptr && hop < kMaxHops; ++hop) {
    if (file->kind == ExprKind::Name && info(*file).symbol.valid()) {
      file = extras_[info(*file).symbol.index()].origin;
      continue;
    }
    if (file->kind == ExprKind::Call) {
      const auto it = file_->calls.find(file->id);
      const bool isFile = it != file_->calls.end() && it->second.isBuiltin &&
                          it->second.builtin == ir::Builtin::MakeFile;
      if (!isFile) return std::nullopt;
      file = static_cast<const CallExpr*>(file)->args[0].value;
    }
    const auto text = plainText(file);
    if (!text) return std::nullopt;
    return joinPath(sources_.path(fileId_), *text);
  }
  return std::nullopt;
}

void Checker::checkHeader(const Expr* file, TypeId row) {
  if (!fileStart_) return;
  const std::optional<std::string> path = literalPath(file);
  if (!path) return;
  const std::string& format = types()[info(*file).type].name;
  if (format.empty() ? !path->ends_with(".csv") : format != "csv") return;
  const std::optional<std::string> start = fileStart_(*path);
  if (!start) return;
  const auto header = headerOf(*start, start->size() < kMaxHeader);
  if (!header) return;
  const std::vector<std::string_view> names(header->begin(), header->end());
  const auto owner = nominal_.find(row);
  const Signature* signature =
      owner == nominal_.end() ? nullptr : program_->at(owner->second).signature;
  if (signature == nullptr) return;
  const auto isColumn = [&](std::string_view name) {
    return std::any_of(signature->params.begin(), signature->params.end(),
                       [&](const FieldInfo& column) { return column.inFile() == name; });
  };
  for (const FieldInfo& column : signature->params) {
    if (std::find(names.begin(), names.end(), column.inFile()) != names.end()) continue;
    Diagnostic diagnostic =
        diagnose<Diag::MissingColumn>(file->span, *path, column.inFile(), print(row));
    const Field& field = *column.syntax;
    const bool renamed = field.fromSpan.valid();
    diagnostic.label(renamed ? field.fromSpan : field.name.span, "declared here");
    std::vector<std::string_view> open;  // those that no other column of the schema is
    for (const std::string_view name : names) {
      if (!isColumn(name)) open.push_back(name);
    }
    if (const auto near = nearestColumn(column.inFile(), open)) {
      diagnostic.caret = fmt::format("it has `{}`", *near);
      if (renamed) {
        diagnostic.fix(fmt::format("name it `{}`", *near), field.fromSpan, quoted(*near));
      } else if (isName(*near)) {
        diagnostic.fix(fmt::format("name it `{}`", *near), field.name.span, *near);
      } else {
        const std::string from = " from " + quoted(*near);
        diagnostic.fix(fmt::format("write{}", from), after(field.type->span), from);
      }
    } else {
      std::string list;
      for (std::size_t k = 0; k < names.size() && k < 20; ++k) {
        list += fmt::format("{}`{}`", k == 0 ? "" : ", ", names[k]);
      }
      diagnostic.note("it has " + list + (names.size() > 20 ? ", …" : ""));
    }
    report(std::move(diagnostic));
  }
}

}  // namespace couler::sema
