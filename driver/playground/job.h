#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/engine/process.h"

namespace couler::driver {

/// A command of couler as a process of its own, read by a thread of its own.
class Job {
 public:
  struct Hooks {
    /// Whole lines of "out" or "err", as they come; may block. False: no one reads on, so stop.
    std::function<bool(std::string_view stream, std::vector<std::string> lines)> lines;
    /// The last call: with the exit code, or 128 and the signal's number.
    std::function<void(int code)> ended;
  };
  /// `words`: the command line after `couler`. The hooks are called on the thread.
  Job(std::vector<std::string> words, std::string folder, Hooks hooks);
  /// Ends it, and waits for that.
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Asks it to end its steps and then itself; where it does not, it is killed after five seconds.
  void cancel();
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  void work(const std::vector<std::string>& words, const std::string& folder);
  int follow(const runtime::Process& process, const runtime::Fd& out, const runtime::Fd& err);

  Hooks hooks_;
  runtime::Fd wake_;  ///< readable once it is to be cancelled
  std::atomic<bool> ended_{false};
  std::thread thread_;  // last: it uses all the others
};

}  // namespace couler::driver
