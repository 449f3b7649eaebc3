#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/language_server.h"
#include "driver/playground/server.h"
#include "driver/program.h"
#include "driver/scratch.h"
#include "runtime/engine/process.h"

namespace couler::driver {
namespace {

namespace fs = std::filesystem;

/// The folder of the page: COULER_PLAYGROUND, else as it lies beside the command, in a build as
/// where it is installed: bin/couler, share/couler/playground.
std::string pageFolder() {
  const char* own = std::getenv("COULER_PLAYGROUND");
  if (own != nullptr && *own != '\0') return own;
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path().parent_path() / "share" / "couler" / "playground").string();
}

/// False where the page's first file cannot be read; it is in `diags`.
bool readPage(const std::string& folder, PlaygroundOptions& options, DiagnosticSink& diags) {
  const std::string first = folder + "/index.html";
  if (const ReadResult index = readFile(first); !index.error.empty()) {
    diags.take(diagnose<Diag::CannotReadFile>({}, first, index.error)
                   .note("the page is not built with the command: `make playground` makes it, and "
                         "`make install` puts it beside the command"));
    return false;
  }
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed); !failed && at != fs::directory_iterator();
       at.increment(failed)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    options.page[at->path().filename().string()] = readFile(at->path().string()).text;
  }
  return true;
}

/// FILE, FOLDER, or the examples.
bool findProject(const Invocation& invocation, const std::string& page, Project& project,
                 DiagnosticSink& diags) {
  if (invocation.words.empty()) {
    project.folder = page + "/examples";
    project.first = "hello/hello.cwl";
    project.examples = true;
    return true;
  }
  const fs::path path = invocation.words.front();
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    project.folder = path.string();
    return true;
  }
  if (const ReadResult file = readFile(path.string()); !file.error.empty()) {
    diags.take(diagnose<Diag::CannotReadFile>({}, path.string(), file.error));
    return false;
  }
  project.folder = path.has_parent_path() ? path.parent_path().string() : ".";
  project.first = path.filename().string();
  project.below = false;
  return true;
}

/// By way of a file that only its owner may read: a command line can be seen by all users of the
/// machine, and the address holds the token. Nothing where no screen is there.
void openBrowser(const std::string& address, const std::string& folder) {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  const char* path = std::getenv("PATH");
  const std::string opener = runtime::findProgram("xdg-open", path == nullptr ? "/usr/bin" : path);
  if (opener.empty() || folder.empty() || !(set("DISPLAY") || set("WAYLAND_DISPLAY"))) return;
  std::string file = folder + "/open.html";
  if (!writeFile(file, fmt::format("<!DOCTYPE html><meta http-equiv=\"refresh\" content=\"0; "
                                   "url={}\">\n",
                                   address))
           .empty()) {
    return;
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // Ctrl-C is not for the browser
  std::string name = "xdg-open";
  char* words[] = {name.data(), file.data(), nullptr};
  pid_t ignored = 0;
  (void)posix_spawn(&ignored, opener.c_str(), nullptr, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
}

}  // namespace

int runPlayground(const Invocation& invocation) {
  DiagnosticList problems;
  const auto end = [&](int code) {
    printDiagnostics(problems.sorted(), SourceManager(), styleOf(invocation));
    return code;
  };
  const auto port = numberOption(invocation, "port", 0, 65'535, 0, problems);
  if (!port) return end(kUsage);
  PlaygroundOptions options;
  const std::string page = pageFolder();
  if (!readPage(page, options, problems) ||
      !findProject(invocation, page, options.project, problems)) {
    return end(kFailed);
  }
  const Scratch scratch;
  options.port = static_cast<std::uint16_t>(*port);
  options.language = languageServer();
  options.ready = [&](const std::string& address) {
    printOut(address + "\n");
    (void)flushOut();
    printError("Ctrl-C ends the playground and all that runs in it.\n");
    if (!invocation.has("no-browser")) openBrowser(address, scratch.path());
  };
  const std::string why = servePlayground(std::move(options));
  if (why.empty()) return kOk;
  problems.take(diagnose<Diag::BadOptionValue>(
      {}, "port", fmt::format("a port that can be listened at: {} cannot, {}", *port, why)));
  return end(kFailed);
}

}  // namespace couler::driver
