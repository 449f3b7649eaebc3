#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include "driver/command.h"
#include "driver/console.h"
#include "support/text.h"

namespace couler::driver {
namespace {

int unknownCommand(const std::string& name) {
  Diagnostic diagnostic = diagnose<Diag::UnknownCommand>({}, name);
  std::vector<std::string_view> names;
  for (const Command& command : commandTable()) names.push_back(command.name);
  if (const auto near = nearest(name, names))
    diagnostic.note("did you mean `couler " + *near + "`?");
  return complain(std::move(diagnostic).note("`couler help` lists the commands"), kUsage);
}

int dispatch(std::vector<std::string> arguments) {
  if (arguments.empty()) {
    printError(overviewText());
    return kUsage;
  }
  std::string name = arguments.front();
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Command* command = findCommand(name);
  if (command == nullptr) return unknownCommand(name);
  arguments.erase(arguments.begin());

  DiagnosticList problems;
  const auto invocation = parseArguments(*command, arguments, problems);
  if (!invocation) {
    const SourceManager none;
    DiagnosticStyle style;
    style.colour = colourFor(Invocation(), STDERR_FILENO);
    printDiagnostics(problems.sorted(), none, style);
    return kUsage;
  }
  if (invocation->has("help")) {
    printOut(helpText(*command));
    return kOk;
  }
  return command->run(*invocation);
}

int guarded(int argc, char** argv) {
  try {
    const int code = dispatch({argv + 1, argv + argc});
    if (flushOut()) return code;
    complain(
        diagnose<Diag::CannotWriteFile>({}, "standard output", "it is closed or the disk is full"),
        kFailed);
    return code == kOk ? kFailed : code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "couler: internal error: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "couler: internal error\n");
  }
  return kInternal;
}

}  // namespace
}  // namespace couler::driver

int main(int argc, char** argv) {
  // Large tables grow within the heap instead of in new mappings, whose pages the kernel would have
  // to clear each time; what is free then stays ours, since the process soon ends.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  return couler::driver::guarded(argc, argv);
}
