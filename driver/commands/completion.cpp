#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"

namespace couler::driver {
namespace {

std::string spaced(std::string_view choices) {
  std::string text(choices);
  std::replace(text.begin(), text.end(), '|', ' ');
  return text;
}

/// In single quotes for bash, zsh and fish; the texts of the table hold no control characters.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

bool takesFile(const Option& option) { return option.argument == "FILE"; }
bool takesFolder(const Option& option) { return option.argument == "DIR"; }
bool takesValue(const Option& option) {
  return option.arity == Arity::Value || option.arity == Arity::Many;
}

std::string commandNames() {
  std::string names;
  for (const Command& command : commandTable()) {
    if (!names.empty()) names += ' ';
    names += command.name;
  }
  return names;
}

std::string bashScript() {
  std::string cases;
  for (const Command& command : commandTable()) {
    std::string options;
    std::string values;
    for (const Option& option : optionsOf(command)) {
      options += fmt::format("--{} ", option.name);
      std::string action;
      if (!option.choices.empty() && takesValue(option)) {
        action = fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", spaced(option.choices));
      } else if (takesFile(option)) {
        action = "_couler_files";
      } else if (takesFolder(option)) {
        action = "_couler_folders";
      } else if (takesValue(option)) {
        action = "COMPREPLY=()";
      }
      if (action.empty()) continue;
      std::string pattern = fmt::format("--{}", option.name);
      if (option.letter != 0) pattern += fmt::format("|-{}", option.letter);
      values += fmt::format("        {}) {}; return ;;\n", pattern, action);
    }
    std::string words;
    switch (command.words) {
      case Words::Source:
      case Words::Sources:
        words = "_couler_files";
        break;
      case Words::Folder:
        words = "_couler_folders";
        break;
      case Words::Command:
        words = fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", commandNames());
        break;
      case Words::Shell:
        words = "COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\"))";
        break;
      case Words::Code:
        words =
            "COMPREPLY=($(compgen -W \"list $(couler explain list 2>/dev/null | cut -d' ' -f1)\" "
            "-- \"$word\"))";
        break;
      case Words::None:
      case Words::Other:
        words = "COMPREPLY=()";
        break;
    }
    cases += fmt::format(
        "    {})\n      case \"$before\" in\n{}        *) ;;\n      esac\n"
        "      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n"
        "      else {}; fi ;;\n",
        command.name, values, options, words);
  }
  return fmt::format(
      "# bash completion of couler; load it with: source <(couler completion bash)\n"
      "_couler_files() {{ compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); "
      "}}\n"
      "_couler_folders() {{ compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "
      "\"$word\"); }}\n"
      "_couler() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  if (( COMP_CWORD == 1 )); then\n"
      "    COMPREPLY=($(compgen -W '{}' -- \"$word\")); return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}  esac\n"
      "}}\n"
      "complete -F _couler couler\n",
      commandNames(), cases);
}

/// For `_arguments` a colon and a bracket end a description.
std::string zshText(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zshScript() {
  std::string commands;
  std::string cases;
  for (const Command& command : commandTable()) {
    commands +=
        fmt::format("    {}\n", quoted(fmt::format("{}:{}", command.name, command.summary)));
    std::string rows;
    for (const Option& option : optionsOf(command)) {
      std::string value;
      const std::string choices =
          option.choices.empty() ? "" : fmt::format("({})", spaced(option.choices));
      const std::string_view action = takesFile(option)     ? "_files"
                                      : takesFolder(option) ? "_files -/"
                                                            : std::string_view(choices);
      if (takesValue(option)) value = fmt::format(":{}:{}", option.argument, action);
      if (option.arity == Arity::OptionalValue) {
        value = fmt::format("::{}:{}", option.argument, action);
      }
      const std::string_view sign = option.arity == Arity::OptionalValue ? "=-"
                                    : takesValue(option)                 ? "="
                                                                         : "";
      const std::string_view many = option.arity == Arity::Many ? "*" : "";
      rows +=
          fmt::format(" \\\n        {}", quoted(fmt::format("{}--{}{}[{}]{}", many, option.name,
                                                            sign, zshText(option.help), value)));
    }
    std::string words;
    switch (command.words) {
      case Words::Source:
      case Words::Sources:
        words = "*:file:_files";
        break;
      case Words::Folder:
        words = "1:folder:_files -/";
        break;
      case Words::Command:
        words = fmt::format("1:command:({})", commandNames());
        break;
      case Words::Shell:
        words = "1:shell:(bash zsh fish)";
        break;
      case Words::Code:
        words = "1:code:(list)";
        break;
      case Words::Other:
        words = "*:word: ";
        break;
      case Words::None:
        break;
    }
    if (!words.empty()) rows += " \\\n        " + quoted(words);
    cases += fmt::format("    {})\n      _arguments{} ;;\n", command.name, rows);
  }
  return fmt::format(
      "#compdef couler\n"
      "# zsh completion of couler; put it as _couler into a folder of $fpath\n"
      "_couler() {{\n"
      "  local -a commands\n  commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
      "  local chosen=$words[2]\n"
      "  shift words\n  (( CURRENT-- ))\n"
      "  case $chosen in\n{}  esac\n"
      "}}\n"
      "if [[ $funcstack[1] == _couler ]]; then _couler \"$@\"; else compdef _couler couler; fi\n",
      commands, cases);
}

std::string fishScript() {
  std::string text =
      "# fish completion of couler; put it into ~/.config/fish/completions/couler.fish\n"
      "complete -c couler -f\n";
  for (const Command& command : commandTable()) {
    text += fmt::format("complete -c couler -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        quoted(command.summary));
    const std::string inside = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
    for (const Option& option : optionsOf(command)) {
      text += fmt::format("complete -c couler {} -l {}", inside, option.name);
      if (option.letter != 0) text += fmt::format(" -s {}", option.letter);
      if (takesValue(option)) text += takesFile(option) || takesFolder(option) ? " -r -F" : " -x";
      if (!option.choices.empty()) text += " -a " + quoted(spaced(option.choices));
      text += " -d " + quoted(option.help) + "\n";
    }
    switch (command.words) {
      case Words::Source:
      case Words::Sources:
      case Words::Folder:
        text += fmt::format("complete -c couler {} -F\n", inside);
        break;
      case Words::Command:
        text += fmt::format("complete -c couler {} -a {}\n", inside, quoted(commandNames()));
        break;
      case Words::Shell:
        text += fmt::format("complete -c couler {} -a 'bash zsh fish'\n", inside);
        break;
      case Words::Code:
        text += fmt::format(
            "complete -c couler {} -a '(couler explain list 2>/dev/null | string split -f1 \" "
            "\")'\n",
            inside);
        break;
      case Words::None:
      case Words::Other:
        break;
    }
  }
  return text;
}

}  // namespace

int runCompletion(const Invocation& invocation) {
  const std::string& shell = invocation.words.front();
  if (shell == "bash") {
    printOut(bashScript());
  } else if (shell == "zsh") {
    printOut(zshScript());
  } else if (shell == "fish") {
    printOut(fishScript());
  } else {
    return complain(diagnose<Diag::BadCommandWords>(
                        {}, "completion", "knows bash, zsh and fish, found `" + shell + "`"),
                    kUsage);
  }
  return kOk;
}

}  // namespace couler::driver
