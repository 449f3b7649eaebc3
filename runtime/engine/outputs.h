#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ir/module.h"
#include "runtime/store/objects.h"

namespace couler::runtime {

/// `value` with each file in it replaced by what `change` makes of it; nothing when that gave
/// nothing.
using FileChange = std::function<std::optional<ir::FileRef>(const ir::FileRef&)>;
[[nodiscard]] std::optional<ir::Value> mapFiles(const ir::Value& value, const FileChange& change);

/// The outputs of a step as the store keeps them: a line of JSON, in which files are paths within
/// objects/, then for each file, in the order of the JSON, a line `<bytes> f|d`.
[[nodiscard]] std::string encodeOutputs(const ir::Value& outputs, const Objects& objects);

/// What became of stored outputs.
struct Decoded {
  std::optional<ir::Value> value;
  std::string problem;  ///< why there is no value: "`model.json` was changed", …
};
/// How closely the files of stored outputs are looked at: not at all, by size and time, whole.
enum class Look : std::uint8_t { No, Quick, Thorough };
/// Reads them back and looks at each file.
[[nodiscard]] Decoded decodeOutputs(std::string_view text, ir::TypeId type,
                                    const ir::TypeTable& types, const Objects& objects, Look look);
/// Calls `take` with each file and folder in a value.
void eachFile(const ir::Value& value, const std::function<void(const ir::FileRef&)>& take);
/// The same for those that are in the store, with their paths within objects/.
void eachObject(const ir::Value& value, const Objects& objects,
                const std::function<void(std::string_view)>& take);

/// The name under which a Path output is written and kept.
[[nodiscard]] std::string_view outputBaseName(const ir::OutputDef& output);
/// Where the process leaves an output, in its folder.
[[nodiscard]] std::string outputPath(const ir::OutputDef& output, std::string_view folder);

/// Takes what an ended process left in `folder` into the store. A FileError with code 0 is the
/// step's own fault; others are the store's.
[[nodiscard]] std::variant<ir::Value, FileError> collectOutputs(const ir::Module& module,
                                                                const ir::TaskDef& task,
                                                                const std::string& folder,
                                                                std::string_view printed,
                                                                const Objects& objects);

}  // namespace couler::runtime
