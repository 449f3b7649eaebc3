#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "driver/command.h"
#include "ir/module.h"
#include "runtime/column/stream.h"

namespace couler::driver {

/// A schema of a program, and the plan of a step that reads a file with it.
struct SchemaReader {
  ir::Module module;
  ir::TaskId task;
  column::Schema schema;  ///< its types are the module's; the columns are called as in the file
};

/// `where` is FILE.cwl:Name. Nothing, and the messages printed, where the program has errors or no
/// such schema. The format is that of the file to read.
[[nodiscard]] std::unique_ptr<SchemaReader> schemaNamed(const Invocation& invocation,
                                                        const std::string& where,
                                                        const std::string& format);

/// Reads a file as a step does and counts all that is wrong with it. `rows` are those that were
/// kept. The error is about the file as a whole.
struct SchemaFindings {
  column::AnomalyLog log;
  std::int64_t rows = 0;
  std::string error;
  bool headerOnly = false;  ///< columns are missing: no row was looked at
};
[[nodiscard]] SchemaFindings checkFile(const SchemaReader& reader, const std::string& path,
                                       const std::string& name, const std::string& format);

[[nodiscard]] std::string findingsText(const std::string& file, const SchemaFindings& findings);
[[nodiscard]] std::string findingsHtml(const std::string& file, const SchemaFindings& findings);

}  // namespace couler::driver
