#include "lsp/features/postfix.h"

#include <fmt/format.h>

#include "lsp/features/describe.h"

namespace couler::lsp {
namespace {

/// As it stands, in a snippet.
std::string literal(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '$' || c == '}' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// Of `rates` one is a `rate`.
std::string oneOf(std::string_view list) {
  const std::size_t dot = list.rfind('.');
  std::string_view last = dot == std::string_view::npos ? list : list.substr(dot + 1);
  const bool word = last.find_first_of("([") == std::string_view::npos;
  if (!word || last.size() < 3 || !last.ends_with('s')) return "item";
  return std::string(last.substr(0, last.size() - 1));
}

}  // namespace

std::vector<Postfix> postfixes(const Snapshot& snapshot, const PostfixPlace& place) {
  std::vector<Postfix> result;
  if (!known(snapshot, place.type)) return result;
  const std::string value = literal(place.value);
  const ir::TypeKind kind = snapshot.program().types.kind(place.type);
  const auto add = [&](std::string_view word, std::string snippet, std::string shown) {
    result.push_back({word, std::move(snippet), std::move(shown)});
  };
  const auto branches = [&](const std::string& condition, const std::string& shown) {
    if (place.inWorkflow) {
      add("if", fmt::format("if {} {{\n    $0\n}}", condition), fmt::format("if {} {{ … }}", shown));
    } else {
      add("if", fmt::format("if {} {{ ${{1}} }} else {{ $0 }}", condition),
          fmt::format("if {} {{ … }} else {{ … }}", shown));
    }
  };
  if (kind == ir::TypeKind::List && place.inWorkflow) {
    const std::string one = oneOf(place.value);
    add("for", fmt::format("for ${{1:{}}} in {} {{\n    $0\n}}", one, value),
        fmt::format("for {} in {} {{ … }}", one, place.value));
  }
  if (kind == ir::TypeKind::Bool) {
    branches(value, std::string(place.value));
    add("not", fmt::format("not {}", value), fmt::format("not {}", place.value));
  }
  if (kind == ir::TypeKind::Optional) {
    branches(value + " != none", fmt::format("{} != none", place.value));
    add("default", fmt::format("{} ?? $0", value), fmt::format("{} ?? …", place.value));
  }
  if (kind == ir::TypeKind::Table && place.inWorkflow) {
    add("pipe", fmt::format("{} |> $0", value), fmt::format("{} |> …", place.value));
  }
  if (place.called && place.inWorkflow) {
    add("try", fmt::format("try {}", value), fmt::format("try {}", place.value));
    add("after", fmt::format("{} after $0", value), fmt::format("{} after …", place.value));
  }
  if (place.startsStatement && place.inWorkflow) {
    add("let", fmt::format("let ${{1:name}} = {}", value), fmt::format("let … = {}", place.value));
    add("return", fmt::format("return (${{1:name}}: {})", value),
        fmt::format("return (…: {})", place.value));
  }
  return result;
}

}  // namespace couler::lsp
