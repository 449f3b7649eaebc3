// The language server as an editor starts it, with what only the command gives it: the history of
// runs, and other programs' word on scripts.
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

using Json = nlohmann::json;

constexpr const char* kProgram = R"(couler 1

task say(text: string) -> (line: string = stdout) {
    run ["echo", text]
}

task count(text: file) -> (n: int) {
    run sh """
        n=$(wc -l < "$text")
        """
}

workflow hello(text: string, from: file) -> (line: string, n: int) {
    let said = say(text)
    let counted = count(from)
    return (line: said.line, n: counted.n)
}
)";

class LanguageServer : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    path_ = write("h.cwl", kProgram).string();
    write("talk.sh", R"sh(
# Sends a file to the server, then waits for a text from it.
say() { printf 'Content-Length: %s\r\n\r\n' "$(wc -c < "$1")" >&3; cat "$1" >&3; }
hear() {
  i=0
  until [ "$(grep -o "$1" heard | wc -l)" -ge "${2:-1}" ]; do
    i=$((i + 1)); [ $i -lt 600 ] || { echo "waited in vain for $1" >&2; exit 1; }
    sleep 0.05
  done
}
mkfifo said
"$COULER" lsp <said >heard &
exec 3>said
)sh");
  }
  void message(const std::string& name, const std::string& method, Json params, int id = 0) const {
    Json body{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
    if (id != 0) body["id"] = id;
    write(name, body.dump());
  }
  void conversation(const std::string& text, const std::string& changed) const {
    const Json refreshes = {{"codeLens", {{"refreshSupport", true}}}};
    message("initialize", "initialize", {{"capabilities", {{"workspace", refreshes}}}}, 1);
    const std::string uri = "file://" + path_;
    message("open", "textDocument/didOpen",
            {{"textDocument", {{"uri", uri}, {"languageId", "couler"}, {"version", 1}, {"text", text}}}});
    message("change", "textDocument/didChange",
            {{"textDocument", {{"uri", uri}, {"version", 2}}}, {"contentChanges", {{{"text", changed}}}}});
    message("lenses", "textDocument/codeLens", {{"textDocument", {{"uri", uri}}}}, 2);
    message("hints", "textDocument/inlayHint", {{"textDocument", {{"uri", uri}}}}, 3);
  }

  std::string path_;
};

TEST_F(LanguageServer, ForeseesFromTheHistoryAndLeavesItAlone) {
  write("rows.txt", "a\nb\n");
  ASSERT_EQ(couler({"run", "h.cwl", "text=a", "from=rows.txt"}).code, 0);
  std::string changed = kProgram;
  changed.replace(changed.find("\"echo\", text"), 12, "\"echo\", text, text");
  conversation(kProgram, changed);
  const Ran ran = sh(R"(
list() { find .couler -type f -printf '%p %s %T@\n' | sort; }
list >before
. ./talk.sh
say initialize; say open
hear codeLens/refresh; say lenses; hear 'nothing to run: 2 steps kept'
say change
hear codeLens/refresh 2; say lenses; say hints; hear 'will run again'
exec 3>&-; wait
list >after
diff before after
cat heard
)");
  EXPECT_EQ(ran.code, 0) << ran.err << ran.out;
  EXPECT_NE(ran.out.find("1 of 2 steps to run, about "), std::string::npos) << ran.out;
}

TEST_F(LanguageServer, AFolderWithoutAHistoryStaysSo) {
  conversation(kProgram, kProgram);
  const Ran ran = sh(". ./talk.sh\nsay initialize; say open; say lenses; hear couler.plan\nsleep 0.5\nexec 3>&-; wait");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(exists(".couler"));
}

TEST_F(LanguageServer, SaysOfScriptsWhatTheCommandSays) {
  std::string broken = kProgram;
  broken.replace(broken.find("n=$(wc"), 6, "n=$((wc");
  broken += R"(
task show(text: string) {
    run python """
        if text:
            é = text + )
        """
}
)";
  write("h.cwl", broken);
  const Ran quiet = couler({"check", "h.cwl"});
  EXPECT_EQ(quiet.out + quiet.err, "");
  const Ran said = couler({"check", "--scripts", "--diagnostics", "json", "h.cwl"});
  EXPECT_EQ(said.code, 0) << said.err;
  std::istringstream lines(said.out);
  std::vector<Json> found;
  for (std::string line; std::getline(lines, line);) found.push_back(Json::parse(line));
  ASSERT_EQ(found.size(), 2U) << said.out;
  EXPECT_EQ(found[0]["severity"], "warning");
  EXPECT_NE(found[0]["message"].get<std::string>().find("this sh script does not parse: "), std::string::npos);
  EXPECT_NE(found[1]["message"].get<std::string>().find("this Python script does not parse: "), std::string::npos);
  EXPECT_EQ(couler({"check", "--scripts", "--deny-warnings", "h.cwl"}).code, 1);
  EXPECT_EQ(sh("PATH=/nowhere \"$COULER\" check --scripts --deny-warnings h.cwl").code, 0)
      << "without the languages nothing is known";

  conversation(broken, kProgram);
  const Ran ran = sh(". ./talk.sh\nsay initialize; say open; hear 'Python script does not parse'\n"
                     "exec 3>&-; wait; cat heard");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find(Json(found[0]["message"]).dump()), std::string::npos) << ran.out;
}

TEST_F(LanguageServer, ScriptsAreReadAndNotCarriedOut) {
  write("h.cwl", R"cwl(couler 1

task a() { run sh """touch made-by-sh; $(touch made-by-sh) """ }
task b() { run python """__import__("os").system("touch made-by-python")""" }
)cwl");
  EXPECT_EQ(couler({"check", "--scripts", "h.cwl"}).code, 0);
  EXPECT_FALSE(exists("made-by-sh") || exists("made-by-python"));
  EXPECT_FALSE(fs::exists("/made-by-sh") || fs::exists("/made-by-python"));
}

}  // namespace
}  // namespace couler::testing
