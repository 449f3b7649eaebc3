#include "backends/names.h"

#include "support/hash.h"

namespace couler::backends {
namespace {

bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

std::string withHash(std::string label, std::string_view hashed, std::size_t limit) {
  if (label.size() > limit - 9) label.resize(limit - 9);
  while (!label.empty() && label.back() == '-') label.pop_back();
  label += '-';
  label += hashText(hashed).hex().substr(0, 8);
  return label;
}

}  // namespace

std::string dnsLabel(std::string_view text, std::size_t limit) {
  std::string label;
  label.reserve(text.size());
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!isLower(c) && !isDigit(c)) c = '-';
    if (c == '-' && (label.empty() || label.back() == '-')) continue;
    label += c;
  }
  while (!label.empty() && label.back() == '-') label.pop_back();
  if (label.empty()) label = "x";
  if (isDigit(label.front())) label.insert(0, "x");
  if (label.size() > limit) return withHash(std::move(label), text, limit);
  return label;
}

bool isDnsLabel(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
  for (const char c : text) {
    if (!isLower(c) && !isDigit(c) && c != '-') return false;
  }
  return true;
}

std::string NameTable::unique(std::string_view text) {
  const std::string label = dnsLabel(text, limit_);
  if (taken_.insert(label).second) return label;
  std::string salted(text);
  while (true) {
    std::string next = withHash(label, salted, limit_);
    if (taken_.insert(next).second) return next;
    salted += '#';
  }
}

}  // namespace couler::backends
