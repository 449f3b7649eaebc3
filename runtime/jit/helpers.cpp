#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "ir/eval_internal.h"
#include "runtime/jit/helper_cells.h"
#include "runtime/jit/lower_rules.h"
#include "runtime/jit/lower_types.h"
#include "support/hash.h"
#include "support/text.h"

namespace couler::jit {

using ir::Builtin;

namespace {

// ---- by the evaluator

ir::Value boxed(const Cell& cell, const Site::Cell& about) {
  if (cell.valid == 0) return {};
  switch (about.kind) {
    case Kind::Bool:
      return cell.a != 0;
    case Kind::Float:
      return std::bit_cast<double>(cell.a);
    case Kind::String:
      return std::string(textOf(cell));
    case Kind::Timestamp:
      return ir::Timestamp{cell.a};
    case Kind::Duration:
      return ir::Duration{cell.a};
    case Kind::Size:
      return ir::Size{cell.a};
    case Kind::Enum: {
      const auto index = static_cast<std::size_t>(static_cast<std::int32_t>(cell.a));
      return ir::EnumCase{index < about.cases.size() ? about.cases[index] : std::string()};
    }
    default:
      return cell.a;
  }
}

std::int64_t unboxed(Context& context, const ir::EvalResult& result, const Site::Cell& about,
                     Cell& out) {
  const ir::Value* value = std::get_if<ir::Value>(&result);
  if (value == nullptr) return 1;
  out = {};
  if (value->isNone()) return 0;
  out.valid = 1;
  if (about.kind == Kind::String) {
    const std::string* text = value->as<std::string>();
    return text == nullptr ? 1 : keep(context, *text, out);
  }
  const std::optional<std::int64_t> bits = bitsOf(*value, about.kind, about.cases);
  out.a = bits.value_or(0);
  return bits ? 0 : 1;
}

std::int64_t applySite(Context& context, const Site& site, const Cell* in, Cell* out) {
  std::vector<ir::EvalResult> operands;
  operands.reserve(site.operands.size());
  for (std::size_t i = 0; i < site.operands.size(); ++i) {
    operands.emplace_back(boxed(in[i], site.operands[i]));
  }
  return unboxed(context, ir::apply(site.op, operands, {}), site.result, *out);
}

std::int64_t hash(Context& context, const Site& site, const Cell* in, Cell* out) {
  Hasher hasher;
  ir::hashInto(hasher, boxed(in[0], site.operands[0]));
  return keep(context, hasher.finish().hex(), *out);
}

// ---- texts

std::int64_t concat(Context& context, const Site& site, const Cell* in, Cell* out) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < site.operands.size(); ++i) {
    total += static_cast<std::size_t>(in[i].b);
    if (total > kMaxText) return 1;
  }
  char* room = take(context, total);
  give(*out, std::string_view(room, total));
  for (std::size_t i = 0; i < site.operands.size(); ++i) {
    const std::string_view part = textOf(in[i]);
    if (!part.empty()) std::memcpy(room, part.data(), part.size());
    room += part.size();
  }
  return 0;
}

/// `first` to `first` + 25 to the other case; what is not ASCII, by the evaluator.
std::int64_t otherCase(Context& context, const Site& site, const Cell* in, Cell* out, char first) {
  const std::string_view text = textOf(in[0]);
  char* room = take(context, text.size());
  unsigned char high = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    high |= c;
    const bool moves = static_cast<unsigned char>(c - static_cast<unsigned char>(first)) < 26;
    room[i] = static_cast<char>(c ^ (moves ? 0x20 : 0));
  }
  if ((high & 0x80) != 0) {
    context.arena.untake(text.size());
    return applySite(context, site, in, out);
  }
  give(*out, std::string_view(room, text.size()));
  return 0;
}
std::int64_t lower(Context& context, const Site& site, const Cell* in, Cell* out) {
  return otherCase(context, site, in, out, 'A');
}
std::int64_t upper(Context& context, const Site& site, const Cell* in, Cell* out) {
  return otherCase(context, site, in, out, 'a');
}

std::int64_t part(std::string_view text, std::int64_t from, std::int64_t to, Cell* out) {
  if (from < 0 || to < 0) return 1;
  if (to <= from) {
    give(*out, std::string_view());
    return 0;
  }
  text.remove_prefix(codePointOffset(text, static_cast<std::uint64_t>(from)));
  give(*out, text.substr(0, codePointOffset(text, static_cast<std::uint64_t>(to - from))));
  return 0;
}
std::int64_t substring(Context&, const Site&, const Cell* in, Cell* out) {
  return part(textOf(in[0]), in[1].a, in[2].a, out);
}
std::int64_t substringFrom(Context&, const Site&, const Cell* in, Cell* out) {
  return part(textOf(in[0]), in[1].a, std::numeric_limits<std::int64_t>::max(), out);
}

std::int64_t replace(Context& context, const Site& site, const Cell* in, Cell* out) {
  std::string_view text = textOf(in[0]);
  if (site.bytes) return replaceBytes(context, *site.bytes, text, out);
  const std::string_view what = textOf(in[1]);
  const std::string_view with = textOf(in[2]);
  if (what.empty()) return 1;
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size())) {
    ++count;
  }
  if (count == 0) {
    give(*out, text);
    return 0;
  }
  if (with.size() > what.size() && count > kMaxText / with.size()) return 1;
  const std::size_t total = text.size() - count * what.size() + count * with.size();
  if (total > kMaxText) return 1;
  char* room = take(context, total);
  give(*out, std::string_view(room, total));
  const auto put = [&](std::string_view piece) {
    if (!piece.empty()) std::memcpy(room, piece.data(), piece.size());
    room += piece.size();
  };
  for (;;) {
    const std::size_t end = text.find(what);
    put(text.substr(0, end));
    if (end == std::string_view::npos) return 0;
    put(with);
    text.remove_prefix(end + what.size());
  }
}

