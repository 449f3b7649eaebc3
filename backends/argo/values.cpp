#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

using ir::TypeKind;

constexpr std::size_t kMaxDepth = 200;                  // of one expression
constexpr std::size_t kMaxText = std::size_t{1} << 16;  // of one expression or JSON text

}  // namespace

std::string Emitter::joined(std::string_view base, const Path& path) {
  std::string out(base);
  for (const std::string& part : path) {
    if (!out.empty()) out += '-';
    out += part;
  }
  return out;
}

bool Emitter::holdsFiles(ir::TypeId type) const {
  return module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir) ||
         module_.types.holds(type, TypeKind::Table);
}

void Emitter::addLeaves(ir::TypeId type, Path& path, bool optional, std::vector<Leaf>& out) const {
  const ir::Type& t = module_.types[type];
  switch (t.kind) {
    case TypeKind::Record:
      if (!optional || holdsFiles(type)) {
        for (const ir::TypeField& field : t.fields) {
          if (optional && !holdsFiles(field.type)) continue;  // in the JSON of the whole
          path.push_back(field.name);
          addLeaves(field.type, path, optional, out);
          path.pop_back();
        }
      }
      return;
    case TypeKind::Optional:
      if (!optional && module_.types.kind(t.element) != TypeKind::File &&
          module_.types.kind(t.element) != TypeKind::Dir) {
        out.push_back({path, type, false, false});
      }
      if (holdsFiles(t.element)) addLeaves(t.element, path, true, out);
      return;
    case TypeKind::File:
    case TypeKind::Dir:
    case TypeKind::Table:
      out.push_back({path, type, true, optional});
      return;
    default:
      if (!optional) out.push_back({path, type, false, false});
      return;
  }
}

std::vector<Leaf> Emitter::leavesOf(ir::TypeId type) const {
  std::vector<Leaf> out;
  Path path;
  addLeaves(type, path, false, out);
  return out;
}

ir::TypeId Emitter::fieldType(ir::TypeId type, std::string_view field) const {
  const ir::TypeTable& types = module_.types;
  while (types.kind(type) == TypeKind::Optional) type = types[type].element;
  if (types.kind(type) != TypeKind::Record && types.kind(type) != TypeKind::Schema)
    return ir::TypeTable::kError;
  const auto index = types.fieldIndex(type, field);
  return index ? types[type].fields[*index].type : ir::TypeTable::kError;
}

ir::NodeId Emitter::base(ir::NodeId id, Path& path) const {
  while (true) {
    const ir::Node& n = node(id);
    if (const auto* field = std::get_if<ir::Field>(&n.payload)) {
      const ir::NodeId object = module_.operands(n)[0];
      if (field->ofEach) {
        // `parts.n` of a fan-out is one of its outputs; of any other list it is computed.
        Path inner;
        const ir::NodeId maker = base(object, inner);
        if (!inner.empty() || module_.payload<ir::For>(maker) == nullptr ||
            !hasSteps(module_.payload<ir::For>(maker)->body)) {
          return id;
        }
        path.insert(path.begin(), std::string(module_.at(field->name)));
        return maker;
      }
      path.insert(path.begin(), std::string(module_.at(field->name)));
      id = object;
      continue;
    }
    const auto* op = std::get_if<ir::Op>(&n.payload);
    if (op != nullptr && op->op == ir::Builtin::MakeRecord && !path.empty()) {
      const auto index = module_.types.fieldIndex(n.type, path.front());
      if (!index) return id;
      id = module_.operands(n)[*index];
      path.erase(path.begin());
      continue;
    }
    if (op != nullptr && op->op == ir::Builtin::Unwrap && !path.empty()) {
      // A file of what may be missing is missing with it.
      ir::TypeId type = n.type;
      for (const std::string& field : path) type = fieldType(type, field);
      const ir::NodeId maybe = module_.operands(n)[0];
      if (isFileKind(kindOf(type)) && module_.payload<ir::Op>(maybe) == nullptr) {
        id = maybe;
        continue;
      }
    }
    return id;
  }
}

