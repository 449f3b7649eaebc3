#include "runtime/jit/object_cache.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "support/hash.h"

// A file is the hex digest of the object, then the object.
namespace couler::jit {

namespace fs = std::filesystem;

namespace {
constexpr std::size_t kDigits = 64;
}

ObjectCache ObjectCache::fromEnvironment() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  };
  if (const std::string own = variable("COULER_JIT_CACHE"); !own.empty()) {
    return ObjectCache(own == "off" ? std::string() : own);
  }
  // A relative path there is to be ignored (XDG Base Directory Specification).
  if (const std::string base = variable("XDG_CACHE_HOME"); base.starts_with('/')) {
    return ObjectCache(base + "/couler/jit");
  }
  const std::string home = variable("HOME");
  return ObjectCache(home.empty() ? std::string() : home + "/.cache/couler/jit");
}

std::string ObjectCache::pathOf(std::string_view key) const {
  return fmt::format("{}/{}.o", folder_, key);
}

std::optional<std::string> ObjectCache::find(std::string_view key) const {
  if (folder_.empty()) return std::nullopt;
  std::ifstream in(pathOf(key), std::ios::binary);
  if (!in) return std::nullopt;
  std::string content{std::istreambuf_iterator<char>(in), {}};
  if (content.size() <= kDigits) return std::nullopt;
  const std::string digest = content.substr(0, kDigits);
  content.erase(0, kDigits);
  if (hashText(content).hex() != digest) return std::nullopt;
  return content;
}

void ObjectCache::store(std::string_view key, std::string_view object) const {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  const std::string path = pathOf(key);
  static std::atomic<unsigned> count = 0;
  const std::string temporary = fmt::format("{}.{}.{}", path, ::getpid(), ++count);
  {
    std::ofstream out(temporary, std::ios::binary);
    out << hashText(object).hex() << object;
    if (!out.flush()) {
      out.close();
      fs::remove(temporary, ignored);
      return;
    }
  }
  fs::rename(temporary, path, ignored);
  if (ignored) fs::remove(temporary, ignored);
}

}  // namespace couler::jit
