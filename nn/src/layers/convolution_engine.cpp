#include "convolution_engine.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/one_thread.hpp>
#include <xbar/core/parallel.hpp>

#include "../chunks.hpp"

// oneDNN's convolution primitives against im2col + gemm (an image a gemm, images in parallel; each
// with its forward and both backward products, batch 64, CPU time of one AVX-512 core, oneDNN 2.6):
// the primitives take 1.9 ms for what LeNet-5 needs of its two convolutions, repacking included,
// im2col lost with 2.7 to 3.1 ms; for the 3 x 3 convolutions of ResNet-20 on two cores 2.8 to 4.3
// ms against 5.2 to 6.8 ms. With our plain layout forced upon the primitives, to save the
// repacking, oneDNN falls back to an im2col of its own: 5.1 ms for LeNet-5.
//
// Winograd's 3 x 3 convolution [Lavin2016], of which oneDNN has F(4 x 4, 3 x 3), against the direct
// one: ms an image and AVX-512 core for forward, dx, dW (oneDNN 2.6, 32 images at a time, the last
// row 128):
//
//   channels, pixels    direct               Winograd
//    16 -> 16, 32 x 32  0.034  0.029  0.028  0.030  0.029  0.025
//    64 -> 64, 32 x 32  0.42   0.50   0.50   0.23   0.24   0.24
//   128 -> 128, 8 x 8   0.103  0.103  0.108  0.056  0.058  0.055
//   512 -> 512, 4 x 4   0.41   0.36   0.60   0.23   0.23   0.23
//
// Its outputs are off by 1e-6 to 4e-6 of the largest, the direct ones' by 3e-7.