std::optional<Emitter::Place> Emitter::place(ir::NodeId id, const Path& path) const {
  const ir::TypeTable& types = module_.types;
  const ir::Node& n = node(id);
  Place out;
  ir::TypeId type = n.type;
  if (isPacked(id)) {
    out.packed = true;
    std::size_t known = 0;  // fields of which the type is known
    if (const ir::FuncId from = bundle(id); from.valid() && !path.empty()) {
      const PartFacts& part = parts_.at(from);
      const auto field = part.fields.find(path[0]);
      if (field == part.fields.end()) {  // already one of the outputs that the fields come in
        out.leaf = {path[0]};
        return out;
      }
      if (part.chunk[field->second] == kNoChunk) {
        out.leaf = path;
        out.type = out.restType = types[n.type].fields[field->second].type;
        out.optional = types.kind(out.type) == TypeKind::Optional;
        out.artifact = true;
        out.packed = false;
        return out;
      }
      out.leaf = {chunkName(part.chunk[field->second])};
      type = types[n.type].fields[field->second].type;
      known = 1;
    }
    for (std::size_t i = known; i < path.size(); ++i) type = fieldType(type, path[i]);
    if (type == ir::TypeTable::kError) return std::nullopt;
    out.rest = path;
    out.type = n.type;
    out.restType = type;
    out.optional = types.kind(type) == TypeKind::Optional;
    out.artifact = isFileKind(kindOf(type));
    return out;
  }
  std::size_t i = 0;
  if (const auto* loop = std::get_if<ir::For>(&n.payload);
      loop != nullptr && hasSteps(loop->body) && !path.empty()) {
    // A fan-out gives each field of its items as a list of its own.
    const ir::TypeId field = fieldType(types[n.type].element, path[0]);
    out.leaf = {path[0]};
    out.type = field;
    out.rest = {path.begin() + 1, path.end()};
    out.restType = field;
    out.artifact = holdsFiles(field);
    return out.rest.empty() ? std::optional(out) : std::nullopt;
  }
  while (i < path.size() && types.kind(type) == TypeKind::Record) {
    type = fieldType(type, path[i]);
    ++i;
  }
  out.leaf = {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i)};
  out.rest = {path.begin() + static_cast<std::ptrdiff_t>(i), path.end()};
  out.type = type;
  ir::TypeId last = type;
  for (const std::string& field : out.rest) last = fieldType(last, field);
  out.restType = last;
  ir::TypeId inner = last;
  if (types.kind(inner) == TypeKind::Optional) {
    out.optional = true;
    inner = types[inner].element;
  }
  const TypeKind kind = types.kind(inner);
  if (kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table) {
    // Files inside optional records are leaves too.
    out.artifact = true;
    out.optional = out.optional || !out.rest.empty();
    out.leaf = path;
    out.rest.clear();
    out.type = last;
  }
  if (last == ir::TypeTable::kError) return std::nullopt;
  return out;
}

void Emitter::dependOn(Scope& scope, ir::NodeId id) {
  if (scopeOf_[node(id).region.index()] != &scope || deps_ == nullptr) return;
  if (taskName_[id.index()] == 0 || stamp_[id.index()] == stampNow_) return;
  stamp_[id.index()] = stampNow_;
  deps_->push_back(names_[taskName_[id.index()]]);
}

