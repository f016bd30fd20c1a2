#include <algorithm>
#include <numeric>
#include <queue>
#include <utility>

#include <xbar/mapping/remap/best_exchanges.hpp>

namespace xbar::mapping {
namespace {

// Slots of one loss, of which a large layer has one in every array: what an exchange gains is then
// a sum of what either line gains, and only the best of either kind need be looked at.
std::vector<std::vector<Index>> slots_by_loss(const Eigen::VectorXd& loss) {
  std::vector<Index> slots(static_cast<std::size_t>(loss.size()));
  std::iota(slots.begin(), slots.end(), Index{0});
  std::sort(slots.begin(), slots.end(),
            [&](Index a, Index b) { return std::pair(loss(a), a) < std::pair(loss(b), b); });
  std::vector<std::vector<Index>> groups;
  for (const Index slot : slots) {
    if (groups.empty() || loss(groups.back().front()) != loss(slot)) groups.emplace_back();
    groups.back().push_back(slot);
  }
  return groups;
}

// A line of a group and what it gains by going to another one.
struct Move {
  double gain = 0;
  Index slot = 0;
};

// The lines of a group by what they gain, the best first.
std::vector<Move> moves_of(const std::vector<Index>& group, const Lines& lines,
                           const std::vector<Index>& line_at, double let_through) {
  std::vector<Move> moves;
  moves.reserve(group.size());
  for (const Index slot : group) {
    const Index line = line_at[static_cast<std::size_t>(slot)];
    const double gain =
        line < 0
            ? 0
            : -(lines.slope(line) * let_through + lines.bend(line) * let_through * let_through / 2);
    moves.push_back({gain, slot});
  }
  std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) {
    return a.gain != b.gain ? a.gain > b.gain : a.slot < b.slot;
  });
  return moves;
}

// Two groups and the best exchange left between them.
class GroupPair {
 public:
  GroupPair(std::vector<Move> first, std::vector<Move> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  [[nodiscard]] bool empty() const { return at_ == first_.size() || to_ == second_.size(); }
  [[nodiscard]] double gain() const { return first_[at_].gain + second_[to_].gain; }
  [[nodiscard]] std::pair<Index, Index> slots() const {
    return {first_[at_].slot, second_[to_].slot};
  }
  /// Passes over slots that are taken. @return whether there were any
  bool pass(const std::vector<bool>& taken) {
    const auto is_taken = [&](const Move& move) {
      return taken[static_cast<std::size_t>(move.slot)];
    };
    const auto before = std::pair(at_, to_);
    while (at_ < first_.size() && is_taken(first_[at_])) ++at_;
    while (to_ < second_.size() && is_taken(second_[to_])) ++to_;
    return before != std::pair(at_, to_);
  }

 private:
  std::vector<Move> first_;
  std::vector<Move> second_;
  std::size_t at_ = 0;
  std::size_t to_ = 0;
};

std::vector<Index> lines_at(const std::vector<Index>& slot_of, Index slots) {
  std::vector<Index> line_at(static_cast<std::size_t>(slots), -1);
  for (std::size_t k = 0; k < slot_of.size(); ++k) {
    line_at[static_cast<std::size_t>(slot_of[k])] = static_cast<Index>(k);
  }
  return line_at;
}

}  // namespace

std::vector<Exchange> best_exchanges(const Lines& lines, Index most) {
  const std::vector<Index> line_at = lines_at(lines.slot_of, lines.loss.size());
  const std::vector<std::vector<Index>> groups = slots_by_loss(lines.loss);
  std::vector<GroupPair> pairs;
  std::priority_queue<std::pair<double, std::size_t>> queue;
  const auto offer = [&](std::size_t pair) {
    if (!pairs[pair].empty() && pairs[pair].gain() > 0) queue.emplace(pairs[pair].gain(), pair);
  };
  for (std::size_t a = 0; a < groups.size(); ++a) {
    for (std::size_t b = a + 1; b < groups.size(); ++b) {
      const double more = lines.loss(groups[a].front()) - lines.loss(groups[b].front());
      pairs.emplace_back(moves_of(groups[a], lines, line_at, more),
                         moves_of(groups[b], lines, line_at, -more));
      offer(pairs.size() - 1);
    }
  }
  std::vector<bool> taken(line_at.size(), false);
  std::vector<Exchange> best;
  while (!queue.empty() && static_cast<Index>(best.size()) < most) {
    const std::size_t at = queue.top().second;
    queue.pop();
    GroupPair& pair = pairs[at];
    if (!pair.pass(taken)) {
      const auto [from, to] = pair.slots();
      const Index line = line_at[static_cast<std::size_t>(from)];
      best.push_back(line >= 0
                         ? Exchange{pair.gain(), line, to}
                         : Exchange{pair.gain(), line_at[static_cast<std::size_t>(to)], from});
      taken[static_cast<std::size_t>(from)] = taken[static_cast<std::size_t>(to)] = true;
      pair.pass(taken);
    }
    offer(at);
  }
  return best;
}

void apply(const std::vector<Exchange>& exchanges, std::vector<Index>& slot_of) {
  Index slots = 0;
  for (const Index slot : slot_of) slots = std::max(slots, slot + 1);
  for (const Exchange& exchange : exchanges) slots = std::max(slots, exchange.slot + 1);
  const std::vector<Index> line_at = lines_at(slot_of, slots);
  for (const Exchange& exchange : exchanges) {
    const Index other = line_at[static_cast<std::size_t>(exchange.slot)];
    Index& slot = slot_of[static_cast<std::size_t>(exchange.line)];
    if (other >= 0) slot_of[static_cast<std::size_t>(other)] = slot;
    slot = exchange.slot;
  }
}

}  // namespace xbar::mapping
