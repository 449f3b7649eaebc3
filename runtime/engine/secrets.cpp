#include "runtime/engine/secrets.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "runtime/store/files.h"

namespace couler::runtime {
namespace {

constexpr std::uint64_t kMostBytes =
    64 * 1024;  // what one environment variable can hold, with room

}  // namespace

bool Secrets::read(const ir::Value& value, DiagnosticSink& diags) {
  const auto* secret = value.as<ir::SecretRef>();
  if (secret == nullptr) return true;  // secrets are never inside other values (CW0431)
  const std::string& source = secret->source;
  if (texts_.contains(source)) return true;
  const auto fail = [&](std::string why) {
    diags.take(diagnose<Diag::SecretNotSet>({}, source, why));
    return false;
  };
  std::string text;
  if (source.starts_with("env:")) {
    const std::string name = source.substr(4);
    const char* found = std::getenv(name.c_str());
    if (found == nullptr) return fail(fmt::format("the environment has no variable `{}`", name));
    text = found;
    variables_.push_back(name);
  } else if (source.starts_with("file:")) {
    auto content = readFile(source.substr(5), kMostBytes);
    if (const auto* error = std::get_if<FileError>(&content)) return fail(error->message);
    text = std::get<std::string>(std::move(content));
    if (text.ends_with('\n')) text.pop_back();
  } else {
    return fail("expected `env:NAME` or `file:PATH`");
  }
  if (text.empty()) return fail("it is empty");
  if (text.find('\0') != std::string::npos) return fail("it has a zero byte in it");
  texts_.emplace(source, std::move(text));
  return true;
}

const std::string* Secrets::text(const std::string& source) const {
  const auto found = texts_.find(source);
  return found == texts_.end() ? nullptr : &found->second;
}

SecretFilter::SecretFilter(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  std::erase(secrets_, std::string());
  std::sort(secrets_.begin(), secrets_.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string SecretFilter::feed(std::string_view data) {
  held_.append(data);
  return scan(false);
}

std::string SecretFilter::finish() { return scan(true); }

std::string SecretFilter::scan(bool last) {
  std::string shown;
  std::size_t at = 0;
  const std::string_view all = held_;
  while (at < all.size()) {
    const std::string_view rest = all.substr(at);
    bool held = false;
    std::size_t matched = 0;
    for (const std::string& secret : secrets_) {
      if (rest.starts_with(secret)) {
        matched = secret.size();
        break;
      }
      // A longer one may still come; a shorter one that is all here must wait for it.
      if (!last && rest.size() < secret.size() && std::string_view(secret).starts_with(rest)) {
        held = true;
        break;
      }
    }
    if (held) break;
    if (matched != 0) {
      shown.append("***");
      at += matched;
    } else {
      shown.push_back(all[at++]);
    }
  }
  held_.erase(0, at);
  return shown;
}

}  // namespace couler::runtime
