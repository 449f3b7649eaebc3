#include "driver/cache_options.h"

#include <string>

#include <fmt/format.h>

#include "ir/value.h"
#include "runtime/store/history.h"

namespace couler::driver {
namespace {

std::string policyNames() {
  std::string names;
  for (const ir::CachePolicyInfo& row : ir::cachePolicies()) {
    if (!row.foreknows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

}  // namespace

std::optional<CacheOptions> cacheOptions(const Invocation& invocation, std::string_view budget,
                                         std::string_view policy, DiagnosticSink& diags) {
  CacheOptions options;
  bool good = true;
  if (invocation.has(budget)) {
    const std::string text = invocation.value(budget);
    std::string why;
    const ir::TypeTable types;
    const auto value = ir::fromText(text, ir::TypeTable::kSize, types, why);
    const ir::Size* size = value ? value->as<ir::Size>() : nullptr;
    if (size != nullptr && size->bytes >= 0) {
      options.budget = static_cast<std::uint64_t>(size->bytes);
    } else {
      diags.take(diagnose<Diag::BadOptionValue>(
          {}, budget, fmt::format("a size such as `20GB` or `512 MiB`, found `{}`", text)));
      good = false;
    }
  }
  if (invocation.has(policy)) {
    options.policy = ir::cachePolicy(invocation.value(policy));
    if (!options.policy) {
      diags.take(diagnose<Diag::BadOptionValue>(
          {}, policy,
          fmt::format("one of {}, found `{}`", policyNames(), invocation.value(policy))));
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return options;
}

bool applyCacheSettings(const ir::TargetDef& target, const ir::Module& module,
                        CacheOptions& options, DiagnosticSink& diags) {
  for (const auto& [key, id] : target.settings) {
    const ir::Value& value = module.at(id);
    const auto* size = value.as<ir::Size>();
    const auto* text = value.as<std::string>();
    if (size != nullptr && key == "cache_budget" && !options.budget) {
      options.budget = static_cast<std::uint64_t>(size->bytes);
    } else if (text != nullptr && key == "cache_policy") {
      const auto policy = ir::cachePolicy(*text);
      if (!policy) {
        diags.take(diagnose<Diag::WrongTarget>(
            target.span, fmt::format("target `{}` has a `cache_policy` that is none of {}",
                                     target.name, policyNames())));
        return false;
      }
      if (!options.policy) options.policy = policy;
    }
  }
  return true;
}

void planCache(const runtime::RunOptions& options, const std::string& workflow,
               passes::Context& context) {
  if (!options.cacheBudget) return;
  context.cacheBudget = options.cacheBudget;
  context.cachePolicy = options.cachePolicy;
  context.measured = measuredCosts(options.storeDir, options.sourcePath, workflow);
}

std::function<std::optional<ir::Cost>(std::string_view)> measuredCosts(
    const std::string& storeDir, const std::string& sourcePath, const std::string& workflow) {
  DiagnosticList ignored;  // a store that is not there yet has measured nothing
  const auto history = runtime::History::open(storeDir, ignored);
  if (!history) return {};
  return [last = history->lastSteps(sourcePath, workflow)](
             std::string_view step) -> std::optional<ir::Cost> {
    const auto found = last.find(std::string(step));
    if (found == last.end() || found->second.seconds < 0) return std::nullopt;
    return ir::Cost{found->second.seconds, static_cast<std::int64_t>(found->second.bytes), true};
  };
}

}  // namespace couler::driver
