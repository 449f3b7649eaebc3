#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "driver/command.h"

namespace couler::driver {
namespace {

constexpr std::size_t kHelpWidth = 66;

std::string spelling(const Option& option) {
  std::string text = option.letter != 0 ? fmt::format("-{}, ", option.letter) : std::string("    ");
  text += "--" + std::string(option.name);
  if (option.arity == Arity::OptionalValue) text += "[=" + std::string(option.argument) + "]";
  if (option.arity == Arity::Value || option.arity == Arity::Many) {
    text += " " + std::string(option.argument);
  }
  return text;
}

std::string optionHelp(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) {
    std::string choices(option.choices);
    std::replace(choices.begin(), choices.end(), '|', ' ');
    for (std::size_t at = 0; (at = choices.find(' ', at)) != std::string::npos; at += 2) {
      choices.replace(at, 1, ", ");
    }
    text += " (" + choices + ")";
  }
  return text;
}

/// `text` in lines of at most `width`, all but the first indented.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
  std::string result;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (column != 0 && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    } else if (column != 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  }
  return result;
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    result += "  " + std::string(text.substr(0, end)) + "\n";
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return result;
}

}  // namespace

std::string helpText(const Command& command) {
  std::string text = fmt::format("couler {}: {}\n\nusage: couler {}\n", command.name,
                                 command.summary, command.usage);
  if (!command.details.empty()) text += "\n" + std::string(command.details) + "\n";
  const std::vector<Option> options = optionsOf(command);
  std::size_t width = 0;
  for (const Option& option : options) width = std::max(width, spelling(option).size());
  text += "\noptions:\n";
  for (const Option& option : options) {
    text += fmt::format("  {:<{}}  {}\n", spelling(option), width,
                        wrap(optionHelp(option), kHelpWidth, width + 4));
  }
  text += "\nexample:\n" + indented(command.example);
  return text;
}

std::string overviewText() {
  std::string text =
      "couler: one typed language for ML and data workflows\n\nusage: couler COMMAND [options]\n\n"
      "commands:\n";
  for (const Command& command : commandTable()) {
    text += fmt::format("  {:<10}  {}\n", command.name, command.summary);
  }
  text +=
      "\n`couler help COMMAND` tells more. Ends with 0 when all went well, 1 when the program has\n"
      "errors or the run failed, 2 when the command line is wrong, 3 on a fault of couler "
      "itself.\n";
  return text;
}

}  // namespace couler::driver
