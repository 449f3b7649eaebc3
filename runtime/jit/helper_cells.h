#pragma once

#include <bit>
#include <cstring>
#include <new>
#include <string_view>

#include "runtime/jit/helpers.h"

/// What the helpers have in common. Each takes its operands as cells and gives 0, or 1 for an
/// error, which the evaluator then finds again and words.
namespace couler::jit {

inline constexpr std::size_t kMaxText = std::size_t{64} << 20;  // as in ir/eval_internal.h

inline std::string_view textOf(const Cell& cell) {
  return {reinterpret_cast<const char*>(cell.a), static_cast<std::size_t>(cell.b)};
}
inline void give(Cell& out, std::string_view text) {
  out.a = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(text.data()));
  out.b = static_cast<std::int64_t>(text.size());
}
inline void give(Cell& out, double x) { out.a = std::bit_cast<std::int64_t>(x); }

inline char* take(Context& context, std::size_t bytes) {
  char* room = context.arena.take(bytes);
  if (room == nullptr) throw std::bad_alloc();
  return room;
}

/// A copy that lives as long as the batch.
inline std::int64_t keep(Context& context, std::string_view text, Cell& out) {
  char* room = take(context, text.size());
  if (!text.empty()) std::memcpy(room, text.data(), text.size());
  give(out, std::string_view(room, text.size()));
  return 0;
}

inline std::int64_t truth(bool b, Cell* out) {
  out->a = b ? 1 : 0;
  return 0;
}
/// By bytes. The error that a text becomes too long is the evaluator's to find.
std::int64_t replaceBytes(Context& context, const Replacement& by, std::string_view text,
                          Cell* out);

/// None throws: compiled code cannot be unwound.
template <std::int64_t (*F)(Context&, const Site&, const Cell*, Cell*)>
std::int64_t guarded(Context* context, std::int64_t site, const Cell* in, Cell* out) noexcept {
  try {
    return F(*context, (*context->sites)[static_cast<std::size_t>(site)], in, out);
  } catch (...) {
    context->outOfMemory = true;
    return 1;
  }
}

// Of patterns, which are valid and whose rewrites are (helper_patterns.cpp).
std::int64_t helpMatches(Context& context, const Site& site, const Cell* in, Cell* out);
std::int64_t helpFind(Context& context, const Site& site, const Cell* in, Cell* out);
std::int64_t helpExtract(Context& context, const Site& site, const Cell* in, Cell* out);
std::int64_t helpReplaceAll(Context& context, const Site& site, const Cell* in, Cell* out);

}  // namespace couler::jit
