// A model behind an OpenAI-compatible API: POST /chat/completions.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lsp/assist/http.h"
#include "lsp/assist/model.h"

namespace couler::assist {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPath = "/chat/completions";

std::string_view setting(const char* name) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets them
  return text == nullptr ? std::string_view() : std::string_view(text);
}

bool isPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct Endpoint {
  std::string url;
  std::string host;  ///< and port
  bool isHere = false;
  bool isSafe = false;  ///< https
};

bool isThisMachine(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  if (name == "localhost") return true;
  const bool isAddress = std::all_of(name.begin(), name.end(),
                                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return isAddress && name.starts_with("127.");
}

/// Says what is wrong without the text itself, in which a password may stand.
std::optional<Endpoint> readUrl(std::string_view url, std::string& problem) {
  Endpoint made;
  made.isSafe = url.starts_with("https://");
  if (!made.isSafe && !url.starts_with("http://")) {
    problem = "COULER_MODEL_URL does not begin with https:// or http://";
    return std::nullopt;
  }
  const std::string_view rest = url.substr(made.isSafe ? 8 : 7);
  made.host = rest.substr(0, rest.find('/'));
  if (made.host.empty() || !isPlain(url) || url.find_first_of("?#\\") != std::string_view::npos) {
    problem = "COULER_MODEL_URL is no address such as https://api.example.com/v1";
    return std::nullopt;
  }
  if (made.host.find('@') != std::string::npos) {
    problem = "COULER_MODEL_URL has a name or a password in it: the key is COULER_MODEL_KEY";
    return std::nullopt;
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  made.url = url;
  if (!url.ends_with(kPath)) made.url += kPath;
  made.isHere = isThisMachine(made.host);
  return made;
}

class Chat final : public Model {
 public:
  Chat(std::string name, Endpoint endpoint, std::string key, long seconds)
      : name_(std::move(name)),
        endpoint_(std::move(endpoint)),
        key_(std::move(key)),
        seconds_(seconds) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] Reply ask(std::span<const Message> conversation) override {
    Json messages = Json::array();
    for (const Message& one : conversation) {
      messages.push_back({{"role", one.role}, {"content", one.text}});
    }
    const Json body{{"model", name_}, {"messages", std::move(messages)}};
    Post request;
    request.url = endpoint_.url;
    request.json = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    request.key = key_;
    request.direct = endpoint_.isHere;
    request.seconds = seconds_;
    const Answer answer = post(request);
    if (!answer.problem.empty()) return no(answer.problem);
    if (answer.status != 200) return no(refusal(answer.status));
    return read(answer.body);
  }

 private:
  [[nodiscard]] Reply no(std::string_view why) const {
    return {{}, fmt::format("`{}` at {}: {}", name_, endpoint_.host, why)};
  }
  /// Of the server's own words none: some repeat a part of the key.
  static std::string refusal(long status) {
    const std::string_view hint = status == 401 || status == 403 ? ": is COULER_MODEL_KEY right?"
                                  : status == 404 ? ": are COULER_MODEL_URL and COULER_MODEL right?"
                                  : status == 429 ? ": too many requests, or nothing left to spend"
                                  : status >= 300 && status < 400 ? ", a redirect, and none is followed"
                                                                  : "";
    return fmt::format("the server answers with status {}{}", status, hint);
  }
  [[nodiscard]] Reply read(const std::string& body) const {
    const Json json = Json::parse(body, nullptr, false);
    const Json* at = &json;
    if (at->is_object() && at->contains("choices")) at = &(*at)["choices"];
    if (at->is_array() && !at->empty()) at = &(*at)[0];
    const bool cut = at->is_object() && at->value("finish_reason", Json()) == "length";
    if (at->is_object() && at->contains("message")) at = &(*at)["message"];
    if (at->is_object() && at->contains("content")) at = &(*at)["content"];
    if (!at->is_string()) return no("the server's answer is no chat completion");
    if (cut) return no("the model's answer is cut off");
    return {at->get<std::string>(), {}};
  }

  std::string name_;
  Endpoint endpoint_;
  std::string key_;
  long seconds_;
};

}  // namespace

Configured modelFromEnvironment() {
  constexpr long kUsual = 60;
  constexpr long kMost = 600;
  Configured made;
  const std::string_view url = setting("COULER_MODEL_URL");
  if (url.empty()) return made;
  auto endpoint = readUrl(url, made.problem);
  if (!endpoint) return made;
  const std::string_view name = setting("COULER_MODEL");
  const std::string_view key = setting("COULER_MODEL_KEY");
  const std::string_view limit = setting("COULER_MODEL_TIMEOUT");
  long seconds = kUsual;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), seconds);
  const bool isNumber = error == std::errc() && end == limit.data() + limit.size();
  if (name.empty() || name.size() > 200 || !isPlain(name)) {
    made.problem = "COULER_MODEL names no model";
  } else if (!isPlain(key)) {
    made.problem = "COULER_MODEL_KEY has a blank or another character that no key has";
  } else if (!key.empty() && !endpoint->isSafe && !endpoint->isHere) {
    made.problem = "the key is sent by https alone, or to this machine: write https in COULER_MODEL_URL";
  } else if (!limit.empty() && (!isNumber || seconds < 1 || seconds > kMost)) {
    made.problem = fmt::format("COULER_MODEL_TIMEOUT is no number of seconds from 1 to {}", kMost);
  } else {
    made.model = std::make_unique<Chat>(std::string(name), std::move(*endpoint), std::string(key), seconds);
  }
  return made;
}

}  // namespace couler::assist