std::optional<Ref> Emitter::reference(Scope& scope, ir::NodeId id, const Place& where) {
  const ir::Node& n = node(id);
  Scope* home = scopeOf_[n.region.index()];
  Ref ref;
  ref.artifact = where.artifact && !where.packed;
  if (home != &scope) {
    const auto key = std::make_pair(id, where.leaf);
    const auto found = scope.captureIndex.find(key);
    if (found != scope.captureIndex.end()) {
      ref.name = scope.captures[found->second].name;
      return ref;
    }
    ref.name = scope.inputNames.unique(
        "outer-" +
        joined(scope.unrolled ? std::string(lastPart(label(id))) : label(id), where.leaf));
    scope.captureIndex.emplace(key, scope.captures.size());
    scope.captures.push_back(
        {id, where.leaf, ref.name, ref.artifact, where.optional, where.type});
    return ref;
  }
  if (std::holds_alternative<ir::Param>(n.payload)) {
    ref.name = joined(label(id), where.leaf);
    return ref;
  }
  if (taskName_[id.index()] == 0) return std::nullopt;
  dependOn(scope, id);
  ref.task.assign(names_[taskName_[id.index()]]);
  if (const auto* step = std::get_if<ir::Step>(&n.payload)) {
    ref.name = joined("", where.leaf);
    const ir::TaskDef& task = module_.at(step->task);
    for (const ir::OutputDef& output : task.outputs) {
      if (output.name == ref.name && !where.artifact) ref.encoding = outputEncoding(output);
    }
  } else {
    const bool plain = where.packed || std::holds_alternative<ir::Call>(n.payload);
    ref.name = joined(plain ? "" : "value", where.leaf);
  }
  return ref;
}

std::string Emitter::coerce(std::string e, ir::TypeId type) const {
  switch (module_.types.kind(type)) {
    case TypeKind::Int:
    case TypeKind::Duration:
    case TypeKind::Size:
      return "asInt(" + e + ")";
    case TypeKind::Float:
      return "asFloat(" + e + ")";
    default:
      return e;
  }
}

std::string Emitter::decode(const Ref& ref, ir::TypeId type) const {
  if (ref.encoding == Encoding::Base64Text) return "sprig.b64dec(" + ref.indexed() + ")";
  if (ref.encoding != Encoding::Json) return "fromJSON(" + ref.jsonExpr() + ")";
  return decode(ref.indexed(), type);
}

std::string Emitter::decode(const std::string& json, ir::TypeId type) const {
  switch (module_.types.kind(type)) {
    case TypeKind::Bool:
      return "(" + json + " == \"true\")";
    case TypeKind::Int:
    case TypeKind::Duration:
    case TypeKind::Size:
    case TypeKind::Float:
      return coerce(json, type);
    default:
      return "fromJSON(" + json + ")";
  }
}

std::string Emitter::encode(std::string e, ir::TypeId type) const {
  switch (module_.types.kind(type)) {
    case TypeKind::Float:  // Go writes 3.0 as 3
      return "sprig.regexReplaceAll(\"^-?[0-9]+$\", toJson(" + e + "), \"$0.0\")";
    case TypeKind::Bool:
    case TypeKind::Int:
    case TypeKind::Duration:
    case TypeKind::Size:
    case TypeKind::Enum:
      return "toJson(" + e + ")";
    default:
      return "sprig.replace(\"\\u007b\\u007b\", \"\\u007b\\\\u007b\", toJson(" + e + "))";
  }
}

bool Emitter::isTotal(ir::NodeId root) const {
  std::vector<ir::NodeId> left{root};
  for (std::size_t looked = 0; !left.empty(); ++looked) {
    if (looked > kMaxDepth) return false;
    Path path;
    const ir::NodeId id = base(left.back(), path);
    left.pop_back();
    const ir::Node& n = node(id);
    const auto operands = module_.operands(n);
    if (const auto* branch = std::get_if<ir::If>(&n.payload); branch != nullptr && !givesKey(id)) {
      left.push_back(operands[0]);
      for (const ir::RegionId region : module_.regionsOf(n)) {
        left.push_back(module_.at(region).results[0]);
      }
      continue;
    }
    const auto* made = std::get_if<ir::Op>(&n.payload);
    if (made == nullptr) continue;
    using B = ir::Builtin;
    const B op = made->op;
    if (op == B::Coalesce || op == B::CoalesceOptional) {
      left.insert(left.end(), operands.begin(), operands.end());
      continue;
    }
    const bool safe = op == B::MakeList || op == B::MakeRecord || op == B::Concat ||
                      op == B::AddString || op == B::Equal || op == B::NotEqual || op == B::Not;
    if (!safe || operands.size() > 16) return false;
    if (std::any_of(operands.begin(), operands.end(), [&](ir::NodeId o) {
          return std::holds_alternative<ir::Op>(node(o).payload);
        })) {
      return false;
    }
  }
  return true;
}

