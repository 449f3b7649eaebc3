#include "lsp/workspace/surveyor.h"

#include <span>

namespace couler::lsp {

void Survey::check(const std::vector<std::string>& paths,
                   const std::function<void(const Snapshot&)>& each) const {
  for (std::span<const std::string> left(paths); !left.empty();) {
    if (*stop) throw Stopped{};
    const std::vector<Snapshot> together = Snapshot::together(left, workspace.open);
    for (const Snapshot& one : together) each(one);
    left = left.subspan(together.size());
  }
}

Surveyor::Surveyor() : thread_([this] { work(); }) {}

Surveyor::~Surveyor() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    if (current_) *current_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<Stop> Surveyor::ask(Workspace workspace, Question question) {
  auto stop = std::make_shared<Stop>(false);
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({std::move(workspace), std::move(question), stop});
  }
  wake_.notify_one();
  return stop;
}

void Surveyor::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || !orders_.empty(); });
    if (stop_) return;
    const Order order = std::move(orders_.front());
    orders_.pop_front();
    current_ = order.stop;
    lock.unlock();
    try {
      order.question({index_, order.workspace, order.stop});
    } catch (const Stopped&) {
    }
    lock.lock();
    current_ = nullptr;
  }
}

}  // namespace couler::lsp
