#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/avg_pool2d.hpp>
#include <xbar/nn/layers/batch_norm.hpp>
#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/dropout.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/global_avg_pool.hpp>
#include <xbar/nn/layers/global_max_pool.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>
#include <xbar/nn/layers/padded_shortcut.hpp>
#include <xbar/nn/layers/relu.hpp>
#include <xbar/nn/layers/residual.hpp>
#include <xbar/nn/model_file.hpp>

#include "blocks.hpp"
#include "toml_table.hpp"

namespace xbar::nn {
namespace {

constexpr Index largest = 1'000'000;   // of any number in the file
constexpr Index largest_window = 256;  // of a pooling layer, see MaxPool2d
constexpr const char* classes = "classes";

// A list of layers while it is built: the network's, or the body of a residual layer.
struct LayerList {
  std::string prefix;  // of the names: "layer1.0."
  Shape shape;         // of what comes out of it so far, for a batch of one
  std::function<void(std::unique_ptr<Layer>)> add;
  std::map<std::string, Index> count{};  // layers by the stem of their names
  Index stage = 0;
  Index block = 0;
};

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 64 &&
         std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), fits);
}

std::string name_in(const TomlTable& table) {
  std::string name = table.text("name");
  if (!is_name(name)) {
    table.refuse_key("name", "at most 64 letters, digits, '.', '_' and '-', a letter first");
  }
  return name;
}

// A layer; what it has to say about its own numbers gets the place in the file.
template <typename LayerType, typename... Arguments>
std::unique_ptr<Layer> make(const TomlTable& table, Arguments&&... arguments) {
  try {
    return std::make_unique<LayerType>(std::forward<Arguments>(arguments)...);
  } catch (const InvalidArgument& error) {
    table.refuse(error.what());
  }
}

Shape shape_behind(const TomlTable& table, const Layer& layer, const Shape& input) {
  try {
    return layer.output_shape(input);
  } catch (const InvalidArgument& error) {
    table.refuse(error.what());
  }
}

double product(const Shape& shape) {
  double result = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) result *= static_cast<double>(shape[axis]);
  return result;
}

class ModelBuilder {
 public:
  ModelBuilder(Index num_classes, const ModelLimits& limits)
      : num_classes_(num_classes), limits_(limits) {}

  void append(const std::vector<TomlTable>& tables, LayerList& list) {
    for (const TomlTable& table : tables) {
      const Kind& kind = kind_of(table);
      const Index repeat = kind.stem == "layer" ? table.whole("repeat", 1, limits_.layers, 1) : 1;
      if (repeat > 1 && table.has("name")) {
        table.refuse_key("name", "none together with repeat: layers have different names");
      }
      for (Index k = 0; k < repeat; ++k) append(table, kind, list);
    }
  }

 private:
  using Build = std::unique_ptr<Layer> (ModelBuilder::*)(const TomlTable&, const std::string& name,
                                                         const Shape& input);

  struct Kind {
    std::string type;
    std::string stem;               // of the names that it gets
    std::vector<std::string> keys;  // besides type and name
    Build build;
  };

