// Calls: what is called, and what goes where.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

std::string_view placeOf(Place place) {
  switch (place) {
    case Place::Workflow:
    case Place::Finally:
      return "a workflow";
    case Place::Fn:
      return "a `fn`";
    case Place::Command:
      return "a command";
    case Place::Env:
      return "`env`";
    case Place::Attribute:
      return "a setting";
    case Place::Default:
      return "a default";
    case Place::Column:
      return "a schema";
    case Place::Row:
      return "a transform";
    case Place::Test:
      return "a test";
  }
  return "here";
}

namespace {

bool hasDefault(const FieldInfo& param) {
  return param.syntax != nullptr && param.syntax->value != nullptr;
}

bool needsFiles(std::string_view name) { return name == "file" || name == "dir" || name == "glob"; }

}  // namespace

void Checker::checkArgumentsAnyway(std::span<const Argument> args) {
  for (const Argument& arg : args) check(arg.value);
}

/// The parser has let pass a first argument with `...`, which only a row is made of.
void Checker::refuseSpread(std::span<const Argument> args) {
  if (args.empty() || !args[0].spread) return;
  const Span at = args[0].span;
  report(diagnose<Diag::MisplacedSpread>(Span{at.file, at.begin, at.begin + 3}, "a call"));
}

TypeId Checker::checkCall(const CallExpr& expr, TypeId expected) {
  const auto poison = [&] {
    checkArgumentsAnyway(expr.args);
    return set(expr, TypeTable::kError, Phase::Compile);
  };
  if (expr.callee == nullptr) return poison();
  if (expr.callee->kind == ExprKind::Name) {
    const Name& name = static_cast<const NameExpr*>(expr.callee)->name;
    if (const SymbolId local = findLocal(name.text); local.valid()) {
      // A value cannot be called, so a function of that name is what is meant.
      if (!findTop(fileId_, name.text).valid() && !builtins_.contains(name.text)) {
        use(local);
        if (!isError(program_->at(local).type)) {
          report(diagnose<Diag::NotCallable>(expr.callee->span, describe(local))
                     .label(program_->at(local).declared, "declared here"));
        }
        return poison();
      }
    }
    if (const SymbolId symbol = useTop(name.text); symbol.valid()) {
      file_->exprs[expr.callee->id].symbol = symbol;
      return checkCallOf(expr, symbol);
    }
    refuseSpread(expr.args);
    const bool isAggregate = transform_ != nullptr && isAggregateName(name.text);
    if (isAggregate || builtins_.contains(name.text)) {
      return checkBuiltinCall(expr, name, expected);
    }
    if (name.text == "read" || name.text == "write") {
      return name.text == "read" ? checkRead(expr) : checkWrite(expr);
    }
    if (name.text == "drift") return checkDrift(expr);
    unknownName("function, task or workflow", name, visibleNames(true, {}));
    return poison();
  }
  if (expr.callee->kind == ExprKind::Member && spineOf(expr.callee) == nullptr) {
    const auto& member = *static_cast<const MemberExpr*>(expr.callee);
    const auto& space = *static_cast<const NameExpr*>(member.object);
    if (!findLocal(space.name.text).valid()) {
      const SymbolId top = findTop(fileId_, space.name.text);
      if (top.valid() && program_->at(top).kind == SymbolKind::Namespace) {
        useTop(space.name.text);
        file_->exprs[space.id].symbol = top;
        const SymbolId symbol = memberOf(top, member.member, "function, task or workflow");
        if (!symbol.valid()) return poison();
        file_->exprs[member.id].symbol = symbol;
        return checkCallOf(expr, symbol);
      }
    }
    // `text.trim()`, as other languages write it.
    const TypeId object = check(member.object);
    if (!isError(object)) {
      Diagnostic diagnostic =
          diagnose<Diag::NotCallable>(member.span, fmt::format("`{}`", text(member.span)));
      if (builtins_.contains(member.member.text)) {
        diagnostic.note(fmt::format("functions take the value as an argument: `{}({}{})`",
                                    member.member.text, space.name.text,
                                    expr.args.empty() ? "" : ", …"));
      }
      report(std::move(diagnostic));
    }
    return poison();
  }
  if (!isError(info(*expr.callee).type)) {
    report(diagnose<Diag::NotCallable>(expr.callee->span, "this value"));
  }
  return poison();
}

