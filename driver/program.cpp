#include "driver/program.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "driver/files.h"
#include "frontend/sema/check.h"
#include "passes/pass.h"
#include "support/text.h"

namespace couler::driver {

namespace {

std::optional<std::string> readStart(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(sema::kMaxHeader, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

Program::Program(const Invocation& invocation)
    : style_(styleOf(invocation)),
      session_([this](const std::string& path) { return load(path); }, problems_) {
  session_.setFileStart(readStart);
}

LoadedText Program::load(const std::string& path) {
  const bool standardInput = path == kStandardInput;
  ReadResult read = readFile(standardInput ? "-" : path);
  LoadedText result;
  if (!read.error.empty()) {
    result.error = std::move(read.error);
    return result;
  }
  if (!standardInput) filesRead_.insert(path);
  result.text = std::move(read.text);
  return result;
}

bool Program::check(const std::string& path) {
  loaded_ = session_.load(path == "-" ? std::string(kStandardInput) : path);
  if (!loaded_) return false;
  session_.check();
  return !problems_.hasErrors();
}

std::optional<ir::Module> Program::lower(std::string_view workflow, bool needEntry) {
  if (!loaded_ || problems_.hasErrors()) return std::nullopt;
  auto module = session_.lower(workflow, needEntry);
  if (problems_.hasErrors()) return std::nullopt;
  return module;
}

void Program::report(bool remarks) {
  std::vector<Diagnostic> shown = problems_.sorted();
  if (!remarks)
    std::erase_if(shown, [](const Diagnostic& d) { return d.severity == Severity::Remark; });
  if (!shown.empty()) printDiagnostics(shown, sources(), style_);
  problems_.clear();
}

int Program::finish(int code) {
  const bool failed = problems_.hasErrors();
  report();
  return failed ? code : kOk;
}

std::optional<WorkflowWords> workflowWords(const Invocation& invocation, DiagnosticSink& diags) {
  WorkflowWords result;
  bool ok = true;
  for (std::size_t i = 1; i < invocation.words.size(); ++i) {
    const std::string& word = invocation.words[i];
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos && equals != 0) {
      result.arguments.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    } else if (i == 1 && equals == std::string::npos && !word.empty()) {
      result.workflow = word;
    } else {
      diags.take(diagnose<Diag::BadCommandWords>({}, invocation.command->name,
                                                 "expects `name=value`, found `" + word + "`"));
      ok = false;
    }
  }
  if (!ok) return std::nullopt;
  return result;
}

std::optional<std::vector<std::string>> passNames(const Invocation& invocation,
                                                  std::string_view option, DiagnosticSink& diags) {
  bool ok = true;
  const bool allowAll = option == "print-after";
  for (const std::string& name : invocation.values(option)) {
    if (passes::findPass(name) != nullptr || (allowAll && name == "all")) continue;
    ok = false;
    Diagnostic diagnostic = diagnose<Diag::UnknownPass>({}, name);
    std::vector<std::string_view> names;
    std::string list;
    for (const passes::Pass& pass : passes::passTable()) {
      names.push_back(pass.name);
      list += (list.empty() ? "`" : ", `") + std::string(pass.name) + "`";
    }
    if (allowAll) names.push_back("all");
    if (const auto near = nearest(name, names)) diagnostic.note("did you mean `" + *near + "`?");
    diags.take(std::move(diagnostic).note("the passes are " + list));
  }
  if (!ok) return std::nullopt;
  return invocation.values(option);
}

void printTimings(const Invocation& invocation, const passes::PipelineResult& result) {
  if (!invocation.has("time-passes")) return;
  for (const passes::PassTiming& timing : result.timings) {
    printError(fmt::format("{:<16} {:>9.3f} ms{}\n", timing.name, timing.cpuSeconds * 1e3,
                           timing.changed ? "  changed" : ""));
  }
}

const ir::TargetDef* targetNamed(const ir::Module& module, const std::string& name,
                                 const std::vector<std::string_view>& alsoKnown,
                                 DiagnosticSink& diags) {
  if (const ir::TargetDef* target = module.findTarget(name)) return target;
  Diagnostic diagnostic = diagnose<Diag::UnknownTarget>({}, name);
  std::vector<std::string_view> names;
  for (const ir::TargetDef& target : module.targets) names.push_back(target.name);
  std::string list;
  for (const std::string_view known : names)
    list += (list.empty() ? "`" : ", `") + std::string(known) + "`";
  names.insert(names.end(), alsoKnown.begin(), alsoKnown.end());
  if (const auto near = nearest(name, names)) diagnostic.note("did you mean `" + *near + "`?");
  diagnostic.note(list.empty() ? "the program declares no target" : "the program declares " + list);
  if (!alsoKnown.empty()) {
    std::string engines;
    for (const std::string_view engine : alsoKnown) {
      engines += (engines.empty() ? "`" : ", `") + std::string(engine) + "`";
    }
    diagnostic.note("an engine's name does as well: " + engines);
  }
  diags.take(std::move(diagnostic));
  return nullptr;
}

std::optional<std::int64_t> numberOption(const Invocation& invocation, std::string_view option,
                                         std::int64_t least, std::int64_t most,
                                         std::int64_t fallback, DiagnosticSink& diags) {
  if (!invocation.has(option)) return fallback;
  const std::string text = invocation.value(option);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= least &&
      number <= most) {
    return number;
  }
  diags.take(diagnose<Diag::BadOptionValue>(
      {}, option, fmt::format("a whole number from {} to {}, found `{}`", least, most, text)));
  return std::nullopt;
}

}  // namespace couler::driver
