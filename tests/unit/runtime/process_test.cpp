#include <cstdlib>
#include <thread>

#include <poll.h>
#include <sys/syscall.h>

#include "runtime/engine/failure.h"
#include "runtime/engine/secrets.h"
#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

using ir::FailureClass;

TEST(FailureTest, ClassesFollowHowItEnded) {
  EXPECT_EQ(
      classify({.exitCode = 1, .signal = 0, .timedOut = false, .killedByUs = false, .output = ""}),
      FailureClass::Exit);
  EXPECT_EQ(
      classify({.exitCode = 143, .signal = 15, .timedOut = true, .killedByUs = true, .output = ""}),
      FailureClass::Timeout);
  EXPECT_EQ(
      classify(
          {.exitCode = 137, .signal = 9, .timedOut = false, .killedByUs = false, .output = ""}),
      FailureClass::Oom);
  EXPECT_EQ(
      classify({.exitCode = 75, .signal = 0, .timedOut = false, .killedByUs = false, .output = ""}),
      FailureClass::Transient);
}

TEST(FailureTest, ClassesFollowWhatItPrinted) {
  const auto of = [](std::string_view output) {
    return classify(
        {.exitCode = 1, .signal = 0, .timedOut = false, .killedByUs = false, .output = output});
  };
  for (const char* text : {"MemoryError", "terminate called after throwing 'std::bad_alloc'",
                           "fork: Cannot allocate memory", "OOMKilled"}) {
    EXPECT_EQ(of(text), FailureClass::Oom) << text;
  }
  for (const char* text : {"curl: (7) Connection refused", "HTTP 503 Service Unavailable",
                           "net/http: TLS handshake timeout", "dial tcp: i/o timeout",
                           "pods \"x\" is forbidden: exceeded quota", "etcdserver: leader changed",
                           "429 Too Many Requests", "Temporary failure in name resolution",
                           "An error occurred (SlowDown)", "read: connection reset by peer"}) {
    EXPECT_EQ(of(text), FailureClass::Transient) << text;
  }
  for (const char* text : {"ValueError: no such column", "etcdserver: request is too large",
                           "assertion failed", "file not found: 429.csv"}) {
    EXPECT_EQ(of(text), FailureClass::Exit) << text;
  }
}

TEST(FailureTest, PoliciesSayWhatIsTriedAgain) {
  ir::RetryPolicy policy;
  Failure exit3{FailureClass::Exit, 3, "exit 3", ""};
  EXPECT_FALSE(retries(policy, exit3, 1));
  policy.limit = 2;
  EXPECT_TRUE(retries(policy, exit3, 1));
  EXPECT_TRUE(retries(policy, exit3, 2));
  EXPECT_FALSE(retries(policy, exit3, 3));
  policy.exitCodes = {4};
  EXPECT_FALSE(retries(policy, exit3, 1));
  EXPECT_TRUE(retries(policy, {FailureClass::Oom, 137, "", ""}, 1));
  policy.on = {FailureClass::Timeout};
  EXPECT_FALSE(retries(policy, {FailureClass::Oom, 137, "", ""}, 1));
  EXPECT_TRUE(retries(policy, {FailureClass::Timeout, 143, "", ""}, 1));
}

TEST(FailureTest, BackoffGrowsToItsCapAndIsTheSameEachTime) {
  ir::RetryPolicy policy;
  policy.backoff = ir::Duration{1'000'000};
  policy.maxBackoff = ir::Duration{5'000'000};
  const Digest key = hashText("key");
  for (std::int64_t attempt = 1; attempt < 200; ++attempt) {
    const double full = std::min(
        5.0, static_cast<double>(std::uint64_t{1} << std::min<std::int64_t>(attempt - 1, 10)));
    const double seconds = backoffSeconds(policy, key, attempt);
    EXPECT_LE(seconds, full);
    EXPECT_GE(seconds, 0.75 * full);
    EXPECT_EQ(seconds, backoffSeconds(policy, key, attempt));
  }
  EXPECT_NE(backoffSeconds(policy, key, 1), backoffSeconds(policy, hashText("other"), 1));
  policy.backoff = {};
  EXPECT_EQ(backoffSeconds(policy, key, 3), 0.0);
}

