#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "runtime/store/files.h"

namespace couler::runtime {

/// What to start. The words and variables live in `text`, one allocation a process.
struct ProcessPlan {
  std::string program;                   ///< path of the executable
  std::vector<const char*> argv;         ///< ends in a null
  std::vector<const char*> environment;  ///< ends in a null
  const char* folder = nullptr;          ///< where it runs; absolute
  int out = -1, err = -1;                ///< become descriptors 1 and 2
};

struct Process {
  pid_t pid = -1;
  Fd pidfd;       ///< readable when it has ended
  int error = 0;  ///< why it could not be started; 0: it was
};

/// How an ended process ended.
struct Ending {
  int exitCode = 0;
  int signal = 0;
  double cpuSeconds = 0;
  std::uint64_t maxRssBytes = 0;
};

/// Starts processes by clone(CLONE_VM | CLONE_VFORK): nothing is copied, and an exec that fails is
/// known at once. Each is the leader of its own group, dies with this process, reads /dev/null, and
/// inherits no descriptor but the three standard ones.
class Spawner {
 public:
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  [[nodiscard]] Process start(const ProcessPlan& plan);

 private:
  void* stack_ = nullptr;
  Fd null_;
};

/// Takes the ending of a process whose pidfd is readable, and kills what is left of its group.
[[nodiscard]] Ending reap(const Process& process);
void signalGroup(const Process& process, int signal);

/// Looks `program` up as execvp does, in `path` (colon separated); empty when there is none.
[[nodiscard]] std::string findProgram(std::string_view program, std::string_view path);

}  // namespace couler::runtime
