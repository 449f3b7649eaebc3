#include "runtime/column/workers.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace couler::column {

namespace {

bool runChain(const Chain& chain, Batch& batch, std::optional<StreamError>& error) {
  for (const auto& work : chain) {
    if (!work->run(batch, error)) return false;
  }
  return true;
}

class SerialSource final : public Source {
 public:
  SerialSource(std::unique_ptr<Source> in, std::unique_ptr<Work> work, Schema out)
      : in_(std::move(in)), work_(std::move(work)), out_(std::move(out)) {}
  [[nodiscard]] const Schema& schema() const override { return out_; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    while (std::optional<Batch> batch = in_->next()) {
      if (!work_->run(*batch, error_)) return std::nullopt;
      if (batch->rows != 0) return batch;
    }
    error_ = in_->error();
    return std::nullopt;
  }

 private:
  std::unique_ptr<Source> in_;
  std::unique_ptr<Work> work_;
  Schema out_;
};

class ParallelSource final : public Source {
 public:
  explicit ParallelSource(Pipeline pipeline, Schema out)
      : pipeline_(std::move(pipeline)),
        out_(std::move(out)),
        slots_(pipeline_.chains.size() * kUnderWay) {}
  ~ParallelSource() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  ParallelSource(const ParallelSource&) = delete;
  ParallelSource& operator=(const ParallelSource&) = delete;
  [[nodiscard]] const Schema& schema() const override { return out_; }

  /// Before the first `next`.
  void extend(std::vector<std::unique_ptr<Work>> works, Schema out) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      pipeline_.chains[i].push_back(std::move(works[i]));
    }
    out_ = std::move(out);
  }
  [[nodiscard]] std::size_t threads() const { return pipeline_.chains.size(); }
  [[nodiscard]] bool started() const { return started_; }
  Pipeline take() { return std::move(pipeline_); }

  std::optional<Batch> next() override {
    if (error_ || done_) return std::nullopt;
    if (!started_) start();
    while (true) {
      Slot slot = nextSlot();
      if (slot.failure) std::rethrow_exception(slot.failure);
      if (slot.error) {
        error_ = std::move(slot.error);
        return std::nullopt;
      }
      if (!slot.batch) {
        done_ = true;
        return std::nullopt;
      }
      if (slot.batch->rows != 0) return std::move(slot.batch);
    }
  }

 private:
  static constexpr std::size_t kUnderWay = 4;
  struct Slot {
    bool ready = false;
    std::optional<Batch> batch;  ///< none: the end
    std::optional<StreamError> error;
    std::exception_ptr failure;
  };

  /// The caller is the first of the threads.
  void start() {
    started_ = true;
    for (std::size_t i = 1; i < pipeline_.chains.size(); ++i) {
      threads_.emplace_back([this, i] {
        while (work(pipeline_.chains[i], true)) {
        }
      });
    }
  }

  /// The next batch in order. While it is under way, the caller works on later ones.
  Slot nextSlot() {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        Slot& next = slots_[given_ % slots_.size()];
        if (!next.ready && idle_) {
          waiting_ = true;
          ready_.wait(lock, [&] { return next.ready; });
          waiting_ = false;
        }
        if (next.ready) {
          Slot slot = std::exchange(next, Slot());
          ++given_;
          idle_ = false;
          lock.unlock();
          room_.notify_one();
          return slot;
        }
      }
      idle_ = !work(pipeline_.chains[0], false);
    }
  }

  /// Takes a batch and works on it. False when there is none, or, unless told to wait, no room.
  bool work(const Chain& chain, bool waits) {
    const auto hasRoom = [&] { return taken_ - given_ < slots_.size(); };
    Slot slot;
    std::size_t number = 0;
    {
      if (waits) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return stop_ || hasRoom(); });
      }
      const std::lock_guard turn(input_);
      {
        const std::lock_guard lock(mutex_);
        if (stop_ || ended_) return false;
        if (!hasRoom()) return waits;  // another took it
        number = taken_++;
      }
      try {
        slot.batch = pipeline_.source->next();
        if (!slot.batch) slot.error = pipeline_.source->error();
      } catch (...) {
        slot.failure = std::current_exception();
      }
      ended_ = !slot.batch;
    }
    try {
      if (slot.batch) static_cast<void>(runChain(chain, *slot.batch, slot.error));
    } catch (...) {
      slot.failure = std::current_exception();
    }
    slot.ready = true;
    bool wanted = false;
    {
      const std::lock_guard lock(mutex_);
      wanted = waiting_ && number == given_;
      slots_[number % slots_.size()] = std::move(slot);
    }
    if (wanted) ready_.notify_one();
    return true;
  }

  Pipeline pipeline_;
  Schema out_;
  bool started_ = false;  ///< of the caller, as `done_` and `idle_`
  bool done_ = false;
  bool idle_ = false;  ///< there was nothing to do for the caller but wait
  std::vector<std::thread> threads_;
  std::mutex input_;   ///< held by who takes a batch from the source
  bool ended_ = false;  ///< under `input_`
  std::mutex mutex_;   ///< of all that follows
  std::condition_variable ready_;
  std::condition_variable room_;
  std::vector<Slot> slots_;  ///< by the batch's number
  std::size_t taken_ = 0;
  std::size_t given_ = 0;
  bool stop_ = false;
  bool waiting_ = false;  ///< the caller, for the batch `given_`
};

}  // namespace

std::unique_ptr<Source> through(std::unique_ptr<Source> in,
                                std::vector<std::unique_ptr<Work>> works, Schema out) {
  if (works.size() == 1) {
    return std::make_unique<SerialSource>(std::move(in), std::move(works[0]), std::move(out));
  }
  auto* before = dynamic_cast<ParallelSource*>(in.get());
  if (before != nullptr && !before->started() && before->threads() == works.size()) {
    before->extend(std::move(works), std::move(out));
    return in;
  }
  Pipeline pipeline{std::move(in), {}};
  for (auto& work : works) {
    pipeline.chains.emplace_back().push_back(std::move(work));
  }
  return std::make_unique<ParallelSource>(std::move(pipeline), std::move(out));
}

Pipeline takeApart(std::unique_ptr<Source> in, std::size_t threads) {
  auto* before = dynamic_cast<ParallelSource*>(in.get());
  if (before != nullptr && !before->started() && before->threads() == threads) {
    return before->take();
  }
  Pipeline pipeline{std::move(in), {}};
  pipeline.chains.resize(threads);
  return pipeline;
}

void atOnce(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::vector<std::exception_ptr> failures(count);
  const auto run = [&](std::size_t i) {
    try {
      body(i);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < count; ++i) threads.emplace_back(run, i);
  if (count != 0) run(0);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace couler::column
