#pragma once

/// A network's part in training by several processes.

#include <span>
#include <vector>

#include <xbar/core/communicator.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/parameter.hpp>

namespace xbar::nn {

/// What of `count` items is this process's: [first, last). All of them without processes.
struct Part {
  Index first = 0;
  Index last = 0;
  [[nodiscard]] Index count() const { return last - first; }
};
[[nodiscard]] Part part_of(Index count, const Communicator* processes);

/// The images of a part.
[[nodiscard]] ImageSet part_of(const ImageSet& images, const Part& part);

/// As long as this lives, a network's layers compute a part of a batch.
class Together {
 public:
  /// @throws InvalidArgument for parameters that cannot be trained so
  Together(Network& network, std::vector<Parameter*> parameters, Communicator* processes);
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;
  ~Together();

  /// Of the batch that comes.
  void set_first_image(Index image);

  /// The gradients of all processes' parts, in place of those of this one's.
  void add_up_gradients();

  /// @throws NumericalError if another process has other weights
  void check_equal() const;

 private:
  Network& network_;
  std::vector<Parameter*> parameters_;
  Communicator* processes_;
  std::vector<float> sums_;
};

}  // namespace xbar::nn
