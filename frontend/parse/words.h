#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "frontend/parse/token.h"

/// Tables over tokens: which words mean what where, which tokens can begin or end what.
namespace couler::parse {

struct Word {
  std::string_view text;
  std::uint16_t type;
};

[[nodiscard]] std::span<const Word> declarationWords();  ///< `task`, `import`, …
[[nodiscard]] std::span<const Word> taskWords();         ///< attributes of a task
[[nodiscard]] std::span<const Word> transformWords();    ///< statements of a transform
[[nodiscard]] std::span<const Word> statementWords();    ///< reserved words that begin a statement
[[nodiscard]] std::span<const std::string_view> unitWords();
/// Words that are nothing else anywhere: `let`, `and`, …; the grammar's own list.
[[nodiscard]] std::span<const std::string_view> reservedWords();
/// Words of the language in their place, and names elsewhere: `task`, `where`, `maximize`, ….
[[nodiscard]] std::span<const std::string_view> placedWords();

/// The word's token type in the table; 0 when it is not there.
[[nodiscard]] std::uint16_t find(std::span<const Word> table, std::string_view text);
[[nodiscard]] std::vector<std::string_view> texts(std::span<const Word> table);
[[nodiscard]] bool isUnit(std::string_view text);

[[nodiscard]] bool isReservedWord(std::uint16_t type);
[[nodiscard]] bool isReservedWord(std::string_view text);
[[nodiscard]] bool isOpener(std::uint16_t type);  ///< ( [ { and an interpolation's {
[[nodiscard]] bool isCloser(std::uint16_t type);
/// After it a newline ends nothing: an operator, a comma, an opening bracket, …
[[nodiscard]] bool goesOn(std::uint16_t type);
[[nodiscard]] bool endsOperand(std::uint16_t type);
/// A literal or a name: two in a row can never be right, but for words with a meaning of their own.
[[nodiscard]] bool isPlainOperand(std::uint16_t type);

}  // namespace couler::parse