  static const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{
        {"conv2d",
         "conv",
         {"out_channels", "kernel", "stride", "padding", "bias"},
         &ModelBuilder::conv2d},
        {"linear", "fc", {"out_features", "bias"}, &ModelBuilder::linear},
        {"batch-norm", "bn", {"epsilon", "momentum"}, &ModelBuilder::batch_norm},
        {"relu", "relu", {}, &ModelBuilder::plain<Relu>},
        {"max-pool2d", "pool", {"kernel", "stride"}, &ModelBuilder::pool<MaxPool2d>},
        {"avg-pool2d", "pool", {"kernel", "stride"}, &ModelBuilder::pool<AvgPool2d>},
        {"global-avg-pool", "pool", {}, &ModelBuilder::plain<GlobalAvgPool>},
        {"global-max-pool", "pool", {}, &ModelBuilder::plain<GlobalMaxPool>},
        {"dropout", "dropout", {"probability"}, &ModelBuilder::dropout},
        {"flatten", "flatten", {}, &ModelBuilder::plain<Flatten>},
        {"residual", "layer", {"body", "shortcut", "after", "repeat"}, &ModelBuilder::residual},
    };
    return all;
  }

  static const Kind& kind_of(const TomlTable& table) {
    std::vector<std::string> types;
    for (const Kind& kind : kinds()) types.push_back(kind.type);
    const std::string type = table.choice("type", types);
    const Kind& kind = *std::find_if(kinds().begin(), kinds().end(),
                                     [&](const Kind& one) { return one.type == type; });
    std::vector<std::string> keys{"type", "name"};
    keys.insert(keys.end(), kind.keys.begin(), kind.keys.end());
    table.check_keys(type, keys);
    return kind;
  }

  void append(const TomlTable& table, const Kind& kind, LayerList& list) {
    if (++layers_ > limits_.layers) {
      table.refuse(fmt::format("expected at most {} layers, found more", limits_.layers));
    }
    const std::string name = list.prefix + own_name(table, kind, list);
    claim(table, name);
    std::unique_ptr<Layer> layer = (this->*kind.build)(table, name, list.shape);
    list.shape = shape_behind(table, *layer, list.shape);
    if (product(list.shape) > static_cast<double>(limits_.values)) {
      table.refuse(fmt::format("{}: expected at most {} values an image, found {}", name,
                               limits_.values, to_string(list.shape.item())));
    }
    list.add(std::move(layer));
  }

  static std::string own_name(const TomlTable& table, const Kind& kind, LayerList& list) {
    const Index number = ++list.count[kind.stem];
    if (kind.stem == "layer") {
      if (number == 1 || shortcut_kind(table) != "identity") {
        ++list.stage;
        list.block = 0;
      }
      const Index block = list.block++;
      if (!table.has("name")) return fmt::format("layer{}.{}", list.stage, block);
    }
    return table.has("name") ? name_in(table) : fmt::format("{}{}", kind.stem, number);
  }

  void claim(const TomlTable& table, const std::string& name) {
    if (names_.insert(name).second) return;
    table.refuse(fmt::format("expected layers of different names, found {} twice", name));
  }

  void claim_weights(const TomlTable& table, const std::string& name, double weights) {
    weights_ += weights;
    if (weights_ <= static_cast<double>(limits_.weights)) return;
    table.refuse(
        fmt::format("{}: expected at most {} weights in the network, found {:.0f} with this layer",
                    name, limits_.weights, weights_));
  }

  Index outputs(const TomlTable& table, std::string_view key) const {
    return table.is(key, classes) ? num_classes_ : table.whole(key, 1, largest);
  }

  std::unique_ptr<Layer> conv2d(const TomlTable& table, const std::string& name,
                                const Shape& input) {
    if (input.rank() != 4) {
      table.refuse(fmt::format(
          "{}: expected images of shape (channels, height, width) from the layer before, found {}",
          name, to_string(input.item())));
    }
    Conv2dOptions options;
    options.in_channels = input[1];
    options.out_channels = outputs(table, "out_channels");
    std::tie(options.kernel_height, options.kernel_width) = table.whole_pair("kernel", 1, largest);
    options.stride = table.whole("stride", 1, largest, 1);
    options.padding = table.whole("padding", 0, largest, 0);
    options.with_bias = table.flag("bias", true);
    claim_weights(table, name,
                  product({options.out_channels, options.in_channels, options.kernel_height,
                           options.kernel_width}));
    return make<Conv2d>(table, name, options);
  }

  std::unique_ptr<Layer> linear(const TomlTable& table, const std::string& name,
                                const Shape& input) {
    if (input.rank() != 2) {
      table.refuse(fmt::format(
          "{}: expected vectors from the layer before (type flatten makes them), found images of "
          "shape {}",
          name, to_string(input.item())));
    }
    const Index features = outputs(table, "out_features");
    claim_weights(table, name, product({features, input[1]}));
    return make<Linear>(table, name, input[1], features, table.flag("bias", true));
  }

  std::unique_ptr<Layer> batch_norm(const TomlTable& table, const std::string& name,
                                    const Shape& input) {
    BatchNormOptions options;
    options.epsilon = table.real("epsilon", options.epsilon);
    options.momentum = table.real("momentum", options.momentum);
    claim_weights(table, name, 2 * static_cast<double>(input[1]));
    return make<BatchNorm>(table, name, input[1], options);
  }

  template <typename LayerType>
  std::unique_ptr<Layer> plain(const TomlTable& table, const std::string& name,
                               const Shape& /*input*/) {
    return make<LayerType>(table, name);
  }

  template <typename LayerType>
  std::unique_ptr<Layer> pool(const TomlTable& table, const std::string& name,
                              const Shape& /*input*/) {
    const Index kernel = table.whole("kernel", 1, largest_window);
    return make<LayerType>(table, name, kernel, table.whole("stride", 1, largest, kernel));
  }

  std::unique_ptr<Layer> dropout(const TomlTable& table, const std::string& name,
                                 const Shape& /*input*/) {
    return make<Dropout>(table, name, table.real("probability", 0.5));
  }

  std::unique_ptr<Layer> residual(const TomlTable& table, const std::string& name,
                                  const Shape& input) {
    Chain main;
    LayerList body{name + ".", input,
                   [&](std::unique_ptr<Layer> layer) { main.add(std::move(layer)); }};
    append(table.tables("body", "layer"), body);
    const bool relu = table.choice("after", {"relu", "nothing"}, "relu") == "relu";
    return make<Residual>(table, name, std::move(main), shortcut(table, name, input, body.shape),
                          relu ? AfterSum::relu : AfterSum::nothing);
  }

  static std::string shortcut_kind(const TomlTable& table) {
    return table.choice("shortcut", {"identity", "padded", "projection"}, "identity");
  }

  Chain shortcut(const TomlTable& table, const std::string& name, const Shape& from,
                 const Shape& to) {
    const std::string kind = shortcut_kind(table);
    Chain chain;
    if (kind == "identity" && from != to) {
      table.refuse_key("shortcut",
                       fmt::format("padded or projection where the body leads from shape "
                                   "{} to {}",
                                   to_string(from.item()), to_string(to.item())));
    }
    if (kind == "identity" || (kind == "padded" && from == to)) return chain;
    const Index stride = stride_between(table, from, to);
    if (kind == "padded") {
      claim(table, name + ".shortcut");
      chain.add(make<PaddedShortcut>(table, name + ".shortcut", from[1], to[1], stride));
      return chain;
    }
    const std::string convolution = name + ".downsample.0";
    const std::string norm = name + ".downsample.1";
    claim(table, convolution);
    claim(table, norm);
    claim_weights(table, convolution, product({to[1], from[1]}) + 2 * product({to[1]}));
    chain.emplace<Conv2d>(
        convolution,
        Conv2dOptions{
            .in_channels = from[1], .out_channels = to[1], .stride = stride, .with_bias = false});
    chain.emplace<BatchNorm>(norm, to[1]);
    return chain;
  }

  // The smallest stride of windows of 1 x 1 that leads from images of one size to those of another.
  static Index stride_between(const TomlTable& table, const Shape& from, const Shape& to) {
    if (from.rank() == 4 && to.rank() == 4) {
      for (Index stride = 1; stride <= from[2] && stride <= largest; ++stride) {
        if ((from[2] - 1) / stride + 1 == to[2] && (from[3] - 1) / stride + 1 == to[3]) {
          return stride;
        }
      }
    }
    table.refuse_key("shortcut",
                     fmt::format("a body that leads from images to images a whole number of times "
                                 "smaller, not from shape {} to {}",
                                 to_string(from.item()), to_string(to.item())));
  }

  Index num_classes_;
  ModelLimits limits_;
  std::set<std::string> names_;
  Index layers_ = 0;
  double weights_ = 0;
};

}  // namespace

Network parse_model(std::string_view toml, const std::string& file, const Shape& input_shape,
                    Index num_classes, const ModelLimits& limits) {
  check_model_input(file, input_shape, num_classes);
  const toml::table document = parse_toml(toml, file);
  const TomlTable top(file, document);
  top.check_keys("model", {"name", "comment", "layer"});
  Network network(name_in(top), input_shape);
  if (top.has("comment")) (void)top.text("comment");
  const std::vector<TomlTable> layers = top.tables("layer", "layer");
  LayerList list{"", input_shape.batch(1),
                 [&](std::unique_ptr<Layer> layer) { network.add(std::move(layer)); }};
  ModelBuilder(num_classes, limits).append(layers, list);
  if (network.output_shape() != Shape{num_classes}) {
    layers.back().refuse(fmt::format(
        "expected an output of shape {} from the last layer, a value for each class of the data, "
        "found {}; \"{}\" as its number of outputs takes that of the data",
        to_string(Shape{num_classes}), to_string(network.output_shape()), classes));
  }
  return network;
}

}  // namespace xbar::nn