TEST(SecretFilterTest, HidesSecretsHoweverTheyAreSplit) {
  const std::string text = "x=secret-1 y=secret-12 secret secret-1secret-1 end secre";
  const std::string wanted = "x=*** y=*** secret ****** end secre";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    for (std::size_t second = cut; second <= text.size(); ++second) {
      SecretFilter filter({"secret-1", "", "secret-12"});
      std::string shown = filter.feed(std::string_view(text).substr(0, cut));
      shown += filter.feed(std::string_view(text).substr(cut, second - cut));
      shown += filter.feed(std::string_view(text).substr(second));
      shown += filter.finish();
      ASSERT_EQ(shown, wanted) << cut << " " << second;
    }
  }
}

/// A task that fails until it has been tried `n` times, each time as `how` says.
std::string failing(const std::string& how, const std::string& settings) {
  return "task t(log: string) -> (o: string = stdout) {\n" + settings +
         "\n  run sh \"\"\"\n    echo x >> \"$log\"\n"
         "    if [ $(wc -l < \"$log\") -lt 3 ]; then " +
         how +
         "; fi\n    echo fine\n    \"\"\"\n}\n"
         "workflow main(log: string) -> (o: string) {\n  return (o: t(log: log).o)\n}\n";
}

TEST_F(EngineTest, TriesAgainAsThePolicySays) {
  const auto attempts = [&](const std::string& how, const std::string& settings) {
    const std::string log = folder / "log";
    std::filesystem::remove(log);
    std::filesystem::remove_all(folder / "store");
    options.inputs = {{"log", log}};
    run(failing(how, settings));
    return linesOf(log).size();
  };
  EXPECT_EQ(attempts("exit 3", ""), 1U);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(attempts("exit 3", "  retry 2"), 3U);
  EXPECT_TRUE(result.ok) << messages();
  EXPECT_EQ(count(Event::Kind::StepRetrying), 2U);
  EXPECT_EQ(attempts("exit 3", "  retry 1"), 2U);
  EXPECT_EQ(attempts("exit 3", "  retry 5 { on: [transient, oom] }"), 1U);
  EXPECT_EQ(attempts("exit 75", "  retry 5 { on: [transient] }"), 3U);
  EXPECT_EQ(attempts("echo connection refused; exit 1", "  retry 5 { on: [transient] }"), 3U);
  EXPECT_EQ(attempts("kill -9 $$", "  retry 5 { on: [oom] }"), 3U);
  EXPECT_EQ(attempts("echo MemoryError >&2; exit 1", "  retry 5 { on: [oom] }"), 3U);
  EXPECT_EQ(attempts("exit 3", "  retry 5 { exit_codes: [3] }"), 3U);
  EXPECT_EQ(attempts("exit 4", "  retry 5 { exit_codes: [3] }"), 1U);
  EXPECT_EQ(attempts("sleep 100", "  timeout 50 ms\n  retry 5 { on: [timeout] }"), 3U);
  EXPECT_TRUE(result.ok) << messages();
}

/// Whether a process that was sent a signal goes; it may take the kernel a moment.
bool ends(pid_t pid) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno == ESRCH;
  pollfd wait{fd, POLLIN, 0};
  const int count = poll(&wait, 1, 20'000);
  close(fd);
  return count == 1;
}

TEST_F(EngineTest, ATimeoutEndsTheWholeGroup) {
  const std::string pid = folder / "pid";
  options.inputs = {{"pid", pid}};
  run(R"cwl(
task t(pid: string) {
  timeout 200 ms
  run ["sh", "-c", "sh -c 'echo $$ > $0.new; mv $0.new $0; exec sleep 1000' $1 & wait", "-", pid]
}
workflow main(pid: string) { t(pid: pid) }
)cwl");
  EXPECT_FALSE(result.ok);
  EXPECT_NE(messages().find("timeout: it took longer than 200 ms"), std::string::npos)
      << messages();
  const pid_t grandchild = std::atoi(read(pid).c_str());
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(ends(grandchild));
}