std::int64_t contains(Context&, const Site&, const Cell* in, Cell* out) {
  return truth(textOf(in[0]).find(textOf(in[1])) != std::string_view::npos, out);
}
std::int64_t startsWith(Context&, const Site&, const Cell* in, Cell* out) {
  return truth(textOf(in[0]).starts_with(textOf(in[1])), out);
}
std::int64_t endsWith(Context&, const Site&, const Cell* in, Cell* out) {
  return truth(textOf(in[0]).ends_with(textOf(in[1])), out);
}

std::int64_t intText(Context& context, const Site&, const Cell* in, Cell* out) {
  constexpr std::size_t kMost = 20;
  char* room = take(context, kMost);
  const auto end = std::to_chars(room, room + kMost, in[0].a).ptr;
  const auto size = static_cast<std::size_t>(end - room);
  context.arena.untake(kMost - size);
  give(*out, std::string_view(room, size));
  return 0;
}

/// As ir/eval_numbers.cpp reads them.
template <class T>
std::int64_t parse(const Cell* in, T& value) {
  std::string_view text = textOf(in[0]);
  const auto isSpace = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && isSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && isSpace(text.back())) text.remove_suffix(1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  return status == std::errc{} && stop == end ? 0 : 1;
}
std::int64_t parseInt(Context&, const Site&, const Cell* in, Cell* out) {
  return parse(in, out->a);
}
std::int64_t parseFloat(Context&, const Site&, const Cell* in, Cell* out) {
  double value = 0;
  const std::int64_t status = parse(in, value);
  give(*out, value);
  return status;
}

void trim(const char* data, std::int64_t size, Cell* out) noexcept {
  give(*out, ir::eval::trim({data, static_cast<std::size_t>(size)}));
}

int bytes(const void* a, const void* b, std::uint64_t size) noexcept {
  return std::memcmp(a, b, size);
}

double remainder(double a, double b) noexcept {
  const double result = std::fmod(a, b);
  if (result == 0) return std::copysign(0.0, b);
  return (result < 0) != (b < 0) ? result + b : result;
}

using Unary = double (*)(double);
using Binary = double (*)(double, double);

template <class F>
void* address(F* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

std::unique_ptr<Context> contextFor(const Program& program) {
  auto context = std::make_unique<Context>();
  context->sites = &program.sites;
  re2::RE2::Options options;
  options.set_log_errors(false);
  for (const Site& site : program.sites) {
    const bool has = takesPattern(site.op) && site.pattern.has_value();
    context->patterns.push_back(has ? std::make_unique<re2::RE2>(*site.pattern, options) : nullptr);
  }
  return context;
}

std::span<const Symbol> helperSymbols() {
  static const Symbol kSymbols[] = {
      {"couler_jit_Any", address(&guarded<applySite>)},
      {"couler_jit_AddString", address(&guarded<concat>)},
      {"couler_jit_Concat", address(&guarded<concat>)},
      {"couler_jit_Lower", address(&guarded<lower>)},
      {"couler_jit_Upper", address(&guarded<upper>)},
      {"couler_jit_Substring", address(&guarded<substring>)},
      {"couler_jit_SubstringFrom", address(&guarded<substringFrom>)},
      {"couler_jit_Replace", address(&guarded<replace>)},
      {"couler_jit_Contains", address(&guarded<contains>)},
      {"couler_jit_StartsWith", address(&guarded<startsWith>)},
      {"couler_jit_EndsWith", address(&guarded<endsWith>)},
      {"couler_jit_Matches", address(&guarded<helpMatches>)},
      {"couler_jit_Find", address(&guarded<helpFind>)},
      {"couler_jit_Extract", address(&guarded<helpExtract>)},
      {"couler_jit_ReplaceAll", address(&guarded<helpReplaceAll>)},
      {"couler_jit_ToString", address(&guarded<intText>)},
      {"couler_jit_Hash", address(&guarded<hash>)},
      {"couler_jit_StringToInt", address(&guarded<parseInt>)},
      {"couler_jit_StringToFloat", address(&guarded<parseFloat>)},
      {"couler_jit_trim", address(&trim)},
      {"couler_jit_bytes", address(&bytes)},
      {"couler_jit_RemFloat", address(&remainder)},
      {"couler_jit_Exp", address(static_cast<Unary>(&std::exp))},
      {"couler_jit_Log", address(static_cast<Unary>(&std::log))},
      {"couler_jit_Log2", address(static_cast<Unary>(&std::log2))},
      {"couler_jit_Log10", address(static_cast<Unary>(&std::log10))},
      {"couler_jit_Sin", address(static_cast<Unary>(&std::sin))},
      {"couler_jit_Cos", address(static_cast<Unary>(&std::cos))},
      {"couler_jit_Pow", address(static_cast<Binary>(&std::pow))},
      {"couler_jit_PowFloat", address(static_cast<Binary>(&std::pow))},
      {"memcpy", address(&std::memcpy)},
      {"memset", address(&std::memset)},
      {"memmove", address(&std::memmove)},
      {"memcmp", address(&std::memcmp)},
      {"bcmp", address(&std::memcmp)},
      {"floor", address(static_cast<Unary>(&std::floor))},
      {"ceil", address(static_cast<Unary>(&std::ceil))},
      {"trunc", address(static_cast<Unary>(&std::trunc))},
      {"round", address(static_cast<Unary>(&std::round))},
  };
  return kSymbols;
}

}  // namespace couler::jit
