#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/scripts.h"
#include "lsp/features/features.h"
#include "lsp/features/outlook.h"
#include "lsp/workspace/analyst.h"
#include "lsp/workspace/errands.h"
#include "lsp/workspace/surveyor.h"

/// A language server (https://microsoft.github.io/language-server-protocol, 3.17): all state of one
/// client. Reads and writes nothing itself: messages come by `take`, and go to `send`. A request
/// that throws is an error reply; text that is no message is answered as the protocol says.
namespace couler::lsp {

struct ServerOptions {
  std::string version;  ///< of the program
  /// Draws the entry workflow as SVG, for the request `couler/graph`; empty: it has no answer.
  std::function<std::string(const ir::Module&)> draw;
  Foresee foresee = {};           ///< empty: nothing is foretold
  ScriptCheck checkScripts = {};  ///< empty: scripts are not looked at
  /// How long nothing is typed before the two above are asked.
  std::chrono::milliseconds pause{300};
};

class Server {
 public:
  /// `wake` is called on another thread when `idle` has something to do.
  Server(ServerOptions options, std::function<void(std::string body)> send,
         std::function<void()> wake);
  ~Server();

  /// The body of one message, carried out.
  void take(std::string_view body);
  /// A message that has come, but whose turn is later: if it cancels a request that waits for its
  /// turn, that one is not carried out.
  void peek(std::string_view body);
  /// Takes up what the analysis finished.
  void idle();
  [[nodiscard]] bool exited() const { return exited_; }
  [[nodiscard]] int exitCode() const { return shutDown_ ? 0 : 1; }
  /// Waits until all documents are analysed and all requests are answered; for tests.
  [[nodiscard]] bool busy() const;

 private:
  struct Document {
    std::string uri;
    std::shared_ptr<const std::string> text;
    std::int64_t version = 0;      ///< the client's
    std::int64_t revision = 0;     ///< of the text or of a file that it reads; ours, ever greater
    std::shared_ptr<const Snapshot> snapshot;  ///< the newest; may be behind
    std::shared_ptr<const Snapshot> sound;     ///< the newest without syntax errors
    std::shared_ptr<const Snapshot> drawn;     ///< the newest with a graph
    Outlook outlook;
  };
  /// A request for which the analysis of its document is to be waited for.
  struct Waiting {
    Json id;
    std::string path;
    std::function<Json(Document&)> answer;
  };
  /// What the surveyor has for the client: a reply, or a part of it.
  struct Surveyed {
    std::shared_ptr<Stop> stop;  ///< says which question it answers
    std::string body;
    bool last = true;
  };
  enum class Fresh : std::uint8_t {
    Wanted,  ///< waits for the analysis
    Any      ///< takes what there is, where there is something
  };
  using Feature = Json (*)(const View& view, const Json& params);
  /// What a request of a document is answered with.
  struct Answer {
    std::function<Json(Document&)> make;  ///< empty: there is no such request
    Fresh fresh = Fresh::Wanted;
  };
  /// What the client takes beside what every client does.
  struct Client {
    bool snippets = false;
    bool resolvesLater = false;  ///< asks for the documentation of the item that is looked at
    bool refreshesHints = false, refreshesLenses = false, refreshesDiagnostics = false;
    bool watches = false;  ///< files for us, where we ask it to
    bool trusts = true;  ///< the folder; else no program is asked about what is in it
  };

  void notification(const std::string& method, const Json& params);
  void reply(const Json& id, Json result);
  void fail(const Json& id, int code, std::string_view message);
  void notify(std::string_view method, Json params);
  /// Sends a request whose result says nothing.
  void call(std::string_view method, Json params = {});
  /// The result of a request that is answered later, or is already.
  static Json answeredElsewhere() { return Json(Json::value_t::discarded); }

  // capabilities.cpp
  Json initialize(const Json& params);
  void watchFiles();

  // requests.cpp
  Json request(const std::string& method, const Json& params, const Json& id);
  Answer answerTo(const std::string& method, const Json& params, const Json& id);
  std::optional<Json> answerAtOnce(const std::string& method, const Json& params, const Json& id);
  Json complete(const Document& document, const Json& params);
  Json resolve(Json item) const;
  Json tokens(Document& document, const Json& params, bool whole);

