#pragma once

#include <map>
#include <string>

#include "lsp/forecast.h"
#include "lsp/protocol/convert.h"

namespace couler::lsp {

/// What forecasts say of a document. Places are names, so that it is still right where something else
/// is being typed.
struct Outlook {
  struct Work {
    std::size_t steps = 0, runs = 0;
    std::size_t measured = 0;  ///< of those that run
    double seconds = 0;        ///< that these last took
    friend bool operator==(const Work&, const Work&) = default;
  };
  std::map<std::string, Work, std::less<>> workflows;   ///< by name
  std::map<std::string, Work, std::less<>> statements;  ///< by workflow and path: `main/trials/fitted`
  friend bool operator==(const Outlook&, const Outlook&) = default;
};

[[nodiscard]] Outlook outlookOf(const Snapshot& snapshot, const std::vector<Forecast>& forecasts);
/// `will run again: 14 steps`, at the ends of lines.
void addOutlookHints(const View& view, const Outlook& outlook, std::uint32_t from, std::uint32_t to,
                     Json& hints);
/// `14 of 20 steps run, about 3 min`; empty where nothing is known of the workflow.
[[nodiscard]] std::string outlookText(const Outlook& outlook, std::string_view workflow);

}  // namespace couler::lsp
