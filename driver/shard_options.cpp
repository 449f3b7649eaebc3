#include "driver/shard_options.h"

#include <string>

#include <fmt/format.h>

#include "ir/value.h"

namespace couler::driver {

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
