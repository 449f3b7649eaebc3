#include <gtest/gtest.h>

#include "lsp/protocol/positions.h"
#include "lsp/rpc/message_reader.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/snapshot.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {
namespace {

TEST(MessageReader, TakesTheStreamApartWhereverItIsCut) {
  const std::string stream = framed("{\"a\":1}") + "content-type: x\r\nCONTENT-LENGTH:  2\r\n\r\n{}" +
                             framed("") + framed("\"\xC3\xA9\"");
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    MessageReader reader;
    std::vector<std::string> bodies;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view(stream).substr(at, piece));
      while (auto body = reader.next()) bodies.push_back(*body);
    }
    EXPECT_EQ(bodies, (std::vector<std::string>{"{\"a\":1}", "{}", "", "\"\xC3\xA9\""})) << piece;
    EXPECT_EQ(reader.error(), "");
  }
}

TEST(MessageReader, SaysWhatIsNoHeader) {
  for (const char* bad : {"Content-Length: x\r\n\r\n", "Content-Length: -1\r\n\r\n", "nothing\r\n\r\n",
                          "Other: 1\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n"}) {
    MessageReader reader;
    reader.feed(bad);
    EXPECT_FALSE(reader.next().has_value()) << bad;
    EXPECT_NE(reader.error(), "") << bad;
  }
  MessageReader endless;
  endless.feed(std::string(MessageReader::kMaxHeader + 1, 'x'));
  EXPECT_FALSE(endless.next().has_value());
  EXPECT_NE(endless.error(), "");
}

TEST(Positions, CountUtf16AndBytes) {
  // 1, 2, 3 and 4 bytes; the last takes two UTF-16 units.
  const std::string text = "a\u00e9\u20ac\U0001f600z\r\nb\rc\n";
  const Lines lines(text);
  EXPECT_EQ(lines.count(), 4U);
  const std::uint32_t starts[] = {0, 1, 3, 6, 10};
  const std::uint32_t units[] = {0, 1, 2, 3, 5};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(lines.position(text, starts[i], Encoding::Utf16), (Position{0, units[i]}));
    EXPECT_EQ(lines.offset(text, {0, units[i]}, Encoding::Utf16), starts[i]);
    EXPECT_EQ(lines.position(text, starts[i], Encoding::Utf8), (Position{0, starts[i]}));
    EXPECT_EQ(lines.offset(text, {0, starts[i]}, Encoding::Utf8), starts[i]);
  }
  EXPECT_EQ(lines.offset(text, {0, 4}, Encoding::Utf16), 6U) << "within the pair: its start";
  EXPECT_EQ(lines.offset(text, {0, 8}, Encoding::Utf8), 6U) << "within the bytes: their start";
  EXPECT_EQ(lines.offset(text, {0, 99}, Encoding::Utf16), 11U) << "the end, before the break";
  EXPECT_EQ(lines.offset(text, {1, 0}, Encoding::Utf16), 13U);
  EXPECT_EQ(lines.offset(text, {2, 1}, Encoding::Utf16), 16U);
  EXPECT_EQ(lines.offset(text, {77, 0}, Encoding::Utf16), text.size());
}

TEST(Uri, ThereAndBack) {
  EXPECT_EQ(pathOf("file:///a%20b/c%C3%A9.cwl"), "/a b/c\u00e9.cwl");
  EXPECT_EQ(uriOf("/a b/c\u00e9#.cwl"), "file:///a%20b/c%C3%A9%23.cwl");
  EXPECT_EQ(pathOf("file://host/x/../y.cwl"), "/y.cwl");
  EXPECT_EQ(pathOf("untitled:Untitled-1"), "untitled:Untitled-1");
  EXPECT_EQ(uriOf("untitled:Untitled-1"), "untitled:Untitled-1");
  EXPECT_EQ(pathOf("file:///a%"), "/a%") << "what is no encoding stays";
}

TEST(Scan, KnowsTextsAndWhatIsInThem) {
  const std::string text = "let a = \"x {b + \"in {c}\"} y\" // end\n\"\"\"raw {x}\"\"\" r\"re{2}\" 1.5 |> /// doc\n\"open";
  std::vector<std::string> found;
  for (const Piece& piece : scan(text)) {
    found.push_back(std::to_string(static_cast<int>(piece.kind)) + std::string(piece.in(text)));
  }
  EXPECT_EQ(found, (std::vector<std::string>{
                       "0let", "0a", "6=", "2\"x {", "0b", "6+", "2\"in {", "0c", "2}\"", "2} y\"",
                       "4// end", "3\"\"\"raw {x}\"\"\"", "2r\"re{2}\"", "11.5", "6|>", "5/// doc",
                       "2\"open"}));
  EXPECT_TRUE(scan(text).back().open);
}

TEST(TextShift, MapsPlaces) {
  const TextShift shift("one two three", "one twenty three");
  EXPECT_EQ(shift.forward(3), 3U);
  EXPECT_EQ(shift.forward(8), 11U);
  EXPECT_EQ(shift.back(11), 8U);
  EXPECT_EQ(shift.back(2), 2U);
  EXPECT_EQ(shift.back(8), 6U) << "within what is new";
  const TextShift grown("aa", "aaa");
  EXPECT_EQ(grown.back(3), 2U);
  EXPECT_EQ(grown.forward(2), 2U);
}

}  // namespace
}  // namespace couler::lsp
