#include "lsp/assist/http.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

namespace couler::assist {

namespace {

/// libcurl brings so many libraries that starting `couler` would take twice as long.
struct Curl {
  decltype(&curl_global_init) globalInit = nullptr;
  decltype(&curl_easy_init) init = nullptr;
  decltype(&curl_easy_setopt) set = nullptr;
  decltype(&curl_easy_perform) perform = nullptr;
  decltype(&curl_easy_getinfo) info = nullptr;
  decltype(&curl_easy_strerror) words = nullptr;
  decltype(&curl_easy_cleanup) cleanup = nullptr;
  decltype(&curl_slist_append) append = nullptr;
  decltype(&curl_slist_free_all) freeAll = nullptr;
  std::string problem;
};

/// Never unloaded.
const Curl& curl() {
  static const Curl kLoaded = [] {
    Curl made;
    void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      made.problem = fmt::format("it takes libcurl ({})", ::dlerror());
      return made;
    }
    const auto find = [&](auto& to, const char* name) {
      to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(::dlsym(library, name));
      if (to == nullptr) made.problem = fmt::format("libcurl lacks {}", name);
    };
    find(made.globalInit, "curl_global_init");
    find(made.init, "curl_easy_init");
    find(made.set, "curl_easy_setopt");
    find(made.perform, "curl_easy_perform");
    find(made.info, "curl_easy_getinfo");
    find(made.words, "curl_easy_strerror");
    find(made.cleanup, "curl_easy_cleanup");
    find(made.append, "curl_slist_append");
    find(made.freeAll, "curl_slist_free_all");
    if (made.problem.empty() && made.globalInit(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      made.problem = "libcurl does not start";
    }
    return made;
  }();
  return kLoaded;
}

struct Body {
  std::string text;
  std::size_t most;
  bool tooLong = false;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<Body*>(to);
  const std::size_t bytes = size * count;
  body.tooLong = bytes > body.most - body.text.size();
  if (body.tooLong) return 0;
  body.text.append(data, bytes);
  return bytes;
}

}  // namespace

Answer post(const Post& request) {
  const Curl& lib = curl();
  Answer answer;
  answer.problem = lib.problem;
  if (!answer.problem.empty()) return answer;
  CURL* handle = lib.init();
  curl_slist* headers = nullptr;
  for (const std::string& header :
       {std::string("Content-Type: application/json"), std::string("Expect:"),
        request.key.empty() ? std::string() : "Authorization: Bearer " + request.key}) {
    if (!header.empty()) headers = lib.append(headers, header.c_str());
  }
  Body body{{}, request.mostBytes};
  std::array<char, CURL_ERROR_SIZE> words{};
  lib.set(handle, CURLOPT_ERRORBUFFER, words.data());
  lib.set(handle, CURLOPT_URL, request.url.c_str());
  lib.set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  lib.set(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  lib.set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  if (request.direct) lib.set(handle, CURLOPT_PROXY, "");
  lib.set(handle, CURLOPT_NOSIGNAL, 1L);
  lib.set(handle, CURLOPT_TIMEOUT, request.seconds);
  lib.set(handle, CURLOPT_CONNECTTIMEOUT, std::min(request.seconds, 15L));
  lib.set(handle, CURLOPT_HTTPHEADER, headers);
  lib.set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.json.size()));
  lib.set(handle, CURLOPT_POSTFIELDS, request.json.c_str());
  lib.set(handle, CURLOPT_WRITEFUNCTION, take);
  lib.set(handle, CURLOPT_WRITEDATA, &body);
  const CURLcode code = lib.perform(handle);
  if (code == CURLE_OK) {
    lib.info(handle, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.body = std::move(body.text);
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    answer.problem = fmt::format("there was no answer within {} s", request.seconds);
  } else if (body.tooLong) {
    answer.problem = fmt::format("the answer has more than {} bytes", request.mostBytes);
  } else {
    answer.problem = words[0] != '\0' ? words.data() : lib.words(code);
  }
  lib.freeAll(headers);
  lib.cleanup(handle);
  return answer;
}

}  // namespace couler::assist
