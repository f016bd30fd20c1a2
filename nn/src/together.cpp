#include "together.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/batch_norm.hpp>
#include <xbar/nn/layers/dropout.hpp>

#include "layers_of.hpp"

namespace xbar::nn {
namespace {

void check(const Parameter& parameter) {
  if (parameter.store->takes_signals()) {
    throw InvalidArgument(
        fmt::format("{}: expected an update from gradients with several processes, found one from "
                    "the signals of the backward pass (stochastic, tiki-taka)",
                    parameter.name));
  }
  if (parameter.store->learned_range() != nullptr) {
    throw InvalidArgument(fmt::format(
        "{}: expected a given range of weights with several processes, found one that is learned",
        parameter.name));
  }
}

// The lower 52 bits of FNV-1a over the weights: a double holds them exactly.
double digest(const Network& network) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const auto& [name, tensor] : network.state().tensors) {
    for (const float value : tensor.values) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      hash = (hash ^ bits) * 0x100000001b3U;
    }
  }
  return static_cast<double>(hash & ((std::uint64_t{1} << 52U) - 1));
}

}  // namespace

Part part_of(Index count, const Communicator* processes) {
  if (processes == nullptr) return {0, count};
  const Index rank = processes->rank();
  const Index size = processes->size();
  return {count * rank / size, count * (rank + 1) / size};
}

ImageSet part_of(const ImageSet& images, const Part& part) {
  ImageSet result{part.count(), images.channels, images.height, images.width, {}, {}};
  const Index size = images.image_size();
  result.pixels.assign(images.pixels.begin() + part.first * size,
                       images.pixels.begin() + part.last * size);
  result.labels.assign(images.labels.begin() + part.first, images.labels.begin() + part.last);
  return result;
}

Together::Together(Network& network, std::vector<Parameter*> parameters, Communicator* processes)
    : network_(network), parameters_(std::move(parameters)), processes_(processes) {
  if (processes_ == nullptr) return;
  std::size_t size = 0;
  for (const Parameter* parameter : parameters_) {
    check(*parameter);
    size += static_cast<std::size_t>(parameter->gradient.size());
  }
  sums_.resize(size);
  for (BatchNorm* norm : layers_of<BatchNorm>(network_)) norm->set_processes(processes_);
}

Together::~Together() {
  if (processes_ == nullptr) return;
  for (BatchNorm* norm : layers_of<BatchNorm>(network_)) norm->set_processes(nullptr);
  set_first_image(0);
}

void Together::set_first_image(Index image) {
  if (processes_ == nullptr) return;
  for (Dropout* dropout : layers_of<Dropout>(network_)) dropout->set_first_image(image);
}

void Together::add_up_gradients() {
  if (processes_ == nullptr) return;
  float* to = sums_.data();
  for (const Parameter* parameter : parameters_) {
    to = std::copy_n(parameter->gradient.data(), parameter->gradient.size(), to);
  }
  processes_->add_up(sums_);
  const float* from = sums_.data();
  for (Parameter* parameter : parameters_) {
    std::copy_n(from, parameter->gradient.size(), parameter->gradient.data());
    from += parameter->gradient.size();
  }
}

void Together::check_equal() const {
  if (processes_ == nullptr) return;
  const double own = digest(network_);
  std::array<double, 1> first = {processes_->rank() == 0 ? own : 0.0};
  processes_->add_up(first);
  std::array<double, 1> others = {own == first[0] ? 0.0 : 1.0};
  processes_->add_up(others);
  if (others[0] > 0) {
    throw NumericalError(
        fmt::format("training: expected equal weights in all processes, found others in {:.0f} of "
                    "{}; are their machines of one kind?",
                    others[0], processes_->size()));
  }
}

}  // namespace xbar::nn
