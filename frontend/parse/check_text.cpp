#include "frontend/parse/check_text.h"

#include <algorithm>
#include <iterator>

#include "support/text.h"

namespace couler::parse {
namespace {

/// The first line that says something, as a Common Workflow Language reader would see it.
std::string_view firstLine(std::string_view text, std::uint32_t& begin) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    const std::size_t start = line.find_first_not_of(" \t\r");
    const bool shebang = line.starts_with("#!/usr/bin/env cwl-runner");
    const bool skipped = start == std::string_view::npos || (line[start] == '#' && !shebang) ||
                         line.substr(start).starts_with("//") || line.starts_with("---");
    if (!skipped) {
      begin = static_cast<std::uint32_t>(at);
      return line;
    }
    at = end + 1;
  }
  return {};
}

/// Keys that a Common Workflow Language document may begin with. No line of ours begins with a word
/// and a colon outside of all brackets.
constexpr std::string_view kDocumentKeys[] = {
    "$graph", "$namespaces", "$schemas", "baseCommand", "class",   "cwlVersion",   "doc",  "hints",
    "id",     "inputs",      "intent",   "label",       "outputs", "requirements", "steps"};

bool isCommonWorkflowLanguage(std::string_view line) {
  if (line.starts_with("#!/usr/bin/env cwl-runner") || line.starts_with('{')) return true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view key = line.substr(0, colon);
  if (key.size() > 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front()) {
    key = key.substr(1, key.size() - 2);
  }
  return std::find(std::begin(kDocumentKeys), std::end(kDocumentKeys), key) !=
         std::end(kDocumentKeys);
}

}  // namespace

std::optional<std::uint32_t> checkText(ErrorLog& log, const ParseLimits& limits) {
  const std::string_view text = log.text();
  if (text.size() > limits.maxBytes) {
    log.report(diagnose<Diag::FileTooLarge>(log.span(0, 0), text.size(), limits.maxBytes));
    return std::nullopt;
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    const auto at = static_cast<std::uint32_t>(nul);
    log.report(diagnose<Diag::NulByte>(log.span(at, at + 1)).note("is this a text file?"));
    return std::nullopt;
  }
  if (const auto bad = findInvalidUtf8(text)) {
    const auto at = static_cast<std::uint32_t>(*bad);
    log.report(diagnose<Diag::NotUtf8>(log.span(at, at + 1),
                                       static_cast<unsigned>(static_cast<unsigned char>(text[at])))
                   .note("source files are UTF-8"));
    return std::nullopt;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end - at > limits.maxLineBytes) {
      const auto begin = static_cast<std::uint32_t>(at);
      log.report(diagnose<Diag::LineTooLong>(log.span(begin, begin + 1), limits.maxLineBytes));
      return std::nullopt;
    }
    at = end + 1;
  }
  const std::uint32_t start = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  std::uint32_t lineBegin = 0;
  const std::string_view line = firstLine(text.substr(start), lineBegin);
  if (isCommonWorkflowLanguage(line)) {
    lineBegin += start;
    std::size_t length = line.size();
    while (length > 0 && line[length - 1] == '\r') --length;
    log.report(
        diagnose<Diag::CommonWorkflowLanguage>(
            log.span(lineBegin, lineBegin + static_cast<std::uint32_t>(length)))
            .note("both kinds of file end in `.cwl`; a Couler program begins with `couler 1`"));
    return std::nullopt;
  }
  return start;
}

}  // namespace couler::parse
