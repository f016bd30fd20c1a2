#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::solver {

/// Which of 0 .. count-1 have been joined, directly or in a chain.
class DisjointSets {
 public:
  explicit DisjointSets(Index count) : parent_(static_cast<std::size_t>(count)) {
    std::iota(parent_.begin(), parent_.end(), Index{0});
  }

  /// The least member of the set of `element`, the same for all members.
  [[nodiscard]] Index find(Index element) {
    while (parent(element) != element) {
      parent(element) = parent(parent(element));
      element = parent(element);
    }
    return element;
  }

  /// @return whether they were in different sets
  bool join(Index a, Index b) {
    a = find(a);
    b = find(b);
    if (a == b) return false;
    if (a > b) std::swap(a, b);
    parent(b) = a;
    return true;
  }

 private:
  [[nodiscard]] Index& parent(Index element) { return parent_[static_cast<std::size_t>(element)]; }

  std::vector<Index> parent_;
};

}  // namespace xbar::solver
