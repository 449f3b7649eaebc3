#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/jit/program.h"

/// What libcouler_jit.so offers: LLVM, behind an interface that names nothing of it.
namespace couler::jit {

/// Functions in memory, for as long as this lives.
class Compiled {
 public:
  virtual ~Compiled() = default;
  Function filter = nullptr;
  Function project = nullptr;
};

/// A function of the program that compiled code calls, by name.
struct Symbol {
  const char* name;
  void* address;
};

/// Of the process; its functions may be called from several threads.
class Engine {
 public:
  virtual ~Engine() = default;
  /// The processor, its features and the version of LLVM: what an object file depends on beside its
  /// program.
  [[nodiscard]] virtual std::string_view target() const = 0;
  /// An object file; empty, and `why` says so, when it cannot be made. Some 10 ms.
  [[nodiscard]] virtual std::string compile(const Program& program, std::string& why) = 0;
  /// Null, with a reason, when it is no such file. About 1 ms.
  [[nodiscard]] virtual std::unique_ptr<Compiled> load(std::string_view object,
                                                       std::string& why) = 0;
};

/// `couler_jit_engine` of the library. `cpu`: as LLVM names it, or empty for the host's. Null with
/// a reason when there is no code generator for it.
using MakeEngine = Engine* (*)(const Symbol* symbols, std::size_t count, const char* cpu,
                               std::string* why);
inline constexpr const char* kMakeEngine = "couler_jit_engine";

}  // namespace couler::jit
