#include "frontend/parse/recover.h"

#include <antlr4-runtime.h>

#include "frontend/parse/words.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {
namespace {

using P = grammar::CoulerParser;

constexpr std::size_t kNone = ~std::size_t{0};

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// By token: the innermost bracket round it; brackets themselves belong to what they enclose.
std::vector<std::size_t> enclosing(const std::vector<Tok>& tokens) {
  std::vector<std::size_t> parent(tokens.size(), kNone);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (isOpener(tokens[i].type)) {
      parent[i] = open.empty() ? kNone : open.back();
      open.push_back(i);
      continue;
    }
    parent[i] = open.empty() ? kNone : open.back();
    if (isCloser(tokens[i].type) && !open.empty()) open.pop_back();
  }
  return parent;
}

/// Braces whose items are parted by commas too: they hold `name: value` or plain names.
bool commasPart(const std::vector<Tok>& tokens, std::size_t opener) {
  if (opener == 0) return false;
  switch (tokens[opener - 1].type) {
    case P::KwResources:
    case P::KwEnv:
      return true;
    default:
      break;
  }
  const std::uint16_t decl = tokens[0].type;
  return decl == P::KwEnum || decl == P::KwSchema || decl == P::KwImport || decl == P::KwTarget;
}

}  // namespace

bool replaceUnit(std::vector<Tok>& tokens, std::vector<DocRun>& docs, std::size_t at) {
  const std::vector<std::size_t> parent = enclosing(tokens);
  const std::size_t last = tokens.size() - 1;
  std::size_t i = at < last ? at : last;
  std::size_t opener = i == last && i > 0 ? parent[i - 1] : parent[i];
  // What is wrong at an opening bracket is wrong with what stands before it.
  for (;;) {
    if (opener == kNone) return false;
    const bool brace = tokens[opener].type == P::OpOpenBrace;
    const bool header = parent[opener] == kNone && tokens[opener].type == P::OpOpenParen &&
                        tokens[0].type != P::KwFn;
    const bool fnHeader = tokens[0].type == P::KwFn && opener == 2;
    if (brace || header || fnHeader) break;
    i = opener;
    opener = parent[opener];
  }
  const bool brace = tokens[opener].type == P::OpOpenBrace;
  const bool commas = !brace || commasPart(tokens, opener);
  const auto parts = [&](std::size_t t) {
    return parent[t] == opener &&
           (tokens[t].type == P::Term || (commas && tokens[t].type == P::OpComma));
  };
  Range unit{i, i};
  if (parts(i) || (isCloser(tokens[i].type) && parent[i] == opener)) {
    unit.end = i;  // the part before it is unfinished
  } else {
    while (unit.end < last && !parts(unit.end) &&
           !(isCloser(tokens[unit.end].type) && parent[unit.end] == opener)) {
      ++unit.end;
    }
  }
  unit.begin = i;
  while (unit.begin > opener + 1 && !parts(unit.begin - 1)) --unit.begin;
  if (unit.begin >= unit.end) return false;

  // Keep what names something.
  std::size_t keep = 0;
  const auto type = [&](std::size_t k) {
    return unit.begin + k < unit.end ? tokens[unit.begin + k].type : std::uint16_t{0};
  };
  if (type(0) == P::KwLet && type(1) == P::Ident) {
    std::size_t k = 2;
    while (unit.begin + k < unit.end && type(k) != P::OpAssign && unit.begin + k < at) ++k;
    if (type(k) == P::OpAssign && unit.begin + k < at) {
      keep = k + 1;
    } else {
      // the type is wrong, or there is no `=`: the name alone can be kept
      Tok assign = tokens[unit.begin + 1];
      assign.begin = assign.end;
      assign.type = P::OpAssign;
      assign.repaired = true;
      if (unit.begin + 2 < unit.end) {
        tokens[unit.begin + 2] = assign;
        keep = 3;
      } else {
        tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(unit.end), assign);
        for (DocRun& run : docs) {
          if (run.before >= unit.end) ++run.before;
        }
        ++unit.end;
        keep = 3;
      }
    }
  } else if (type(0) == P::Ident && type(1) == P::OpColon) {
    keep = 2;
  } else if (type(0) == P::KwRun) {
    keep = 1;
  } else if (type(0) == P::KwExpect || (type(0) == P::KwReturn && at > unit.begin)) {
    keep = 1;
  }
  if (keep == unit.end - unit.begin - 1 && tokens[unit.begin + keep].type == P::Bad) return false;
  if (unit.end - unit.begin == 1 && tokens[unit.begin].type == P::Bad) return false;

  Tok bad;
  bad.begin = unit.begin + keep < unit.end ? tokens[unit.begin + keep].begin
                                           : tokens[unit.begin + keep - 1].end;
  bad.end = tokens[unit.end - 1].end;
  if (bad.end < bad.begin) bad.end = bad.begin;
  bad.type = P::Bad;
  bad.repaired = true;
  const std::size_t from = unit.begin + keep;
  const std::size_t removed = unit.end - from;
  if (removed == 0) {
    tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(from), bad);
  } else {
    tokens[from] = bad;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                 tokens.begin() + static_cast<std::ptrdiff_t>(unit.end));
  }
  std::vector<DocRun> kept;
  for (DocRun& run : docs) {
    if (run.before > from && run.before < unit.end) continue;  // described what is gone
    if (run.before >= unit.end) run.before = run.before + 1 - static_cast<std::uint32_t>(removed);
    kept.push_back(std::move(run));
  }
  docs = std::move(kept);
  return true;
}

}  // namespace couler::parse
