#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "frontend/session.h"
#include "passes/pass.h"
#include "runtime/engine/engine.h"
#include "runtime/store/history.h"
#include "support/render.h"

namespace couler::runtime::testing {

/// A folder that goes when the test does.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "couler-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

inline void write(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline std::vector<std::string> linesOf(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// A program compiled from source text, kept with its sources.
struct Program {
  DiagnosticList diags;
  std::unique_ptr<Session> session;
  std::optional<ir::Module> module;
};

/// Compiles `text` as the file `path`; `optimise` runs the passes as `couler run` does.
inline std::unique_ptr<Program> compile(const std::string& path, const std::string& text,
                                        bool optimise = false) {
  auto program = std::make_unique<Program>();
  program->session = std::make_unique<Session>(
      [path, text](const std::string& wanted) -> LoadedText {
        if (wanted == path) return {"couler 1\n" + text, ""};
        return {std::nullopt, "no such file"};
      },
      program->diags);
  program->session->load(path);
  program->module = program->session->lower("", true);
  if (program->module && optimise) {
    passes::Context context{program->diags};
    passes::runPipeline(*program->module, context, {});
  }
  EXPECT_TRUE(program->module.has_value())
      << renderHuman(program->diags.sorted(), program->session->sources(), false);
  return program;
}

/// A store, a folder for inputs, and what the last run gave.
class EngineTest : public ::testing::Test {
 protected:
  RunResult run(const Program& program) {
    events.clear();
    diags.clear();
    if (!program.module) return {};
    RunOptions used = options;
    used.storeDir = folder / "store";
    if (used.jobs == 0) used.jobs = 2;
    used.sourcePath = folder / "test.cwl";
    used.onEvent = [this](const Event& event) { events.push_back(event); };
    result = runtime::run(*program.module, used, program.session->sources(), diags);
    return result;
  }
  RunResult run(const std::string& text, bool optimise = false) {
    const auto program = compile(folder / "test.cwl", text, optimise);
    return run(*program);
  }

  /// A run that must go well.
  RunResult good(const std::string& text, bool optimise = false) {
    run(text, optimise);
    EXPECT_TRUE(result.ok) << messages();
    return result;
  }

  [[nodiscard]] std::string messages() const {
    std::string text;
    for (const Diagnostic& diagnostic : diags.all()) {
      text += diagnostic.code() + ": " + diagnostic.message + "\n";
      for (const std::string& note : diagnostic.notes) text += "  " + note + "\n";
    }
    for (const Event& event : events) {
      if (event.kind == Event::Kind::Note) text += "note: " + event.message + "\n";
    }
    return text;
  }
  [[nodiscard]] const ir::Value& output(std::string_view name) const {
    static const ir::Value kNone;
    if (!result.outputs) return kNone;
    const ir::Value* value = result.outputs->field(name);
    return value == nullptr ? kNone : *value;
  }
  [[nodiscard]] std::string text(std::string_view name) const { return ir::toText(output(name)); }
  [[nodiscard]] std::string content(std::string_view name) const {
    const auto* file = output(name).as<ir::FileRef>();
    return file == nullptr ? "(no file)" : read(file->path);
  }
  /// How each step ended, by name.
  [[nodiscard]] std::map<std::string, StepState> states() const {
    std::map<std::string, StepState> states;
    for (const Event& event : events) {
      if (event.kind == Event::Kind::StepEnded) states[event.step] = event.state;
    }
    return states;
  }
  [[nodiscard]] std::size_t count(Event::Kind kind, std::string_view step = {}) const {
    std::size_t n = 0;
    for (const Event& event : events)
      n += event.kind == kind && (step.empty() || event.step == step);
    return n;
  }

  TempFolder folder;
  RunOptions options;
  RunResult result;
  DiagnosticList diags;
  std::vector<Event> events;
};

}  // namespace couler::runtime::testing
