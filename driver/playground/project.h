#pragma once

#include <string>
#include <vector>

namespace couler::driver {

/// The programs that a playground shows.
struct Project {
  std::string folder;     ///< where they lie; as the command line names it
  std::string first;      ///< the one shown at first, relative to it; empty: the first of all
  bool below = true;      ///< also those in the folders below it
  bool examples = false;  ///< copied to a folder of the page's own before one of them is opened
};

/// Names relative to the folder, sorted bytewise, `first` before all others; at most 2,000. Reads
/// the folder anew. Hidden folders and `node_modules` are left out.
[[nodiscard]] std::vector<std::string> programsOf(const Project& project);

}  // namespace couler::driver
