#include <algorithm>
#include <array>
#include <iterator>

#include "driver/command.h"

/// The table of commands. A new command is a row here, a function in command.h and a file of its
/// own in driver/commands/.
namespace couler::driver {
namespace {

constexpr std::size_t kMany = 1'000'000;

constexpr Option kDiagnosticOptions[] = {
    {"diagnostics", 0, Arity::Value, "FORMAT",
     "how messages are written: for people, one JSON object a line, or one SARIF log",
     "human|json|sarif"},
    {"color", 0, Arity::Value, "WHEN", "colours in messages for people", "auto|always|never"},
};
constexpr Option kHelpOption = {"help", 'h', Arity::Flag, "", "print this help and end"};

constexpr Option kStore = {"store", 0, Arity::Value, "DIR",
                           "folder of the run history and of the outputs (default: .couler)"};
constexpr Option kInput = {"input", 'i', Arity::Value, "FILE",
                           "read inputs from a JSON object; `name=value` words win over it"};
constexpr Option kTarget = {"target", 't', Arity::Value, "NAME",
                            "settings of this `target` declaration"};
constexpr Option kDisable = {"disable-pass", 0, Arity::Many, "NAME",
                             "leave out an optimisation; may be given several times"};

constexpr Option kCacheBudget = {
    "cache-budget", 0, Arity::Value, "SIZE",
    "keep at most so much of what steps made, such as `20GB` (default: all)"};
constexpr Option kCachePolicy = {"cache-policy", 0, Arity::Value, "NAME",
                                 "what goes first when there is more (default: density)"};

constexpr Option kShardSize = {
    "shard-size", 0, Arity::Value, "SIZE",
    "run steps over files of rows in parts of about that size, such as `64MB`; 0B: whole"};
constexpr Option kShardSizeHere = {
    "shard-size", 0, Arity::Value, "SIZE",
    "run steps over files of rows in parts of about that size, such as `64MB`; 0B: whole (default: "
    "64 MiB for groups over inputs of 256 MiB or more)"};

constexpr Option kCheckOptions[] = {
    {"deny-warnings", 0, Arity::Flag, "", "end with 1 when there is a warning"},
    {"scripts", 0, Arity::Flag, "",
     "let `sh` and `python3` look for syntax errors in scripts, which they do not run"},
};
constexpr Option kPrintAfter = {"print-after", 0, Arity::Many, "PASS",
                                "print the graph after this pass (or `all`) to standard error"};
constexpr Option kRemarks = {"remarks", 0, Arity::Flag, "", "say what each optimisation did"};
constexpr Option kTimePasses = {"time-passes", 0, Arity::Flag, "",
                                "print the CPU time of each pass to standard error"};
constexpr Option kBuildOptions[] = {
    {"target", 't', Arity::Value, "NAME", "a `target` declared in the file, or an engine's name"},
    {"output", 'o', Arity::Value, "FILE",
     "write there, whole or not at all (default: standard output)"},
    {"depfile", 0, Arity::Value, "FILE", "write a make rule that lists every source file read"},
    kInput,
    kStore,
    {"print", 0, Arity::Value, "STAGE",
     "print a stage instead: the syntax tree, the types, the graph as written, the graph after all "
     "passes",
     "syntax|types|ir|plan"},
    kShardSize,
    kPrintAfter,
    kDisable,
    {"no-split", 0, Arity::Flag, "",
     "write one manifest, even where it is over the engine's limits"},
    kRemarks,
    kTimePasses,
    {"verify", 0, Arity::Flag, "", "check the graph after every pass"},
    {"no-validate", 0, Arity::Flag, "", "do not read the written manifest back and compare it"},
};
constexpr Option kRunOptions[] = {
    kInput,
    {"outputs-json", 0, Arity::Value, "FILE",
     "write the outputs as JSON there; `-` is standard output"},
    {"jobs", 'j', Arity::Value, "N", "steps at a time (default: the machine's cores)"},
    kStore,
    kTarget,
    {"fail-fast", 0, Arity::Flag, "", "start no further step after one failed"},
    {"force", 'f', Arity::Flag, "", "run every step, reuse none"},
    {"container", 0, Arity::OptionalValue, "TOOL", "run steps that name an image in containers",
     "podman|docker", "podman"},
    {"events", 0, Arity::Flag, "", "print one JSON object for each event instead of progress"},
    {"report", 0, Arity::Value, "FILE", "write an HTML page about the run"},
    kCacheBudget,
    kCachePolicy,
    kShardSizeHere,
    kDisable,
    {"quiet", 'q', Arity::Flag, "", "print no progress, only outputs and problems"},
};
constexpr Option kDataOptions[] = {
    {"schema", 0, Arity::Value, "FILE:NAME",
     "a schema of a program, such as `flights.cwl:Flight`; `check` needs it"},
    {"threshold", 0, Arity::Value, "N",
     "for `drift`: end with 1 where a column is farther than that, from 0 to 1"},
    {"format", 0, Arity::Value, "FORMAT",
     "the form of the answer (default: by the name of -o, else text)", "text|json|html"},
    {"output", 'o', Arity::Value, "FILE",
     "write there, whole or not at all (default: standard output)"},
};
constexpr Option kSchemaOptions[] = {
    {"name", 0, Arity::Value, "NAME", "name of the schema (default: made of the file's name)"},
    {"unique", 0, Arity::Flag, "", "say of columns in which no value comes twice that they are so"},
    {"output", 'o', Arity::Value, "FILE",
     "write there, whole or not at all (default: standard output)"},
};
constexpr Option kExecOptions[] = {
    {"plan", 0, Arity::Value, "TEXT", "the plan, in the text form of the graph"},
    {"places", 0, Arity::Value, "JSON",
     "where the plan's nodes stand in the program: {\"FILE\": [[NODE, LINE, COLUMN], ...]}"},
    {"values", 0, Arity::Value, "JSON", "an object with the plan's parameters that are no files"},
    {"range", 0, Arity::Value, "JSON",
     "the same of those that say which rows of a file are read, and are in no step's key"},
    {"cut", 0, Arity::Value, "SIZE",
     "run no plan: write the ranges of a file of rows, of about that size, one a line"},
    {"format", 0, Arity::Value, "NAME", "of the file to cut (default: by its name)", "csv|jsonl"},
    {"anomalies", 0, Arity::Value, "FILE", "write what the reads found wrong there, as JSON"},
    {"threads", 0, Arity::Value, "N", "work with so many threads (default: COULER_THREADS, else 1)"},
    {"memory", 0, Arity::Value, "SIZE",
     "what one operator holds before it uses files (default: COULER_MEMORY, else 1 GiB)"},
};
constexpr Option kFmtOptions[] = {
    {"check", 0, Arity::Flag, "", "write nothing; end with 1 when a file would change"},
    {"diff", 0, Arity::Flag, "", "write nothing; print what would change"},
};
constexpr Option kGraphOptions[] = {
    {"format", 0, Arity::Value, "FORMAT",
     "the form of the picture (default: by the name of -o, else svg)", "svg|dot|mermaid"},
    {"output", 'o', Arity::Value, "FILE",
     "write there, whole or not at all (default: standard output)"},
};
constexpr Option kPlanOptions[] = {
    kInput,
    kStore,
    kShardSizeHere,
    kPrintAfter,
    kDisable,
    kTarget,
    {"force", 'f', Arity::Flag, "", "as if every step had to run"},
    kCacheBudget,
    kCachePolicy,
    {"after", 0, Arity::Value, "RUN",
     "put beside it what this run took and saved; `last` is the newest"},
    kRemarks,
    kTimePasses,
    {"container", 0, Arity::OptionalValue, "TOOL", "as for `couler run`", "podman|docker",
     "podman"},
};
constexpr Option kWhyOptions[] = {
    {"run", 0, Arity::Value, "N", "number of the run (default: the last one)"},
    kStore,
};
constexpr Option kCacheOptions[] = {
    {"budget", 0, Arity::Value, "SIZE", "get down to that, such as `20GB` (default: keep all results)"},
    {"policy", 0, Arity::Value, "NAME", "what goes first when there is more (default: density)"},
    {"dry-run", 0, Arity::Flag, "", "only say what would go"},
    kStore,
};
constexpr Option kRunsOptions[] = {
    {"json", 0, Arity::Flag, "", "one JSON object a line"},
    {"limit", 'n', Arity::Value, "N", "how many, newest first (default: 20)"},
    kStore,
};
constexpr Option kPlaygroundOptions[] = {
    {"port", 0, Arity::Value, "N", "listen at this port of 127.0.0.1 (default: one that is free)"},
    {"no-browser", 0, Arity::Flag, "", "only print the address"},
};
constexpr Option kStoreOnly[] = {kStore};

constexpr Command kCommands[] = {
    {"check", "find mistakes in programs", "check FILE... [options]",
     "Reads the files and everything they import and reports all mistakes. `-` reads a program\n"
     "from standard input. JSON and SARIF go to standard output, text to standard error.",
     "$ couler check spam.cwl\n$ couler check --diagnostics=sarif *.cwl > report.sarif",
     Words::Sources, 1, kMany, kCheckOptions, true, runCheck},
    {"build", "translate a workflow for an engine",
     "build FILE [WORKFLOW] [--target NAME|ENGINE] [-o FILE] [name=value...] [options]",
     "Writes the manifest of the target's engine. The manifest is read back and compared with the\n"
     "graph before it takes its place. Inputs given as `name=value` become the manifest's "
     "defaults.",
     "$ couler build spam.cwl --target prod -o spam.yaml\n$ couler build spam.cwl --print plan",
     Words::Source, 1, kMany, kBuildOptions, true, runBuild},
    {"run", "run a workflow here and now", "run FILE [WORKFLOW] [name=value...] [options]",
     "Runs the one workflow that no other calls, or the one named. Steps whose program and inputs\n"
     "have not changed since a run before are reused. Inputs are typed: `30 min`, `4 GiB`, a "
     "path,\n"
     "`[1, 2]`. A secret is given as `env:NAME` or `file:PATH`.",
     "$ couler run spam.cwl comments=data.csv trials=8\n$ couler run spam.cwl -i params.json "
     "--report run.html",
     Words::Source, 1, kMany, kRunOptions, true, runRun},
    {"fmt", "lay programs out", "fmt FILE... [--check] [--diff]",
     "Rewrites the files in the one layout of the language. `-` reads standard input and writes\n"
     "standard output. Files with syntax errors are left as they are.",
     "$ couler fmt spam.cwl train.cwl\n$ couler fmt --check *.cwl", Words::Sources, 1, kMany,
     kFmtOptions, true, runFmt},
    {"graph", "draw a workflow", "graph FILE [WORKFLOW] [--format svg|dot|mermaid] [-o FILE]",
     "Draws the workflow as written: steps, what flows between them, and the `for`, `if`, `loop`\n"
     "and called workflows around them.",
     "$ couler graph spam.cwl -o spam.svg\n$ couler graph spam.cwl --format mermaid", Words::Source,
     1, 2, kGraphOptions, true, runGraph},
    {"plan", "list the steps that a run would take",
     "plan FILE [WORKFLOW] [name=value...] [options]",
     "Lists the steps in order, after all optimisations, and says of each whether it would run or\n"
     "be reused, as far as that is known before it runs.",
     "$ couler plan spam.cwl comments=data.csv", Words::Source, 1, kMany, kPlanOptions, true,
     runPlan},
    {"exec", "run the plan of a step over tables",
     "exec --plan TEXT [options] FILE... OUTPUT...",
     "What a step over tables runs, on every engine: `couler build` writes such commands. The files\n"
     "are the plan's inputs in their order, then those to make, which must not be there yet. The\n"
     "rows are the same with any number of threads and any memory.",
     "$ couler exec --plan \"$(cat plan.ir)\" flights.csv delays.arrow", Words::Other, 0, kMany,
     kExecOptions, true, runExec},
    {"data", "look at the rows of a file",
     "data stats|check|drift FILE [OLD] [--schema FILE:NAME] [--format text|json|html] [-o FILE]",
     "The file is CSV or JSON Lines (also with gzip or zstd), Arrow or Parquet; `-` is standard\n"
     "input. `stats` prints what each column holds: its type, how many values are missing and how\n"
     "many are different, ranges, means and quantiles of numbers, the most frequent texts.\n"
     "`check` reads the file with a schema and prints what is wrong with it, each kind with a\n"
     "count and its first places; it ends with 1 when there is anything. `drift FILE OLD` says how\n"
     "far each column is from that of an older file.",
     "$ couler data stats flights.parquet -o flights.html\n"
     "$ couler data check flights.csv.gz --schema flights.cwl:Flight\n"
     "$ couler data drift today.csv yesterday.csv --threshold 0.1",
     Words::Other, 2, 3, kDataOptions, true, runData},
    {"schema", "write the schema of a file", "schema infer FILE [--name N] [--unique] [-o FILE]",
     "Reads all rows and writes a program that declares what they are: the type of each column,\n"
     "`?` where values are missing, an enum for few different words. A read of the file with that\n"
     "schema finds nothing wrong. It says what this file holds, not what the next may: look it over.",
     "$ couler schema infer flights.csv --name Flight -o flight.cwl", Words::Other, 2, 2,
     kSchemaOptions, true, runSchema},
    {"test",
     "run the `test` blocks of programs",
     "test FILE...",
     "Evaluates every `test` block and prints both sides of each expectation that does not hold.",
     "$ couler test rules.cwl",
     Words::Sources,
     1,
     kMany,
     {},
     true,
     runTest},
    {"why", "say why a step ran or was reused", "why STEP [--run N] [--store DIR]",
     "Compares the step's key with the one that it had in an earlier run.",
     "$ couler why train\n$ couler why count.3 --run 7", Words::Other, 1, 1, kWhyOptions, false,
     runWhy},
    {"cache", "look at and clean what runs left in the store",
     "cache ls|gc|pin|unpin|explain [STEP|KEY...] [options]",
     "`ls` lists the results that later runs may reuse, those worth most first. `gc` deletes files\n"
     "of which no result knows, and with `--budget` evicts the results worth least. What the next run\n"
     "of a workflow that has not succeeded would reuse is never evicted, nor the outputs of a\n"
     "workflow's last successful run, nor what is pinned: `pin` keeps what a step's last run had, or\n"
     "the result whose key begins so. `explain` gives the numbers.",
     "$ couler cache ls\n$ couler cache gc --budget 20GB --dry-run\n$ couler cache pin train\n"
     "$ couler cache explain train --budget 20GB",
     Words::Other, 1, kMany, kCacheOptions, false, runCache},
    {"runs", "list past runs", "runs [--json] [--limit N] [--store DIR]", "",
     "$ couler runs --limit 5", Words::None, 0, 0, kRunsOptions, false, runRuns},
    {"logs", "print what a step wrote", "logs RUN [STEP] [--store DIR]",
     "Prints the standard output and standard error of a step. Without a step, lists the steps of\n"
     "the run. `last` is the newest run.",
     "$ couler logs 7 train\n$ couler logs last", Words::Other, 1, 2, kStoreOnly, false, runLogs},
    {"explain",
     "explain the code of a message",
     "explain CODE|list|builtins",
     "Prints what a code such as CW0301 means, how to mend it, and a program that shows it.",
     "$ couler explain CW0301\n$ couler explain builtins",
     Words::Code,
     1,
     1,
     {},
     false,
     runExplain},
    {"new",
     "begin a project",
     "new DIR",
     "Makes a folder with a small workflow that runs, its data and a README. Overwrites nothing.",
     "$ couler new spam && cd spam && couler run spam.cwl",
     Words::Folder,
     1,
     1,
     {},
     false,
     runNew},
    {"lsp",
     "serve an editor",
     "lsp",
     "Speaks the Language Server Protocol over standard input and output: editors start it. It reads\n"
     "the workspace's files and writes none.",
     "$ couler lsp < session.txt",
     Words::None,
     0,
     0,
     {},
     false,
     runLsp},
    {"playground", "edit and run programs in a browser",
     "playground [FILE|FOLDER] [--port N] [--no-browser]",
     "Serves a page with an editor, the graph and runs on 127.0.0.1, opens it, and prints its\n"
     "address: whoever has that can run programs as you. Without FILE or FOLDER the page shows\n"
     "copies of the examples, which go when it is closed; else those files, which it writes when\n"
     "they are saved and runs as from this folder. Ctrl-C ends it.",
     "$ couler playground\n$ couler playground spam.cwl --port 8080 --no-browser", Words::Source, 0,
     1, kPlaygroundOptions, false, runPlayground},
    {"version",
     "print the version",
     "version",
     "",
     "$ couler version",
     Words::None,
     0,
     0,
     {},
     false,
     runVersion},
    {"completion",
     "print a completion script for a shell",
     "completion bash|zsh|fish",
     "",
     "$ source <(couler completion bash)\n"
     "$ couler completion fish > ~/.config/fish/completions/couler.fish",
     Words::Shell,
     1,
     1,
     {},
     false,
     runCompletion},
    {"man",
     "print the manual page",
     "man",
     "The page is in roff; `man` shows it.",
     "$ couler man > couler.1 && man ./couler.1",
     Words::None,
     0,
     0,
     {},
     false,
     runMan},
    {"help",
     "print help",
     "help [COMMAND]",
     "",
     "$ couler help run",
     Words::Command,
     0,
     1,
     {},
     false,
     runHelp},
};

}  // namespace

std::span<const Command> commandTable() { return kCommands; }

const Command* findCommand(std::string_view name) {
  const auto* at = std::find_if(std::begin(kCommands), std::end(kCommands),
                                [&](const Command& c) { return c.name == name; });
  return at == std::end(kCommands) ? nullptr : at;
}

std::vector<Option> optionsOf(const Command& command) {
  std::vector<Option> result(command.options.begin(), command.options.end());
  if (command.diagnostics) {
    result.insert(result.end(), std::begin(kDiagnosticOptions), std::end(kDiagnosticOptions));
  }
  result.push_back(kHelpOption);
  return result;
}

}  // namespace couler::driver
