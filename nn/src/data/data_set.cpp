#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/data/cifar_set.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/data/glyphs.hpp>
#include <xbar/nn/data/idx_file.hpp>

#include "byte_images.hpp"

namespace xbar::nn {
namespace {

namespace fs = std::filesystem;

constexpr int idx_classes = 10;

fs::path existing(const fs::path& folder, const std::string& file) {
  for (const fs::path& path : {folder / file, folder / (file + ".gz")}) {
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  throw IoError(
      fmt::format("{}: expected the file {} or {}.gz, found neither", folder.string(), file, file));
}

ImageSet read_images(const fs::path& folder, const std::string& split) {
  const fs::path image_path = existing(folder, split + "-images-idx3-ubyte");
  const fs::path label_path = existing(folder, split + "-labels-idx1-ubyte");
  const IdxArray images = read_idx(image_path);
  const IdxArray labels = read_idx(label_path);
  const auto check_axes = [](const fs::path& path, const IdxArray& array, std::size_t expected) {
    if (array.shape.size() != expected) {
      throw IoError(fmt::format("{}: expected an IDX array of {} axes, got {}", path.string(),
                                expected, array.shape.size()));
    }
  };
  check_axes(image_path, images, 3);
  check_axes(label_path, labels, 1);
  if (images.shape[0] != labels.shape[0]) {
    throw IoError(fmt::format("{}: expected {} labels, one for each image of {}, got {}",
                              label_path.string(), images.shape[0], image_path.string(),
                              labels.shape[0]));
  }
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    if (labels.values[i] >= idx_classes) {
      throw IoError(fmt::format("{}: expected labels below {}, got {} for image {}",
                                label_path.string(), idx_classes, labels.values[i], i));
    }
  }

  ImageSet set;
  set.count = images.shape[0];
  set.channels = 1;
  set.height = images.shape[1];
  set.width = images.shape[2];
  set.labels = labels.values;
  detail::append_pixels(images.values, set.pixels);
  return set;
}

DataSet read_idx_set(const std::string& name, const fs::path& folder) {
  DataSet data;
  data.name = name;
  data.num_classes = idx_classes;
  data.train = read_images(folder, "train");
  data.test = read_images(folder, "t10k");
  if (data.train.height != data.test.height || data.train.width != data.test.width) {
    throw IoError(fmt::format("{}: expected test images of {} x {} as in training, got {} x {}",
                              folder.string(), data.train.height, data.train.width,
                              data.test.height, data.test.width));
  }
  return data;
}

fs::path default_folder(const std::string& name) {
  const char* const root = std::getenv("XBAR_DATA");
  if (root == nullptr || *root == '\0') {
    throw InvalidArgument(
        fmt::format("data '{}': no folder is known: give {}=DIR or set XBAR_DATA to the folder "
                    "that holds {}",
                    name, name, name));
  }
  return fs::path(root) / name;
}

}  // namespace

ImageSet first_images(const ImageSet& images, Index count) {
  ImageSet first{
      std::min(images.count, count), images.channels, images.height, images.width, {}, {}};
  first.pixels.assign(images.pixels.begin(),
                      images.pixels.begin() + first.count * images.image_size());
  first.labels.assign(images.labels.begin(), images.labels.begin() + first.count);
  return first;
}

DataSet load_data(const std::string& spec, std::uint64_t seed) {
  static const std::array<std::string, 5> names = {"glyphs", "mnist", "fashion-mnist", "cifar10",
                                                   "cifar100"};
  const std::size_t equals = spec.find('=');
  const std::string name = spec.substr(0, equals);
  const bool has_folder = equals != std::string::npos;
  const std::string folder = has_folder ? spec.substr(equals + 1) : "";
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw InvalidArgument(fmt::format("data '{}': expected one of {}{}", spec,
                                      fmt::join(names, ", "), did_you_mean(name, names)));
  }
  if (has_folder && folder.empty()) {
    throw InvalidArgument(fmt::format("data '{}': expected a folder after '='", spec));
  }
  if (name == "glyphs") {
    if (has_folder) {
      throw InvalidArgument(
          fmt::format("data '{}': glyphs are generated, expected no folder", spec));
    }
    return make_glyphs(seed);
  }
  const fs::path place = has_folder ? fs::path(folder) : default_folder(name);
  if (name == "cifar10") return read_cifar_set(place, CifarKind::cifar10);
  if (name == "cifar100") return read_cifar_set(place, CifarKind::cifar100);
  return read_idx_set(name, place);
}

}  // namespace xbar::nn
