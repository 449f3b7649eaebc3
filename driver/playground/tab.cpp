#include "driver/playground/tab.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "driver/files.h"
#include "lsp/workspace/uri.h"
#include "support/text.h"

namespace couler::driver {
namespace {

namespace fs = std::filesystem;
using lsp::Json;

constexpr std::string_view kOwn = "playground/";
constexpr std::size_t kMostWaiting = std::size_t{64} << 20;
constexpr int kRequestFailed = -32803;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A string of the parameters; empty where there is none.
std::string word(const Json& params, const char* name) {
  const auto at = params.find(name);
  return at != params.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// What the page asks for and cannot be done; the page shows it.
[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error(why); }

}  // namespace

Tab::Tab(const Project& project, lsp::ServerOptions language, Hooks hooks)
    : project_(project),
      language_(std::move(language)),
      hooks_(std::move(hooks)),
      thread_([this] { work(); }) {}

Tab::~Tab() {
  close();
  thread_.join();
}

bool Tab::take(std::string body) {
  const std::lock_guard lock(mutex_);
  incomingBytes_ += body.size();
  incoming_.push_back(std::move(body));
  wake_.notify_one();
  return incomingBytes_ <= kMostWaiting;
}

void Tab::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake_.notify_one();
}

void Tab::work() {
  {
    lsp::Server server(
        language_, [this](std::string body) { hooks_.send(std::move(body), false); },
        [this] {
          const std::lock_guard lock(mutex_);
          woken_ = true;
          wake_.notify_one();
        });
    std::deque<std::string> bodies;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock,
                   [&] { return closed_ || woken_ || !incoming_.empty() || !bodies.empty(); });
        if (closed_) break;
        woken_ = false;
        for (; !incoming_.empty(); incoming_.pop_front()) {
          server.peek(incoming_.front());
          bodies.push_back(std::move(incoming_.front()));
        }
      }
      server.idle();
      if (bodies.empty()) continue;
      const std::string body = std::move(bodies.front());
      bodies.pop_front();
      if (!answer(body)) server.take(body);
      const std::lock_guard lock(mutex_);
      incomingBytes_ -= body.size();
    }
  }
  job_.reset();
  scratch_.reset();
  hooks_.ended();
}

/// Of the command under way; waits while the page is slow.
bool Tab::notify(std::string_view method, Json params) {
  return hooks_.send(dump({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}),
                     true);
}

/// False: it is for the language server.
bool Tab::answer(std::string_view body) {
  if (body.find(kOwn) == std::string_view::npos) return false;
  const Json message = Json::parse(body, nullptr, false);
  if (!message.is_object()) return false;
  const std::string method = word(message, "method");
  if (!method.starts_with(kOwn)) return false;
  Json reply{{"jsonrpc", "2.0"}, {"id", message.value("id", Json())}};
  const Json params = message.value("params", Json::object());
  try {
    reply["result"] = request(std::string_view(method).substr(kOwn.size()),
                              params.is_object() ? params : Json::object());
  } catch (const std::exception& error) {
    reply["error"] = {{"code", kRequestFailed}, {"message", error.what()}};
  }
  hooks_.send(dump(reply), false);
  return true;
}

Json Tab::request(std::string_view method, const Json& params) {
  if (method == "open") return open(params);
  if (method == "save") return save(params);
  if (method == "start") return start(params);
  if (method == "cancel") {
    if (job_) job_->cancel();
    return nullptr;
  }
  refuse(fmt::format("there is no `{}{}`", kOwn, method));
}

/// Where a program of the list lies. An example is copied first, with all that lies beside it.
std::string Tab::placeOf(const std::string& name) {
  if (project_.folder == ".") return name;
  if (!project_.examples) return (fs::path(project_.folder) / name).string();
  const fs::path folder = *fs::path(name).begin();
  std::error_code failed;
  if (scratch_->path().empty()) refuse("there is no folder for temporary files");
  if (!fs::exists(fs::path(scratch_->path()) / folder)) {
    fs::copy(fs::path(project_.folder) / folder, fs::path(scratch_->path()) / folder,
             fs::copy_options::recursive, failed);
  }
  if (failed) refuse(fmt::format("`{}` cannot be copied: {}", folder.string(), failed.message()));
  return (fs::path(scratch_->path()) / name).string();
}

