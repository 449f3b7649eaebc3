#include "runtime/engine/outputs.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>
#include <unistd.h>

#include "ir/shim.h"

namespace couler::runtime {
namespace {

constexpr std::uint64_t kMostScalarBytes = 64U << 20;

FileError fault(std::string message) { return {0, std::move(message)}; }

bool diskFull(const FileError& error) { return error.code == ENOSPC || error.code == EDQUOT; }

/// The type without `?`.
ir::TypeId inner(const ir::TypeTable& types, ir::TypeId type) {
  return types.kind(type) == ir::TypeKind::Optional ? types[type].element : type;
}

ir::FileRef refOf(const Object& object, const Objects& objects) {
  return {objects.absolute(object.path), object.digest.hex(), object.isDir};
}

/// Takes outputs from one ended step.
class Collector {
 public:
  Collector(const ir::Module& module, ir::RunKind kind, const std::string& folder,
            const Objects& objects)
      : types_(module.types), kind_(kind), folder_(folder), objects_(objects) {}

  std::optional<ir::Value> take(const ir::OutputDef& output, std::string_view printed) {
    switch (output.from) {
      case ir::OutputFrom::Path:
        return takePath(output);
      case ir::OutputFrom::Variable:
        return takeVariable(output);
      case ir::OutputFrom::Stdout:
        return takeText(output, printed, "standard output");
      case ir::OutputFrom::File: {
        const std::string path = folder_ + '/' + output.path;
        auto text = readFile(path, kMostScalarBytes);
        if (auto* bad = std::get_if<FileError>(&text)) {
          if (bad->code == ENOENT && optional(output)) return ir::Value();
          return fail(bad->code == ENOENT ? missing(output, path) : fault(bad->message));
        }
        return takeText(output, std::get<std::string>(text), fmt::format("`{}`", output.path));
      }
    }
    return std::nullopt;
  }

  FileError error;

 private:
  std::nullopt_t fail(FileError why) {
    error = std::move(why);
    return std::nullopt;
  }

  bool optional(const ir::OutputDef& output) const {
    return types_.kind(output.type) == ir::TypeKind::Optional;
  }

  static FileError missing(const ir::OutputDef& output, const std::string& path) {
    return fault(
        fmt::format("it ended without making output `{}`: nothing is at `{}`", output.name, path));
  }

  std::optional<ir::Value> takePath(const ir::OutputDef& output) {
    const std::string path = outputPath(output, folder_);
    const bool isDir = types_.kind(inner(types_, output.type)) == ir::TypeKind::Dir;
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) {
      if (errno == ENOENT && optional(output)) return ir::Value();
      return fail(errno == ENOENT ? missing(output, path)
                                  : fault(fileError(errno, "read", path).message));
    }
    if (isDir != S_ISDIR(info.st_mode)) {
      return fail(fault(fmt::format("output `{}` is a {}, and it made a {} at `{}`", output.name,
                                    isDir ? "folder" : "file", isDir ? "file" : "folder", path)));
    }
    auto object = objects_.publish(path, isDir, outputBaseName(output));
    if (auto* bad = std::get_if<FileError>(&object)) {
      if (!diskFull(*bad)) bad->code = 0;
      return fail(std::move(*bad));
    }
    return ir::Value(refOf(std::get<Object>(object), objects_));
  }

  std::optional<ir::Value> takeText(const ir::OutputDef& output, std::string_view text,
                                    std::string_view from) {
    if (output.from == ir::OutputFrom::Stdout && text.ends_with('\n')) text.remove_suffix(1);
    std::string why;
    auto value = ir::decodeOutput(ir::RunKind::Sh, text, output.type, types_, why);
    if (!value) {
      return fail(fault(fmt::format("output `{}` is `{}`, and {} does not read as one: {}",
                                    output.name, types_.print(output.type), from, why)));
    }
    return value;
  }

  std::optional<ir::Value> takeVariable(const ir::OutputDef& output) {
    const std::string path = outputPath(output, folder_);
    auto text = readFile(path, kMostScalarBytes);
    if (auto* bad = std::get_if<FileError>(&text)) {
      return fail(bad->code == ENOENT
                      ? fault(fmt::format("it ended without setting output `{}`", output.name))
                      : fault(bad->message));
    }
    std::string why;
    auto value = ir::decodeOutput(kind_, std::get<std::string>(text), output.type, types_, why);
    if (!value) {
      return fail(fault(fmt::format("output `{}` is not a `{}`: {}", output.name,
                                    types_.print(output.type), why)));
    }
    return value;
  }

  const ir::TypeTable& types_;
  ir::RunKind kind_;
  const std::string& folder_;
  const Objects& objects_;
};

}  // namespace

