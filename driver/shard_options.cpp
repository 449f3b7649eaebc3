#include "driver/shard_options.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/value.h"

namespace couler::driver {

namespace {

constexpr std::uint64_t kPart = std::uint64_t{64} << 20U;
constexpr std::uint64_t kLarge = 4 * kPart;  // with fewer parts there is little to win

/// By parameter of the entry.
std::vector<bool> largeFiles(const ir::FuncDef& entry, const ir::Module& module,
                             const Inputs& inputs) {
  std::vector<bool> large(entry.params.size(), false);
  for (std::size_t i = 0; i < large.size(); ++i) {
    const ir::ParamDef& param = entry.params[i];
    const ir::Value* value = param.fallback.valid() ? &module.at(param.fallback) : nullptr;
    for (const auto& [name, given] : inputs) {
      if (name == param.name) value = &given;
    }
    const auto* file = value == nullptr ? nullptr : value->as<ir::FileRef>();
    std::error_code none;
    large[i] = file != nullptr && std::filesystem::is_regular_file(file->path, none) &&
               std::filesystem::file_size(file->path, none) >= kLarge && !none;
  }
  return large;
}

}  // namespace

bool planShards(const Invocation& invocation, const ir::Module& module, const ir::TargetDef* target,
                const Inputs& inputs, passes::Context& context) {
  if (!planShards(invocation, module, target, context)) return false;
  const auto setting = [](const auto& row) { return row.first == "shard_size"; };
  const bool said =
      invocation.has("shard-size") ||
      (target != nullptr && std::any_of(target->settings.begin(), target->settings.end(), setting));
  if (said) return true;
  std::vector<bool> large = largeFiles(module.at(module.entry), module, inputs);
  if (std::find(large.begin(), large.end(), true) == large.end()) return true;
  context.shardSize = kPart;
  context.largeInputs = std::move(large);
  return true;
}

bool planShards(const Invocation& invocation, const ir::Module& module, const ir::TargetDef* target,
                passes::Context& context) {
  std::int64_t bytes = 0;
  if (invocation.has("shard-size")) {
    const std::string text = invocation.value("shard-size");
    std::string why;
    const auto value = ir::fromText(text, ir::TypeTable::kSize, {}, why);
    const ir::Size* size = value ? value->as<ir::Size>() : nullptr;
    if (size == nullptr || size->bytes < 0) {
      context.diags.take(diagnose<Diag::BadOptionValue>(
          {}, "shard-size", fmt::format("a size such as `64MB` or `1 GiB`, found `{}`", text)));
      return false;
    }
    bytes = size->bytes;
  } else if (target != nullptr) {
    for (const auto& [key, id] : target->settings) {
      const ir::Size* size = module.at(id).as<ir::Size>();
      if (key == "shard_size" && size != nullptr) bytes = size->bytes;
    }
  }
  if (bytes > 0) context.shardSize = static_cast<std::uint64_t>(bytes);
  return true;
}

}  // namespace couler::driver
