#include "driver/past.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "driver/console.h"
#include "support/text.h"

namespace couler::driver {

std::optional<PastRun> findRun(const Invocation& invocation, const std::string& number, int& code) {
  return findRun(invocation, invocation.value("store", ".couler"), number, code);
}

std::optional<PastRun> findRun(const Invocation& invocation, const std::string& store,
                               const std::string& number, int& code) {
  const DiagnosticStyle style = styleOf(invocation);
  const bool last = number.empty() || number == "last";
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
  if (!last && (error != std::errc() || end != number.data() + number.size() || id < 1)) {
    code = complain(
        diagnose<Diag::BadCommandWords>({}, invocation.command->name,
                                        "expects the number of a run, found `" + number + "`")
            .note("`couler runs` lists them"),
        kUsage, style);
    return std::nullopt;
  }
  DiagnosticList problems;
  const SourceManager none;
  auto history = runtime::History::open(store, problems);
  if (!history) {
    printDiagnostics(problems.sorted(), none, style);
    code = kFailed;
    return std::nullopt;
  }
  std::optional<runtime::RunRecord> run;
  if (last) {
    const auto newest = history->runs(1);
    if (!newest.empty()) run = newest.front();
  } else {
    run = history->run(id);
  }
  if (!run) {
    code = complain(diagnose<Diag::UnknownRun>({}, store, last ? "last" : number)
                        .note("`couler runs` lists them"),
                    kFailed, style);
    return std::nullopt;
  }
  auto steps = history->steps(run->id);
  return PastRun{std::move(*history), std::move(*run), std::move(steps)};
}

const runtime::StepRecord* findStep(const PastRun& past, const std::string& name,
                                    DiagnosticSink& diags) {
  const auto at = std::find_if(past.steps.begin(), past.steps.end(),
                               [&](const runtime::StepRecord& step) { return step.step == name; });
  if (at != past.steps.end()) return &*at;
  Diagnostic diagnostic = diagnose<Diag::UnknownStep>({}, past.run.id, name);
  std::vector<std::string_view> names;
  std::vector<std::string_view> items;  // `count` for `count.0`, `count.1`, …
  for (const runtime::StepRecord& step : past.steps) {
    names.push_back(step.step);
    if (step.step.starts_with(name + ".")) items.push_back(step.step);
  }
  if (!items.empty()) {
    diagnostic.note("did you mean one of its items, such as `" + std::string(items.front()) + "`?");
  } else if (const auto near = nearest(name, names)) {
    diagnostic.note("did you mean `" + *near + "`?");
  }
  diags.take(std::move(diagnostic)
                 .note("`couler logs " + std::to_string(past.run.id) + "` lists its steps"));
  return nullptr;
}

}  // namespace couler::driver