Text Emitter::textOf(Scope& scope, ir::NodeId id, const Path& path, ir::TypeId type) {
  // A whole record from leaves, in the order of its fields; files are passed beside it.
  Text out = Text::literal("{");
  bool first = true;
  for (const ir::TypeField& field : module_.types[type].fields) {
    const TypeKind kind = module_.types.kind(field.type);
    if (kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table) continue;
    Path inner = path;
    inner.push_back(field.name);
    out.add(fmt::format("{}\"{}\":", first ? "" : ",", field.name));
    out.add(text(scope, id, std::move(inner)));
    first = false;
  }
  out.add("}");
  return out;
}

Text Emitter::text(Scope& scope, ir::NodeId from, Path path) {
  const ir::NodeId id = base(from, path);
  const ir::Node& n = node(id);
  if (depth_ > kMaxDepth) {
    refuse<Diag::BackendExpression>(node(from).span, "put a part of it into a task", "argo",
                                    "an expression nested this deep");
    return Text::literal("null");
  }
  ++depth_;
  struct Leave {
    std::size_t& depth;
    ~Leave() { --depth; }
  } leave{depth_};
  if (const auto* constant = std::get_if<ir::Const>(&n.payload)) {
    const ir::Value* value = &module_.at(constant->value);
    for (const std::string& field : path) {
      value = value == nullptr || value->isNone() ? nullptr : value->field(field);
    }
    return Text::literal(value == nullptr ? "null" : jsonText(*value));
  }
  if (std::holds_alternative<ir::Param>(n.payload) &&
      module_.types.kind(n.type) == TypeKind::Secret &&
      n.region == module_.at(module_.entry).body) {
    return Text::literal(label(id));  // the key within the Kubernetes Secret, never the secret
  }
  if (const auto found = boundText_.find(id); found != boundText_.end() && path.empty()) {
    return Text::expression(found->second);
  }
  if (bound_.contains(id)) return Text::expression(encode(expr(scope, id, path), node(from).type));
  if (isPacked(id)) return packedText(scope, id, path);
  const auto* op = std::get_if<ir::Op>(&n.payload);
  if (const auto* field = std::get_if<ir::Field>(&n.payload); field != nullptr && path.empty()) {
    // A field of each record of a list that is spelled out (of an unrolled `for`, say).
    Path inner;
    const ir::NodeId list = base(module_.operands(n)[0], inner);
    const auto* made = std::get_if<ir::Op>(&node(list).payload);
    if (inner.empty() && made != nullptr && made->op == ir::Builtin::MakeList) {
      Text out = Text::literal("[");
      bool first = true;
      for (const ir::NodeId item : module_.operands(node(list))) {
        if (!first) out.add(",");
        first = false;
        out.add(text(scope, item, {std::string(module_.at(field->name))}));
      }
      return out.add("]");
    }
  }
  if (op != nullptr && path.empty()) {
    const auto operands = module_.operands(n);
    if (op->op == ir::Builtin::MakeList) {
      Text out = Text::literal("[");
      for (std::size_t i = 0; i < operands.size(); ++i) {
        if (i != 0) out.add(",");
        out.add(text(scope, operands[i], {}));
      }
      return out.add("]");
    }
    if (op->op == ir::Builtin::SpreadList) {
      if (auto out = joinedLists(scope, operands)) return std::move(*out);
    }
    if (op->op == ir::Builtin::MakeRecord) {
      Text out = Text::literal("{");
      bool first = true;
      for (std::size_t i = 0; i < operands.size(); ++i) {
        const ir::TypeField& field = module_.types[n.type].fields[i];
        if (holdsFiles(field.type)) continue;
        out.add(fmt::format("{}\"{}\":", first ? "" : ",", field.name));
        out.add(text(scope, operands[i], {}));
        first = false;
      }
      return out.add("}");
    }
    if (op->op == ir::Builtin::MakeMap) {
      std::map<std::string, ir::NodeId>
          entries;  // sorted, a later equal key wins: as canonical JSON
      for (std::size_t i = 0; i + 1 < operands.size(); i += 2) {
        const ir::Value* key = module_.constant(operands[i]);
        const auto* name = key == nullptr ? nullptr : key->as<std::string>();
        if (name == nullptr) {
          refuse<Diag::BackendExpression>(n.span, "put it into a task", "argo",
                                          "a map whose keys are not constants");
          return Text::literal("null");
        }
        entries[*name] = operands[i + 1];
      }
      Text out = Text::literal("{");
      for (const auto& [name, value] : entries) {
        out.add((name == entries.begin()->first ? "" : ",") + safeJson(jsonQuote(name)) + ":");
        out.add(text(scope, value, {}));
      }
      return out.add("}");
    }
  }
  if (op == nullptr && !std::holds_alternative<ir::Field>(n.payload)) {
    auto where = place(id, path);
    // Of a chosen file: its key, which is a parameter beside the artifact.
    if (where && where->artifact && givesKey(id)) where->artifact = false;
    if (where && !where->artifact && where->rest.empty()) {
      if (module_.types.kind(where->type) == TypeKind::Record) {
        return textOf(scope, id, path, where->type);
      }
      if (const auto ref = reference(scope, id, *where)) return Text::ref(*ref);
    }
  }
  ir::TypeId type = n.type;
  for (const std::string& field : path) type = fieldType(type, field);
  std::string e = encode(expr(scope, id, path), type);
  if (e.size() > kMaxText) {
    refuse<Diag::BackendExpression>(node(from).span, "put a part of it into a task", "argo",
                                    "an expression this large");
    e = "\"\"";
  }
  return Text::expression(std::move(e));
}

