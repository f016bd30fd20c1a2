#include <barrier>
#include <cmath>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/layers/batch_norm.hpp>
#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/dropout.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/relu.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>

#include "nn/support/images.hpp"
#include "support/catch.hpp"
#include "support/pulse_devices.hpp"

using xbar::Index;
using xbar_test::Contains;
using namespace xbar::nn;

namespace {

// Threads in place of processes.
class Threads {
 public:
  explicit Threads(int size) : size_(size), barrier_(size) {}

  template <typename Real>
  void add_up(int rank, std::span<Real> values) {
    std::vector<double>& sums = sums_;
    if (rank == 0) sums.assign(values.size(), 0.0);
    barrier_.arrive_and_wait();
    for (int turn = 0; turn < size_; ++turn) {
      if (turn == rank) {
        for (std::size_t k = 0; k < values.size(); ++k) sums[k] += static_cast<double>(values[k]);
      }
      barrier_.arrive_and_wait();
    }
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<Real>(sums[k]);
    barrier_.arrive_and_wait();
  }
  [[nodiscard]] int size() const { return size_; }
  void leave() { barrier_.arrive_and_drop(); }

 private:
  int size_;
  std::barrier<> barrier_;
  std::vector<double> sums_;
};

class OneThread final : public xbar::Communicator {
 public:
  OneThread(Threads& all, int rank) : all_(all), rank_(rank) {}
  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return all_.size(); }
  void add_up(std::span<float> values) override { all_.add_up(rank_, values); }
  void add_up(std::span<double> values) override { all_.add_up(rank_, values); }

 private:
  Threads& all_;
  int rank_;
};

Network network_of(std::uint64_t seed) {
  Network network("small", {1, 8, 8});
  network.emplace<Conv2d>(
      "conv1",
      Conv2dOptions{.in_channels = 1, .out_channels = 4, .kernel_height = 3, .kernel_width = 3});
  network.emplace<BatchNorm>("norm1", 4);
  network.emplace<Relu>("relu1");
  network.emplace<Flatten>("flatten");
  network.emplace<Dropout>("drop", 0.3);
  network.emplace<Linear>("fc1", 144, 3);
  initialise(network, seed);
  return network;
}

// 50 images in batches of 16: the last step has 2.
DataSet data_of() {
  return {"noise", 3, xbar_test::random_images(50, 8, 3, 1), xbar_test::random_images(21, 8, 3, 2)};
}

TrainOptions options_of() {
  return {.epochs = 3, .batch = 16, .learning_rate = 0.02, .momentum = 0.9, .seed = 11};
}

struct Result {
  std::vector<double> losses;  // of the steps
  TrainReport report;
  xbar::TensorFile weights;
};

Result run(Network network, const TrainOptions& options, xbar::Communicator* processes) {
  const DataSet data = data_of();
  Result trained;
  TrainCallbacks callbacks;
  callbacks.on_step = [&](const StepRecord& step, const auto&) {
    trained.losses.push_back(step.loss);
  };
  trained.report = train(network, data, options, callbacks, nullptr, processes);
  trained.weights = network.state();
  return trained;
}

