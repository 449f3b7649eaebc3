#include "lsp/workspace/uri.h"

#include <charconv>

#include <fmt/format.h>

#include "frontend/session_paths.h"

namespace couler::lsp {

std::string pathOf(std::string_view uri) {
  constexpr std::string_view kFile = "file://";
  if (!uri.starts_with(kFile)) return std::string(uri);
  std::string_view rest = uri.substr(kFile.size());
  rest.remove_prefix(std::min(rest.find('/'), rest.size()));  // a host is this one
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    unsigned byte = 0;
    if (rest[i] == '%' && i + 2 < rest.size() + 0 &&
        std::from_chars(rest.data() + i + 1, rest.data() + i + 3, byte, 16).ptr ==
            rest.data() + i + 3) {
      path += static_cast<char>(byte);
      i += 2;
    } else {
      path += rest[i];
    }
  }
  return normalPath(path);
}

bool isProgram(std::string_view name) {
  return name.ends_with(".cwl") || name.ends_with(".couler");
}

std::string uriOf(std::string_view path) {
  if (!path.starts_with('/')) return std::string(path);
  std::string uri = "file://";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return uri;
}

}  // namespace couler::lsp
