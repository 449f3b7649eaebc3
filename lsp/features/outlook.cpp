#include "lsp/features/outlook.h"

#include <algorithm>

#include <fmt/format.h>

#include "lsp/features/statements.h"
#include "support/text.h"

namespace couler::lsp {

using namespace syntax;

namespace {

void add(Outlook::Work& work, const Forecast::Step& step) {
  ++work.steps;
  if (!step.runs) return;
  ++work.runs;
  if (step.seconds < 0) return;
  ++work.measured;
  work.seconds += step.seconds;
}

void forEachWorkflow(const Snapshot& snapshot,
                     const std::function<void(const WorkflowDecl&)>& visit) {
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind == DeclKind::Workflow) visit(static_cast<const WorkflowDecl&>(*decl));
  }
}

}  // namespace

Outlook outlookOf(const Snapshot& snapshot, const std::vector<Forecast>& forecasts) {
  Outlook outlook;
  // The steps of a statement are many where a loop was unrolled: they share its place.
  std::map<Span, std::string> places;
  for (const Forecast& forecast : forecasts) {
    for (const Forecast::Step& step : forecast.steps) {
      add(outlook.workflows[forecast.workflow], step);
      if (step.at.valid() && step.at.file == snapshot.root()) places[step.at];
    }
  }
  forEachWorkflow(snapshot, [&](const WorkflowDecl& workflow) {
    auto place = places.lower_bound({snapshot.root(), workflow.span.begin, 0});
    for (; place != places.end() && place->first.end <= workflow.span.end; ++place) {
      const StatementAt found = statementAt(workflow.body, place->first.begin);
      if (found.stmt != nullptr) place->second = std::string(workflow.name.text) + found.path;
    }
  });
  for (const Forecast& forecast : forecasts) {
    for (const Forecast::Step& step : forecast.steps) {
      const auto place = places.find(step.at);
      if (place != places.end() && !place->second.empty()) add(outlook.statements[place->second], step);
    }
  }
  return outlook;
}

void addOutlookHints(const View& view, const Outlook& outlook, std::uint32_t from, std::uint32_t to,
                     Json& hints) {
  const Snapshot& snapshot = view.snapshot();
  const std::string_view text = snapshot.text();
  forEachWorkflow(snapshot, [&](const WorkflowDecl& workflow) {
    if (workflow.span.end < from || workflow.span.begin > to) return;
    forEachStatement(workflow.body, [&](const StatementAt& one) {
      const auto work = outlook.statements.find(std::string(workflow.name.text) + one.path);
      if (work == outlook.statements.end() || work->second.runs == 0) return;
      const std::size_t newline = text.find_first_of("\r\n", one.stmt->span.begin);
      const auto end = static_cast<std::uint32_t>(std::min(newline, text.size()));
      if (end < from || end > to) return;
      std::string label = work->second.measured > 0 ? "will run again" : "will run";
      if (work->second.steps > 1) label += ": " + countOf(work->second.runs, "step");
      hints.push_back({{"position", toJson(view.range({snapshot.root(), end, end}).start)},
                       {"label", std::move(label)},
                       {"paddingLeft", true}});
    });
  });
}

std::string outlookText(const Outlook& outlook, std::string_view workflow) {
  const auto found = outlook.workflows.find(workflow);
  if (found == outlook.workflows.end()) return {};
  const Outlook::Work& work = found->second;
  if (work.runs == 0) return fmt::format("nothing to run: {} kept", countOf(work.steps, "step"));
  std::string text = fmt::format("{} of {} to run", work.runs, countOf(work.steps, "step"));
  if (work.measured > 0) {
    text += fmt::format(", {} {}", work.measured == work.runs ? "about" : "at least",
                        humanSeconds(work.seconds));
  }
  return text;
}

}  // namespace couler::lsp