template <typename Make>
std::vector<Result> run_together(int size, const Make& make, const TrainOptions& options) {
  Threads all(size);
  std::vector<Result> trained(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      OneThread one(all, rank);
      trained[static_cast<std::size_t>(rank)] = run(make(), options, &one);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return trained;
}

double largest_difference(const xbar::TensorFile& a, const xbar::TensorFile& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a.tensors) {
    const auto& other = b.tensors.at(name).values;
    for (std::size_t k = 0; k < other.size(); ++k) {
      largest = std::max(largest, static_cast<double>(std::abs(tensor.values[k] - other[k])));
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("nn/together: several processes train as one does, but for rounding", "[nn][together]") {
  const auto make = [] { return network_of(5); };
  const Result alone = run(make(), options_of(), nullptr);
  for (const int size : {1, 2}) {
    CAPTURE(size);
    const auto together = run_together(size, make, options_of());
    REQUIRE(together[0].losses.size() == alone.losses.size());
    for (std::size_t k = 0; k < alone.losses.size(); ++k) {
      CHECK(std::abs(together[0].losses[k] - alone.losses[k]) < 2e-6 * (1 + alone.losses[k]));
    }
    REQUIRE(largest_difference(together[0].weights, alone.weights) < 2e-5);
    for (std::size_t k = 0; k < alone.report.epochs.size(); ++k) {
      const EpochRecord& a = alone.report.epochs[k];
      const EpochRecord& b = together[0].report.epochs[k];
      REQUIRE(b.train_accuracy == a.train_accuracy);
      REQUIRE(b.test_accuracy == a.test_accuracy);
      REQUIRE(std::abs(b.test_loss - a.test_loss) < 1e-5);
    }
    // Equal to the bit among themselves.
    for (const Result& other : together) {
      REQUIRE(largest_difference(other.weights, together[0].weights) == 0);
      REQUIRE(other.losses == together[0].losses);
    }
  }
}

TEST_CASE("nn/together: arrays take the same pulses in all processes", "[nn][together]") {
  const auto make = [] {
    Network network = network_of(6);
    CrossbarMapping mapping;
    mapping.technology.tile_rows = 16;
    mapping.technology.tile_columns = 16;
    xbar::device::PulseDevice device =
        xbar_test::pulse_device("soft-bounds", {{"up_step", 0.01}, {"down_step", 0.01}});
    device.noise = {.step = 0.3, .range = 0, .write = 0.01};
    xbar_test::put_on(mapping.technology, device);
    mapping.model = xbar::surrogate::ModelKind::ladder;
    map_to_crossbars(network, mapping);
    return network;
  };
  TrainOptions options = options_of();
  options.momentum = 0;
  options.batch = 15;  // the last step has 5: parts of 1, 2 and 2
  const Result alone = run(make(), options, nullptr);
  const auto together = run_together(3, make, options);
  // Until rounding decides a pulse otherwise.
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(std::abs(together[0].losses[k] - alone.losses[k]) < 1e-3);
  }
  REQUIRE(largest_difference(together[1].weights, together[0].weights) == 0);
  REQUIRE(largest_difference(together[2].weights, together[0].weights) == 0);
  REQUIRE(largest_difference(together[0].weights, make().state()) > 0);
}

TEST_CASE("nn/together: what cannot be shared out is refused, what differs is noticed",
          "[nn][together]") {
  Threads alone(1);
  OneThread one(alone, 0);
  const DataSet data = data_of();
  // A step of 2 images for three processes.
  class Three final : public xbar::Communicator {
   public:
    [[nodiscard]] int rank() const override { return 0; }
    [[nodiscard]] int size() const override { return 3; }
    void add_up(std::span<float>) override {}
    void add_up(std::span<double>) override {}
  } three;
  Network network = network_of(1);
  REQUIRE_THROWS_WITH(train(network, data, options_of(), {}, nullptr, &three),
                      Contains("at least 3 images, one for each process, found 2"));

  int rank = 0;
  std::mutex mutex;
  const auto make_other = [&] {
    const std::lock_guard lock(mutex);
    return network_of(static_cast<std::uint64_t>(++rank));
  };
  Threads all(2);
  std::vector<std::string> errors(2);
  std::vector<std::thread> threads;
  for (int k = 0; k < 2; ++k) {
    threads.emplace_back([&, k] {
      OneThread part(all, k);
      try {
        static_cast<void>(run(make_other(), options_of(), &part));
      } catch (const xbar::NumericalError& error) {
        errors[static_cast<std::size_t>(k)] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE_THAT(errors[0], Contains("found others in 1 of 2"));
  REQUIRE(errors[0] == errors[1]);
}
