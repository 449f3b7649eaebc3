#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "driver/command.h"
#include "ir/cache_policy.h"
#include "ir/module.h"
#include "passes/pass.h"
#include "runtime/engine/engine.h"
#include "support/diagnostic.h"

namespace couler::driver {

/// How much the store may keep, and what goes first.
struct CacheOptions {
  std::optional<std::uint64_t> budget;
  std::optional<ir::CachePolicy> policy;
};
/// Of the two options so named; nothing and messages when one has no such value.
[[nodiscard]] std::optional<CacheOptions> cacheOptions(const Invocation& invocation,
                                                       std::string_view budget,
                                                       std::string_view policy,
                                                       DiagnosticSink& diags);
/// A target's settings, where `options` says nothing; false and a message for a policy of no name.
bool applyCacheSettings(const ir::TargetDef& target, const ir::Module& module,
                        CacheOptions& options, DiagnosticSink& diags);

/// Readies `insert-cache`: the budget of the run, and what earlier runs measured.
void planCache(const runtime::RunOptions& options, const std::string& workflow,
               passes::Context& context);
/// What the steps of earlier runs of a workflow took and made, for passes::Context::measured; empty
/// where there is no history.
[[nodiscard]] std::function<std::optional<ir::Cost>(std::string_view)> measuredCosts(
    const std::string& storeDir, const std::string& sourcePath, const std::string& workflow);

}  // namespace couler::driver
