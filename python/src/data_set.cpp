#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include <xbar/core/error.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"
#include "networks.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

nn::ImageSet images_of(const ArrayLike& images, const ArrayLike& labels, const char* name,
                       int num_classes) {
  const Input<float> pixels(images, name, 4, 4);
  const Input<double> classes(labels, name, 1, 1);
  if (classes.length(0) != pixels.length(0)) {
    throw InvalidArgument(std::string(name) + ": expected a label for each of " +
                          std::to_string(pixels.length(0)) + " images, got " +
                          std::to_string(classes.length(0)));
  }
  nn::ImageSet set{.count = pixels.length(0),
                   .channels = pixels.length(1),
                   .height = pixels.length(2),
                   .width = pixels.length(3),
                   .pixels = {pixels.values().begin(), pixels.values().end()},
                   .labels = {}};
  for (const double label : classes.values()) {
    if (!(label >= 0) || !(label < num_classes) || label != static_cast<int>(label)) {
      throw InvalidArgument(std::string(name) + ": expected labels from 0 to " +
                            std::to_string(num_classes - 1) + ", got " + std::to_string(label));
    }
    set.labels.push_back(static_cast<std::uint8_t>(label));
  }
  return set;
}

// Images and labels of one part, as views.
void bind_split(nb::class_<nn::DataSet>& data_set, const char* images, const char* labels,
                nn::ImageSet nn::DataSet::*split) {
  data_set.def_prop_ro(
      images,
      [split](nb::object self) {
        const nn::ImageSet& set = nb::cast<nn::DataSet&>(self).*split;
        const std::size_t shape[] = {
            static_cast<std::size_t>(set.count), static_cast<std::size_t>(set.channels),
            static_cast<std::size_t>(set.height), static_cast<std::size_t>(set.width)};
        return ViewF(set.pixels.data(), 4, shape, self);
      },
      "N x channels x height x width, a view");
  data_set.def_prop_ro(
      labels,
      [split](nb::object self) {
        const nn::ImageSet& set = nb::cast<nn::DataSet&>(self).*split;
        const std::size_t shape[] = {set.labels.size()};
        return nb::ndarray<nb::numpy, const std::uint8_t>(set.labels.data(), 1, shape, self);
      },
      "N, a view");
}

}  // namespace

void bind_data_set(nb::module_& m) {
  nb::class_<Weights>(m, "Weights", "Weights of a network, under PyTorch's names.")
      .def_static(
          "read", [](const std::string& file) { return Weights{read_safetensors(file)}; }, "file"_a,
          "From a .safetensors file. Raises IoError.")
      .def(
          "write",
          [](const Weights& self, const std::string& file) { write_safetensors(file, self.file); },
          "file"_a, "To a .safetensors file, atomically. Raises IoError.")
      .def(
          "tensors", [](const Weights& self) { return to_dict(self.file); },
          nb::sig("def tensors(self) -> dict[str, numpy.typing.NDArray[numpy.float32]]"),
          "A new array for each tensor.")
      .def_prop_ro(
          "metadata", [](const Weights& self) { return self.file.metadata; },
          "weight ranges of layers on arrays, and the model's name");

  nb::class_<nn::DataSet> data_set(m, "DataSet", "Labelled images for training and test.");
  data_set
      .def(
          "__init__",
          [](nn::DataSet* self, const std::string& data, std::uint64_t seed) {
            new (self) nn::DataSet(without_lock([&] { return nn::load_data(data, seed); }));
          },
          "data"_a, "seed"_a = 1,
          "data: NAME or NAME=DIR, as --data. Raises InvalidArgument, IoError.")
      .def_static(
          "of_arrays",
          [](const ArrayLike& train_images, const ArrayLike& train_labels,
             const ArrayLike& test_images, const ArrayLike& test_labels, int num_classes,
             std::string name) {
            nn::DataSet set;
            set.name = std::move(name);
            set.num_classes = num_classes;
            set.train = images_of(train_images, train_labels, "train", num_classes);
            set.test = images_of(test_images, test_labels, "test", num_classes);
            return set;
          },
          "train_images"_a, "train_labels"_a, "test_images"_a, "test_labels"_a, "num_classes"_a,
          "name"_a = "arrays",
          "Images N x channels x height x width, and a label for each; they are copied.")
      .def_ro("name", &nn::DataSet::name, "as the user calls it")
      .def_ro("num_classes", &nn::DataSet::num_classes, "labels are below it");
  bind_split(data_set, "train_images", "train_labels", &nn::DataSet::train);
  bind_split(data_set, "test_images", "test_labels", &nn::DataSet::test);
}

}  // namespace xbar::python
