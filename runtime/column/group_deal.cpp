#include "runtime/column/group_deal.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <tuple>

namespace couler::column {

namespace {

constexpr std::size_t kWaiting = 4;  // batches a thread, until the one before them is there
constexpr std::size_t kBacklog = 8;  // batches for a grouper, until a thread waits for it

/// Where an error was: the batch, then what was done to it (first its chain), then the row.
using Place = std::tuple<std::size_t, std::size_t, std::int64_t>;

class Dealer {
 public:
  Dealer(const GroupPlan& plan, Pipeline pipeline,
         const std::vector<std::unique_ptr<Grouper>>& groupers)
      : plan_(plan), pipeline_(std::move(pipeline)), columns_(plan.keys), parts_(groupers.size()) {
    std::iota(columns_.begin(), columns_.end(), 0U);
    for (std::size_t p = 0; p < parts_.size(); ++p) parts_[p].grouper = groupers[p].get();
  }

  std::optional<StreamError> run() {
    const std::size_t threads = pipeline_.chains.size();
    atOnce(threads, [&](std::size_t i) {
      try {
        while (takeOne(pipeline_.chains[i])) {
        }
      } catch (...) {
        {
          const std::lock_guard lock(mutex_);
          broken_ = true;
        }
        moved_.notify_all();
        throw;
      }
    });
    atOnce(parts_.size(), [&](std::size_t p) { addTo(parts_[p], true); });
    if (!failure_) return std::nullopt;
    return std::move(failure_->second);
  }

 private:
  struct Piece {
    std::size_t number;
    Batch batch;
  };
  struct Part {
    Grouper* grouper = nullptr;
    std::mutex adding;  ///< held by who adds to the grouper
    bool failed = false;
    std::deque<Piece> pieces;  ///< under the dealer's mutex
  };

  /// False when there is nothing left to take.
  bool takeOne(const Chain& chain) {
    std::size_t number = 0;
    std::optional<Batch> batch;
    {
      const std::lock_guard turn(input_);
      if (ended_ || stopped()) return false;
      batch = pipeline_.source->next();
      number = taken_;
      if (!batch) {
        ended_ = true;
        if (pipeline_.source->error()) fail({number, 0, 0}, *pipeline_.source->error());
        return false;
      }
      ++taken_;
    }
    std::optional<StreamError> error;
    for (const auto& work : chain) {
      if (!error) static_cast<void>(work->run(*batch, error));
    }
    std::vector<Batch> pieces;
    if (error) {
      fail({number, 0, 0}, *error);
    } else {
      pieces = split(std::move(*batch));
    }
    handOver(number, std::move(pieces));
    for (Part& part : parts_) addTo(part, false);
    return true;
  }

  bool stopped() {
    const std::lock_guard lock(mutex_);
    return broken_ || failure_;
  }

  void fail(Place place, StreamError error) {
    const std::lock_guard lock(mutex_);
    if (!failure_ || place < failure_->first) failure_.emplace(place, std::move(error));
  }

  [[nodiscard]] std::vector<Batch> split(Batch batch) const {
    std::vector<Batch> pieces;
    if (parts_.size() == 1) {
      pieces.push_back(std::move(batch));
      return pieces;
    }
    std::vector<std::uint64_t> hashes;
    hashRows(plan_.in, batch, columns_, hashes);
    const std::size_t count = hashes.size();
    std::vector<std::int64_t> rows(parts_.size() * count);
    std::vector<std::size_t> ends(parts_.size());
    for (std::size_t p = 0; p < ends.size(); ++p) ends[p] = p * count;
    for (std::size_t i = 0; i < count; ++i) {
      // The lower half of the hash, scaled to the parts; files are dealt by its upper bits.
      const std::uint64_t part = (hashes[i] & 0xffffffffU) * parts_.size() >> 32U;
      rows[ends[part]++] = static_cast<std::int64_t>(i);
    }
    addNumbers(batch);
    const Schema schema = withRowNumber(plan_.in);
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const std::span take = std::span(rows).subspan(p * count, ends[p] - p * count);
      pieces.push_back(gather(schema, batch, take));
    }
    return pieces;
  }

  /// Gives pieces to their parts once those of all batches before are there.
  void handOver(std::size_t number, std::vector<Batch> pieces) {
    std::unique_lock lock(mutex_);
    waiting_.emplace(number, std::move(pieces));
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first == moveNext_;
         next = waiting_.erase(next)) {
      for (std::size_t p = 0; p < next->second.size(); ++p) {
        if (next->second[p].rows == 0) continue;
        parts_[p].pieces.push_back({moveNext_, std::move(next->second[p])});
      }
      ++moveNext_;
    }
    moved_.notify_all();
    moved_.wait(lock, [&] {
      return broken_ || waiting_.size() <= kWaiting * pipeline_.chains.size();
    });
  }

  /// Adds what waits for the part, unless another thread does and there is little of it.
  void addTo(Part& part, bool wait) {
    std::unique_lock adding(part.adding, std::defer_lock);
    if (!wait) {
      const std::lock_guard lock(mutex_);
      wait = part.pieces.size() > kBacklog;
    }
    if (wait) {
      adding.lock();
    } else if (!adding.try_lock()) {
      return;
    }
    while (true) {
      Piece piece;
      {
        const std::lock_guard lock(mutex_);
        if (part.pieces.empty()) return;
        piece = std::move(part.pieces.front());
        part.pieces.pop_front();
        if (part.failed || (failure_ && std::get<0>(failure_->first) < piece.number)) continue;
      }
      GroupFailure failure;
      if (part.grouper->add(piece.batch, failure)) continue;
      part.failed = true;
      fail({piece.number, 1 + failure.aggregate, failure.row}, std::move(failure.error));
    }
  }

  const GroupPlan& plan_;
  Pipeline pipeline_;
  std::vector<std::uint32_t> columns_;
  std::mutex input_;  ///< held by who takes a batch from the source
  bool ended_ = false;      ///< under `input_`
  std::size_t taken_ = 0;   ///< under `input_`
  std::mutex mutex_;        ///< of all that follows
  std::condition_variable moved_;
  std::vector<Part> parts_;
  std::map<std::size_t, std::vector<Batch>> waiting_;  ///< by number
  std::size_t moveNext_ = 0;
  std::optional<std::pair<Place, StreamError>> failure_;  ///< the first
  bool broken_ = false;                                   ///< an exception was thrown
};

}  // namespace

std::optional<StreamError> dealGroups(const GroupPlan& plan, Pipeline pipeline,
                                      const std::vector<std::unique_ptr<Grouper>>& groupers) {
  return Dealer(plan, std::move(pipeline), groupers).run();
}

}  // namespace couler::column