TEST_F(EngineTest, WhatAStepLeavesRunningIsEnded) {
  const std::string pid = folder / "pid";
  options.inputs = {{"pid", pid}};
  good(R"cwl(
task t(pid: string) { run ["sh", "-c", "sleep 1000 & echo $! > $1", "-", pid] }
workflow main(pid: string) { t(pid: pid) }
)cwl");
  EXPECT_TRUE(ends(std::atoi(read(pid).c_str())));
}

TEST_F(EngineTest, CancelEndsWhatRuns) {
  std::atomic<bool> cancel{false};
  options.cancel = &cancel;
  const auto program = compile(folder / "test.cwl", R"cwl(
task quick() -> (n: int = stdout) { run ["echo", "1"] }
task slow(n: int) { run ["sleep", "{n * 1000}"] }
workflow main() {
  let q = quick()
  slow(n: q.n)
}
)cwl");
  RunOptions used = options;
  used.storeDir = folder / "store";
  used.onEvent = [&](const Event& event) {
    events.push_back(event);
    if (event.kind == Event::Kind::StepStarted && event.step == "slow") cancel = true;
  };
  result = runtime::run(*program->module, used, program->session->sources(), diags);
  EXPECT_TRUE(result.cancelled);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(states().at("slow"), StepState::Cancelled);
  EXPECT_EQ(result.succeeded, 1U);
  DiagnosticList ignored;
  const auto history = History::open(folder / "store", ignored);
  ASSERT_TRUE(history.has_value());
  EXPECT_EQ(history->runs(1)[0].status, "cancelled");
}

TEST_F(EngineTest, SecretsReachTheEnvironmentAlone) {
  setenv("COULER_TEST_TOKEN", "s3cr3t-value", 1);
  write(folder / "key.txt", "file-s3cr3t\n");
  options.inputs = {{"token", ir::SecretRef{"env:COULER_TEST_TOKEN"}},
                    {"key", ir::SecretRef{"file:" + (folder / "key.txt")}}};
  const std::string program = R"cwl(
task use(token: secret, key: secret) -> (n: int = stdout) {
  env { TOKEN: token, KEY: key }
  run ["sh", "-c", "echo $TOKEN $KEY >&2; echo $TOKEN | wc -c"]
}
volatile task spy() -> (found: string = stdout) { run ["sh", "-c", "env | grep -c 's3c[r]3t' || true"] }
workflow main(token: secret, key: secret) -> (n: int, found: string) {
  let u = use(token: token, key: key)
  return (n: u.n, found: spy().found)
}
)cwl";
  good(program);
  EXPECT_EQ(text("n"), "13");
  EXPECT_EQ(text("found"), "0");
  DiagnosticList ignored;
  const auto history = History::open(folder / "store", ignored);
  std::string log;
  for (const StepRecord& step : history->steps(result.runId)) {
    if (step.step == "u") log = read(step.logPath);
  }
  EXPECT_EQ(log, "*** ***\n13\n");
  // Nowhere in the store, whatever the file.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "store")) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(read(entry.path().string()).find("s3cr3t"), std::string::npos) << entry.path();
    }
  }
  unsetenv("COULER_TEST_TOKEN");
  run(program);
  EXPECT_FALSE(result.ok);
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].id, Diag::SecretNotSet);
  EXPECT_EQ(result.runId, 0);
}

