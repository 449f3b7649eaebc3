#include "lsp/workspace/index.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "frontend/parse/parse.h"
#include "frontend/session_paths.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {
namespace {

constexpr std::size_t kMostFiles = 20'000;       // programs
constexpr std::size_t kMostEntries = 1'000'000;  // of folders: someone opened `/`

std::uint32_t hashOf(std::string_view word) {  // FNV-1a
  std::uint32_t hash = 2166136261U;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::vector<std::uint32_t> wordsOf(std::string_view text) {
  std::vector<std::uint32_t> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && isWordByte(text[end])) ++end;
    if (end > at) words.push_back(hashOf(text.substr(at, end - at)));
    at = end + 1;
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  words.shrink_to_fit();
  return words;
}

void addPrograms(const std::string& root, std::set<std::string>& files, const Stop& stop) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(
      root, std::filesystem::directory_options::skip_permission_denied, error);
  std::size_t left = kMostEntries;
  for (const std::filesystem::recursive_directory_iterator end; !error && at != end && left > 0;
       at.increment(error), --left) {
    if (stop) throw Stopped{};
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      if (name.starts_with('.') || name == "node_modules") at.disable_recursion_pending();
    } else if (isProgram(name) && files.size() < kMostFiles) {
      files.insert(normalPath(at->path().string()));
    }
  }
}

std::string textOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Stamp stampOf(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
  const auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; };
  return {found.st_ino, found.st_size, ns(found.st_mtim), ns(found.st_ctim)};
}

const Index::File& Index::take(const std::string& path, const Workspace& workspace, bool listed) {
  File& file = files_[path];
  file.listed = listed;
  const auto open = workspace.open.find(path);
  const auto text = open == workspace.open.end() ? nullptr : open->second;
  const Stamp stamp = text ? Stamp{} : stampOf(path);
  if (stamp == file.stamp && text == file.open) return file;
  file.stamp = stamp;
  file.open = text;
  file.declared.clear();
  file.imports.clear();

  SourceManager sources;
  DiagnosticList ignored;
  const FileId id = sources.add(path, text ? *text : textOf(path));
  const std::string_view whole = sources.text(id);
  const Lines lines(whole);
  const auto range = [&](Span span) {
    return Range{lines.position(whole, span.begin, workspace.encoding),
                 lines.position(whole, span.end, workspace.encoding)};
  };
  file.words = wordsOf(whole);
  file.exported = exportedNames(path, whole);
  const std::unique_ptr<syntax::Tree> tree = parseFile(sources, id, ignored);
  for (const syntax::Decl* decl : tree->decls) {
    if (decl->kind == syntax::DeclKind::Import) {
      const auto& import = static_cast<const syntax::ImportDecl&>(*decl);
      if (import.isStd || !import.pathSpan.valid()) continue;
      file.imports.push_back(
          {joinPath(path, import.path), std::string(import.path), range(import.pathSpan)});
    } else if (!decl->name.text.empty()) {
      file.declared.push_back({std::string(decl->name.text), decl->kind, range(decl->name.span)});
    }
  }
  return file;
}

void Index::update(const Workspace& workspace, const Stop& stop) {
  std::set<std::string> there;
  for (const std::string& root : workspace.roots) addPrograms(root, there, stop);
  for (const auto& [path, text] : workspace.open) there.insert(path);
  // Then what they import from elsewhere.
  std::vector<std::string> paths(there.begin(), there.end());
  const std::size_t listed = paths.size();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (stop) throw Stopped{};
    for (const Import& import : take(paths[i], workspace, i < listed).imports) {
      if (there.insert(import.target).second) paths.push_back(import.target);
    }
  }
  std::erase_if(files_, [&](const auto& one) { return !there.contains(one.first); });
}

std::vector<std::string> Index::mentioning(std::string_view word, std::string_view path) const {
  std::set<std::string, std::less<>> reach{std::string(path)};
  const bool everywhere = path.starts_with('<');  // the standard library
  if (!everywhere) {
    std::map<std::string_view, std::vector<std::string_view>> importers;
    for (const auto& [from, file] : files_) {
      for (const Import& import : file.imports) importers[import.target].push_back(from);
    }
    std::vector<std::string_view> open{path};
    while (!open.empty()) {
      const auto at = importers.find(open.back());
      open.pop_back();
      if (at == importers.end()) continue;
      for (const std::string_view from : at->second) {
        if (reach.emplace(from).second) open.push_back(from);
      }
    }
  }
  const std::uint32_t hash = hashOf(word);
  std::vector<std::string> result;
  for (const auto& [from, file] : files_) {
    if (file.listed && (everywhere || reach.contains(from)) &&
        std::binary_search(file.words.begin(), file.words.end(), hash)) {
      result.push_back(from);
    }
  }
  return result;
}

std::vector<ExportedName> Index::names() const {
  std::vector<ExportedName> names;
  for (const auto& [path, file] : files_) {
    if (file.listed) names.insert(names.end(), file.exported.begin(), file.exported.end());
  }
  return names;
}

std::uint64_t Index::state(const std::string& path) const {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&](std::uint64_t part) {
    hash = (hash ^ part) * 1099511628211ULL;
    hash ^= hash >> 29U;
  };
  std::set<std::string_view> seen{path};
  std::vector<std::string_view> open{path};
  while (!open.empty()) {
    const auto at = files_.find(std::string(open.back()));
    open.pop_back();
    if (at == files_.end()) continue;
    const File& file = at->second;
    if (file.open) mix(std::hash<std::string_view>{}(*file.open));
    mix(file.stamp.inode);
    mix(static_cast<std::uint64_t>(file.stamp.size));
    mix(static_cast<std::uint64_t>(file.stamp.modified));
    mix(static_cast<std::uint64_t>(file.stamp.changed));
    for (const Import& import : file.imports) {
      if (seen.insert(import.target).second) open.push_back(import.target);
    }
  }
  return hash;
}

}  // namespace couler::lsp
