#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/one_thread.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/nn/layers/conv2d.hpp>

#include "../chunks.hpp"

// oneDNN's convolution primitives against im2col + gemm (an image a gemm, images in parallel; each
// with its forward and both backward products, batch 64, CPU time of one AVX-512 core, oneDNN 2.6):
// the primitives take 1.9 ms for what LeNet-5 needs of its two convolutions, repacking included,
// im2col lost with 2.7 to 3.1 ms; for the 3 x 3 convolutions of ResNet-20 on two cores 2.8 to 4.3
// ms against 5.2 to 6.8 ms. With our plain layout forced upon the primitives, to save the
// repacking, oneDNN falls back to an im2col of its own: 5.1 ms for LeNet-5.

namespace xbar::nn {
namespace {

using dnnl::memory;

// Images that one thread handles at a time. The batch is cut and the groups' weight gradients are
// summed in the same way whatever the number of threads.
constexpr Index group_images = 4;

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

// Leaves the layout to the primitive.
memory::desc any(const memory::dims& dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

memory::dims dims_of(const Shape& shape) {
  memory::dims result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
  return result;
}

// An array that a primitive reads or writes: its role, its size and the layout the primitive wants.
struct Array {
  int role;
  memory::dims dims;
  memory::desc wanted;
};

// An array in our layout and, where the primitive wants another one, its copy in that layout.
class Port {
 public:
  explicit Port(const Array& array)
      : outside_(plain(array.dims), cpu(), DNNL_MEMORY_NONE), inside_(outside_) {
    if (array.wanted != outside_.get_desc()) {
      inside_ = memory(array.wanted, cpu());
      in_.emplace(outside_, inside_);
      out_.emplace(inside_, outside_);
    }
  }

  // What the primitive gets.
  [[nodiscard]] const memory& inside() const { return inside_; }

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
};

// A primitive for one group of images. `own` arrays differ from group to group, `shared` ones are
// the same for all.
class Step {
 public:
  Step(dnnl::primitive primitive, memory::desc scratchpad, std::vector<Array> own,
       const std::vector<Array>& shared)
      : primitive_(std::move(primitive)), scratchpad_(std::move(scratchpad)), own_(std::move(own)) {
    for (const Array& array : shared) {
      roles_.push_back(array.role);
      shared_.emplace_back(array);
    }
  }

  void load_shared(std::size_t array, const float* values) { shared_[array].load(stream_, values); }

  void make_lanes(int threads) {
    while (lanes_.size() < static_cast<std::size_t>(threads)) {
      Lane lane;
      lane.scratchpad = memory(scratchpad_, cpu());
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
    auto port = lane.ports.begin();
    for (const float* values : inputs) (port++)->load(lane.stream, values);
    const auto first_output = port;
    for (float* values : outputs) (port++)->bind(values);
    primitive_.execute(lane.stream, lane.arguments);
    for (port = first_output; port != lane.ports.end(); ++port) port->store(lane.stream);
  }

 private:
  dnnl::primitive primitive_;
  memory::desc scratchpad_;
  std::vector<Array> own_;
  std::vector<int> roles_;
  std::vector<Port> shared_;
  dnnl::stream stream_{cpu()};
  std::vector<Lane> lanes_;
};

// The three primitives for groups of one size, each made when first needed.
class Plan {
 public:
  Plan(const Shape& input, const Shape& output, const Shape& weight, const Conv2dOptions& options)
      : x_(dims_of(input)),
        w_(dims_of(weight)),
        b_{weight[0]},
        y_(dims_of(output)),
        strides_{options.stride, options.stride},
        padding_{options.padding, options.padding},
        with_bias_(options.with_bias) {
    using Description = dnnl::convolution_forward::desc;
    constexpr auto kind = dnnl::prop_kind::forward_training;
    attributes_.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const OneThread one_thread;
    forward_description_ = {with_bias_ ? Description(kind, algorithm, any(x_), any(w_), plain(b_),
                                                     any(y_), strides_, padding_, padding_)
                                       : Description(kind, algorithm, any(x_), any(w_), any(y_),
                                                     strides_, padding_, padding_),
                            attributes_, cpu()};
  }

  // (x) -> (y), shared: W, b.
  Step& forward(int threads) {
    const OneThread one_thread;
    if (!forward_) {
      const auto& made = forward_description_;
      std::vector<Array> shared = {{DNNL_ARG_WEIGHTS, w_, made.weights_desc()}};
      if (with_bias_) shared.push_back({DNNL_ARG_BIAS, b_, made.bias_desc()});
      forward_.emplace(dnnl::convolution_forward(made), made.scratchpad_desc(),
                       std::vector<Array>{{DNNL_ARG_SRC, x_, made.src_desc()},
                                          {DNNL_ARG_DST, y_, made.dst_desc()}},
                       shared);
    }
    forward_->make_lanes(threads);
    return *forward_;
  }

  // (dy) -> (dx), shared: W.
  Step& backward_data(int threads) {
    const OneThread one_thread;
    if (!backward_data_) {
      const dnnl::convolution_backward_data::primitive_desc made(
          {algorithm, any(x_), any(w_), any(y_), strides_, padding_, padding_}, attributes_, cpu(),
          forward_description_);
      backward_data_.emplace(dnnl::convolution_backward_data(made), made.scratchpad_desc(),
                             std::vector<Array>{{DNNL_ARG_DIFF_DST, y_, made.diff_dst_desc()},
                                                {DNNL_ARG_DIFF_SRC, x_, made.diff_src_desc()}},
                             std::vector<Array>{{DNNL_ARG_WEIGHTS, w_, made.weights_desc()}});
    }
    backward_data_->make_lanes(threads);
    return *backward_data_;
  }

  // (x, dy) -> (dW, db).
  Step& backward_weights(int threads) {
    const OneThread one_thread;
    if (!backward_weights_) {
      using Description = dnnl::convolution_backward_weights::desc;
      const dnnl::convolution_backward_weights::primitive_desc made(
          with_bias_
              ? Description(algorithm, any(x_), any(w_), plain(b_), any(y_), strides_, padding_,
                            padding_)
              : Description(algorithm, any(x_), any(w_), any(y_), strides_, padding_, padding_),
          attributes_, cpu(), forward_description_);
      std::vector<Array> own = {{DNNL_ARG_SRC, x_, made.src_desc()},
                                {DNNL_ARG_DIFF_DST, y_, made.diff_dst_desc()},
                                {DNNL_ARG_DIFF_WEIGHTS, w_, made.diff_weights_desc()}};
      if (with_bias_) own.push_back({DNNL_ARG_DIFF_BIAS, b_, made.diff_bias_desc()});
      backward_weights_.emplace(dnnl::convolution_backward_weights(made), made.scratchpad_desc(),
                                std::move(own), std::vector<Array>{});
    }
    backward_weights_->make_lanes(threads);
    return *backward_weights_;
  }

 private:
  static constexpr auto algorithm = dnnl::algorithm::convolution_direct;

  memory::dims x_, w_, b_, y_, strides_, padding_;
  bool with_bias_;
  dnnl::primitive_attr attributes_;
  dnnl::convolution_forward::primitive_desc forward_description_;
  std::optional<Step> forward_, backward_data_, backward_weights_;
};

}  // namespace

struct Conv2d::Workspace {
  static constexpr std::size_t max_plans = 16;

  struct Key {
    Index count, height, width;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::map<Key, Plan> plans;
  std::vector<float> partial;  // dW and db of every group

  Plan& plan(const Conv2d& layer, const Shape& input) {
    const Key key{input[0], input[2], input[3]};
    auto place = plans.find(key);
    if (place == plans.end()) {
      place = plans
                  .emplace(std::piecewise_construct, std::forward_as_tuple(key),
                           std::forward_as_tuple(input, layer.output_shape(input),
                                                 layer.weight().shape, layer.options()))
                  .first;
    }
    return place->second;
  }

  // Calls prepare(plan) for the plans of whole groups and of the rest of a batch, and then
  // run(step, group, first image) for every group, `step` being what prepare returned.
  template <typename Prepare, typename Run>
  void for_groups(const Conv2d& layer, const Shape& input, const Prepare& prepare, const Run& run) {
    const Index whole = input[0] / group_images;
    const Index rest = input[0] % group_images;
    if (plans.size() > max_plans) plans.clear();
    Step* whole_step =
        whole == 0 ? nullptr : &prepare(plan(layer, input.item().batch(group_images)));
    Step* rest_step = rest == 0 ? nullptr : &prepare(plan(layer, input.item().batch(rest)));
    parallel_for(whole + (rest == 0 ? 0 : 1), [&](Index group) {
      run(group < whole ? *whole_step : *rest_step, group, group * group_images);
    });
  }
};

namespace {

Shape checked_shape(const std::string& name, const Conv2dOptions& options) {
  const auto check = [&](const char* field, Index value, Index least) {
    if (value < least) {
      throw InvalidArgument(
          fmt::format("{}: expected {} >= {}, found {}", name, field, least, value));
    }
  };
  check("in_channels", options.in_channels, 1);
  check("out_channels", options.out_channels, 1);
  check("kernel_height", options.kernel_height, 1);
  check("kernel_width", options.kernel_width, 1);
  check("stride", options.stride, 1);
  check("padding", options.padding, 0);
  return {options.out_channels, options.in_channels, options.kernel_height, options.kernel_width};
}

}  // namespace

Conv2d::Conv2d(const std::string& name, const Conv2dOptions& options)
    : WeightedLayer(name, checked_shape(name, options), options.with_bias),
      options_(options),
      workspace_(std::make_unique<Workspace>()) {}

Conv2d::~Conv2d() = default;

Shape Conv2d::output_shape(const Shape& input) const {
  const Index pad = 2 * options_.padding;
  if (input.rank() != 4 || input[1] != options_.in_channels ||
      input[2] + pad < options_.kernel_height || input[3] + pad < options_.kernel_width) {
    throw InvalidArgument(fmt::format(
        "{}: expected an input of shape (N, {}, H, W) with H >= {} and W >= {}, found {}", name(),
        options_.in_channels, std::max<Index>(0, options_.kernel_height - pad),
        std::max<Index>(0, options_.kernel_width - pad), to_string(input)));
  }
  return {input[0], options_.out_channels,
          (input[2] + pad - options_.kernel_height) / options_.stride + 1,
          (input[3] + pad - options_.kernel_width) / options_.stride + 1};
}

void Conv2d::compute_forward(const Tensor& x, Tensor& y) try {
  const auto prepare = [&](Plan& plan) -> Step& {
    Step& step = plan.forward(thread_count());
    step.load_shared(0, weight_store().forward_weight().data());
    if (has_bias()) step.load_shared(1, bias().store->weight().data());
    return step;
  };
  workspace_->for_groups(*this, x.shape(), prepare, [&](Step& step, Index /*group*/, Index image) {
    step.run({x.data() + image * x.item_size()}, {y.data() + image * y.item_size()});
  });
} catch (const dnnl::error& error) {
  throw NumericalError(fmt::format("{}: oneDNN failed in forward: {}", name(), error.what()));
}

void Conv2d::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy,
                              Tensor* dx) try {
  const Index weights = weight().gradient.size();
  const Index stride = weights + (has_bias() ? out_features() : 0);
  const Index groups = (x.count() + group_images - 1) / group_images;
  std::vector<float>& partial = workspace_->partial;
  partial.resize(static_cast<std::size_t>(groups * stride));
  workspace_->for_groups(
      *this, x.shape(), [](Plan& plan) -> Step& { return plan.backward_weights(thread_count()); },
      [&](Step& step, Index group, Index image) {
        float* dw = partial.data() + group * stride;
        const float* x_image = x.data() + image * x.item_size();
        const float* dy_image = dy.data() + image * dy.item_size();
        if (has_bias()) {
          step.run({x_image, dy_image}, {dw, dw + weights});
        } else {
          step.run({x_image, dy_image}, {dw});
        }
      });
  const auto add_up = [&](Index offset, MatrixF& sum) {
    float* to = sum.data();
    for_chunks(sum.size(), groups, [&](Index begin, Index end) {
      std::fill(to + begin, to + end, 0.0F);
      for (Index group = 0; group < groups; ++group) {
        const float* from = partial.data() + group * stride + offset;
        for (Index i = begin; i < end; ++i) to[i] += from[i];
      }
    });
  };
  add_up(0, weight().gradient);
  if (has_bias()) add_up(weights, bias().gradient);

  if (dx == nullptr) return;
  const auto prepare = [&](Plan& plan) -> Step& {
    Step& step = plan.backward_data(thread_count());
    step.load_shared(0, weight_store().backward_weight().data());
    return step;
  };
  workspace_->for_groups(*this, x.shape(), prepare, [&](Step& step, Index /*group*/, Index image) {
    step.run({dy.data() + image * dy.item_size()}, {dx->data() + image * x.item_size()});
  });
} catch (const dnnl::error& error) {
  throw NumericalError(fmt::format("{}: oneDNN failed in backward: {}", name(), error.what()));
}

}  // namespace xbar::nn
