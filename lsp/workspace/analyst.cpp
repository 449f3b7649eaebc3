#include "lsp/workspace/analyst.h"

#include <algorithm>

namespace couler::lsp {

Analyst::Analyst(std::function<void(std::shared_ptr<const Snapshot>)> done)
    : done_(std::move(done)), thread_([this] { work(); }) {}

Analyst::~Analyst() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Analyst::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::erase_if(orders_, [&](const Order& order) { return order.path == path; });
}

void Analyst::order(const std::string& path, Overlay overlay, std::int64_t version) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(orders_, [&](const Order& order) { return order.path == path; });
    orders_.push_front({path, std::move(overlay), version});
  }
  wake_.notify_one();
}

void Analyst::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || !orders_.empty(); });
    if (stop_) return;
    Order order = std::move(orders_.front());
    orders_.pop_front();
    lock.unlock();
    done_(std::make_shared<const Snapshot>(order.path, std::move(order.overlay), order.version));
    lock.lock();
  }
}

}  // namespace couler::lsp
