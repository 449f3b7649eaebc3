#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

/// A thread that parses and checks. Of several orders for one file only the newest is carried out;
/// the file last ordered comes first, since it is the one being edited.
class Analyst {
 public:
  /// `done` is called on the thread.
  explicit Analyst(std::function<void(std::shared_ptr<const Snapshot>)> done);
  ~Analyst();
  Analyst(const Analyst&) = delete;
  Analyst& operator=(const Analyst&) = delete;

  void order(const std::string& path, Overlay overlay, std::int64_t version);
  void forget(const std::string& path);

 private:
  struct Order {
    std::string path;
    Overlay overlay;
    std::int64_t version;
  };
  void work();

  std::function<void(std::shared_ptr<const Snapshot>)> done_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Order> orders_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace couler::lsp
