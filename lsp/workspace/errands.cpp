#include "lsp/workspace/errands.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace couler::lsp {

Errands::Errands(std::chrono::milliseconds pause, std::function<void()> wake)
    : pause_(pause), wake_(std::move(wake)), thread_([this] { run(); }) {}

Errands::~Errands() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Errands::order(const std::string& name, Work work) {
  {
    const std::lock_guard lock(mutex_);
    orders_[name] = {Clock::now() + pause_, std::move(work)};
  }
  changed_.notify_one();
}

std::vector<Errands::Landing> Errands::landed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(landed_, {});
}

bool Errands::busy() const {
  const std::lock_guard lock(mutex_);
  return working_ || !orders_.empty() || !landed_.empty();
}

void Errands::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stop_) return;
    const auto next = std::min_element(
        orders_.begin(), orders_.end(),
        [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    if (next == orders_.end()) {
      changed_.wait(lock);
      continue;
    }
    if (next->second.at > Clock::now()) {
      changed_.wait_until(lock, Clock::time_point(next->second.at));
      continue;
    }
    const Work work = std::move(next->second.work);
    orders_.erase(next);
    working_ = true;
    lock.unlock();
    Landing landing;
    try {
      landing = work();
    } catch (const std::exception&) {  // what is missing then is what may be missing
    }
    lock.lock();
    working_ = false;
    if (landing) landed_.push_back(std::move(landing));
    lock.unlock();
    wake_();
    lock.lock();
  }
}

}  // namespace couler::lsp
