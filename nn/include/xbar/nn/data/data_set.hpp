#pragma once

/// Labelled images for training and test.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/nn/data/normalisation.hpp>

namespace xbar::nn {

/// Images of one split, N x channels x height x width, C order, pixel values in [0, 1] unless
/// normalised.
struct ImageSet {
  Index count = 0;
  Index channels = 0;
  Index height = 0;
  Index width = 0;
  std::vector<float> pixels;         ///< size count * channels * height * width
  std::vector<std::uint8_t> labels;  ///< size count, each < num_classes of the DataSet

  [[nodiscard]] Index image_size() const { return channels * height * width; }
};

/// The first `count` images, or all if there are fewer.
[[nodiscard]] ImageSet first_images(const ImageSet& images, Index count);

struct DataSet {
  std::string name;  ///< as the user calls it: "glyphs", "mnist", "cifar10"
  int num_classes = 0;
  ImageSet train;
  ImageSet test;
  Normalisation normalisation{};  ///< what normalise() has done to the pixels
};

/// Loads the data set that `spec` names: NAME or NAME=DIR.
///   glyphs                 generated from `seed`, needs no file
///   mnist, fashion-mnist   the four IDX files, plain or .gz, in DIR; without it in $XBAR_DATA/NAME
///   cifar10, cifar100      the binary files of [Krizhevsky2009] or another layout of
///                          data/cifar_set.hpp, in DIR; without it in $XBAR_DATA/NAME
/// @throws InvalidArgument for an unknown name (suggests the nearest) and where no folder is known;
///         IoError for a missing, truncated or inconsistent file.
[[nodiscard]] DataSet load_data(const std::string& spec, std::uint64_t seed);

}  // namespace xbar::nn
