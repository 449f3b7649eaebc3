#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/module.h"
#include "support/hash.h"

/// Why steps fail, and what is done about it (docs/engine.md, "Failures").
namespace couler::runtime {

/// An attempt that did not succeed.
struct Failure {
  ir::FailureClass kind = ir::FailureClass::Exit;
  std::int64_t exitCode = 0;
  std::string reason;  ///< "exit 3", "out of memory (exit 137)", "no output `model` at …"
  std::string output;  ///< last lines of what it printed
};

/// What is known of a process that ended badly.
struct EndFacts {
  int exitCode = 0;
  int signal = 0;
  bool timedOut = false;    ///< we ended it
  bool killedByUs = false;  ///< for whatever reason
  std::string_view output;  ///< the last 4 kB that it printed
};
[[nodiscard]] ir::FailureClass classify(const EndFacts& facts);
[[nodiscard]] std::string_view word(ir::FailureClass kind);

/// Whether attempt `attempt` (from 1), which failed so, is followed by another.
[[nodiscard]] bool retries(const ir::RetryPolicy& policy, const Failure& failure,
                           std::int64_t attempt);
/// Seconds to wait after attempt `attempt`: exponential, with up to a quarter taken off by a hash
/// of the key, so that steps that failed together do not come back together and every run waits
/// alike.
[[nodiscard]] double backoffSeconds(const ir::RetryPolicy& policy, const Digest& key,
                                    std::int64_t attempt);

/// The last `lines` lines of `text`, each cut to a width people can read.
[[nodiscard]] std::string lastLines(std::string_view text, std::size_t lines);

}  // namespace couler::runtime