std::string Emitter::expr(Scope& scope, ir::NodeId from, Path path) {
  const ir::NodeId id = base(from, path);
  const ir::Node& n = node(id);
  const auto fail = [&](std::string_view what) {
    refuse<Diag::BackendExpression>(node(from).span, "put it into a task", "argo", what);
    return std::string("nil");
  };
  if (depth_ > kMaxDepth) return fail("an expression nested this deep");
  ++depth_;
  std::string out;
  if (const auto* constant = std::get_if<ir::Const>(&n.payload)) {
    const ir::Value* value = &module_.at(constant->value);
    for (const std::string& field : path) {
      value = value == nullptr || value->isNone() ? nullptr : value->field(field);
    }
    out = value == nullptr ? "nil" : constExpr(*value);
    --depth_;
    return out;
  }
  if (isPacked(id)) {
    out = packedExpr(scope, id, path);
    --depth_;
    return out;
  }
  Path rest;
  ir::TypeId type = n.type;
  if (const auto found = bound_.find(id); found != bound_.end()) {
    out = found->second;
    rest = path;
  } else if (std::holds_alternative<ir::Op>(n.payload) ||
             std::holds_alternative<ir::Field>(n.payload) ||
             (std::holds_alternative<ir::If>(n.payload) && taskName_[id.index()] == 0) ||
             (std::holds_alternative<ir::For>(n.payload) && taskName_[id.index()] == 0)) {
    out = opExpr(scope, id);
    rest = path;
  } else if (const auto where = place(id, path); where && where->artifact) {
    out = fail("anything with the content of a file");
  } else if (where && module_.types.kind(where->type) == TypeKind::Record) {
    out = "fromJSON(" + text(scope, id, path).asExpr() + ")";
  } else if (where) {
    const auto ref = reference(scope, id, *where);
    if (!ref) {
      out = fail("this");
    } else {
      out = decode(*ref, where->type);
      type = where->type;
      rest = where->rest;
    }
  } else {
    out = fail("this");
  }
  out = members(std::move(out), type, rest);
  if (out.size() > kMaxText) out = fail("an expression this large");
  --depth_;
  return out;
}

