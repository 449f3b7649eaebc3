#include <algorithm>
#include <cctype>
#include <string>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "explain_data.h"
#include "ir/builtins.h"
#include "support/text.h"

namespace couler::driver {
namespace {

/// `301`, `0301`, `cw0301` and `CW0301` are one code.
std::string normalized(std::string word) {
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const bool digits = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isdigit(c) != 0;
  });
  if (digits && word.size() <= 4) word = "CW" + std::string(4 - word.size(), '0') + word;
  return word;
}

int list() {
  for (const DiagInfo& row : diagnosticTable()) {
    std::string title(row.text);
    for (const auto& [stem, page] : explain_data::files()) {
      if (stem != row.code) continue;
      const std::size_t colon = page.find(": ");
      const std::size_t end = page.find('\n');
      if (colon < end) title = std::string(page.substr(colon + 2, end - colon - 2));
    }
    printOut(fmt::format("{} {:<7} {}\n", row.code, wordOf(row.severity), title));
  }
  return kOk;
}

int builtins() {
  for (const ir::BuiltinInfo& row : ir::builtinTable()) {
    if (std::isalpha(static_cast<unsigned char>(row.name.front())) == 0) continue;
    printOut(fmt::format("{}{}\n    {}\n", row.name, row.signature, row.doc));
  }
  return kOk;
}

}  // namespace

int runExplain(const Invocation& invocation) {
  const std::string& word = invocation.words.front();
  if (word == "list") return list();
  if (word == "builtins") return builtins();
  const std::string code = normalized(word);
  for (const auto& [stem, page] : explain_data::files()) {
    if (stem != code) continue;
    printOut(page);
    if (!page.ends_with('\n')) printOut("\n");
    return kOk;
  }
  const auto& table = diagnosticTable();
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const DiagInfo& r) { return r.code == code; });
  if (row != table.end()) {
    printOut(fmt::format("# {}: {}\n", row->code, row->text));
    return kOk;
  }
  Diagnostic diagnostic = diagnose<Diag::UnknownCode>({}, word);
  std::vector<std::string_view> codes;
  for (const DiagInfo& info : table) codes.push_back(info.code);
  if (const auto near = nearest(code, codes)) diagnostic.note("did you mean `" + *near + "`?");
  return complain(std::move(diagnostic).note("`couler explain list` lists them all"), kUsage);
}

}  // namespace couler::driver