  // afterthoughts.cpp: what comes when nothing is being typed
  void ponder(const Document& document);
  void foretell(const std::shared_ptr<const Snapshot>& snapshot);
  void checkScripts(const std::shared_ptr<const Snapshot>& snapshot);
  void indexNames();
  /// What is wrong with scripts that were looked at: by language and text.
  using ScriptProblems =
      std::map<std::pair<syntax::RunKind, std::string>, std::optional<ScriptProblem>>;
  [[nodiscard]] static std::vector<Diagnostic> scriptWarnings(const Snapshot& snapshot,
                                                              const ScriptProblems& known);

  // documents.cpp
  void didOpen(const Json& params);
  void didChange(const Json& params);
  void didClose(const Json& params);
  void changed(const std::string& path);
  void analyse(const std::string& path);
  void publish(const std::string& path);
  [[nodiscard]] std::string resultId(const Document& document) const;
  Json pullDiagnostics(const Json& params, Document& document);
  std::map<std::string, Json> diagnosticsOf(const Snapshot& snapshot) const;
  [[nodiscard]] Overlay overlay() const;
  [[nodiscard]] bool current(const Document& document) const;
  Document* find(const Json& params);
  Json soon(const Json& params, const Json& id, Fresh fresh, std::function<Json(Document&)> answer);
  void answerWaiting();
  [[nodiscard]] bool answering() const;  ///< or analysing what is open

  // workspace_requests.cpp: more than one file
  Json references(const Json& params, const Json& id, Document& document);
  Json rename(const Json& params, const Json& id, Document& document);
  Json workspaceSymbol(const Json& params, const Json& id);
  Json workspaceDiagnostics(const Json& params, const Json& id);
  Json incomingCalls(const Json& params, const Json& id);
  Json outgoingCalls(const Json& params, const Json& id);
  Json drawGraph(const Json& params, Document& document);
  Json willRenameFiles(const Json& params, const Json& id);
  using Part = std::function<void(Json params)>;
  Json survey(const Json& id, std::function<Json(const Survey&, const Part&)> question);
  [[nodiscard]] Workspace workspace() const;

  ServerOptions options_;
  std::function<void(std::string)> send_;
  std::function<void()> wake_;
  Encoding encoding_ = Encoding::Utf16;
  Client client_;
  bool initialized_ = false;
  bool shutDown_ = false;
  bool exited_ = false;
  std::vector<std::string> roots_;
  std::map<std::string, Document, std::less<>> documents_;  // by path
  std::map<std::string, std::set<std::string>> published_;  // by path of a document: URIs
  std::map<std::string, std::map<std::string, Json>> found_;  // by URI, by document: diagnostics
  std::map<std::string, std::vector<std::uint32_t>> tokens_;  // by path: the last full answer
  std::vector<std::string> documentation_;  // of the items that were offered last
  std::int64_t offered_ = 0;                // how often items were
  std::int64_t called_ = 0;                 // requests of ours
  ScriptProblems scripts_;
  std::int64_t scriptsRevision_ = 0;  // of the above, ever greater
  std::vector<ExportedName> names_;  // of the workspace
  std::deque<Waiting> waiting_;
  std::set<std::string> cancelled_;
  std::int64_t revision_ = 0;
  std::vector<std::pair<Json, std::shared_ptr<Stop>>> surveys_;  // under way: request and stop
  bool indexed_ = false;     // or about to be
  bool indexing_ = false;    // under way
  bool indexAgain_ = false;  // something has changed since it began
  std::mutex doneMutex_;
  std::vector<std::shared_ptr<const Snapshot>> done_;
  std::vector<Surveyed> surveyed_;
  std::optional<std::vector<ExportedName>> surveyedNames_;
  std::unique_ptr<Analyst> analyst_;
  std::unique_ptr<Surveyor> surveyor_;
  std::unique_ptr<Errands> errands_;
};

}  // namespace couler::lsp
