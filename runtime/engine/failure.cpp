#include "runtime/engine/failure.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <csignal>
#include <span>

namespace couler::runtime {
namespace {

constexpr int kTempFail = 75;  // EX_TEMPFAIL of sysexits.h

// What services and tools print when the same thing may well work in a while. In small letters.
// Sources: Argo Workflows' isTransientErr, Kubernetes and etcd messages, S3, libc's resolver.
constexpr std::string_view kTransient[] = {
    "toomanyrequests",
    "too many requests",
    "rate limit exceeded",
    "servertimeout",
    "server timeout",
    "serviceunavailable",
    "service unavailable",
    "slowdown",
    "slow down",
    "bad gateway",
    "gateway timeout",
    "gateway time-out",
    "exceeded quota",
    "operation cannot be fulfilled on resourcequota",
    "resource quota evaluation timed out",
    "etcdserver: leader changed",
    "etcdserver: request timed out",
    "connection closed by foreign host",
    "tls handshake timeout",
    "i/o timeout",
    "connection timed out",
    "connection reset",
    "connection refused",
    "connection aborted",
    "network is unreachable",
    "no route to host",
    "temporary failure in name resolution",
    "could not resolve host",
    "name or service not known",
    "no such host",
    "http2: client connection lost",
    "goaway",
    "invalid connection",
    "remote end closed connection",
    "unexpected eof while reading",
    "read timed out",
    "imminent node shutdown",
    "failed to create agent pod",
    "object has been modified",
};
constexpr std::string_view kMemory[] = {"memoryerror", "std::bad_alloc", "cannot allocate memory",
                                        "oomkilled"};
// Looks like the above, and yet never goes away by itself.
constexpr std::string_view kNever[] = {"etcdserver: request is too large",
                                       "request entity too large"};

bool holdsOne(std::string_view text, std::span<const std::string_view> patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    return text.find(pattern) != std::string_view::npos;
  });
}

}  // namespace

ir::FailureClass classify(const EndFacts& facts) {
  if (facts.timedOut) return ir::FailureClass::Timeout;
  if ((facts.signal == SIGKILL && !facts.killedByUs) || facts.exitCode == 137) {
    return ir::FailureClass::Oom;
  }
  std::string text(facts.output);
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  if (holdsOne(text, kMemory)) return ir::FailureClass::Oom;
  if (facts.exitCode == kTempFail) return ir::FailureClass::Transient;
  if (holdsOne(text, kTransient) && !holdsOne(text, kNever)) return ir::FailureClass::Transient;
  return ir::FailureClass::Exit;
}

std::string_view word(ir::FailureClass kind) {
  switch (kind) {
    case ir::FailureClass::Transient:
      return "transient";
    case ir::FailureClass::Oom:
      return "oom";
    case ir::FailureClass::Timeout:
      return "timeout";
    case ir::FailureClass::Exit:
      return "exit";
  }
  return "exit";
}

bool retries(const ir::RetryPolicy& policy, const Failure& failure, std::int64_t attempt) {
  if (attempt > policy.limit) return false;
  if (!policy.on.empty() &&
      std::find(policy.on.begin(), policy.on.end(), failure.kind) == policy.on.end()) {
    return false;
  }
  if (failure.kind != ir::FailureClass::Exit || policy.exitCodes.empty()) return true;
  return std::find(policy.exitCodes.begin(), policy.exitCodes.end(), failure.exitCode) !=
         policy.exitCodes.end();
}

double backoffSeconds(const ir::RetryPolicy& policy, const Digest& key, std::int64_t attempt) {
  double seconds = static_cast<double>(policy.backoff.micros) * 1e-6 *
                   std::pow(policy.factor, static_cast<double>(attempt - 1));
  if (policy.maxBackoff.micros > 0) {
    seconds = std::min(seconds, static_cast<double>(policy.maxBackoff.micros) * 1e-6);
  }
  constexpr double kLongest = 30.0 * 24 * 3600;  // also where a power became infinite
  if (!(seconds < kLongest)) seconds = kLongest;
  Hasher hasher;
  hasher.field(key.hex());
  hasher.field(static_cast<std::uint64_t>(attempt));
  const double share = static_cast<double>(hasher.finish().bytes[0]) / 256.0;
  return seconds * (1.0 - 0.25 * share);
}

std::string lastLines(std::string_view text, std::size_t lines) {
  constexpr std::size_t kWidth = 400;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t from = text.size();
  for (std::size_t found = 0; from > 0; --from) {
    if (text[from - 1] == '\n' && ++found == lines) break;
  }
  std::string result;
  text.remove_prefix(from);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    result.append(text.substr(0, std::min(end, kWidth)));
    if (end > kWidth) result.append("…");
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!text.empty()) result.append(1, '\n');
  }
  return result;
}

}  // namespace couler::runtime
