#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "driver/cache_options.h"
#include "driver/command.h"
#include "driver/console.h"
#include "ir/value.h"
#include "runtime/store/collect.h"
#include "support/text.h"

namespace couler::driver {
namespace {

using runtime::KeptResult;
using runtime::KeptTable;
using runtime::Needed;

constexpr std::size_t kShownKey = 12;
constexpr std::size_t kLeastKey = 4;

std::string_view stateOf(const KeptResult& result) {
  if (result.evicted) return "evicted";
  switch (result.needed) {
    case Needed::Pinned:
      return "pinned";
    case Needed::Output:
      return "output";
    case Needed::Resume:
      return "resume";
    case Needed::Live:
    case Needed::No:
      break;
  }
  return result.current ? "kept" : "old";
}

int listAll(const KeptTable& kept, ir::CachePolicy policy) {
  const std::vector<double> values = ir::cacheValues(policy, kept.model);
  std::vector<std::uint32_t> order(kept.results.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const KeptResult& x = kept.results[a];
    const KeptResult& y = kept.results[b];
    if (x.evicted != y.evicted) return y.evicted;
    return values[a] > values[b];
  });
  printOut(fmt::format("{:<12}  {:<7}  {:>10}  {:>12}  {:>5}  {:>5}  {:<20}  {:>10}  {}\n", "key",
                       "state", "size", "to make", "made", "uses", "last used", "value", "step"));
  for (const std::uint32_t i : order) {
    const KeptResult& result = kept.results[i];
    printOut(fmt::format(
        "{:<12}  {:<7}  {:>10}  {:>12}  {:>5}  {:>5}  {:<20}  {:>10.4g}  {}{}\n",
        result.key.hex().substr(0, kShownKey), stateOf(result), humanBytes(result.bytes),
        humanSeconds(result.seconds), result.madeBy, result.uses,
        ir::timestampText(ir::Timestamp{result.usedAt / 1000 * 1'000'000}), values[i], result.step,
        result.workflow.empty() ? "" : " (" + result.workflow + ")"));
  }
  const auto evicted = static_cast<std::size_t>(
      std::count_if(kept.results.begin(), kept.results.end(),
                    [](const KeptResult& result) { return result.evicted; }));
  printOut(fmt::format("{} kept, {}; {} evicted\n",
                       countOf(kept.results.size() - evicted, "result"), humanBytes(kept.bytes()),
                       evicted));
  return kOk;
}

/// Results of a step, the one in use first, or those whose key begins with `word`.
std::vector<std::uint32_t> named(const KeptTable& kept, const std::string& word) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < kept.results.size(); ++i) {
    if (kept.results[i].step == word) found.push_back(i);
  }
  if (found.empty() && word.size() >= kLeastKey) {
    for (std::uint32_t i = 0; i < kept.results.size(); ++i) {
      if (kept.results[i].key.hex().starts_with(word)) found.push_back(i);
    }
  }
  std::stable_sort(found.begin(), found.end(), [&](std::uint32_t a, std::uint32_t b) {
    return kept.results[a].usedBy > kept.results[b].usedBy;
  });
  return found;
}

