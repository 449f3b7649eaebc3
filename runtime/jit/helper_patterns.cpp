#include "runtime/jit/helper_cells.h"

namespace couler::jit {

namespace {

const re2::RE2& patternOf(const Context& context, const Site& site) {
  return *context.patterns[static_cast<std::size_t>(&site - context.sites->data())];
}

re2::StringPiece pieceOf(const Cell& cell) {
  const std::string_view text = textOf(cell);
  return {text.data(), text.size()};
}

/// The match, or the group that is the last of `found`.
template <int kWanted>
std::int64_t found(const re2::RE2& pattern, const Cell* in, Cell* out) {
  // An empty text with an address: a group that takes no part in a match has none.
  const re2::StringPiece text = in[0].b == 0 ? re2::StringPiece("", 0) : pieceOf(in[0]);
  re2::StringPiece pieces[kWanted];
  const bool matched = pattern.Match(text, 0, text.size(), re2::RE2::UNANCHORED, pieces, kWanted);
  const re2::StringPiece& piece = pieces[kWanted - 1];
  *out = {};
  if (!matched || piece.data() == nullptr) return 0;
  if (!piece.empty()) give(*out, std::string_view(piece.data(), piece.size()));
  out->valid = 1;
  return 0;
}

}  // namespace

std::int64_t replaceBytes(Context& context, const Replacement& by, std::string_view text,
                          Cell* out) {
  const std::size_t room = by.room(text.size());
  if (room > kMaxText) return 1;
  char* begin = take(context, room);
  const auto size = static_cast<std::size_t>(by.apply(text, begin) - begin);
  context.arena.untake(room - size);
  give(*out, std::string_view(begin, size));
  return 0;
}

std::int64_t helpMatches(Context& context, const Site& site, const Cell* in, Cell* out) {
  const re2::StringPiece text = pieceOf(in[0]);
  return truth(
      patternOf(context, site).Match(text, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0), out);
}

std::int64_t helpFind(Context& context, const Site& site, const Cell* in, Cell* out) {
  return found<1>(patternOf(context, site), in, out);
}
std::int64_t helpExtract(Context& context, const Site& site, const Cell* in, Cell* out) {
  return found<2>(patternOf(context, site), in, out);
}

std::int64_t helpReplaceAll(Context& context, const Site& site, const Cell* in, Cell* out) {
  if (site.bytes) return replaceBytes(context, *site.bytes, textOf(in[0]), out);
  const std::string_view with = textOf(in[2]);
  if (!with.empty() && textOf(in[0]).size() >= kMaxText / with.size()) return 1;
  std::string& made = context.room;
  made = textOf(in[0]);
  const re2::RE2& pattern = patternOf(context, site);
  if (re2::RE2::GlobalReplace(&made, pattern, {with.data(), with.size()}) == 0) {
    give(*out, textOf(in[0]));
    return 0;
  }
  return made.size() > kMaxText ? 1 : keep(context, made, *out);
}

}  // namespace couler::jit