std::optional<ir::Value> mapFiles(const ir::Value& value, const FileChange& change) {
  // Depth is that of the value's type, which the frontend bounds.
  if (const auto* file = value.as<ir::FileRef>()) {
    auto changed = change(*file);
    if (!changed) return std::nullopt;
    return ir::Value(std::move(*changed));
  }
  if (value.as<ir::ListValue>() != nullptr) {
    ir::ListItems items;
    items.reserve(value.items().size());
    for (const ir::Value& item : value.items()) {
      auto changed = mapFiles(item, change);
      if (!changed) return std::nullopt;
      items.push_back(std::move(*changed));
    }
    return ir::Value::list(std::move(items));
  }
  const bool isMap = value.as<ir::MapValue>() != nullptr;
  if (isMap || value.as<ir::RecordValue>() != nullptr) {
    ir::NamedItems items;
    items.reserve(value.named().size());
    for (const auto& [name, item] : value.named()) {
      auto changed = mapFiles(item, change);
      if (!changed) return std::nullopt;
      items.emplace_back(name, std::move(*changed));
    }
    return isMap ? ir::Value::map(std::move(items)) : ir::Value::record(std::move(items));
  }
  return value;
}

void eachObject(const ir::Value& value, const Objects& objects,
                const std::function<void(std::string_view)>& take) {
  eachFile(value, [&](const ir::FileRef& file) {
    const std::string_view path = objects.relative(file.path);
    if (!path.empty()) take(path);
  });
}

void eachFile(const ir::Value& value, const std::function<void(const ir::FileRef&)>& take) {
  if (const auto* file = value.as<ir::FileRef>()) {
    take(*file);
  } else if (value.as<ir::ListValue>() != nullptr) {
    for (const ir::Value& item : value.items()) eachFile(item, take);
  } else if (value.as<ir::MapValue>() != nullptr || value.as<ir::RecordValue>() != nullptr) {
    for (const auto& [name, item] : value.named()) eachFile(item, take);
  }
}

std::string encodeOutputs(const ir::Value& outputs, const Objects& objects) {
  std::string lines;
  const auto relative = mapFiles(outputs, [&](const ir::FileRef& file) {
    struct stat info{};
    const bool found = stat(file.path.c_str(), &info) == 0;
    std::uint64_t bytes = found ? static_cast<std::uint64_t>(info.st_size) : 0;
    if (file.isDir) bytes = bytesIn(file.path);
    fmt::format_to(std::back_inserter(lines), "\n{} {}", bytes, file.isDir ? 'd' : 'f');
    return std::optional(ir::FileRef{std::string(objects.relative(file.path)), "", file.isDir});
  });
  return ir::toJson(*relative) + lines;
}

Decoded decodeOutputs(std::string_view text, ir::TypeId type, const ir::TypeTable& types,
                      const Objects& objects, Look look) {
  Decoded decoded;
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view lines = text.substr(end);
  std::string why;
  auto value = ir::fromJson(text.substr(0, end), type, types, why);
  if (!value) {
    decoded.problem = "what the store has of it cannot be read";
    return decoded;
  }
  if (lines.empty()) {
    decoded.value = std::move(value);
    return decoded;
  }
  decoded.value = mapFiles(*value, [&](const ir::FileRef& file) -> std::optional<ir::FileRef> {
    std::uint64_t bytes = 0;
    if (!lines.empty()) lines.remove_prefix(1);
    const auto number = std::from_chars(lines.data(), lines.data() + lines.size(), bytes);
    lines.remove_prefix(static_cast<std::size_t>(number.ptr - lines.data()));
    const bool isDir = lines.starts_with(" d");
    lines.remove_prefix(std::min<std::size_t>(2, lines.size()));
    std::string digest = Objects::digestOf(file.path);
    ObjectState state = ObjectState::Missing;
    if (!digest.empty()) {
      state = look == Look::No
                  ? ObjectState::Good
                  : objects.check(file.path, bytes, isDir, look == Look::Thorough);
    }
    if (state != ObjectState::Good) {
      decoded.problem = fmt::format("`{}` in the store {}", baseName(file.path),
                                    state == ObjectState::Missing ? "is gone" : "was changed");
      return std::nullopt;
    }
    return ir::FileRef{objects.absolute(file.path), std::move(digest), isDir};
  });
  return decoded;
}

std::string_view outputBaseName(const ir::OutputDef& output) {
  return output.path.empty() ? std::string_view(output.name) : std::string_view(output.path);
}

std::string outputPath(const ir::OutputDef& output, std::string_view folder) {
  // A scalar's file is hidden, so that the folder looks empty to the script.
  if (output.from == ir::OutputFrom::Variable)
    return fmt::format("{}/.couler-{}", folder, output.name);
  return fmt::format("{}/{}", folder, outputBaseName(output));
}

std::variant<ir::Value, FileError> collectOutputs(const ir::Module& module, const ir::TaskDef& task,
                                                  const std::string& folder,
                                                  std::string_view printed,
                                                  const Objects& objects) {
  Collector collector(module, task.run, folder, objects);
  ir::NamedItems fields;
  fields.reserve(task.outputs.size());
  for (const ir::OutputDef& output : task.outputs) {
    auto value = collector.take(output, printed);
    if (!value) return std::move(collector.error);
    fields.emplace_back(output.name, std::move(*value));
  }
  return ir::Value::record(std::move(fields));
}

}  // namespace couler::runtime
