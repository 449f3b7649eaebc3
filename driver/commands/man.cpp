#include <string>

#include "driver/command.h"
#include "driver/console.h"

namespace couler::driver {
namespace {

/// Text for roff: backslashes and dashes escaped; a line may not begin with a dot or a quote.
std::string roff(std::string_view text) {
  std::string result;
  bool lineStart = true;
  for (const char c : text) {
    if (lineStart && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '`') {
      result += "\\(ga";
    } else if (c == '\'') {
      result += "\\(aq";
    } else if (c == '~') {
      result += "\\(ti";
    } else if (c == '^') {
      result += "\\(ha";
    } else {
      result += c;
    }
    lineStart = c == '\n';
  }
  return result;
}

void optionEntry(const Option& option, std::string& page) {
  page += ".TP\n.B ";
  if (option.letter != 0) page += roff(std::string("-") + option.letter + ", ");
  page += roff("--" + std::string(option.name));
  if (option.arity == Arity::OptionalValue) page += roff("[=" + std::string(option.argument) + "]");
  if (option.arity == Arity::Value || option.arity == Arity::Many) {
    page += " " + roff(option.argument);
  }
  page += "\n" + roff(option.help) + "\n";
  if (!option.choices.empty()) page += "Values: " + roff(option.choices) + ".\n";
}

}  // namespace

int runMan(const Invocation& /*invocation*/) {
  std::string page = ".TH COULER 1 \"\" \"couler " COULER_VERSION
                     "\" \"User Commands\"\n"
                     ".SH NAME\ncouler \\- one typed language for ML and data workflows\n"
                     ".SH SYNOPSIS\n.B couler\n.I COMMAND\n[options]\n"
                     ".SH DESCRIPTION\n"
                     "Checks, runs, and translates workflows written in the Couler language.\n"
                     ".SH COMMANDS\n";
  for (const Command& command : commandTable()) {
    page += ".SS couler " + roff(command.usage) + "\n" + roff(command.summary) + ".\n";
    if (!command.details.empty()) page += roff(command.details) + "\n";
    for (const Option& option : optionsOf(command)) optionEntry(option, page);
    page += ".PP\nExample:\n.PP\n.nf\n.RS\n" + roff(command.example) + "\n.RE\n.fi\n";
  }
  page +=
      ".SH EXIT STATUS\n"
      ".TP\n.B 0\nAll went well.\n"
      ".TP\n.B 1\nThe program has errors, or the run failed.\n"
      ".TP\n.B 2\nThe command line is wrong.\n"
      ".TP\n.B 3\nA fault of couler itself.\n"
      ".SH ENVIRONMENT\n"
      ".TP\n.B NO_COLOR\nWhen set and not empty, messages have no colours.\n"
      ".SH FILES\n"
      ".TP\n.I .couler/\nThe run history and the outputs of steps.\n";
  printOut(page);
  return kOk;
}

}  // namespace couler::driver