namespace xbar::nn {
namespace {

using dnnl::memory;

// How the work of one product is cut into jobs: by the shapes alone, so that what is summed, and in
// which order, is the same whatever the number of threads.
struct Cut {
  Index images;     // of one job
  Index out_block;  // output channels of one job, forward and in the weights' gradient
  Index in_block;   // input channels of one job, in the input's gradient
};

// A job repacks its weights, or sums its share of their gradient: work that its pixels have to
// outweigh. Where that takes more images than leave jobs for all cores, channels are cut instead;
// they cost a repacking of the images.
Cut cut(const Conv2dOptions& options, Index pixels) {
  constexpr Index worthwhile_pixels = 4096;
  constexpr Index fewest_images = 4, most_images = 32;
  constexpr Index small_image = 16, images_if_small = 128, block_if_small = 128;
  if (pixels > small_image) {
    return {std::clamp(worthwhile_pixels / pixels / fewest_images * fewest_images, fewest_images,
                       most_images),
            options.out_channels, options.in_channels};
  }
  const auto block = [](Index channels) {
    return channels % block_if_small == 0 ? block_if_small : channels;
  };
  return {images_if_small, block(options.out_channels), block(options.in_channels)};
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine = [] {
    static_cast<void>(gemm_engine());  // makes XBAR_ISA known to oneDNN before its first kernel
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

memory::desc plain(const memory::dims& dims) {
  return {dims, memory::data_type::f32,
          dims.size() == 1 ? memory::format_tag::a : memory::format_tag::abcd};
}

// The first channels of plain images or filters that have `channels` of them.
memory::desc some_channels(const memory::dims& dims, Index channels) {
  const Index pixels = dims[2] * dims[3];
  return {dims, memory::data_type::f32, memory::dims{channels * pixels, pixels, dims[3], 1}};
}

// Leaves the layout to the primitive.
memory::desc any(const memory::dims& dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

memory::dims dims_of(const Shape& shape) {
  memory::dims result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
  return result;
}

// What a thread needs while it runs a primitive and no longer: repacked arrays, Winograd's
// transforms. Only one primitive at a time runs on a thread, so that all layers share it.
std::byte* thread_memory(std::size_t bytes) {
  thread_local std::vector<std::byte, AlignedAllocator<std::byte>> memory;
  if (memory.size() < bytes) {
    memory.clear();  // nothing to copy
    memory.resize(bytes);
  }
  return memory.data();
}

// An array that a primitive reads or writes: its role, its layout with us and the one that the
// primitive wants.
struct Array {
  int role;
  memory::desc outside;
  memory::desc wanted;
};

// An array in our layout and, where the primitive wants another one, its copy in that layout.
class Port {
 public:
  explicit Port(const Array& array)
      : outside_(array.outside, cpu(), DNNL_MEMORY_NONE), inside_(outside_) {
    if (array.wanted != array.outside) {
      inside_ = memory(array.wanted, cpu(), DNNL_MEMORY_NONE);
      in_.emplace(outside_, inside_);
      out_.emplace(inside_, outside_);
    }
  }

  // What the primitive gets.
  [[nodiscard]] const memory& inside() const { return inside_; }
  // Bytes of the copy.
  [[nodiscard]] std::size_t bytes() const { return in_ ? inside_.get_desc().get_size() : 0; }
  void place_copy(std::byte* place) {
    if (in_) inside_.set_data_handle(place);
  }

  void bind(float* values) { outside_.set_data_handle(values); }
  void load(const dnnl::stream& stream, const float* values) {
    bind(const_cast<float*>(values));  // oneDNN has no pointer to const; it only reads
    if (in_) in_->execute(stream, outside_, inside_);
  }
  void store(const dnnl::stream& stream) {
    if (out_) out_->execute(stream, inside_, outside_);
  }

 private:
  memory outside_;
  memory inside_;
  std::optional<dnnl::reorder> in_;
  std::optional<dnnl::reorder> out_;
};

// What a thread needs of its own to run a primitive.
struct Lane {
  dnnl::stream stream{cpu()};
  std::vector<Port> ports;
  memory scratchpad;
  std::unordered_map<int, memory> arguments;
  std::byte* placed = nullptr;  // the thread_memory() that scratchpad and copies lie in
};

// A primitive for one group of images and one block of channels. `own` arrays differ from group to
// group, `shared` ones are the same for all.
class Step {
 public:
  Step(dnnl::primitive primitive, memory::desc scratchpad, std::vector<Array> own,
       const std::vector<Array>& shared)
      : primitive_(std::move(primitive)), scratchpad_(std::move(scratchpad)), own_(std::move(own)) {
    for (const Array& array : shared) {
      roles_.push_back(array.role);
      Port& port = shared_.emplace_back(array);
      copies_.emplace_back(port.bytes());
      port.place_copy(copies_.back().data());
    }
  }

  void load_shared(std::size_t array, const float* values) { shared_[array].load(stream_, values); }

  void make_lanes(int threads) {
    while (lanes_.size() < static_cast<std::size_t>(threads)) {
      Lane lane;
      lane.scratchpad = memory(scratchpad_, cpu(), DNNL_MEMORY_NONE);
      lane.arguments.emplace(DNNL_ARG_SCRATCHPAD, lane.scratchpad);
      for (const Array& array : own_) {
        lane.ports.emplace_back(array);
        lane.arguments.emplace(array.role, lane.ports.back().inside());
      }
      for (std::size_t i = 0; i < shared_.size(); ++i) {
        lane.arguments.emplace(roles_[i], shared_[i].inside());
      }
      lanes_.push_back(std::move(lane));
    }
  }

  // Reads the first `inputs.size()` own arrays, writes the others. Safe from several threads.
  void run(std::initializer_list<const float*> inputs, std::initializer_list<float*> outputs) {
    const OneThread one_thread;
    Lane& lane = lanes_[static_cast<std::size_t>(omp_get_thread_num())];
    place(lane);
    auto port = lane.ports.begin();
    for (const float* values : inputs) (port++)->load(lane.stream, values);
    const auto first_output = port;
    for (float* values : outputs) (port++)->bind(values);
    primitive_.execute(lane.stream, lane.arguments);
    for (port = first_output; port != lane.ports.end(); ++port) port->store(lane.stream);
  }

 private:
  using Bytes = std::vector<std::byte, AlignedAllocator<std::byte>>;

  void place(Lane& lane) const {
    const auto on_cache_lines = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    std::size_t bytes = on_cache_lines(scratchpad_.get_size());
    for (const Port& port : lane.ports) bytes += on_cache_lines(port.bytes());
    std::byte* place = thread_memory(bytes);
    if (lane.placed == place) return;
    lane.placed = place;
    lane.scratchpad.set_data_handle(place);
    place += on_cache_lines(scratchpad_.get_size());
    for (Port& port : lane.ports) {
      port.place_copy(place);
      place += on_cache_lines(port.bytes());
    }
  }

  dnnl::primitive primitive_;
  memory::desc scratchpad_;
  std::vector<Array> own_;
  std::vector<int> roles_;
  std::vector<Port> shared_;
  std::vector<Bytes> copies_;  // of the shared arrays
  dnnl::stream stream_{cpu()};
  std::vector<Lane> lanes_;
};

// A product for groups of one size: a step for every block of channels.
using Blocks = std::vector<Step>;

// The three products for groups of one size, each made when first needed.
class Plan {
 public:
  Plan(const Shape& input, const Shape& output, const Conv2dOptions& options)
      : options_(options),
        cut_(cut(options, output[2] * output[3])),
        x_(dims_of(input)),
        y_(dims_of(output)),
        strides_{options.stride, options.stride},
        padding_{options.padding, options.padding} {
    attributes_.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  }

  // (x) -> (y), shared: W, b.
  Blocks& forward(int threads) {
    const OneThread one_thread;
    if (forward_.empty()) {
      const memory::dims w = filters(cut_.out_block, options_.in_channels);
      const memory::dims y = with_channels(y_, cut_.out_block);
      const auto made = forward_description(x_, w, y);
      std::vector<Array> shared = {{DNNL_ARG_WEIGHTS, plain(w), made.weights_desc()}};
      if (options_.with_bias) {
        shared.push_back({DNNL_ARG_BIAS, plain({cut_.out_block}), made.bias_desc()});
      }
      for (Index o = 0; o < options_.out_channels; o += cut_.out_block) {
        forward_.emplace_back(
            dnnl::convolution_forward(made), made.scratchpad_desc(),
            std::vector<Array>{
                {DNNL_ARG_SRC, plain(x_), made.src_desc()},
                {DNNL_ARG_DST, some_channels(y, options_.out_channels), made.dst_desc()}},
            shared);
      }
    }
    for (Step& step : forward_) step.make_lanes(threads);
    return forward_;
  }

  // (dy) -> (dx), shared: W.
  Blocks& backward_data(int threads) {
    const OneThread one_thread;
    if (backward_data_.empty()) {
      const memory::dims w = filters(options_.out_channels, cut_.in_block);
      const memory::dims x = with_channels(x_, cut_.in_block);
      const dnnl::convolution_backward_data::primitive_desc made(
          {algorithm(), any(x), any(w), any(y_), strides_, padding_, padding_}, attributes_, cpu(),
          forward_description(x, w, y_));
      for (Index c = 0; c < options_.in_channels; c += cut_.in_block) {
        backward_data_.emplace_back(
            dnnl::convolution_backward_data(made), made.scratchpad_desc(),
            std::vector<Array>{
                {DNNL_ARG_DIFF_DST, plain(y_), made.diff_dst_desc()},
                {DNNL_ARG_DIFF_SRC, some_channels(x, options_.in_channels), made.diff_src_desc()}},
            std::vector<Array>{
                {DNNL_ARG_WEIGHTS, some_channels(w, options_.in_channels), made.weights_desc()}});
      }
    }
    for (Step& step : backward_data_) step.make_lanes(threads);
    return backward_data_;
  }

  // (x, dy) -> (dW, db).
  Blocks& backward_weights(int threads) {
    const OneThread one_thread;
    if (backward_weights_.empty()) {
      using Description = dnnl::convolution_backward_weights::desc;
      const memory::dims w = filters(cut_.out_block, options_.in_channels);
      const memory::dims y = with_channels(y_, cut_.out_block);
      const memory::dims b{cut_.out_block};
      const dnnl::convolution_backward_weights::primitive_desc made(
          options_.with_bias
              ? Description(algorithm(), any(x_), any(w), plain(b), any(y), strides_, padding_,
                            padding_)
              : Description(algorithm(), any(x_), any(w), any(y), strides_, padding_, padding_),
          attributes_, cpu(), forward_description(x_, w, y));
      std::vector<Array> own = {
          {DNNL_ARG_SRC, plain(x_), made.src_desc()},
          {DNNL_ARG_DIFF_DST, some_channels(y, options_.out_channels), made.diff_dst_desc()},
          {DNNL_ARG_DIFF_WEIGHTS, plain(w), made.diff_weights_desc()}};
      if (options_.with_bias) own.push_back({DNNL_ARG_DIFF_BIAS, plain(b), made.diff_bias_desc()});
      for (Index o = 0; o < options_.out_channels; o += cut_.out_block) {
        backward_weights_.emplace_back(dnnl::convolution_backward_weights(made),
                                       made.scratchpad_desc(), own, std::vector<Array>{});
      }
    }
    for (Step& step : backward_weights_) step.make_lanes(threads);
    return backward_weights_;
  }

 private:
  [[nodiscard]] memory::dims filters(Index out, Index in) const {
    return {out, in, options_.kernel_height, options_.kernel_width};
  }

  static memory::dims with_channels(memory::dims images, Index channels) {
    images[1] = channels;
    return images;
  }

  // Winograd's where it is worth its transforms. Of an image smaller than a tile of 4 x 4 the
  // direct one skips most of what lies in the padding.
  [[nodiscard]] dnnl::algorithm algorithm() const {
    constexpr Index fewest_channels = 32, fewest_tiles = 64, smallest_image = 3;
    const Index tiles = y_[0] * ((y_[2] + 3) / 4) * ((y_[3] + 3) / 4);
    const bool pays = std::min(options_.in_channels, options_.out_channels) >= fewest_channels &&
                      tiles >= fewest_tiles && std::min(y_[2], y_[3]) >= smallest_image;
    if (!pays) return dnnl::algorithm::convolution_direct;
    const memory::dims w = filters(cut_.out_block, options_.in_channels);
    const dnnl::convolution_forward::desc description(
        dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_winograd, any(x_), any(w),
        any(with_channels(y_, cut_.out_block)), strides_, padding_, padding_);
    const bool allow_empty = true;
    const dnnl::convolution_forward::primitive_desc possible(description, attributes_, cpu(),
                                                             allow_empty);
    return possible ? dnnl::algorithm::convolution_winograd : dnnl::algorithm::convolution_direct;
  }

  [[nodiscard]] dnnl::convolution_forward::primitive_desc forward_description(
      const memory::dims& x, const memory::dims& w, const memory::dims& y) const {
    using Description = dnnl::convolution_forward::desc;
    constexpr auto kind = dnnl::prop_kind::forward_training;
    return {options_.with_bias ? Description(kind, algorithm(), any(x), any(w), plain({w[0]}),
                                             any(y), strides_, padding_, padding_)
                               : Description(kind, algorithm(), any(x), any(w), any(y), strides_,
                                             padding_, padding_),
            attributes_, cpu()};
  }

  Conv2dOptions options_;
  Cut cut_;
  memory::dims x_, y_, strides_, padding_;
  dnnl::primitive_attr attributes_;
  Blocks forward_, backward_data_, backward_weights_;
};

}  // namespace

struct ConvolutionEngine::Plans {
  static constexpr std::size_t max_plans = 16;

  struct Key {
    Index count, height, width;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::map<Key, Plan> plans;
  std::vector<float> partial;  // dW and db of every group but the first

  // Calls prepare(plan) for the plans of whole groups of images and of the rest of a batch, and
  // then run(step, block, group, first image) for every step of what prepare returned and every
  // group.
  template <typename Prepare, typename Run>
  void for_jobs(const Conv2dOptions& options, const Shape& input, const Shape& output, Index images,
                const Prepare& prepare, const Run& run) {
    if (plans.size() > max_plans) plans.clear();
    const auto blocks_for = [&](Index count) {
      const Key key{count, input[2], input[3]};
      const auto [place, made] =
          plans.try_emplace(key, input.item().batch(count), output.item().batch(count), options);
      return &prepare(place->second);
    };
    const Index whole = input[0] / images;
    const Index rest = input[0] % images;
    Blocks* whole_blocks = whole == 0 ? nullptr : blocks_for(images);
    Blocks* rest_blocks = rest == 0 ? nullptr : blocks_for(rest);
    const auto blocks = static_cast<Index>((whole == 0 ? rest_blocks : whole_blocks)->size());
    parallel_for((whole + (rest == 0 ? 0 : 1)) * blocks, [&](Index job) {
      const Index group = job / blocks;
      const Index block = job % blocks;
      Step& step = (*(group < whole ? whole_blocks : rest_blocks))[static_cast<std::size_t>(block)];
      run(step, block, group, group * images);
    });
  }
};

ConvolutionEngine::ConvolutionEngine(std::string name, const Conv2dOptions& options)
    : name_(std::move(name)), options_(options), plans_(std::make_unique<Plans>()) {}

ConvolutionEngine::~ConvolutionEngine() = default;

void ConvolutionEngine::forward(const Tensor& x, const float* w, const float* b, Tensor& y) try {
  const Index pixels = y.shape().volume_from(2);
  const Cut pieces = cut(options_, pixels);
  const Index row = options_.in_channels * options_.kernel_height * options_.kernel_width;
  const auto prepare = [&](Plan& plan) -> Blocks& {
    Blocks& blocks = plan.forward(thread_count());
    Index first = 0;
    for (Step& step : blocks) {
      step.load_shared(0, w + first * row);
      if (options_.with_bias) step.load_shared(1, b + first);
      first += pieces.out_block;
    }
    return blocks;
  };
  plans_->for_jobs(options_, x.shape(), y.shape(), pieces.images, prepare,
                   [&](Step& step, Index block, Index /*group*/, Index image) {
                     step.run(
                         {x.data() + image * x.item_size()},
                         {y.data() + image * y.item_size() + block * pieces.out_block * pixels});
                   });
} catch (const dnnl::error& error) {
  throw NumericalError(fmt::format("{}: oneDNN failed in forward: {}", name_, error.what()));
}

void ConvolutionEngine::weight_gradient(const Tensor& x, const Tensor& dy, float* dw,
                                        float* db) try {
  const Index pixels = dy.shape().volume_from(2);
  const Cut pieces = cut(options_, pixels);
  const Index row = options_.in_channels * options_.kernel_height * options_.kernel_width;
  const Index weights = options_.out_channels * row;
  const Index biases = options_.with_bias ? options_.out_channels : 0;
  const Index stride = weights + biases;
  const Index groups = (x.count() + pieces.images - 1) / pieces.images;
  std::vector<float>& partial = plans_->partial;
  partial.resize(static_cast<std::size_t>((groups - 1) * stride));
  plans_->for_jobs(
      options_, x.shape(), dy.shape(), pieces.images,
      [](Plan& plan) -> Blocks& { return plan.backward_weights(thread_count()); },
      [&](Step& step, Index block, Index group, Index image) {
        const Index first = block * pieces.out_block;
        float* group_dw = group == 0 ? dw : partial.data() + (group - 1) * stride;
        const float* x_image = x.data() + image * x.item_size();
        const float* dy_image = dy.data() + image * dy.item_size() + first * pixels;
        if (biases > 0) {
          float* group_db = group == 0 ? db : group_dw + weights;
          step.run({x_image, dy_image}, {group_dw + first * row, group_db + first});
        } else {
          step.run({x_image, dy_image}, {group_dw + first * row});
        }
      });
  const auto add_up = [&](Index offset, Index count, float* sum) {
    for_chunks(count, groups, [&](Index begin, Index end) {
      for (Index group = 1; group < groups; ++group) {
        const float* from = partial.data() + (group - 1) * stride + offset;
        for (Index i = begin; i < end; ++i) sum[i] += from[i];
      }
    });
  };
  add_up(0, weights, dw);
  add_up(weights, biases, db);
} catch (const dnnl::error& error) {
  throw NumericalError(fmt::format("{}: oneDNN failed in backward: {}", name_, error.what()));
}

void ConvolutionEngine::input_gradient(const Tensor& dy, const float* w, Tensor& dx) try {
  const Cut pieces = cut(options_, dy.shape().volume_from(2));
  const Index filter = options_.kernel_height * options_.kernel_width;
  const Index pixels = dx.shape().volume_from(2);
  const auto prepare = [&](Plan& plan) -> Blocks& {
    Blocks& blocks = plan.backward_data(thread_count());
    Index first = 0;
    for (Step& step : blocks) {
      step.load_shared(0, w + first * filter);
      first += pieces.in_block;
    }
    return blocks;
  };
  plans_->for_jobs(options_, dx.shape(), dy.shape(), pieces.images, prepare,
                   [&](Step& step, Index block, Index /*group*/, Index image) {
                     step.run(
                         {dy.data() + image * dy.item_size()},
                         {dx.data() + image * dx.item_size() + block * pieces.in_block * pixels});
                   });
} catch (const dnnl::error& error) {
  throw NumericalError(fmt::format("{}: oneDNN failed in backward: {}", name_, error.what()));
}

}  // namespace xbar::nn
