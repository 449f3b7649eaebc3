#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"
#include "runtime/engine/engine.h"

namespace couler::runtime {

/// A step in a container: what the client's command line is made of.
struct ContainerSpec {
  ContainerMode mode{};
  std::string name;  ///< unique to the attempt, so that it can be ended by name
  std::string image;
  std::string work;                      ///< read and written, and where it runs
  std::string objects;                   ///< read only
  std::vector<std::string> inputs;       ///< other files and folders, read only
  std::vector<std::string> environment;  ///< names; the client passes its own values on
  const ir::TaskDef* task = nullptr;     ///< for its resources
};
[[nodiscard]] std::string_view clientName(ContainerMode mode);
/// Folders keep their paths inside, so no value needs another text there. No value of a variable
/// stands on the command line, where every user of the machine could read it.
[[nodiscard]] std::vector<std::string> containerCommand(const ContainerSpec& spec,
                                                        const std::vector<std::string>& words);

}  // namespace couler::runtime