int unknown(const Invocation& invocation, const KeptTable& kept, const std::string& word) {
  Diagnostic diagnostic =
      diagnose<Diag::UnknownResult>({}, invocation.value("store", ".couler"), word);
  std::vector<std::string_view> names;
  for (const KeptResult& result : kept.results) names.push_back(result.step);
  if (const auto near = nearest(word, names)) diagnostic.note("did you mean `" + *near + "`?");
  return complain(std::move(diagnostic.note("`couler cache ls` lists what is there")), kFailed,
                  styleOf(invocation));
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

int explain(const Invocation& invocation, KeptTable& kept, ir::CachePolicy policy,
            std::optional<std::uint64_t> budget) {
  const std::string& word = invocation.words[1];
  const std::vector<std::uint32_t> found = named(kept, word);
  if (found.empty()) return unknown(invocation, kept, word);
  const std::vector<double> values = ir::cacheValues(policy, kept.model);
  const std::vector<double> again = ir::reconstructionSeconds(kept.model);
  const std::vector<double> need = ir::needChance(kept.model);
  std::vector<std::uint32_t> victims;
  if (budget) victims = ir::chooseVictims(policy, kept.model, static_cast<double>(*budget));
  for (const std::uint32_t i : found) {
    const KeptResult& result = kept.results[i];
    printOut(fmt::format("`{}` of run {}, key {}\n", result.step, result.madeBy,
                         result.key.hex().substr(0, kShownKey)));
    printOut(fmt::format("  takes {} of room; making it took {}, and would take {} with what it is "
                         "made from\n",
                         humanBytes(result.bytes), humanSeconds(result.seconds),
                         humanSeconds(again[i])));
    printOut(fmt::format("  used by {}, the last one run {}; read by {}\n",
                         countOf(result.uses, "run"), result.usedBy,
                         countOf(result.readers, "other result")));
    printOut(fmt::format("  its step's inputs or program changed in {} of its reruns; the next run "
                         "finds it stale with a chance of {} and reads it with one of {}\n",
                         percent(result.edited), percent(kept.model[i].invalid), percent(need[i])));
    const auto above = std::count_if(values.begin(), values.end(),
                                     [&](double value) { return value > values[i]; });
    printOut(fmt::format("  by `{}` it is worth {:.4g}{}: {} of {} are worth more\n",
                         ir::word(policy), values[i],
                         policy == ir::CachePolicy::Density ? " s a GB" : "", above,
                         kept.results.size()));
    std::string verdict;
    switch (result.needed) {
      case Needed::Pinned:
        verdict = "kept: it is pinned";
        break;
      case Needed::Output:
        verdict = "kept: it is an output of the last successful run of its workflow";
        break;
      case Needed::Resume:
        verdict = "kept: its workflow has not succeeded since, and would go on from it";
        break;
      case Needed::Live:
      case Needed::No:
        if (result.evicted) {
          verdict = "evicted: its step runs again when a step that runs reads it";
        } else if (!budget) {
          verdict = "kept: there is no budget";
        } else if (std::find(victims.begin(), victims.end(), i) != victims.end()) {
          verdict = fmt::format("would be evicted to get to {}", humanBytes(*budget));
        } else {
          verdict = fmt::format("would be kept within {}", humanBytes(*budget));
        }
    }
    printOut("  " + verdict + "\n");
  }
  return kOk;
}

int collect(const Invocation& invocation, runtime::StoreCache& cache, ir::CachePolicy policy,
            std::optional<std::uint64_t> budget) {
  std::optional<runtime::Collected> collected;
  const bool dry = invocation.has("dry-run");
  if (dry) {
    KeptTable kept = cache.read();
    collected = cache.foresee(kept, policy, budget);
  } else {
    collected = cache.collect(policy, budget);
  }
  const std::string store = invocation.value("store", ".couler");
  if (!collected) {
    return complain(diagnose<Diag::StoreBusy>({}, store), kFailed, styleOf(invocation));
  }
  if (!cache.error().empty()) {
    return complain(diagnose<Diag::StoreUnusable>({}, store, cache.error()), kFailed,
                    styleOf(invocation));
  }
  printOut(fmt::format("{} {} ({}) and {} that no result names ({}); {} kept\n",
                       dry ? "would take away" : "took away", countOf(collected->results, "result"),
                       humanBytes(collected->evictedBytes), countOf(collected->objects, "object"),
                       humanBytes(collected->objectBytes), humanBytes(collected->left)));
  return kOk;
}

int pin(const Invocation& invocation, runtime::StoreCache& cache, bool on) {
  const KeptTable kept = cache.read();
  std::vector<Digest> keys;
  for (std::size_t i = 1; i < invocation.words.size(); ++i) {
    std::vector<std::uint32_t> found = named(kept, invocation.words[i]);
    if (found.empty()) return unknown(invocation, kept, invocation.words[i]);
    // Pinned is what the step's last run had; unpinned is whatever is pinned of it.
    if (on && kept.results[found.front()].step == invocation.words[i]) found.resize(1);
    for (const std::uint32_t entry : found) keys.push_back(kept.results[entry].key);
  }
  if (!cache.pin(keys, on)) {
    return complain(diagnose<Diag::StoreUnusable>({}, invocation.value("store", ".couler"),
                                                  cache.error()),
                    kFailed, styleOf(invocation));
  }
  printOut(fmt::format("{} {}\n", on ? "pinned" : "unpinned", countOf(keys.size(), "result")));
  return kOk;
}

}  // namespace

int runCache(const Invocation& invocation) {
  DiagnosticList problems;
  const SourceManager none;
  const auto options = cacheOptions(invocation, "budget", "policy", problems);
  const std::string& what = invocation.words.front();
  const std::size_t words = invocation.words.size();
  const bool known = ((what == "ls" || what == "gc") && words == 1) ||
                     (what == "explain" && words == 2) ||
                     ((what == "pin" || what == "unpin") && words >= 2);
  if (options && !known) {
    problems.take(diagnose<Diag::BadCommandWords>(
        {}, "cache", fmt::format("expects: couler {}", invocation.command->usage)));
  }
  if (problems.hasErrors()) {
    printDiagnostics(problems.sorted(), none, styleOf(invocation));
    return kUsage;
  }
  auto cache = runtime::StoreCache::open(invocation.value("store", ".couler"), problems);
  if (!cache) {
    printDiagnostics(problems.sorted(), none, styleOf(invocation));
    return kFailed;
  }
  const ir::CachePolicy policy = options->policy.value_or(ir::CachePolicy::Density);
  if (what == "gc") return collect(invocation, *cache, policy, options->budget);
  if (what == "pin" || what == "unpin") return pin(invocation, *cache, what == "pin");
  KeptTable kept = cache->read();
  if (what == "ls") return listAll(kept, policy);
  return explain(invocation, kept, policy, options->budget);
}

}  // namespace couler::driver
