#pragma once

#include <cstddef>
#include <string>

namespace couler::assist {

struct Post {
  std::string url;  ///< http or https
  std::string json;
  std::string key;  ///< sent as a bearer token; empty: none
  bool direct = false;  ///< past any proxy: the host is this machine
  long seconds = 60;
  std::size_t mostBytes = 1U << 20U;  ///< of the answer
};

struct Answer {
  long status = 0;
  std::string body;
  std::string problem;  ///< not empty: there is no answer; never has the key in it
};

/// One request. Redirects are answers like any other: none is followed. libcurl is loaded at the
/// first.
[[nodiscard]] Answer post(const Post& request);

}  // namespace couler::assist
