#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "lsp/workspace/index.h"

namespace couler::lsp {

/// What a question about the whole workspace is answered from.
struct Survey {
  Index& index;  ///< as it was last; `update` it first
  const Workspace& workspace;
  std::shared_ptr<Stop> stop;

  /// Calls `each` with a snapshot of each file, in order; throws Stopped.
  void check(const std::vector<std::string>& paths,
             const std::function<void(const Snapshot&)>& each) const;
};

/// A thread that answers questions about the whole workspace, one after the other, and has its
/// index: they may take seconds, and the file being edited must not wait for them.
class Surveyor {
 public:
  using Question = std::function<void(const Survey&)>;

  Surveyor();
  ~Surveyor();
  Surveyor(const Surveyor&) = delete;
  Surveyor& operator=(const Surveyor&) = delete;

  /// `question` is called on the thread and may throw Stopped. Stop it by what is returned.
  std::shared_ptr<Stop> ask(Workspace workspace, Question question);

 private:
  struct Order {
    Workspace workspace;
    Question question;
    std::shared_ptr<Stop> stop;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Order> orders_;
  std::shared_ptr<Stop> current_;
  bool stop_ = false;
  Index index_;         // the thread's own
  std::thread thread_;  // last: it uses all the others
};

}  // namespace couler::lsp
