#include "layers/im2col.hpp"

namespace xbar::nn::XBAR_ISA {
namespace {

// Calls run(offset in the images, columns, offset in the row) by stretches of one line of
// positions.
template <typename Run>
void for_runs(const Patches& patches, long row, long first, long count, const Run& run) {
  const long height = patches.height + 2 * patches.padding;
  const long width = patches.width + 2 * patches.padding;
  const long j = row % patches.kernel_width;
  const long i = row / patches.kernel_width % patches.kernel_height;
  const long c = row / (patches.kernel_width * patches.kernel_height);
  long q = first % patches.out_width;
  long p = first / patches.out_width % patches.out_height;
  const long image = first / (patches.out_width * patches.out_height);
  long channel = (image * patches.channels + c) * height;
  for (long done = 0; done < count;) {
    const long rest = count - done;
    const long columns = rest < patches.out_width - q ? rest : patches.out_width - q;
    run((channel + p * patches.stride + i) * width + q * patches.stride + j, columns, done);
    done += columns;
    q = 0;
    if (++p == patches.out_height) {
      p = 0;
      channel += patches.channels * height;
    }
  }
}

}  // namespace

void gather_patch_row(const Patches& patches, const float* images, long row, long first, long count,
                      float* values) {
  const long stride = patches.stride;
  for_runs(patches, row, first, count, [=](long from, long columns, long to) {
    if (stride == 1) {
#pragma omp simd
      for (long k = 0; k < columns; ++k) values[to + k] = images[from + k];
    } else {
      for (long k = 0; k < columns; ++k) values[to + k] = images[from + k * stride];
    }
  });
}

void scatter_patch_row(const Patches& patches, const float* values, long row, long first,
                       long count, float* images) {
  const long stride = patches.stride;
  for_runs(patches, row, first, count, [=](long to, long columns, long from) {
    if (stride == 1) {
#pragma omp simd
      for (long k = 0; k < columns; ++k) images[to + k] += values[from + k];
    } else {
      for (long k = 0; k < columns; ++k) images[to + k * stride] += values[from + k];
    }
  });
}

}  // namespace xbar::nn::XBAR_ISA