/// `name`: one of the list; without it the first.
Json Tab::open(const Json& params) {
  const std::vector<std::string> programs = programsOf(project_);
  if (programs.empty()) refuse(fmt::format("there is no program in `{}`", project_.folder));
  std::string name = word(params, "name");
  if (name.empty()) name = programs.front();
  if (std::find(programs.begin(), programs.end(), name) == programs.end()) {
    refuse(fmt::format("there is no program `{}`", name));
  }
  const std::string path = placeOf(name);
  ReadResult read = readFile(path);
  if (!read.error.empty()) refuse(fmt::format("cannot read `{}`: {}", name, read.error));
  if (findInvalidUtf8(read.text)) refuse(fmt::format("`{}` is no UTF-8 text", name));
  name_ = name;
  path_ = path;
  saved_ = std::move(read.text);
  const auto uri = [](const std::string& place) {
    std::string normal = fs::absolute(place).lexically_normal().string();
    if (normal.ends_with('/')) normal.pop_back();
    return lsp::uriOf(normal);
  };
  return {{"name", name_},
          {"uri", uri(path_)},
          {"root", uri(project_.examples ? scratch_->path() : project_.folder)},
          {"text", saved_},
          {"programs", programs},
          {"examples", project_.examples}};
}

/// `text`; `over`: even where the file is another than the page has seen.
Json Tab::save(const Json& params) {
  if (path_.empty()) refuse("no program is open");
  const std::string text = word(params, "text");
  const ReadResult now = readFile(path_);
  const bool same = now.error.empty() && now.text == text;
  const auto over = params.find("over");
  if ((over == params.end() || *over != true) && now.error.empty() && !same && now.text != saved_) {
    return {{"changed", true}};
  }
  if (const std::string why = same ? "" : writeFile(path_, text); !why.empty()) {
    refuse(fmt::format("cannot write `{}`: {}", name_, why));
  }
  saved_ = text;
  return {{"changed", false}};
}

/// `command`: run, plan or test, of what is saved; `workflow`, and `inputs` as `name=value` words.
Json Tab::start(const Json& params) {
  if (path_.empty()) refuse("no program is open");
  if (job_ && !job_->ended()) refuse("a command is under way");
  const std::string command = word(params, "command");
  if (command != "run" && command != "plan" && command != "test") {
    refuse(fmt::format("`{}` is not among the commands: run, plan, test", command));
  }
  std::string folder = fs::current_path().string();
  std::string file = path_;
  if (project_.examples) {  // as if one had gone into its folder
    folder = fs::path(path_).parent_path().string();
    file = fs::path(path_).filename().string();
  }
  // None of these is taken for an option: they stand behind `--`.
  std::vector<std::string> given{file};
  if (command != "test") {
    if (std::string workflow = word(params, "workflow"); !workflow.empty()) {
      given.push_back(std::move(workflow));
    }
    if (const auto inputs = params.find("inputs"); inputs != params.end() && inputs->is_array()) {
      for (const Json& one : *inputs) {
        if (!one.is_string() || one.get_ref<const std::string&>().find('=') == std::string::npos) {
          refuse("an input is written `name=value`");
        }
        given.push_back(one.get<std::string>());
      }
    }
  }
  if (std::any_of(given.begin(), given.end(),
                  [](const std::string& one) { return one.find('\0') != std::string::npos; })) {
    refuse("a word holds a zero byte");
  }
  std::vector<std::string> words{command};
  std::string report;
  if (command == "run") {
    if (scratch_->path().empty()) refuse("there is no folder for temporary files");
    report = fmt::format("{}/report-{}.html", scratch_->path(), ++jobs_);
    words.insert(words.end(), {"--events", "--report", report});
  }
  words.emplace_back("--");
  words.insert(words.end(), given.begin(), given.end());

  Job::Hooks hooks;
  hooks.lines = [this](std::string_view stream, std::vector<std::string> lines) {
    return notify("playground/lines", {{"stream", stream}, {"lines", std::move(lines)}});
  };
  hooks.ended = [this, report](int code) {
    Json told{{"code", code}};
    std::error_code ignored;
    if (!report.empty() && fs::exists(report, ignored)) told["report"] = hooks_.publish(report);
    notify("playground/ended", std::move(told));
  };
  job_.reset();
  job_ = std::make_unique<Job>(std::move(words), folder, std::move(hooks));
  given.insert(given.begin(), {"couler", command});
  return {{"words", std::move(given)}};
}

}  // namespace couler::driver
