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

void makeLabel(std::string& label, std::string_view text, std::size_t limit) {
  label.resize(text.size());
  std::size_t size = 0;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!isLower(c) && !isDigit(c)) c = '-';
    if (c == '-' && (size == 0 || label[size - 1] == '-')) continue;
    label[size++] = c;
  }
  label.resize(size);
  while (!label.empty() && label.back() == '-') label.pop_back();
  if (label.empty()) label = "x";
  if (isDigit(label.front())) label.insert(0, "x");
  if (label.size() > limit) label = withHash(std::move(label), text, limit);
}

std::string dnsLabel(std::string_view text, std::size_t limit) {
  std::string label;
  label.reserve(text.size());
  makeLabel(label, text, limit);
  return label;
}

bool isDnsLabel(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
  for (const char c : text) {
    if (!isLower(c) && !isDigit(c) && c != '-') return false;
  }
  return true;
}

std::string_view NameTable::take() {
  Mixer mixer;
  mixer.add(label_);
  const auto next = static_cast<std::uint32_t>(names_.size());
  const std::uint32_t found = taken_.insert(
      mixer.finish(), next, [&](std::uint32_t other) { return names_[other] == label_; });
  if (found != next) return {};
  return names_.emplace_back(chars_.copy(std::string_view(label_)));
}

std::string_view NameTable::unique(std::string_view text) {
  makeLabel(label_, text, limit_);
  if (const std::string_view name = take(); !name.empty()) return name;
  const std::string label = label_;
  std::string salted(text);
  while (true) {
    label_ = withHash(label, salted, limit_);
    if (const std::string_view name = take(); !name.empty()) return name;
    salted += '#';
  }
}

void NameTable::reserve(std::size_t names) {
  names_.reserve(names);
  taken_.reserve(names);
}

}  // namespace couler::backends
