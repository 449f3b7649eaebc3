#include "runtime/engine/container.h"

#include <set>

#include <fmt/format.h>
#include <unistd.h>

namespace couler::runtime {

namespace {

/// A field of a --mount, which is a line of CSV.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace

std::string_view clientName(ContainerMode mode) {
  return mode == ContainerMode::Docker ? "docker" : "podman";
}

std::vector<std::string> containerCommand(const ContainerSpec& spec,
                                          const std::vector<std::string>& words) {
  const auto mount = [](const std::string& path, bool readOnly) {
    return fmt::format("type=bind,{},{}{}", field("source=" + path), field("target=" + path),
                       readOnly ? ",readonly" : "");
  };
  std::vector<std::string> command{std::string(clientName(spec.mode)),
                                   "run",
                                   "--rm",
                                   "--init",
                                   "--name",
                                   spec.name,
                                   "--workdir",
                                   spec.work,
                                   "--mount",
                                   mount(spec.work, false),
                                   "--mount",
                                   mount(spec.objects, true)};
  const std::set<std::string> inputs(spec.inputs.begin(), spec.inputs.end());
  for (const std::string& input : inputs) {
    command.emplace_back("--mount");
    command.push_back(mount(input, true));
  }
  if (spec.mode == ContainerMode::Docker) {
    // Rootless podman makes root inside the user outside; docker would leave files of root's.
    command.insert(command.end(), {"--user", fmt::format("{}:{}", getuid(), getgid())});
  }
  if (spec.task->memory > 0) {
    command.insert(command.end(), {"--memory", fmt::format("{}b", spec.task->memory)});
  }
  if (spec.task->gpu > 0) {
    if (spec.mode == ContainerMode::Docker) {
      command.insert(command.end(), {"--gpus", fmt::format("{}", spec.task->gpu)});
    } else {
      command.insert(command.end(), {"--device", "nvidia.com/gpu=all"});
    }
  }
  for (const std::string& name : spec.environment) command.insert(command.end(), {"--env", name});
  // The first word is the program, whatever entry point the image has.
  command.insert(command.end(), {"--entrypoint", words.front(), spec.image});
  command.insert(command.end(), words.begin() + 1, words.end());
  return command;
}

}  // namespace couler::runtime
