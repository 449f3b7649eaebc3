// Hashing, which bounds how fast the store takes a file in: BLAKE3 of memory and of a mapped file.
#include <cstdlib>
#include <string>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/hash.h"

namespace {

void hashMemory(benchmark::State& state) {
  const std::string data(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(couler::hashText(data));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hashMemory)->Arg(64)->Arg(4096)->Arg(1 << 20)->Arg(256 << 20);

void hashMappedFile(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  char path[] = "/tmp/couler-bench-XXXXXX";
  const int fd = mkstemp(path);
  if (fd < 0 || ftruncate(fd, state.range(0)) != 0) {
    state.SkipWithError("no room in /tmp");
    return;
  }
  for (auto _ : state) {
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    benchmark::DoNotOptimize(couler::hashText({static_cast<const char*>(data), size}));
    munmap(data, size);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  close(fd);
  unlink(path);
}
BENCHMARK(hashMappedFile)->Arg(256 << 20);

}  // namespace

BENCHMARK_MAIN();
