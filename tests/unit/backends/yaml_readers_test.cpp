#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backends/yaml_reader.h"
#include "backends/yaml_writer.h"
#include "tests/support/yaml_tree.h"

// The reader of plain YAML against libyaml: what it takes, both read alike.
namespace couler::backends {
namespace {

enum class Plain { Must, May };

/// Whether the plain reader took it.
bool compare(const std::string& text, Plain plain) {
  YamlDocument fast, reference;
  std::string error;
  const bool took = fast.readPlain(text);
  EXPECT_TRUE(took || plain == Plain::May) << text.substr(0, 2000);
  const bool sound = reference.readAny(text, error);
  if (took) {
    EXPECT_TRUE(sound) << error << "\n" << text.substr(0, 2000);
    EXPECT_EQ(testing::treeText(fast), testing::treeText(reference)) << text.substr(0, 2000);
  }
  return took;
}

std::string contentOf(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(YamlReaders, AgreeOnWhatIsEmitted) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(COULER_SOURCE_DIR "/tests/golden/argo")) {
    SCOPED_TRACE(entry.path());
    // A golden says `(program)` for the programs, which are block literals.
    std::string text = contentOf(entry.path());
    for (std::size_t at = 0; (at = text.find("- (program)", at)) != std::string::npos;) {
      text.replace(at, 11, "- |\n        a\n\n          $$b\n        c");
    }
    compare(text, Plain::Must);
    ++count;
  }
  EXPECT_GE(count, 8U);
}

TEST(YamlReaders, AgreeOnForeignTexts) {
  const char* root = std::getenv("COULER_CORPORA");
  const std::filesystem::path corpora =
      root != nullptr ? root : COULER_SOURCE_DIR "/../shared/corpora";
  std::size_t taken = 0;
  for (const std::filesystem::path& folder :
       {corpora / "argo",
        std::filesystem::path(COULER_SOURCE_DIR "/tests/fuzz/corpus/yaml_fuzz")}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      SCOPED_TRACE(entry.path());
      taken += compare(contentOf(entry.path()), Plain::May) ? 1 : 0;
    }
  }
  if (std::filesystem::exists(corpora / "argo")) {
    EXPECT_GT(taken, 0U);
  }
}

TEST(YamlReaders, AgreeOnEdges) {
  for (const char* text :
       {"a: b\n", "a:\n  b: c\n", "a:\n- b\n- c\n", "a:\n  - b\nc: d\n", "- - a\n  - b\n- c\n",
        "- a: b\n  c: d\n- e\n", "a: {}\nb: []\nc: [x, \"y\", 'z']\n",
        "a: |\n  x\n\n   y\nb: |-\n z\n", "'a b': \"c\\td\\u00e9\\U0001f600\\x07\"\n",
        "a: 'it''s'\nb: ''\nc: \"\"\n", "a: -1\nb: 10\n", "a: http://x/y:z\n", "/a/b: c\n",
        "a: \"\xc3\xa9\"\nb: |\n  \xc3\xa9\n", "- |\n  a\n- b\n",
        "a:\n- |-\n  x\n- y: |\n    z\n  w: v\n", "a: true\nb: null\nc: yes\n"}) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(compare(text, Plain::Must));
  }
  for (const char* text : {"",
                           "a",
                           "a:\n",
                           "a: b",
                           "a: b\na: c\n",
                           "a: b\n  c: d\n",
                           "a:\n b: c\n  d: e\n",
                           "a: &x b\n",
                           "a: *x\n",
                           "a: !!str b\n",
                           "---\na: b\n",
                           "a: b # c\n",
                           "# c\na: b\n",
                           "a: b\n\nc: d\n",
                           "a: \"b\n  c\"\n",
                           "a: b\n  c\n",
                           "a:\tb\n",
                           "a: |2\n   b\n",
                           "a: |+\n  b\n\n",
                           "a: >\n  b\n",
                           "a: |\n\n  b\n",
                           "a: |\n  b\n\nc: d\n",
                           "a: |\n\tb\n",
                           "a: |\nb: c\n",
                           "a: [b\n",
                           "a: [b,c]\n",
                           "a: [b: c]\n",
                           "a: {b: c}\n",
                           "? a\n: b\n",
                           "a: b: c\n",
                           "- a\nb: c\n",
                           "a: b\n- c\n",
                           "a: \"\\ud800\"\n",
                           "a: \"\\e\"\n",
                           "a: \"b\" c\n",
                           "a:  b\n",
                           "-  a\n",
                           "a: 'b\n",
                           "a: @b\n",
                           "a: \xc2\x85"
                           "b\n",
                           "a: \"\xc2\x85\"\n",
                           "a: \"\xe2\x80\xa8\"\n",
                           "a: \"\xef\xbb\xbf\"\n",
                           "a: \"\xff\"\n",
                           "a: \"\x7f\"\n",
                           "a: b\r\n",
                           " a: b\n",
                           "a : b\n",
                           "\"a\":b\n",
                           "a: - b\n"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(compare(text, Plain::May));
  }
}