TypeId Checker::checkCallOf(const CallExpr& expr, SymbolId callee) {
  const SymbolKind kind = program_->at(callee).kind;
  const std::string_view name = program_->at(callee).name;
  const bool isStep = kind == SymbolKind::Task || kind == SymbolKind::Workflow;
  if (kind != SymbolKind::Schema && kind != SymbolKind::Transform) refuseSpread(expr.args);
  if (kind == SymbolKind::Transform && !extra(callee).poisoned) {
    if (makesRow(expr, callee)) return checkRowCall(expr, callee);
    return checkTransformCall(expr, {expr.args, expr.callee->span}, callee, nullptr);
  }
  if (!isStep && kind != SymbolKind::Fn && kind != SymbolKind::Schema) {
    // A labeler has been reported where it is declared.
    if (!extra(callee).poisoned && kind != SymbolKind::Labeler) {
      report(diagnose<Diag::NotCallable>(expr.callee->span, describe(callee))
                 .label(program_->at(callee).declared, "declared here"));
    }
    checkArgumentsAnyway(expr.args);
    return set(expr, TypeTable::kError, Phase::Compile);
  }
  const bool misplaced = isStep && place_ != Place::Workflow && place_ != Place::Finally;
  if (misplaced) {
    report(diagnose<Diag::StepOutsideWorkflow>(expr.callee->span, kindWord(kind), name,
                                               placeOf(place_))
               .note("steps are made by workflows alone"));
  }
  CallBinding binding;
  binding.callee = callee;
  Phase phase = Phase::Compile;
  // Over rows a fn gives none where an argument is none that may not be.
  liftsArguments_ = kind == SymbolKind::Fn && lifts();
  bind({expr.args, expr.callee->span}, program_->at(callee).signature->params, binding, phase);
  const bool lifted = binding.lifted;
  file_->calls[expr.id] = std::move(binding);
  if (!misplaced && (kind == SymbolKind::Fn || kind == SymbolKind::Workflow)) {
    callSites_.push_back({fileId_, &expr, owner_, callee});
  }
  if (misplaced) return set(expr, TypeTable::kError, phase);
  if (isStep) phase = Phase::Run;
  TypeId type = program_->at(callee).signature->result;
  if (kind == SymbolKind::Fn && extra(callee).inferring) {
    inferredLate_.push_back({callee, expr.callee->span});
    type = TypeTable::kError;
  }
  return set(expr, lifted ? types().optional(type) : type, phase);
}

void Checker::checkArgument(const Expr* value, const FieldInfo& param) {
  const std::string_view place = secretPlace_;
  if (param.type == TypeTable::kSecret) {
    secretAllowed_ = true;
  } else {
    secretPlace_ = "is passed for a parameter that is no `secret`";
  }
  checkAs(value, param.type, &param);
  secretAllowed_ = false;
  secretPlace_ = place;
  if (param.type != TypeTable::kSecret || value->kind != ExprKind::Name) return;
  const SymbolId from = info(*value).symbol;
  SymbolExtra& to = extra(param.symbol);
  if (from.valid() && !to.secretFrom.valid() && from != param.symbol) {
    to.secretFrom = from;
    to.secretAt = value->span;
  }
}

/// As `checkArgument`; a `T?` may stand for a `T`, and then the call is lifted.
void Checker::checkLiftedArgument(const Expr* value, const FieldInfo& param,
                                  CallBinding& binding) {
  const TypeId found = check(value, param.type);
  if (types().kind(found) == IrKind::Optional && !types().accepts(param.type, found) &&
      types().accepts(param.type, types()[found].element)) {
    binding.lifted = true;
    return;
  }
  (void)fits(value, param.type, found, &param);
}

