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
  // `step-17` is number 17 of `step-`; up to eight digits, no zero in front.
  std::size_t begin = label_.size();
  while (begin > 0 && label_.size() - begin < 8 && isDigit(label_[begin - 1])) --begin;
  while (begin < label_.size() && label_[begin] == '0' && begin + 1 < label_.size()) ++begin;
  const std::string_view stem = std::string_view(label_).substr(0, begin);
  std::uint32_t number = 0;
  for (const char c : std::string_view(label_).substr(begin)) {
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  const std::uint32_t block = begin == label_.size() ? kNone : number / 512;
  const auto isIt = [&](std::uint32_t i) {
    return blocks_[i].number == block && blocks_[i].stem == stem;
  };
  if (last_ == kNone || !isIt(last_)) {
    Mixer mixer;
    mixer.add(stem);
    mixer.add(std::uint64_t{block});
    const auto next = static_cast<std::uint32_t>(blocks_.size());
    last_ = index_.insert(mixer.finish(), next, isIt);
    if (last_ == next) blocks_.push_back({chars_.copy(stem), block});
  }
  std::uint64_t& word = blocks_[last_].taken[number % 512 / 64];
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  if ((word & bit) != 0) return {};
  word |= bit;
  return chars_.copy(std::string_view(label_));
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

}  // namespace couler::backends