class RandomWriter {
 public:
  explicit RandomWriter(unsigned seed) : random_(seed) {}

  std::string document() {
    std::string out;
    YamlWriter w([&](std::string_view t) { out += t; });
    map(w, 0);
    w.flush();
    return out;
  }
  std::size_t below(std::size_t n) { return random_() % n; }

 private:
  std::string text() {
    constexpr std::string_view kParts[] = {
        "a",        "b-1",          "\n",   " ", "  ", ":",  ": ", "#", " #", "'",   "\"", "\\",
        "{{",       "}}",           "- ",   "[", ",",  "\t", "|",  "0", "~",  "x\n", "é",  "😀",
        "\xc2\x85", "\xe2\x80\xa8", "\x01", "%", "@",  "&"};
    std::string out;
    for (std::size_t i = below(8); i-- > 0;) out += kParts[below(std::size(kParts))];
    return out;
  }
  void value(YamlWriter& w, std::size_t depth) {
    switch (below(depth > 5 ? 4 : 7)) {
      case 0:
        return w.number(static_cast<std::int64_t>(below(2000)) - 1000);
      case 1:
        return w.boolean(below(2) == 0);
      case 2: {
        const std::vector<std::string_view> items(below(4), "it's-me");
        return w.flow(items);
      }
      case 4:
        return map(w, depth + 1);
      case 5:
        w.beginList();
        for (std::size_t i = below(4); i-- > 0;) value(w, depth + 1);
        return w.endList();
      default:
        return w.string(text());
    }
  }
  void map(YamlWriter& w, std::size_t depth) {
    w.beginMap();
    const std::size_t count = depth == 0 ? 5 : below(5);
    for (std::size_t i = 0; i < count; ++i) {
      w.key(fmt::format("{}{}", below(3) == 0 ? "a key: " : "k", i));
      value(w, depth);
    }
    w.endMap();
  }
  std::mt19937 random_;
};

TEST(YamlReaders, AgreeOnWhatTheWriterWrites) {
  RandomWriter writer(3);
  for (int i = 0; i < 2000; ++i) compare(writer.document(), Plain::Must);
}

TEST(YamlReaders, AgreeOnDamagedTexts) {
  RandomWriter writer(5);
  constexpr std::string_view kDamage = " \n:-'\"|[]{},#&*!\\\tax0?%>\r";
  std::size_t taken = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = writer.document();
    for (std::size_t k = writer.below(3) + 1; k-- > 0;) {
      const std::size_t at = writer.below(text.size());
      const char c = kDamage[writer.below(kDamage.size())];
      switch (writer.below(3)) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          if (text.size() > 1) text.erase(at, 1);
      }
    }
    taken += compare(text, Plain::May) ? 1 : 0;
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(taken, 1000U);
}

}  // namespace
}  // namespace couler::backends
