#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

/// Where the cells and rows of CSV text end.
namespace couler::column {

/// Scans text block by block and keeps the positions of what ends cells: separators and line feeds
/// outside quotes. As Python's csv module, it takes a quote for one only at the start of a cell.
/// Positions are offsets from the start of the caller's text, below 2^32.
class CsvScanner {
 public:
  /// Cell k of those found since `begin` spans [ends()[k] + 1, ends()[k + 1]).
  [[nodiscard]] const std::uint32_t* ends() const { return ends_.get(); }
  /// Row r has the cells [rowCells()[r - 1], rowCells()[r]), from 0 for r = 0.
  [[nodiscard]] const std::uint32_t* rowCells() const { return rows_.get(); }
  [[nodiscard]] std::size_t rows() const { return rowCount_; }
  /// Where the row begins that is not whole yet.
  [[nodiscard]] std::size_t openRow() const;
  /// Where the cell begins that is not whole yet.
  [[nodiscard]] std::size_t openCell() const {
    return static_cast<std::uint32_t>(ends_[cellCount_] + 1);
  }
  [[nodiscard]] bool inQuotes() const { return state_ == State::Quoted; }
  /// Line feeds scanned, in quotes or not.
  [[nodiscard]] std::int64_t lines() const { return lines_; }
  /// Whether text scanned by the last `scan`, or the open row, has bytes above 127.
  [[nodiscard]] bool sawHighBytes() const { return highBytes_; }

  /// Starts at the beginning of a row at `offset`. False when there is no memory.
  [[nodiscard]] bool begin(std::size_t offset, std::size_t sliceBytes);
  /// Forgets the whole rows; the text from the open row on has moved `by` bytes to the front.
  void consume(std::size_t by);
  /// Scans on: `size` bytes at `text + from`, a multiple of 64 but at the end of the text. 64 bytes
  /// past them are readable. False when there is no memory.
  [[nodiscard]] bool scan(const char* text, std::size_t from, std::size_t size);

  /// Bits of 64 bytes.
  struct Block {
    std::uint64_t quotes;
    std::uint64_t commas;
    std::uint64_t feeds;
  };
  /// Fills a Block for each 64 bytes; whether any byte is above 127.
  using Classify = bool (*)(const char* text, std::size_t blocks, Block* out);
  /// For tests: does without what only some processors have.
  void usePortable();

 private:
  enum class State : std::uint8_t { CellStart, Plain, Quoted, QuoteInQuoted };

  /// The commas and feeds outside quotes; moves `state_` on.
  std::uint64_t structure(const Block& block, std::size_t size);
  std::uint64_t structureByBytes(const Block& block, std::size_t size);
  static void indexWide(CsvScanner& scanner, const Block* blocks, std::size_t from,
                        std::size_t size);
  static void indexPlain(CsvScanner& scanner, const Block* blocks, std::size_t from,
                         std::size_t size);
  [[gnu::always_inline]] inline void index(const Block* blocks, std::size_t from, std::size_t size);
  [[nodiscard]] bool reserve(std::size_t cells);

  std::unique_ptr<std::uint32_t[]> ends_;  // [0]: before the first cell
  std::unique_ptr<std::uint32_t[]> rows_;
  std::size_t cellCount_ = 0, rowCount_ = 0, capacity_ = 0;
  std::int64_t lines_ = 0;
  State state_ = State::CellStart;
  bool highBytes_ = false;
  bool openHighBytes_ = false;  // in what was scanned of the open row, or near it
  bool portable_ = false;
};

}  // namespace couler::column
