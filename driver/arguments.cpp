#include <algorithm>
#include <string>
#include <utility>

#include <boost/program_options.hpp>

#include "driver/command.h"
#include "support/text.h"

namespace couler::driver {
namespace {

namespace po = boost::program_options;

constexpr const char* kWords = "words";

po::options_description describe(const std::vector<Option>& options) {
  po::options_description description;
  for (const Option& option : options) {
    std::string names(option.name);
    if (option.letter != 0) names += std::string(",") + option.letter;
    auto* value = po::value<std::vector<std::string>>();
    switch (option.arity) {
      case Arity::Flag:
        value->zero_tokens();
        break;
      case Arity::OptionalValue:
        value->implicit_value({std::string(option.implied)}, "");
        break;
      case Arity::Value:
      case Arity::Many:
        break;
    }
    description.add_options()(names.c_str(), value, "");
  }
  description.add_options()(kWords, po::value<std::vector<std::string>>(), "");
  return description;
}

/// "human|json" as "`human` or `json`".
std::string choiceText(std::string_view choices) {
  std::string text;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    const bool last = bar == std::string_view::npos;
    if (!text.empty()) text += last ? " or " : ", ";
    text += "`" + std::string(choices.substr(0, bar)) + "`";
    choices = last ? std::string_view() : choices.substr(bar + 1);
  }
  return text;
}

std::vector<std::string_view> splitChoices(std::string_view choices) {
  std::vector<std::string_view> result;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    result.push_back(choices.substr(0, bar));
    choices = bar == std::string_view::npos ? std::string_view() : choices.substr(bar + 1);
  }
  return result;
}

Diagnostic withHelp(Diagnostic diagnostic, const Command& command) {
  return std::move(diagnostic)
      .note("`couler " + std::string(command.name) + " --help` lists the options");
}

Diagnostic unknownOption(const Command& command, const std::vector<Option>& options,
                         const std::string& written) {
  const std::string name = written.substr(std::min(written.find_first_not_of('-'), written.size()));
  Diagnostic diagnostic =
      diagnose<Diag::UnknownOption>({}, command.name, written.substr(0, written.find('=')));
  std::vector<std::string_view> names;
  for (const Option& option : options) names.push_back(option.name);
  if (const auto near = nearest(name.substr(0, name.find('=')), names)) {
    diagnostic.note("did you mean `--" + *near + "`?");
  }
  return withHelp(std::move(diagnostic), command);
}

/// False and a message when a value is none of the option's choices.
bool checkChoice(const Option& option, const std::string& value, DiagnosticSink& diags) {
  if (option.choices.empty()) return true;
  const auto choices = splitChoices(option.choices);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return true;
  Diagnostic diagnostic = diagnose<Diag::BadOptionValue>(
      {}, option.name, choiceText(option.choices) + ", found `" + value + "`");
  if (const auto near = nearest(value, choices)) diagnostic.note("did you mean `" + *near + "`?");
  diags.take(std::move(diagnostic));
  return false;
}

bool checkWordCount(const Command& command, std::size_t count, DiagnosticSink& diags) {
  if (count < command.leastWords) {
    diags.take(
        withHelp(diagnose<Diag::BadCommandWords>(
                     {}, command.name, "expects more words: couler " + std::string(command.usage)),
                 command));
    return false;
  }
  if (count > command.mostWords) {
    diags.take(
        withHelp(diagnose<Diag::BadCommandWords>(
                     {}, command.name, "expects fewer words: couler " + std::string(command.usage)),
                 command));
    return false;
  }
  return true;
}

}  // namespace

bool Invocation::has(std::string_view option) const { return options_.contains(option); }

std::string Invocation::value(std::string_view option, std::string_view fallback) const {
  const auto& all = values(option);
  return all.empty() ? std::string(fallback) : all.back();
}

const std::vector<std::string>& Invocation::values(std::string_view option) const {
  static const std::vector<std::string> kNone;
  const auto at = options_.find(option);
  return at == options_.end() ? kNone : at->second;
}

void Invocation::add(std::string_view option, std::string value) {
  options_[std::string(option)].push_back(std::move(value));
}

std::optional<Invocation> parseArguments(const Command& command,
                                         std::span<const std::string> arguments,
                                         DiagnosticSink& diags) {
  const std::vector<Option> options = optionsOf(command);
  Invocation result;
  result.command = &command;
  try {
    const po::options_description description = describe(options);
    po::positional_options_description positional;
    positional.add(kWords, -1);
    // No guessing: an abbreviation would change its meaning when an option is added.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options parsed =
        po::command_line_parser(std::vector<std::string>(arguments.begin(), arguments.end()))
            .options(description)
            .positional(positional)
            .style(style)
            .run();
    for (const auto& item : parsed.options) {
      if (item.string_key == kWords && item.position_key < 0) {
        diags.take(unknownOption(command, options, "--words"));
        return std::nullopt;
      }
      if (item.string_key == kWords) {
        result.words.insert(result.words.end(), item.value.begin(), item.value.end());
        continue;
      }
      const auto option = std::find_if(options.begin(), options.end(),
                                       [&](const Option& o) { return o.name == item.string_key; });
      if (option->arity == Arity::Value && result.has(option->name)) {
        diags.take(
            diagnose<Diag::BadOptionValue>({}, option->name, "to be given once, found it twice"));
        return std::nullopt;
      }
      std::string value = item.value.empty() ? std::string(option->implied) : item.value.front();
      if (!checkChoice(*option, value, diags)) return std::nullopt;
      result.add(option->name, std::move(value));
    }
  } catch (const po::unknown_option& error) {
    diags.take(unknownOption(command, options, error.get_option_name()));
    return std::nullopt;
  } catch (const po::error_with_option_name& error) {
    std::string name = error.get_option_name();
    name = name.substr(std::min(name.find_first_not_of('-'), name.size()));
    const auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) {
      return o.name == name || (name.size() == 1 && o.letter == name[0]);
    });
    if (option == options.end()) {
      diags.take(unknownOption(command, options, error.get_option_name()));
    } else if (option->arity == Arity::Flag) {
      diags.take(diagnose<Diag::BadOptionValue>({}, option->name, "no value, but found one"));
    } else {
      diags.take(diagnose<Diag::BadOptionValue>(
          {}, option->name,
          "a value: `--" + std::string(option->name) + " " + std::string(option->argument) + "`"));
    }
    return std::nullopt;
  } catch (const po::error& error) {
    diags.take(
        withHelp(diagnose<Diag::BadCommandWords>(
                     {}, command.name, std::string("cannot read its options: ") + error.what()),
                 command));
    return std::nullopt;
  }
  if (result.has("help")) return result;
  if (!checkWordCount(command, result.words.size(), diags)) return std::nullopt;
  return result;
}

}  // namespace couler::driver