TEST_F(EngineTest, ContainersAreStartedByTheirClient) {
  const std::string bin = folder / "bin";
  write(bin + "/podman",
        "#!/bin/sh\nfor word in \"$@\"; do echo \"$word\" >> " + (folder / "words") +
            "; done\necho $GREETING >> " + (folder / "words") +
            "\nwhile [ \"$1\" != --workdir ]; do shift; done\necho made > \"$2/o.txt\"\n");
  std::filesystem::permissions(bin + "/podman", std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (bin + ":" + path).c_str(), 1);
  write(folder / "in,put.txt", "x");
  options.container = ContainerMode::Podman;
  options.inputs = {{"f", ir::FileRef{folder / "in,put.txt", "", false}}};
  good(R"cwl(
task t(f: file) -> (o: file = "o.txt") {
  image "debian:12"
  env { GREETING: "hello there" }
  run ["cp", f, o]
}
workflow main(f: file) -> (o: file) { return (o: t(f: f).o) }
)cwl");
  setenv("PATH", path.c_str(), 1);
  const std::vector<std::string> words = linesOf(folder / "words");
  const auto has = [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  ASSERT_GT(words.size(), 10U);
  EXPECT_EQ(words[0], "run");
  EXPECT_TRUE(has("--rm"));
  EXPECT_TRUE(has("type=bind,source=" + (folder / "store/objects") +
                  ",target=" + (folder / "store/objects") + ",readonly"));
  EXPECT_TRUE(has("type=bind,\"source=" + (folder / "in,put.txt") +
                  "\",\"target=" + (folder / "in,put.txt") + "\",readonly"));
  EXPECT_TRUE(has("GREETING"));              // by name on the command line
  EXPECT_EQ(words.back(), "hello there");    // its value in the client's environment
  EXPECT_EQ(words[words.size() - 5], "cp");  // --entrypoint cp image file output
  EXPECT_EQ(words[words.size() - 4], "debian:12");
  EXPECT_EQ(content("o"), "made\n");
}

TEST_F(EngineTest, AMissingContainerProgramIsSaidAtOnce) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder.path().c_str(), 1);
  options.container = ContainerMode::Podman;
  run("task t() {\n  image \"debian:12\"\n  run [\"true\"]\n}\nworkflow main() { t() }\n");
  setenv("PATH", path.c_str(), 1);
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].id, Diag::NoContainerProgram);
}

TEST_F(EngineTest, ResourcesAreRespected) {
  // Each step looks whether another of its kind runs: a folder can be made once.
  options.jobs = 4;
  options.memoryBytes = 1 << 20;
  options.inputs = {{"lock", folder / "lock"}};
  const auto with = [&](const std::string& resources) {
    return "task t(n: int, lock: string, mark: string) { resources { " + resources + " }\n" +
           "run [\"sh\", \"-c\", \"mkdir $1 && sleep 0.02 && rmdir $1\", \"-\", lock, \"{n}\", "
           "mark] }\n"
           "workflow main(lock: string) { for n in 0..6 { t(n: n, lock: lock, mark: \"" +
           resources + "\") } }\n";
  };
  good(with("cpu: 3"));
  good(with("memory: 600 KiB"));
  EXPECT_EQ(count(Event::Kind::Note), 0U);
  good(with("memory: 2 MiB, cpu: 0.1"));
  EXPECT_EQ(result.succeeded, 6U);
  EXPECT_EQ(count(Event::Kind::Note), 6U);  // runs alone
}

TEST_F(EngineTest, LogsHoldWhatWasPrinted) {
  run(R"cwl(
task loud() -> (o: string = stdout) { run ["sh", "-c", "echo to err >&2; echo to out"] }
task quiet() { run ["true"] }
task bad() { run ["sh", "-c", "echo broken; exit 1"] }
workflow main() {
  loud()
  quiet()
  bad()
}
)cwl");
  DiagnosticList ignored;
  const auto history = History::open(folder / "store", ignored);
  ASSERT_TRUE(history.has_value());
  std::map<std::string, StepRecord> steps;
  for (StepRecord& step : history->steps(result.runId)) steps[step.step] = step;
  EXPECT_EQ(read(steps["loud"].logPath), "to err\nto out\n");
  EXPECT_EQ(steps["quiet"].logPath, "");
  EXPECT_EQ(read(steps["bad"].logPath), "broken\n");
  EXPECT_EQ(steps["bad"].status, "failed");
  EXPECT_EQ(steps["bad"].failure, "exit 1");
  EXPECT_EQ(steps["bad"].exitCode, 1);
  EXPECT_GT(steps["loud"].maxRssBytes, 0U);
}

}  // namespace
}  // namespace couler::runtime::testing
