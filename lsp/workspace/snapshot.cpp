#include "lsp/workspace/snapshot.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "frontend/sema/check.h"
#include "frontend/session_paths.h"

namespace couler::lsp {
namespace {

std::optional<std::string> readFile(const std::string& path, std::size_t most) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text;
  std::vector<char> piece(std::min<std::size_t>(most, 1U << 16));
  while (text.size() < most && in) {
    in.read(piece.data(), static_cast<std::streamsize>(std::min(piece.size(), most - text.size())));
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

LoadedText load(const Overlay& overlay, const std::string& path) {
  if (const auto open = overlay.find(path); open != overlay.end()) return {*open->second, {}};
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return {std::nullopt, "no such file or directory"};
  if (std::filesystem::is_directory(status)) return {std::nullopt, "is a directory"};
  std::optional<std::string> text = readFile(path, ParseLimits{}.maxBytes + 1);
  if (!text) return {std::nullopt, "cannot be read"};
  return {std::move(text), {}};
}

}  // namespace

Snapshot::Work::Work(Overlay texts)
    : overlay(std::move(texts)),
      session([this](const std::string& file) { return load(overlay, file); }, list) {
  session.setFileStart([](const std::string& file) { return readFile(file, sema::kMaxHeader); });
}

void Snapshot::Work::check() {
  program = &session.check();
  for (std::size_t i = 0; i < session.sources().count(); ++i) {
    lines.emplace_back(session.sources().text(FileId{i}));
  }
  occurrences.resize(lines.size());
}

Snapshot::Snapshot(std::string path, std::int64_t version, FileId root, std::shared_ptr<Work> work)
    : path_(std::move(path)), version_(version), root_(root), work_(std::move(work)) {}

Snapshot::Snapshot(const std::string& path, Overlay overlay, std::int64_t version)
    : path_(path), version_(version), work_(std::make_shared<Work>(std::move(overlay))) {
  const auto start = std::chrono::steady_clock::now();
  Work& work = *work_;
  if (work.session.load(path)) {
    root_ = FileId{0U};
    work.check();
    if (!work.list.hasErrors()) work.module = work.session.lower("", false);
  }
  work.diagnostics = work.list.sorted();
  work.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Snapshot> Snapshot::together(std::span<const std::string> paths,
                                         const Overlay& overlay) {
  constexpr std::size_t kMostBytes = 512U << 10;  // takes about a hundred times that
  const auto work = std::make_shared<Work>(overlay);
  const SourceManager& sources = work->session.sources();
  std::map<std::string_view, FileId> known;
  std::vector<Snapshot> result;
  std::size_t bytes = 0;
  for (const std::string& path : paths) {
    if (bytes >= kMostBytes) break;
    const bool loaded = work->session.load(path);
    for (std::size_t i = known.size(); i < sources.count(); ++i) {
      known.emplace(sources.path(FileId{i}), FileId{i});
      bytes += sources.text(FileId{i}).size();
    }
    result.push_back(Snapshot(path, 0, loaded ? known.at(normalPath(path)) : FileId{}, work));
  }
  if (sources.count() != 0) work->check();
  work->diagnostics = work->list.sorted();
  return result;
}

Snapshot Snapshot::with(std::string text) const {
  Overlay overlay = work_->overlay;
  overlay.insert_or_assign(path_, std::make_shared<const std::string>(std::move(text)));
  return Snapshot(path_, std::move(overlay), version_);
}

bool Snapshot::builtIn(FileId file) const { return sources().path(file).starts_with("<std>/"); }

bool Snapshot::reads(std::string_view path) const {
  if (!loaded()) return path == path_;
  for (std::size_t i = 0; i < files(); ++i) {
    if (sources().path(FileId{i}) == path) return true;
  }
  // What could not be read may be there by now.
  return std::any_of(diagnostics().begin(), diagnostics().end(),
                     [](const Diagnostic& d) { return d.id == Diag::CannotImport; });
}

const std::vector<Occurrence>& Snapshot::occurrences(FileId file) const {
  auto& kept = work_->occurrences[file.index()];
  if (!kept) kept = findOccurrences(program(), sources().text(file), file);
  return *kept;
}

const Occurrence* Snapshot::at(FileId file, std::uint32_t offset) const {
  const std::vector<Occurrence>& all = occurrences(file);
  auto next = std::upper_bound(all.begin(), all.end(), offset,
                               [](std::uint32_t o, const Occurrence& one) { return o < one.span.begin; });
  const Occurrence* found = nullptr;
  while (next != all.begin()) {
    --next;
    if (next->span.end < offset) break;
    if (found == nullptr || next->span.end > offset) found = &*next;
    if (next->span.end > offset) break;
  }
  return found;
}

TextShift::TextShift(std::string_view before, std::string_view after) {
  const std::size_t least = std::min(before.size(), after.size());
  const auto differ = std::mismatch(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(least),
                                    after.begin());
  const auto prefix = static_cast<std::size_t>(differ.first - before.begin());
  std::size_t suffix = 0;
  while (suffix < least - prefix &&
         before[before.size() - suffix - 1] == after[after.size() - suffix - 1]) {
    ++suffix;
  }
  prefix_ = static_cast<std::uint32_t>(prefix);
  beforeEnd_ = static_cast<std::uint32_t>(before.size() - suffix);
  afterEnd_ = static_cast<std::uint32_t>(after.size() - suffix);
}

std::uint32_t TextShift::forward(std::uint32_t offset) const {
  if (offset <= prefix_) return offset;
  return offset < beforeEnd_ ? prefix_ : offset - beforeEnd_ + afterEnd_;
}

std::uint32_t TextShift::back(std::uint32_t offset) const {
  if (offset <= prefix_) return offset;
  return offset < afterEnd_ ? prefix_ : offset - afterEnd_ + beforeEnd_;
}

}  // namespace couler::lsp
