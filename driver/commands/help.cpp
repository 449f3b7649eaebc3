#include "driver/command.h"
#include "driver/console.h"
#include "support/text.h"

namespace couler::driver {

int runHelp(const Invocation& invocation) {
  if (invocation.words.empty()) {
    printOut(overviewText());
    return kOk;
  }
  const std::string& name = invocation.words.front();
  if (const Command* command = findCommand(name)) {
    printOut(helpText(*command));
    return kOk;
  }
  Diagnostic diagnostic = diagnose<Diag::UnknownCommand>({}, name);
  std::vector<std::string_view> names;
  for (const Command& command : commandTable()) names.push_back(command.name);
  if (const auto near = nearest(name, names)) diagnostic.note("did you mean `" + *near + "`?");
  return complain(std::move(diagnostic), kUsage);
}

}  // namespace couler::driver