std::string Emitter::members(std::string of, ir::TypeId type, std::span<const std::string> fields) const {
  bool maybeNone = false;
  for (const std::string& field : fields) {
    maybeNone = maybeNone || module_.types.kind(type) == TypeKind::Optional;
    type = fieldType(type, field);
    // `#` of an empty list is never looked at, so none stays none.
    const std::string member = "[" + exprString(field) + "]";
    of = maybeNone ? "first(map(filter([" + of + "], {# != nil}), {#" + member + "}))" : of + member;
  }
  return fields.empty() || maybeNone ? of : coerce(std::move(of), type);
}

std::optional<ArtifactArg> Emitter::artifact(Scope& scope, ir::NodeId from, Path path, Span at) {
  const Path wanted = path;
  const ir::NodeId id = base(from, path);
  const ir::Node& n = node(id);
  ArtifactArg out;
  if (const auto* constant = std::get_if<ir::Const>(&n.payload)) {
    const ir::Value* value = &module_.at(constant->value);
    for (const std::string& field : path) value = value == nullptr ? nullptr : value->field(field);
    const auto* file = value == nullptr ? nullptr : value->as<ir::FileRef>();
    if (file == nullptr) {
      out.optional = true;  // none: nothing is given
      return out;
    }
    const auto content =
        options_.readFile && !file->isDir ? options_.readFile(file->path) : std::nullopt;
    std::string_view why;
    if (file->isDir) {
      why = "a folder is more than one file";
    } else if (!content) {
      why = "it cannot be read here";
    } else if (content->size() > std::size_t{256} * 1024) {
      why = "it is larger than 256 KiB";
    } else if (content->find("{{") != std::string::npos) {
      why = "argo would take its `{{` for a tag";
    } else if (findInvalidUtf8(*content) || content->find('\0') != std::string::npos) {
      why = "it is not text";
    } else {
      out.raw = *content;
      return out;
    }
    refuse<Diag::BackendFileContent>(n.span.valid() ? n.span : at,
                                     "put it into the image, or make it an input of the workflow: "
                                     "`name: file`",
                                     file->path, why);
    return std::nullopt;
  }
  const auto where = place(id, path);
  if (where && where->artifact && where->packed) {
    out.key = packedKey(scope, id, path);
    out.optional = where->optional;
    return out;
  }
  if (where && where->artifact && !std::holds_alternative<ir::Op>(n.payload)) {
    if (const auto ref = reference(scope, id, *where)) {
      out.from = *ref;
      out.optional = where->optional;
      return out;
    }
  }
  if (!settings_.artifacts) {
    refuse<Diag::BackendNeedsArtifacts>(at, "add `artifacts: s3(bucket: \"…\")` to the target",
                                        "a file chosen by an expression", "argo");
    return std::nullopt;
  }
  std::string key = keyExpr(scope, from, wanted, at);
  ir::TypeId type = node(from).type;
  for (const std::string& field : wanted) type = fieldType(type, field);
  out.optional = module_.types.kind(type) == TypeKind::Optional;
  // The key of no object: an optional file may be missing.
  if (out.optional)
    key = fmt::format("first(filter([{}, {}], {{# != nil}}))", key, exprString("none"));
  out.key = exprTag(key);
  return out;
}

}  // namespace couler::backends::argo