void Checker::bind(const CallParts& expr, const std::vector<FieldInfo>& params,
                   CallBinding& binding, Phase& phase) {
  const Symbol& callee = program_->at(binding.callee);
  const std::string_view name = callee.name;
  const Span declared = callee.declared;
  const Span calleeAt = expr.callee;
  const bool liftsHere = std::exchange(liftsArguments_, false);
  binding.argument.assign(params.size(), -1);
  binding.paramTypes.reserve(params.size());
  for (const FieldInfo& param : params) binding.paramTypes.push_back(param.type);

  if (expr.first != CallBinding::kDefault) binding.argument[0] = expr.first;
  if (expr.tune != nullptr) {
    for (const std::ptrdiff_t supplied : {expr.tune->resource, expr.tune->resume}) {
      if (supplied < 0) continue;
      binding.argument[static_cast<std::size_t>(supplied)] = CallBinding::kSupplied;
    }
  }
  std::size_t next = expr.first == CallBinding::kPiped ? 1 : 0;
  std::size_t surplus = 0;
  std::size_t unknown = 0;
  bool named = false;
  bool stray = false;
  const bool makesRow =
      callee.kind == SymbolKind::Schema || binding.form == CallBinding::Form::Row;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const Argument& arg = expr.args[i];
    if (arg.value == nullptr) {
      stray = true;
      continue;
    }
    std::size_t index = params.size();
    if (static_cast<std::int32_t>(i) == expr.first) {  // checked already
      named = !arg.name.text.empty();
      next = 1;
      continue;
    }
    if (arg.spread && makesRow && i == 0) {
      checkAs(arg.value, callee.type);
      phase = std::max(phase, phaseOf(arg.value));
      binding.spread = true;
      continue;
    }
    if (arg.spread || (arg.inSpace && expr.tune == nullptr)) {
      stray = true;  // the parser has reported it
    } else if (arg.name.text.empty()) {
      if (named) {
        report(diagnose<Diag::PositionalAfterNamed>(arg.span));
        stray = true;
      } else if (next < params.size()) {
        index = next++;
      } else if (surplus++ == 0) {
        report(diagnose<Diag::TooManyArguments>(arg.span, name, countOf(params.size(), "argument"),
                                                std::to_string(expr.args.size() +
                                                               (expr.first < -1 ? 1U : 0U)))
                   .label(declared, "declared here"));
      }
    } else {
      named = true;
      for (index = 0; index < params.size() && params[index].name != arg.name.text;) ++index;
      if (index == params.size()) {
        ++unknown;
        index = unknownArgument(expr, arg, params, binding);
      }
    }
    if (index == params.size()) {
      if (!arg.inSpace) check(arg.value);
    } else if (binding.argument[index] != CallBinding::kDefault) {
      Diagnostic diagnostic = diagnose<Diag::RepeatedArgument>(arg.span, params[index].name);
      if (binding.argument[index] >= 0) {
        const Argument& first = expr.args[static_cast<std::size_t>(binding.argument[index])];
        diagnostic.label(first.span, "first given here");
      } else {
        diagnostic.note(expr.tune != nullptr ? "each rung of `asha` gives it by itself"
                                             : "it is what stands before `|>`");
      }
      report(std::move(diagnostic));
      if (!arg.inSpace) check(arg.value);
    } else {
      binding.argument[index] = static_cast<std::int32_t>(i);
      if (arg.inSpace && expr.tune != nullptr) {
        TuneSpace space;
        space.param = index;
        space.arg = &arg;
        expr.tune->spaces.push_back(space);
      } else if (liftsHere) {
        checkLiftedArgument(arg.value, params[index], binding);
      } else {
        checkArgument(arg.value, params[index]);
      }
    }
    phase = std::max(phase, phaseOf(arg.value));
  }

  std::string missing;
  std::size_t missingCount = 0;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (binding.argument[i] != CallBinding::kDefault || hasDefault(params[i])) continue;
    const IrKind kind = types().kind(params[i].type);
    if (kind == IrKind::Optional || kind == IrKind::Error || kind == IrKind::None) continue;
    missing += fmt::format("{}`{}: {}`", missing.empty() ? "" : ", ", params[i].name,
                           print(params[i].type));
    ++missingCount;
  }
  if (missingCount == 0 || stray || binding.spread || unknown >= missingCount) return;
  Diagnostic diagnostic = diagnose<Diag::MissingArgument>(calleeAt, name, missing);
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (binding.argument[i] == CallBinding::kDefault && params[i].syntax != nullptr &&
        !hasDefault(params[i]) && types().kind(params[i].type) != IrKind::Optional) {
      diagnostic.label(params[i].syntax->span, "declared here");
      break;
    }
  }
  report(std::move(diagnostic));
}

std::size_t Checker::unknownArgument(const CallParts& expr, const Argument& arg,
                                     const std::vector<FieldInfo>& params,
                                     const CallBinding& binding) {
  const Symbol& callee = program_->at(binding.callee);
  Diagnostic diagnostic =
      diagnose<Diag::UnknownArgument>(arg.name.span, callee.name, arg.name.text);
  diagnostic.label(callee.declared, "declared here");
  std::vector<std::string_view> open;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const bool given = binding.argument[i] != CallBinding::kDefault ||
                       std::any_of(expr.args.begin(), expr.args.end(), [&](const Argument& other) {
                         return other.name.text == params[i].name;
                       });
    if (!given) open.push_back(params[i].name);
  }
  const auto near = nearest(arg.name.text, open);
  if (!near) {
    std::string all;
    for (const std::string_view one : open) {
      all += fmt::format("{}`{}`", all.empty() ? "" : ", ", one);
    }
    if (!all.empty()) diagnostic.note("still free: " + all);
    report(std::move(diagnostic));
    return params.size();
  }
  diagnostic.caret = fmt::format("did you mean `{}`?", *near);
  diagnostic.fix(fmt::format("write `{}`", *near), arg.name.span, *near);
  report(std::move(diagnostic));
  // The argument is taken as the one meant, so its type is checked and nothing seems to be missing.
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i].name == *near) return i;
  }
  return params.size();
}

