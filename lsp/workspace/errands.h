#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace couler::lsp {

/// A thread for what an editor can do without for a while: what the history foretells, what other
/// programs say of scripts. An errand begins when for `pause` no newer one of its name has come,
/// and takes the place of an older one that has not begun.
class Errands {
 public:
  using Landing = std::function<void()>;  ///< what is left to do on the server's own thread
  using Work = std::function<Landing()>;

  /// `wake` is called on the thread when something has landed.
  Errands(std::chrono::milliseconds pause, std::function<void()> wake);
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  void order(const std::string& name, Work work);
  /// What was done since the last call. An errand that throws gives nothing.
  [[nodiscard]] std::vector<Landing> landed();
  [[nodiscard]] bool busy() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Order {
    Clock::time_point at;
    Work work;
  };
  void run();

  std::chrono::milliseconds pause_;
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Order> orders_;
  std::vector<Landing> landed_;
  bool working_ = false;
  bool stop_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace couler::lsp
