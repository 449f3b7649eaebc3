#include "runtime/jit/library.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "runtime/jit/helpers.h"
#include "runtime/jit/loader.h"

namespace couler::jit {

namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "libcouler_jit.so";

struct Loaded {
  Engine* engine = nullptr;  // never freed: kernels may live until the process ends
  std::string why;
  std::string stamp;
};

std::vector<std::string> places() {
  if (const char* own = std::getenv("COULER_JIT_LIBRARY"); own != nullptr && *own != '\0') {
    return {std::string(own) + "/" + kLibrary};
  }
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return {};
  return {(folder / "../lib/couler" / kLibrary).string(), (folder / kLibrary).string(),
          (folder / "lib/couler" / kLibrary).string()};
}

Loaded load() {
  Loaded made;
  for (const std::string& path : places()) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) continue;
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      made.why = ::dlerror();
      return made;
    }
    const auto make = reinterpret_cast<MakeEngine>(::dlsym(library, kMakeEngine));
    if (make == nullptr) {
      made.why = fmt::format("{} has no function {}", path, kMakeEngine);
      return made;
    }
    const char* cpu = std::getenv("COULER_JIT_CPU");
    const auto symbols = helperSymbols();
    made.engine = make(symbols.data(), symbols.size(), cpu == nullptr ? "" : cpu, &made.why);
    made.stamp = fmt::format("{} {}.{}", about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
    return made;
  }
  made.why = fmt::format("there is no {} for this program", kLibrary);
  return made;
}

const Loaded& loaded() {
  static const Loaded kLoaded = load();
  return kLoaded;
}

}  // namespace

Engine* engine(std::string& why) {
  const Loaded& library = loaded();
  if (library.engine == nullptr) why = library.why;
  return library.engine;
}

const std::string& libraryStamp() { return loaded().stamp; }

}  // namespace couler::jit
