#include "converted_product.hpp"

#include <algorithm>
#include <numeric>

#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>

namespace xbar::nn {
namespace {

// Of one image.
Index positions_of(const Patches& patches) { return patches.out_height * patches.out_width; }

// Images that one thread reads at a time: enough positions to fill the kernels' blocks, but a few
// groups. Sums are cut in the same way whatever the number of threads.
Index images_of_group(Index images, Index positions) {
  constexpr Index wanted_positions = 128;
  constexpr Index fewest_positions = 32;
  constexpr Index wanted_groups = 4;
  const auto images_for = [=](Index some) { return (some + positions - 1) / positions; };
  const Index share = (images + wanted_groups - 1) / wanted_groups;
  return std::clamp(share, images_for(fewest_positions), images_for(wanted_positions));
}

// Calls body(first image, images) for all groups.
template <typename Body>
void for_groups(Index images, Index positions, const Body& body) {
  const Index group = images_of_group(images, positions);
  parallel_for((images + group - 1) / group,
               [&](Index g) { body(g * group, std::min(group, images - g * group)); });
}

// Sum over the images of part(image).
template <typename Part>
double sum_over_images(Index images, const Part& part) {
  std::vector<double> parts(static_cast<std::size_t>(images));
  parallel_for(images, [&](Index n) { parts[static_cast<std::size_t>(n)] = part(n); });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

Index padded_size(const Patches& patches) {
  return patches.channels * (patches.height + 2 * patches.padding) *
         (patches.width + 2 * patches.padding);
}

// Calls body(line in images, line in padded images) for every line of pixels.
template <typename Body>
void for_lines(const Patches& patches, Index images, const Body& body) {
  const Index width = patches.width + 2 * patches.padding;
  Index from = 0;
  Index to = patches.padding * width + patches.padding;
  for (Index plane = 0; plane < images * patches.channels; ++plane) {
    for (Index h = 0; h < patches.height; ++h, from += patches.width, to += width) body(from, to);
    to += 2 * patches.padding * width;
  }
}

// Memory of this thread for one purpose.
template <int purpose>
float* room(Index count) {
  thread_local std::vector<float> memory;
  if (static_cast<Index>(memory.size()) < count) memory.resize(static_cast<std::size_t>(count));
  return memory.data();
}

// Images [first, first + images) as codes.
const float* digitised(const mapping::ConvertedRead& read, const Tensor& x, Index first,
                       Index images) {
  const Index size = images * x.item_size();
  float* codes = room<0>(size);
  read.digitise(x.data() + first * x.item_size(), size, codes);
  return codes;
}

// The same with margins.
const float* digitised_patches(const mapping::ConvertedRead& read, const Patches& patches,
                               const Tensor& x, Index first, Index images) {
  const float* codes = digitised(read, x, first, images);
  if (patches.padding == 0) return codes;
  const Index size = images * padded_size(patches);
  float* padded = room<1>(size);
  std::fill_n(padded, size, 0.0F);
  for_lines(patches, images,
            [&](Index from, Index to) { std::copy_n(codes + from, patches.width, padded + to); });
  return padded;
}

// The ranges for this batch; source_of_images(0, n): of the first n images.
template <typename MakeSource>
void set_ranges(mapping::ConvertedRead& read, const Tensor& x, Index positions,
                const MakeSource& source_of_images) {
  read.begin_batch(x.data(), x.size());
  if (!read.needs_calibration()) return;
  constexpr Index wanted_images = 16;
  const Index images = std::min(wanted_images, x.count());
  read.calibrate(source_of_images(Index{0}, images), images * positions);
}

// The parts of positions [first, first + count) that belong to one image each.
template <typename Body>
void for_images(Index positions, Index first, Index count, const Body& body) {
  Index image = first / positions;
  Index place = first % positions;
  for (Index done = 0; done < count; ++image, place = 0) {
    const Index part = std::min(count - done, positions - place);
    body(image, place, part, done);
    done += part;
  }
}

}  // namespace

void converted_forward(mapping::ConvertedRead& read, const Patches& patches, const Tensor& x,
                       const float* bias, Tensor& y, Tensor& slope) {
  const Stopwatch watch;
  const Index positions = positions_of(patches);
  const auto source = [&](Index first_image, Index images) {
    const float* codes = digitised_patches(read, patches, x, first_image, images);
    return [&patches, codes](Index row, Index first, Index count, float* out) {
      XBAR_DISPATCH(xbar::nn, gather_patch_row)(patches, codes, row, first, count, out);
    };
  };
  set_ranges(read, x, positions, source);
  if (read.converters().adc_bits > 0 && read.converters().adc_range == mapping::AdcRange::learned) {
    slope.resize(y.shape());
  }
  for_groups(x.count(), positions, [&](Index first_image, Index images) {
    read.read(
        source(first_image, images),
        [&](Index o, Index first, Index count, const float* values, const float* slopes) {
          const float b = bias == nullptr ? 0.0F : bias[o];
          for_images(positions, first, count, [&](Index n, Index place, Index part, Index from) {
            const Index at = (first_image + n) * y.item_size() + o * positions + place;
            float* to = y.data() + at;
#pragma omp simd
            for (Index k = 0; k < part; ++k) to[k] = values[from + k] + b;
            if (slopes != nullptr) std::copy_n(slopes + from, part, slope.data() + at);
          });
        },
        images * positions);
  });
  read.add_seconds(watch.seconds());
}

void converted_backward(mapping::ConvertedRead& read, const Patches& patches, const Tensor& dy,
                        Tensor& dx) {
  const Stopwatch watch;
  const Index positions = positions_of(patches);
  const Index image_size = dy.item_size();
  const auto source = [&](Index first_image, Index images) {
    const float* codes = digitised(read, dy, first_image, images);
    return [=](Index o, Index first, Index count, float* out) {
      for_images(positions, first, count, [&](Index n, Index place, Index part, Index to) {
        std::copy_n(codes + n * image_size + o * positions + place, part, out + to);
      });
    };
  };
  set_ranges(read, dy, positions, source);
  for_groups(dy.count(), positions, [&](Index first_image, Index images) {
    float* to = dx.data() + first_image * dx.item_size();
    const Index size = images * padded_size(patches);
    float* padded = patches.padding == 0 ? to : room<1>(size);
    std::fill_n(padded, size, 0.0F);
    read.read(
        source(first_image, images),
        [&](Index row, Index first, Index count, const float* values, const float* /*slope*/) {
          XBAR_DISPATCH(xbar::nn, scatter_patch_row)(patches, values, row, first, count, padded);
        },
        images * positions);
    if (patches.padding == 0) return;
    for_lines(patches, images, [&](Index line, Index padded_line) {
      std::copy_n(padded + padded_line, patches.width, to + line);
    });
  });
  read.add_seconds(watch.seconds());
}

double adc_range_gradient(const mapping::ConvertedRead& read, const Tensor& dy,
                          const Tensor& slope) {
  const Index size = dy.item_size();
  const double sum = sum_over_images(dy.count(), [&](Index n) {
    double part = 0;
    for (Index i = n * size; i < (n + 1) * size; ++i) {
      part += static_cast<double>(dy[i]) * static_cast<double>(slope[i]);
    }
    return part;
  });
  return sum * mapping::ConvertedRead::range_gradient_scale(dy.size(),
                                                            read.converters().adc_code_limit());
}

double dac_range_gradient(const mapping::ConvertedRead& read, const Tensor& x, Tensor& dx) {
  const Index size = x.item_size();
  const double sum = sum_over_images(x.count(), [&](Index n) {
    return read.dac_gradient(x.data() + n * size, size, dx.data() + n * size);
  });
  return sum *
         mapping::ConvertedRead::range_gradient_scale(x.size(), read.converters().input_limit());
}

}  // namespace xbar::nn
