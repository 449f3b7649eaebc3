#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ir/step_path.h"
#include "runtime/engine/executor.h"

namespace couler::runtime {
namespace {

constexpr std::size_t kMostSeqs = 64;
constexpr std::size_t kMostVisits = 512;

}  // namespace

std::string Executor::pathOf(std::uint32_t frame, std::string_view name) const {
  // From the outside in: the calls, each with the indexes of the loops it stands in, then the step.
  std::vector<std::uint32_t> frames;
  for (std::uint32_t at = frame; at != kNone; at = frames_[at].parent) frames.push_back(at);
  std::string path;
  std::string indexes;
  for (std::size_t i = frames.size(); i-- > 0;) {
    const Frame& f = frames_[frames[i]];
    if (f.role == Role::Item || f.role == Role::Iteration) {
      fmt::format_to(std::back_inserter(indexes), ".{}", f.index);
    } else if (f.role == Role::Call) {
      const ir::Node& node = module_.at(frames_[f.parent].plan->slots[f.ownerSlot]);
      const ir::FuncDef& callee = module_.at(std::get<ir::Call>(node.payload).callee);
      if (callee.outlined != ir::Outlined::No) continue;
      ir::appendStepPath(path,
                         node.name.valid() ? module_.at(node.name) : std::string_view(callee.name),
                         std::exchange(indexes, {}));
      path += '.';
    }
  }
  ir::appendStepPath(path, name, indexes);
  return path;
}

std::string Executor::stepName(Token token) const {
  const std::uint32_t frame = frameOf(token);
  const ir::Node& node = module_.at(frames_[frame].plan->slots[slotOf(token)]);
  const std::string_view name =
      node.name.valid() ? module_.at(node.name)
                        : std::string_view(module_.at(std::get<ir::Step>(node.payload).task).name);
  return pathOf(frame, name);
}

bool Executor::inFinally(Token token) const {
  for (std::uint32_t at = frameOf(token); at != kNone; at = frames_[at].parent) {
    if (frames_[at].role == Role::Finally) return true;
  }
  return false;
}

bool Executor::before(Token a, Token b) const {
  // Places on the way from the outermost frame: (slot, index) pairs, compared from the outside.
  // Both are lifted to one depth, then together until they meet.
  struct Place {
    std::uint32_t frame, slot, index;
  };
  Place x{frameOf(a), slotOf(a), 0};
  Place y{frameOf(b), slotOf(b), 0};
  const auto lift = [&](Place& place) {
    const Frame& f = frames_[place.frame];
    place = {f.parent, f.ownerSlot, f.index};
  };
  bool xInner = false;
  bool yInner = false;
  while (frames_[x.frame].depth > frames_[y.frame].depth) {
    lift(x);
    xInner = true;
  }
  while (frames_[y.frame].depth > frames_[x.frame].depth) {
    lift(y);
    yInner = true;
  }
  while (x.frame != y.frame) {
    lift(x);
    lift(y);
  }
  if (x.slot != y.slot) return x.slot < y.slot;
  if (x.index != y.index) return x.index < y.index;
  return !xInner && yInner;
}

void Executor::gatherSeqs(std::uint32_t frame, std::span<const ir::NodeId> nodes,
                          std::vector<std::uint32_t>& seqs) const {
  std::vector<Token> open;
  const auto visit = [&](std::uint32_t from, ir::NodeId node) {
    open.push_back(locate(from, node));
  };
  for (const ir::NodeId node : nodes) visit(frame, node);
  for (std::size_t i = 0; i < open.size() && i < kMostVisits && seqs.size() < kMostSeqs; ++i) {
    const std::uint32_t at = frameOf(open[i]);
    const Frame& f = frames_[at];
    const std::uint32_t slot = slotOf(open[i]);
    const ir::Node& node = module_.at(f.plan->slots[slot]);
    const std::uint32_t seq = f.cells[slot].seq;
    if (std::holds_alternative<ir::Step>(node.payload)) {
      if (seq != 0) seqs.push_back(seq);
    } else if (std::holds_alternative<ir::Param>(node.payload)) {
      if (f.parent == kNone || f.ownerSlot == kNone) continue;
      const ir::Node& owner = module_.at(frames_[f.parent].plan->slots[f.ownerSlot]);
      const std::span<const ir::NodeId> operands = module_.operands(owner);
      if (slot < operands.size()) visit(f.parent, operands[slot]);
    } else if (seq != 0) {  // a node with regions: the steps behind its value
      const std::vector<std::uint32_t>& behind = joined_[seq - 1];
      seqs.insert(seqs.end(), behind.begin(), behind.end());
    } else {
      for (const ir::NodeId operand : module_.operands(node)) visit(at, operand);
    }
  }
  std::sort(seqs.begin(), seqs.end());
  seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
  if (seqs.size() > kMostSeqs) seqs.resize(kMostSeqs);
}

std::string Executor::after(Token token) const {
  std::vector<std::uint32_t> seqs;
  const std::uint32_t frame = frameOf(token);
  const ir::Node& node = module_.at(frames_[frame].plan->slots[slotOf(token)]);
  gatherSeqs(frame, module_.operands(node), seqs);
  gatherSeqs(frame, module_.order(node), seqs);
  // What decided that it runs at all: the conditions, lists and orders of what it stands in.
  for (std::uint32_t at = frame; frames_[at].parent != kNone; at = frames_[at].parent) {
    const Frame& f = frames_[at];
    if (f.ownerSlot == kNone) continue;
    const ir::Node& owner = module_.at(frames_[f.parent].plan->slots[f.ownerSlot]);
    if (f.role != Role::Call) gatherSeqs(f.parent, module_.operands(owner), seqs);
    gatherSeqs(f.parent, module_.order(owner), seqs);
  }
  std::string result;
  for (const std::uint32_t seq : seqs) {
    if (!result.empty()) result.append(1, ' ');
    fmt::format_to(std::back_inserter(result), "{}", seq);
  }
  return result;
}

}  // namespace couler::runtime
