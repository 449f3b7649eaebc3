#include "backends/kubernetes.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace couler::backends {

std::string escapeDollar(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

std::string cpuQuantity(double cores) {
  const auto milli = static_cast<std::int64_t>(std::ceil(cores * 1000 - 1e-9));
  return milli % 1000 == 0 ? fmt::format("{}", milli / 1000) : fmt::format("{}m", milli);
}

std::string bytesQuantity(std::int64_t bytes) {
  constexpr std::int64_t kKi = 1024;
  constexpr std::string_view kUnits[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % kKi == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= kKi;
    ++unit;
  }
  return fmt::format("{}{}", bytes, kUnits[unit]);
}

std::int64_t wholeSeconds(ir::Duration duration) {
  const std::int64_t seconds =
      duration.micros / 1'000'000 + (duration.micros % 1'000'000 > 0 ? 1 : 0);
  return seconds < 1 ? 1 : seconds;
}

void writeResources(YamlWriter& w, const ir::TaskDef& task) {
  w.key("resources");
  w.beginMap();
  for (const bool limits : {false, true}) {
    w.key(limits ? "limits" : "requests");
    w.beginMap();
    w.entry("cpu", cpuQuantity(task.cpu));
    if (task.memory > 0) w.entry("memory", bytesQuantity(task.memory));
    if (task.disk > 0) w.entry("ephemeral-storage", bytesQuantity(task.disk));
    if (limits && task.gpu > 0) w.entry("nvidia.com/gpu", fmt::format("{}", task.gpu));
    w.endMap();
  }
  w.endMap();
}

}  // namespace couler::backends
