#include "runtime/jit/self_test.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/column/batch.h"
#include "runtime/jit/graph.h"
#include "runtime/jit/library.h"
#include "runtime/jit/lower_rules.h"
#include "support/hash.h"

namespace couler::jit {

namespace {

using ir::Builtin;

constexpr std::size_t kRows = 77;  // no multiple of any vector's length
constexpr const char* kLetters = "abcd-efgh-needle-42";

/// Of a float, an int and a text: the rows with a text in the text; sqrt(float * 1.5), int * int
/// + 1.
Program testProgram() {
  Program program;
  Graph graph(program);
  const auto apply = [&](Builtin op, Kind kind, std::vector<ExprId> operands) {
    return graph.add(
        {.code = Code::Apply, .op = op, .kind = kind, .operands = std::move(operands)});
  };
  const ExprId real = graph.column(0, Kind::Float, false);
  const ExprId whole = graph.column(1, Kind::Int, false);
  const ExprId text = graph.column(2, Kind::String, false);
  const ExprId factor = graph.add(
      {.code = Code::Const, .kind = Kind::Float, .bits = std::bit_cast<std::int64_t>(1.5)});
  program.filters = true;
  program.steps.push_back({true, {graph.binary(Builtin::Contains, text, graph.text("needle"))}});
  const ExprId scaled = apply(Builtin::MulFloat, Kind::Float, {real, factor});
  const ExprId square = apply(Builtin::MulInt, Kind::Int, {whole, whole});
  for (const ExprId expr : {apply(Builtin::Sqrt, Kind::Float, {scaled}),
                            apply(Builtin::AddInt, Kind::Int, {square, graph.integer(1)})}) {
    program.outputs.push_back({.computed = true, .expr = expr});
  }
  return program;
}

/// Runs in the process of its own.
bool givesWhatItShould(const Program& program, const Compiled& code) {
  std::array<double, kRows + 8> reals{};
  std::array<std::int64_t, kRows + 8> wholes{};
  std::array<column::Text, kRows + 8> texts{};
  char letters[160] = {};
  std::memcpy(letters, kLetters, std::strlen(kLetters));
  for (std::size_t i = 0; i < kRows; ++i) {
    reals[i] = static_cast<double>(i) / 7;
    wholes[i] = static_cast<std::int64_t>(i) * (i % 2 == 0 ? 1'000'003 : -5);
    texts[i] = {letters + i % 12, static_cast<std::int64_t>(19 - i % 12 - i % 3)};
  }
  std::array<char, 64> literals{};
  std::vector<Cell> outer;
  std::size_t used = 0;
  for (const std::string& literal : program.literals) {
    std::memcpy(literals.data() + used, literal.data(), literal.size());
    outer.push_back(
        {static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(literals.data() + used)),
         static_cast<std::int64_t>(literal.size()), 1});
    used += literal.size();
  }
  std::array<std::int32_t, kRows + 16> picked{};
  std::array<std::uint8_t, kRows + 64> mask{};
  std::array<double, kRows + 8> roots{};
  std::array<std::int64_t, kRows + 8> squares{};
  const void* columns[] = {reals.data(), wholes.data(), texts.data()};
  const std::uint8_t* valid[] = {mask.data(), mask.data(), mask.data()};
  void* outputs[] = {roots.data(), squares.data()};
  std::uint8_t* outputValid[] = {nullptr, nullptr};
  Frame frame;
  frame.rows = kRows;
  frame.columns = columns;
  frame.valid = valid;
  frame.outer = outer.data();
  frame.picked = picked.data();
  frame.mask = mask.data();
  frame.outputs = outputs;
  frame.outputValid = outputValid;
  frame.kept = code.filter(&frame);
  if (frame.kept < 0 || code.project(&frame) != 0) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::string_view text = texts[i].view();
    if (text.find("needle") == std::string_view::npos) continue;
    if (static_cast<std::int64_t>(at) == frame.kept || picked[at] != static_cast<std::int32_t>(i) ||
        std::bit_cast<std::int64_t>(roots[at]) !=
            std::bit_cast<std::int64_t>(std::sqrt(reals[i] * 1.5)) ||
        squares[at] != wholes[i] * wholes[i] + 1) {
      return false;
    }
    ++at;
  }
  return static_cast<std::int64_t>(at) == frame.kept;
}

/// Nothing where there can be no such process.
std::optional<int> inItsOwnProcess(const Program& program, const Compiled& code) {
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) ::_exit(givesWhatItShould(program, code) ? 0 : 1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return status;
}

}  // namespace

bool passesSelfTest(Engine& engine, const ObjectCache& cache, std::string& why) {
  Hasher hasher;
  const Program program = testProgram();
  hasher.field(canonicalText(program));
  hasher.field(engine.target());
  hasher.field(libraryStamp());
  const std::string key = "tested-" + hasher.finish().hex();
  if (cache.find(key)) return true;
  const std::string object = engine.compile(program, why);
  if (object.empty()) return false;
  const std::unique_ptr<Compiled> code = engine.load(object, why);
  if (!code) return false;
  const std::optional<int> status = inItsOwnProcess(program, *code);
  if (!status) return true;
  if (WIFSIGNALED(*status)) {
    why = fmt::format("code compiled for this processor ends with signal {} ({})",
                      WTERMSIG(*status), ::strsignal(WTERMSIG(*status)));
    return false;
  }
  if (WEXITSTATUS(*status) != 0) {
    why = "code compiled for this processor computes something else";
    return false;
  }
  cache.store(key, "passed");
  return true;
}

}  // namespace couler::jit
