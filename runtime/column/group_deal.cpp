#include "runtime/column/group_deal.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>

namespace couler::column {

namespace {

constexpr std::size_t kWaiting = 4;  // batches a thread, until the one before them is there
constexpr std::size_t kBacklog = 8;  // batches for a grouper, until a thread waits for it

/// Where an error was: the batch, then what was done to it (first its chain), then the row.
using Place = std::tuple<std::size_t, std::size_t, std::int64_t>;

class Dealer {
 public:
  Dealer(Pipeline pipeline, const std::vector<std::unique_ptr<Grouper>>& groupers)
      : pipeline_(std::move(pipeline)), parts_(groupers.size()) {
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
  struct Words {
    Batch batch;
    std::vector<std::uint64_t> made;
    const std::uint64_t* words = nullptr;
  };
  /// Some rows of a batch, all for one part.
  struct Piece {
    std::size_t number = 0;
    std::shared_ptr<const Words> of;
    std::vector<std::uint32_t> rows;
    std::size_t count = 0;
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
    std::vector<Piece> pieces;
    if (error) {
      fail({number, 0, 0}, *error);
    } else {
      pieces = split(number, std::move(*batch));
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

  [[nodiscard]] std::vector<Piece> split(std::size_t number, Batch batch) const {
    auto all = std::make_shared<Words>();
    all->batch = std::move(batch);
    all->words = parts_[0].grouper->keys().wordsOf(all->batch, all->made);
    const auto count = static_cast<std::size_t>(all->batch.rows);
    std::vector<Piece> pieces(parts_.size());
    for (Piece& piece : pieces) {
      piece.number = number;
      piece.of = all;
      if (parts_.size() > 1) piece.rows.resize(count);
    }
    if (parts_.size() == 1) {
      pieces[0].count = count;
      return pieces;
    }
    for (std::size_t i = 0; i < count; ++i) {
      // Other bits than those that choose slots and files.
      const std::uint64_t hash = all->words[i] * 0xd6e8feb86659fd93ULL;
      Piece& piece = pieces[(hash >> 32U) * pieces.size() >> 32U];
      piece.rows[piece.count++] = static_cast<std::uint32_t>(i);
    }
    return pieces;
  }

  /// Gives pieces to their parts once those of all batches before are there.
  void handOver(std::size_t number, std::vector<Piece> pieces) {
    std::unique_lock lock(mutex_);
    waiting_.emplace(number, std::move(pieces));
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first == moveNext_;
         next = waiting_.erase(next)) {
      for (std::size_t p = 0; p < next->second.size(); ++p) {
        if (next->second[p].count != 0) parts_[p].pieces.push_back(std::move(next->second[p]));
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
      const Selection rows{piece.count, piece.rows.empty() ? nullptr : piece.rows.data()};
      if (part.grouper->add(piece.of->batch, piece.of->words, rows, failure)) continue;
      part.failed = true;
      fail({piece.number, 1 + failure.aggregate, failure.row}, std::move(failure.error));
    }
  }

  Pipeline pipeline_;
  std::mutex input_;  ///< held by who takes a batch from the source
  bool ended_ = false;      ///< under `input_`
  std::size_t taken_ = 0;   ///< under `input_`
  std::mutex mutex_;        ///< of all that follows
  std::condition_variable moved_;
  std::vector<Part> parts_;
  std::map<std::size_t, std::vector<Piece>> waiting_;  ///< by number
  std::size_t moveNext_ = 0;
  std::optional<std::pair<Place, StreamError>> failure_;  ///< the first
  bool broken_ = false;                                   ///< an exception was thrown
};

}  // namespace

std::optional<StreamError> dealGroups(Pipeline pipeline,
                                      const std::vector<std::unique_ptr<Grouper>>& groupers) {
  return Dealer(std::move(pipeline), groupers).run();
}

}  // namespace couler::column