TypeId Checker::checkBuiltinCall(const CallExpr& expr, const Name& name, TypeId expected) {
  std::vector<TypeId> args;
  args.reserve(expr.args.size());
  Phase phase = Phase::Compile;
  bool failed = false;
  const std::size_t firstUse = transform_ == nullptr ? 0 : transform_->uses.size();
  const Expr* outer =
      transform_ == nullptr ? nullptr : std::exchange(transform_->aggregate, nullptr);
  for (const Argument& arg : expr.args) {
    if (!arg.name.text.empty()) {
      report(diagnose<Diag::NamedBuiltinArgument>(arg.name.span, name.text));
    }
    failed |= arg.spread || !arg.name.text.empty();
    TypeId hint;
    if (!args.empty() && arg.value != nullptr && !isError(args[0])) {
      // Lists tell what a bare enum case or an empty list beside them is.
      hint = args[0];
      if (types().kind(hint) == IrKind::List && arg.value->kind != ExprKind::List) {
        hint = types()[hint].element;
      }
      if (types().kind(hint) != IrKind::Enum && types().kind(hint) != IrKind::List) hint = {};
    }
    const std::string_view place = std::exchange(secretPlace_, "is passed to a function");
    args.push_back(check(arg.value, hint));
    secretPlace_ = place;
    phase = std::max(phase, phaseOf(arg.value));
    failed |= isError(args.back());
  }
  const Expr* inner = transform_ == nullptr ? nullptr : transform_->aggregate;
  if (transform_ != nullptr && outer != nullptr) transform_->aggregate = outer;
  if (failed) return set(expr, TypeTable::kError, phase);
  if (transform_ != nullptr && isAggregateCall(name.text, args)) {
    return checkAggregate(expr, name, std::move(args), firstUse, inner);
  }
  if (lifts() && needsFiles(name.text)) {
    report(diagnose<Diag::StepOutsideWorkflow>(expr.callee->span, "function", name.text,
                                               placeOf(place_))
               .note("what is made of rows depends on nothing else; pass what is needed to a "
                     "parameter"));
    return set(expr, TypeTable::kError, phase);
  }
  const ir::BuiltinMatch* found = match(name.text, args);
  bool lifted = false;
  if (found == nullptr && lifts()) {
    std::vector<TypeId> there = args;
    lifted = strip(there);
    if (lifted) found = match(name.text, there);
  }
  if (found == nullptr) {
    noOverload(expr, name, args);
    return set(expr, TypeTable::kError, phase);
  }
  CallBinding binding;
  binding.isBuiltin = true;
  binding.lifted = lifted;
  binding.builtin = found->id;
  binding.paramTypes = found->params;
  for (std::size_t i = 0; i < args.size(); ++i) {
    binding.argument.push_back(static_cast<std::int32_t>(i));
  }
  TypeId type = lifted ? types().optional(found->result) : found->result;
  file_->calls[expr.id] = std::move(binding);
  if (!needsFiles(name.text)) return set(expr, type, phase);

  const bool isGlob = name.text == "glob";
  if (!args.empty()) {
    needPhase(expr.args[0].value, Phase::Submit,
              isGlob ? "the pattern of `glob`" : "the path of a file beside the source");
  }
  // A path takes the format that is wanted of it, as a literal does.
  if (expected.valid()) {
    if (types().kind(expected) == IrKind::Optional) expected = types()[expected].element;
    if (!isError(expected) && types().accepts(type, expected) &&
        types().kind(type) == types().kind(expected)) {
      type = expected;
    }
  }
  if (isGlob || !filesConstant_) phase = std::max(phase, Phase::Submit);
  return set(expr, type, phase);
}

void Checker::noOverload(const CallExpr& expr, const Name& name, const std::vector<TypeId>& args) {
  std::string list;
  for (const TypeId arg : args) {
    list += fmt::format("{}`{}`", list.empty() ? "" : ", ", print(arg));
  }
  const auto written = [](std::string_view row) {  // aggregates are `#sum` in the table
    return row.starts_with('#') ? row.substr(1) : row;
  };
  Diagnostic diagnostic = diagnose<Diag::NoOverload>(
      expr.span, written(name.text), args.empty() ? "no arguments" : std::string_view(list));
  for (const ir::BuiltinInfo* row : ir::overloads(name.text)) {
    diagnostic.note(fmt::format("there is `{}{}`", written(row->name), row->signature));
  }
  for (const TypeId arg : args) {
    if (types().kind(arg) == IrKind::Optional) {
      diagnostic.note("a value that may be none needs a default first, as in `x ?? …`");
      break;
    }
  }
  report(std::move(diagnostic));
}

}  // namespace couler::sema
