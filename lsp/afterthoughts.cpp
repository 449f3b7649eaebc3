#include <algorithm>

#include "lsp/server.h"

// What comes when nothing is being typed: what the history foretells, what the languages of scripts
// say of these, which names could be imported.
namespace couler::lsp {

namespace {

constexpr std::size_t kMostScripts = 10'000;  // remembered

std::vector<Script> scriptsIn(const Snapshot& snapshot) {
  std::vector<Script> scripts;
  if (!snapshot.loaded()) return scripts;
  for (std::size_t i = 0; i < snapshot.files(); ++i) {
    const std::vector<Script> more = scriptsOf(snapshot.tree(FileId{i}));
    scripts.insert(scripts.end(), more.begin(), more.end());
  }
  return scripts;
}

}  // namespace

void Server::ponder(const Document& document) {
  if (!document.snapshot || document.snapshot->version() != document.revision) return;
  checkScripts(document.snapshot);
  foretell(document.snapshot);
}

void Server::foretell(const std::shared_ptr<const Snapshot>& snapshot) {
  if (!options_.foresee || !snapshot->module()) return;
  errands_->order("history " + snapshot->path(), [this, snapshot]() -> Errands::Landing {
    const auto forecasts =
        options_.foresee(snapshot->path(), *snapshot->module(), snapshot->sources());
    return [this, snapshot, outlook = outlookOf(*snapshot, forecasts)] {
      const auto document = documents_.find(snapshot->path());
      if (document == documents_.end() || document->second.outlook == outlook) return;
      document->second.outlook = outlook;
      if (client_.refreshesHints) call("workspace/inlayHint/refresh");
      if (client_.refreshesLenses) call("workspace/codeLens/refresh");
    };
  });
}

void Server::checkScripts(const std::shared_ptr<const Snapshot>& snapshot) {
  if (!options_.checkScripts || !client_.trusts) return;
  std::vector<Script> unknown;
  for (const Script& script : scriptsIn(*snapshot)) {
    if (!scripts_.contains({script.language, std::string(script.text)})) unknown.push_back(script);
  }
  if (unknown.empty()) return;
  errands_->order("scripts " + snapshot->path(), [this, snapshot, unknown]() -> Errands::Landing {
    return [this, snapshot, unknown, problems = options_.checkScripts(unknown)] {
      if (scripts_.size() > kMostScripts) scripts_.clear();
      bool news = false;
      for (std::size_t i = 0; i < unknown.size() && i < problems.size(); ++i) {
        scripts_[{unknown[i].language, std::string(unknown[i].text)}] = problems[i];
        news = news || problems[i];
      }
      const auto document = documents_.find(snapshot->path());
      if (!news || document == documents_.end() || document->second.snapshot != snapshot) return;
      ++scriptsRevision_;
      publish(snapshot->path());
      if (client_.refreshesDiagnostics) call("workspace/diagnostic/refresh");
    };
  });
}

/// Brings the index up to date, and with it what could be imported from other programs.
void Server::indexNames() {
  indexed_ = true;
  if (indexing_) {
    indexAgain_ = true;
    return;
  }
  indexing_ = true;
  surveyor_->ask(workspace(), [this](const Survey& survey) {
    survey.index.update(survey.workspace, *survey.stop);
    {
      const std::lock_guard lock(doneMutex_);
      surveyedNames_ = survey.index.names();
    }
    wake_();
  });
}

std::vector<Diagnostic> Server::scriptWarnings(const Snapshot& snapshot,
                                               const ScriptProblems& known) {
  std::vector<Diagnostic> warnings;
  if (known.empty()) return warnings;
  for (const Script& script : scriptsIn(snapshot)) {
    const auto found = known.find({script.language, std::string(script.text)});
    if (found == known.end() || !found->second) continue;
    warnings.push_back(
        scriptWarning(script, *found->second, snapshot.sources().text(script.span.file)));
  }
  return warnings;
}

}  // namespace couler::lsp
