#include "lsp/workspace/names.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "frontend/session_paths.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {
namespace {

namespace fs = std::filesystem;
using sema::SymbolKind;

constexpr std::size_t kMostPrograms = 20'000;
constexpr std::uintmax_t kMostBytes = 1U << 20;  // of a program that is looked into

std::optional<SymbolKind> kindOf(std::string_view word) {
  if (word == "enum") return SymbolKind::Enum;
  if (word == "schema") return SymbolKind::Schema;
  if (word == "fn") return SymbolKind::Fn;
  if (word == "task") return SymbolKind::Task;
  if (word == "workflow") return SymbolKind::Workflow;
  if (word == "transform") return SymbolKind::Transform;
  if (word == "labeler") return SymbolKind::Labeler;
  return std::nullopt;
}

/// White space of any kind as one blank.
std::string onOneLine(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

}  // namespace

std::vector<ExportedName> exportedNames(const std::string& path, std::string_view text) {
  std::vector<ExportedName> names;
  std::vector<Piece> pieces = scan(text);
  std::erase_if(pieces, [](const Piece& one) {
    return one.kind == Piece::Kind::Comment || one.kind == Piece::Kind::Doc;
  });
  if (pieces.size() < 2 || pieces[0].in(text) != "couler" || pieces[1].kind != Piece::Kind::Number)
    return names;
  std::size_t depth = 0;
  std::uint32_t head = 0;  // where that of the last one begins, if it has no end yet
  const auto endHead = [&](std::uint32_t end) {
    if (head != 0) names.back().head = onOneLine(text.substr(head, end - head));
    head = 0;
  };
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    const std::string_view one = pieces[i].in(text);
    if (pieces[i].kind == Piece::Kind::Mark) {
      if (depth == 0 && (one == "{" || one == "=")) endHead(pieces[i].begin);
      if (one == "(" || one == "[" || one == "{") ++depth;
      if ((one == ")" || one == "]" || one == "}") && depth > 0) --depth;
      continue;
    }
    const auto kind = depth == 0 && pieces[i].kind == Piece::Kind::Word ? kindOf(one) : std::nullopt;
    const std::string_view name = pieces[i + 1].in(text);
    if (!kind || pieces[i + 1].kind != Piece::Kind::Word) continue;
    endHead(pieces[i].begin);
    if (name.starts_with('_')) continue;
    names.push_back({path, std::string(name), *kind, ""});
    head = pieces[i].begin;
  }
  endHead(static_cast<std::uint32_t>(text.size()));
  return names;
}

std::vector<std::string> programsBelow(const std::vector<std::string>& folders, std::size_t most) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    std::error_code error;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                        error);
    for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
      const std::string name = at->path().filename().string();
      std::error_code ignored;
      if (at->is_directory(ignored)) {
        if (name.starts_with('.') || name == "node_modules") at.disable_recursion_pending();
      } else if (isProgram(name) && files.size() < most) {
        files.push_back(normalPath(at->path().string()));
      }
    }
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

std::vector<ExportedName> NameIndex::update(const std::vector<std::string>& folders) {
  std::map<std::string, File> now;
  for (const std::string& path : programsBelow(folders, kMostPrograms)) {
    std::error_code error;
    const fs::file_time_type changed = fs::last_write_time(path, error);
    const std::uintmax_t size = error ? 0 : fs::file_size(path, error);
    if (error || size > kMostBytes) continue;
    const auto before = files_.find(path);
    if (before != files_.end() && before->second.changed == changed && before->second.size == size) {
      now.insert(files_.extract(before));
      continue;
    }
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    now[path] = {changed, size, exportedNames(path, text)};
  }
  files_ = std::move(now);
  std::vector<ExportedName> names;
  for (const auto& [path, file] : files_) {
    names.insert(names.end(), file.names.begin(), file.names.end());
  }
  return names;
}

}  // namespace couler::lsp
