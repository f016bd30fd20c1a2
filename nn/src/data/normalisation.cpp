#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/data/normalisation.hpp>

namespace xbar::nn {
namespace {

float of_channel(const std::vector<float>& values, Index channel) {
  return values.size() == 1 ? values.front() : values[static_cast<std::size_t>(channel)];
}

void check(const char* name, const std::vector<float>& values, Index channels) {
  const auto count = static_cast<Index>(values.size());
  if (count != 1 && count != channels) {
    throw InvalidArgument(
        fmt::format("{}: expected {} values, one a channel of the images, or one, got {}", name,
                    channels, count));
  }
  for (const float value : values) {
    if (!std::isfinite(value)) {
      throw InvalidArgument(fmt::format("{}: expected finite values, got {}", name, value));
    }
  }
}

void normalise(ImageSet& set, const Normalisation& normalisation) {
  const Index size = set.height * set.width;
  parallel_for(set.count, [&](Index image) {
    float* pixel = set.pixels.data() + image * set.image_size();
    for (Index channel = 0; channel < set.channels; ++channel) {
      const float mean = of_channel(normalisation.mean, channel);
      const float deviation = of_channel(normalisation.deviation, channel);
      for (Index i = 0; i < size; ++i, ++pixel) *pixel = (*pixel - mean) / deviation;
    }
  });
}

}  // namespace

std::vector<float> Normalisation::black(Index channels) const {
  std::vector<float> values(static_cast<std::size_t>(channels), 0.0F);
  if (empty()) return values;
  for (Index channel = 0; channel < channels; ++channel) {
    values[static_cast<std::size_t>(channel)] =
        (0.0F - of_channel(mean, channel)) / of_channel(deviation, channel);
  }
  return values;
}

void normalise(DataSet& data, const Normalisation& normalisation) {
  if (normalisation.empty()) return;
  if (!data.normalisation.empty()) {
    throw InvalidArgument(fmt::format("data '{}': normalised already", data.name));
  }
  check("pixel_mean", normalisation.mean, data.train.channels);
  check("pixel_deviation", normalisation.deviation, data.train.channels);
  for (const float deviation : normalisation.deviation) {
    if (!(deviation > 0)) {
      throw InvalidArgument(fmt::format("pixel_deviation: expected values > 0, got {}", deviation));
    }
  }
  normalise(data.train, normalisation);
  normalise(data.test, normalisation);
  data.normalisation = normalisation;
}

}  // namespace xbar::nn
