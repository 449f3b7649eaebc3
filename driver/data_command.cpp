#include "driver/data_command.h"

#include "driver/console.h"
#include "driver/files.h"

namespace couler::driver {

int refuseData(const Invocation& invocation, const std::string& why) {
  return complain(diagnose<Diag::PlanFailed>({}, why), kFailed, styleOf(invocation));
}

int deliver(const Invocation& invocation, const std::string& text, int code) {
  if (!invocation.has("output")) {
    printOut(text);
    return code;
  }
  const std::string path = invocation.value("output");
  if (const std::string why = writeFile(path, text); !why.empty()) {
    return complain(diagnose<Diag::CannotWriteFile>({}, path, why), kFailed, styleOf(invocation));
  }
  return code;
}

DataFile::DataFile(const std::string& word) : path_(word), name_(word) {
  if (word != "-") return;
  name_ = "standard input";
  path_ = scratch_.standardInput(problem_);
}

std::string DataFile::about(std::string message) const {
  if (message.starts_with(path_)) message.replace(0, path_.size(), name_);
  return message;
}

}  // namespace couler::driver
